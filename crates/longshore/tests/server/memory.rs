//! Memory is a function of connections and caches, never of content (I-34).

use longshore_spec::digest::{Algorithm, Digest, Hasher};
use longshore_testkit::wire::Ask;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{Server, Start, expect};

/// How many MiB the blob has.
const BLOB: usize = 192;
/// How many pull it at a time.
const PULLS: usize = 24;
/// What the server may take for itself meanwhile, in MiB: the unoptimised binary idles at about 20.
const MOST: u64 = 80;

/// The memory that is the process's own, in MiB: mapped files are not in it.
fn own(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("RssAnon:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

#[tokio::test]
async fn large_blobs_take_no_memory_on_their_way_in_or_out() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    let session = expect(
        &mut server.client(),
        Ask::new("POST", "/v2/a/b/blobs/uploads/"),
        202,
    )
    .await;
    let session = session.location().unwrap().to_owned();

    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "PATCH {session} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        BLOB << 20
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut hasher, mut piece) = (Hasher::new(Algorithm::Sha256), vec![0_u8; 1 << 20]);
    let mut most = 0;
    for at in 0..BLOB {
        piece.fill(u8::try_from(at % 251).unwrap());
        hasher.update(&piece);
        stream.write_all(&piece).await.unwrap();
        most = most.max(own(&server));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    let digest: Digest = hasher.finish();
    expect(
        &mut server.client(),
        Ask::new("PUT", format!("{session}?digest={digest}")),
        201,
    )
    .await;
    assert!(most < MOST, "a push of {BLOB} MiB took {most} MiB");

    let pulls: Vec<_> = (0..PULLS)
        .map(|_| {
            let address = server.address;
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let ask = format!(
                    "GET /v2/a/b/blobs/{digest} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
                );
                stream.write_all(ask.as_bytes()).await.unwrap();
                let (mut sink, mut total) = (vec![0; 256 << 10], 0);
                loop {
                    match stream.read(&mut sink).await.unwrap() {
                        0 => return total,
                        read => total += read,
                    }
                }
            })
        })
        .collect();
    for pull in pulls {
        assert!(pull.await.unwrap() > BLOB << 20, "a pull broke off");
        most = most.max(own(&server));
    }
    assert!(most < MOST, "{PULLS} pulls of {BLOB} MiB took {most} MiB");
}

#[tokio::test]
async fn a_manifest_that_never_ends_is_refused_before_it_is_held() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    let before = own(&server);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "PUT /v2/a/b/manifests/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    for _ in 0..64 {
        if stream.write_all(&chunk).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    let more = own(&server).saturating_sub(before);
    assert!(more < 16, "it took {more} MiB");
}
