//! How a server begins and how it ends.

use super::*;

#[tokio::test]
async fn a_request_in_flight_is_finished_and_idle_connections_are_closed_at_once() {
    let rig = start(options()).await;
    let mut idle = rig.connect().await;
    idle.write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    one_answer(&mut idle).await;
    let mut mute = rig.connect().await;
    let mut busy = rig.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    let start = std::time::Instant::now();
    rig.stop.cancel();
    assert_eq!(rest(&mut idle).await, "");
    assert_eq!(rest(&mut mute).await, "");
    assert!(
        start.elapsed() < Duration::from_millis(250),
        "{:?}",
        start.elapsed()
    );
    let answer = rest(&mut busy).await;
    assert!(
        answer.ends_with("slept") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(rig.running.await.unwrap(), Drained { cut: 0 });
    assert!(
        TcpStream::connect(rig.addr).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_request_sent_after_the_order_to_stop_is_told_503() {
    let rig = start(options()).await;
    let mut stream = rig.connect().await;
    let two = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(two.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    rig.stop.cancel();
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.contains("slept"), "{answer}");
    assert!(!answer.contains("hello"), "{answer}");
}

#[tokio::test]
async fn what_does_not_end_within_the_drain_time_is_cut_and_counted() {
    let rig = start(Options {
        drain: Duration::from_millis(200),
        ..options()
    })
    .await;
    let mut never = rig.connect().await;
    never
        .write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    rig.stop.cancel();
    assert_eq!(rig.running.await.unwrap(), Drained { cut: 1 });
    assert_eq!(rest(&mut never).await, "");
}

#[tokio::test]
async fn a_server_that_is_dropped_takes_its_connections_with_it() {
    let rig = start(options()).await;
    let mut never = rig.connect().await;
    never
        .write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    rig.running.abort();
    assert_eq!(rest(&mut never).await, "");
    assert!(TcpStream::connect(rig.addr).await.is_err());
}

#[tokio::test]
async fn an_address_in_use_is_named_with_what_to_do() {
    let rig = start(options()).await;
    let error = Server::bind(Options {
        listen: vec![Address::Tcp(rig.addr)],
        ..options()
    })
    .await
    .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&rig.addr.to_string()) && text.contains("--listen"),
        "{text}"
    );
    assert!(
        Server::bind(Options {
            listen: vec![],
            ..options()
        })
        .await
        .is_err()
    );
}

#[tokio::test]
async fn a_unix_socket_left_behind_is_replaced_and_one_in_use_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let options = || Options {
        listen: vec![Address::Unix(path.clone())],
        ..options()
    };
    let server = Server::bind(options()).await.unwrap();
    assert_eq!(server.addresses(), [Address::Unix(path.clone())]);
    let (content, stop) = (Content::of(3 << 20).0, CancellationToken::new());
    let handler = move |peer, request| serve(peer, request, content.clone());
    let running = tokio::spawn(server.run(handler, stop.clone()));
    assert!(Server::bind(options()).await.is_err());

    let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
    stream
        .write_all(b"GET /region HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert!(bytes.ends_with(&pattern(3 << 20)));
    stop.cancel();
    running.await.unwrap();
}
