//! Files that end before the blob does: no protocol may make that look like an end, and who keeps the file is told.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const MIB: usize = 1 << 20;

/// A file of 5 MiB that was cut to 1, and how often its owner was told.
fn cut_short() -> (Content, Arc<AtomicUsize>) {
    let told = Arc::new(AtomicUsize::new(0));
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&pattern(5 * MIB)).unwrap();
    let file = Arc::new(file);
    let count = Arc::clone(&told);
    let watch = move |_: &std::io::Error| {
        count.fetch_add(1, Ordering::SeqCst);
    };
    let found = file.metadata().unwrap();
    let region = Region::whole(Arc::clone(&file), &found, Arc::new(watch)).unwrap();
    file.set_len(1 << 20).unwrap();
    (
        Content {
            region,
            len: 5 << 20,
        },
        told,
    )
}

#[tokio::test]
async fn a_file_that_ends_early_cuts_a_connection_of_http1_whatever_its_framing() {
    for path in ["/region", "/pieces"] {
        let (content, told) = cut_short();
        let rig = start_with(options(), content).await;
        let mut stream = rig.connect().await;
        // The client would keep the connection: an end of it is no end of the body.
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes);
        let _ = tokio::time::timeout(Duration::from_secs(20), read)
            .await
            .expect("the connection stays open");
        assert!(bytes.len() < 2 * MIB, "{path}: {}", bytes.len());
        assert!(!bytes.ends_with(b"0\r\n\r\n"), "{path}: a clean end");
        assert_eq!(told.load(Ordering::SeqCst), 1, "{path}");
    }
}

#[tokio::test]
async fn a_file_that_ends_early_resets_its_stream_of_http2_and_no_other() {
    let (content, told) = cut_short();
    let h2c = Options {
        h2c: true,
        ..options()
    };
    let rig = start_with(h2c, content).await;
    let (client, connection) = h2::client::handshake(rig.connect().await).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    for path in ["/region", "/pieces"] {
        let request = Request::get(format!("http://x{path}")).body(()).unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        let mut failed = false;
        while let Some(piece) = body.data().await {
            let Ok(piece) = piece else {
                failed = true;
                break;
            };
            body.flow_control().release_capacity(piece.len()).unwrap();
        }
        assert!(failed, "{path}: a clean end");
    }
    assert_eq!(told.load(Ordering::SeqCst), 2);
    let request = Request::get("http://x/hello").body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
}
