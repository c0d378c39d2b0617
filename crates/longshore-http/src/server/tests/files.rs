//! Files on their way out, by sendfile and without it.

use super::super::buffers::Piece;
use super::*;

const MIB: usize = 1 << 20;

async fn fetch(rig: &Rig, path: &str) -> (String, Vec<u8>) {
    let mut stream = rig.connect().await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let body = bytes.split_off(head);
    (String::from_utf8(bytes).unwrap(), body)
}

#[tokio::test]
async fn a_file_leaves_by_sendfile_byte_for_byte() {
    let len = 9 * MIB + 12_345;
    let rig = start_with(options(), Content::of(len).0).await;
    let (head, body) = fetch(&rig, "/region").await;
    assert!(
        head.contains(&format!("content-length: {len}\r\n")),
        "{head}"
    );
    assert!(body == pattern(len));
    assert_eq!(
        rig.stats.sendfile_bytes(),
        len as u64,
        "nothing of it was copied"
    );

    let (_, body) = fetch(&rig, "/part").await;
    assert!(body == pattern(len)[3..len - 3]);
}

#[tokio::test]
async fn the_pieces_of_a_chunked_body_leave_by_sendfile_too() {
    let len = 5 * MIB;
    let rig = start_with(options(), Content::of(len).0).await;
    let (head, body) = fetch(&rig, "/pieces").await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    let half = len / 2;
    let expected = [
        format!("{half:X}\r\n").as_bytes(),
        &pattern(len)[..half],
        format!("\r\n{half:X}\r\n").as_bytes(),
        &pattern(len)[half..],
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    assert!(body == expected);
    assert_eq!(rig.stats.sendfile_bytes(), len as u64);
}

#[tokio::test]
async fn a_file_that_was_cut_short_cuts_the_connection_and_leaves_the_process_alive() {
    let len = 9 * MIB;
    let (content, file) = Content::of(len);
    let rig = start_with(options(), content).await;
    file.set_len(3 * MIB as u64).unwrap();
    let (head, body) = fetch(&rig, "/region").await;
    assert!(
        head.contains(&format!("content-length: {len}\r\n")),
        "{head}"
    );
    assert_eq!(
        body.len(),
        3 * MIB,
        "what is there, and then an end that is not the announced one"
    );
    assert!(fetch(&rig, "/hello").await.0.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_file_on_disk_that_is_not_in_memory_is_brought_in_and_sent_whole() {
    let len = 9 * MIB + 1;
    // The temporary directory may live in memory, where nothing is ever cold; the build directory does not.
    let mut file =
        tempfile::tempfile_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
    file.write_all(&pattern(len)).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    let file = Arc::new(file);
    let content = Content {
        region: Region::map(Arc::clone(&file), len as u64).unwrap(),
        len: len as u64,
    };
    let rig = start_with(options(), content).await;
    let (_, body) = fetch(&rig, "/region").await;
    assert!(body == pattern(len));
}

#[tokio::test]
async fn regions_are_read_and_not_touched_where_there_is_no_sendfile() {
    use http_body_util::BodyExt;
    let len = MIB + 5;
    let (content, file) = Content::of(len);
    for body in [
        Body::from(content.region.bytes(0..len as u64)),
        Body::stream(
            longshore_core::body::once(content.region.bytes(0..len as u64)),
            Some(len as u64),
        ),
    ] {
        assert!(
            body.without_regions(Piece::Small)
                .collect()
                .await
                .unwrap()
                .to_bytes()
                == pattern(len)
        );
    }
    // Touching the mapping beyond the end would kill this process.
    file.set_len(1000).unwrap();
    let body = Body::from(content.region.bytes(0..len as u64)).without_regions(Piece::Large);
    let error = body.collect().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}
