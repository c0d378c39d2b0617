//! An orderly stop: what is under way comes to its end, what is new is turned away, and nothing acknowledged is lost.

use std::time::Duration;

use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::wire::Ask;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{Start, binary, expect};

#[tokio::test]
async fn an_upload_that_was_under_way_comes_to_its_end() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Start::over(data.path()).run();
    let address = server.address;
    let body = vec![7_u8; 400_000];
    let digest = Digest::of(Algorithm::Sha256, &body);
    let session = expect(
        &mut server.client(),
        Ask::new("POST", "/v2/a/b/blobs/uploads/"),
        202,
    )
    .await;
    let session = session.location().unwrap().to_owned();

    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PUT {session}?digest={digest} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.write_all(&body[..100_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        TcpStream::connect(address).await.is_err(),
        "the port is closed at once"
    );
    slow.write_all(&body[100_000..]).await.unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(server.wait(), Some(0));

    let server = Start::over(data.path()).run();
    expect(
        &mut server.client(),
        Ask::new("HEAD", format!("/v2/a/b/blobs/{digest}")),
        200,
    )
    .await;
}

#[tokio::test]
async fn a_client_that_never_ends_does_not_keep_the_server_from_stopping() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Start::over(data.path()).set("http.drain_time", "1s").run();
    let session = expect(
        &mut server.client(),
        Ask::new("POST", "/v2/a/b/blobs/uploads/"),
        202,
    )
    .await;
    let session = session.location().unwrap().to_owned();
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    let head = format!("PATCH {session} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    stuck.write_all(head.as_bytes()).await.unwrap();
    // Of less nothing is kept.
    stuck.write_all(&vec![0; 200_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));

    // What had arrived is kept, and the upload goes on there.
    let server = Start::over(data.path()).run();
    let state = expect(&mut server.client(), Ask::new("GET", session), 204).await;
    assert_eq!(state.header("range"), Some("0-199999"));
}

#[tokio::test]
async fn a_second_signal_stops_the_server_at_once() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Start::over(data.path()).set("http.drain_time", "1h").run();
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    let head = "PUT /v2/a/b/manifests/1 HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{";
    stuck.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.signal("INT");
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.signal("INT");
    assert_eq!(server.wait(), Some(1));
}

#[test]
fn a_server_whose_first_words_nobody_reads_serves_all_the_same() {
    let data = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .env("LONGSHORE__METRICS__ENABLED", "false")
        .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true")
        .stdout(writer)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let ended = child.try_wait().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ended, None);
}
