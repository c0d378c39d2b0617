//! HTTP/2: as it should be, and as a weapon. Over a plain socket with prior knowledge, for the frames are the same.

use http::HeaderMap;

use super::super::Timeouts;
use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn plain() -> Options {
    Options {
        h2c: true,
        ..options()
    }
}

/// A frame as RFC 9113, 4.1 lays it out.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The headers of `GET path` in HPACK: two of the static table, two literals.
fn get(path: &str) -> Vec<u8> {
    [
        &[0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()][..],
        path.as_bytes(),
        &[0x01, 0x01],
        b"x",
    ]
    .concat()
}

fn request() -> Vec<u8> {
    get("/never")
}

/// Opens a connection by hand.
async fn open(rig: &Rig) -> TcpStream {
    let mut stream = rig.connect().await;
    stream
        .write_all(&[PREFACE, &frame(4, 0, 0, &[])].concat())
        .await
        .unwrap();
    stream
}

/// The kinds of the frames that come until the server closes, and the error code of its GOAWAY.
async fn frames_to_the_end(mut stream: TcpStream) -> (Vec<u8>, Option<u32>) {
    let (mut kinds, mut goaway) = (Vec::new(), None);
    let read = async {
        loop {
            let mut head = [0; 9];
            if stream.read_exact(&mut head).await.is_err() {
                return;
            }
            let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; len];
            if stream.read_exact(&mut payload).await.is_err() {
                return;
            }
            kinds.push(head[3]);
            if head[3] == 7 {
                goaway = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .expect("the connection was not closed");
    (kinds, goaway)
}

#[tokio::test]
async fn a_file_goes_out_whole_over_http2() {
    let len = (5 << 20) + 3;
    let rig = start_with(plain(), Content::of(len).0).await;
    let (client, connection) = h2::client::handshake(rig.connect().await).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::get("http://x/region").body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        bytes.extend(piece);
    }
    assert!(bytes == pattern(len));
    assert_eq!(rig.stats.sendfile_bytes(), 0);
}

#[tokio::test]
async fn a_body_and_its_trailers_are_taken_over_http2_and_a_panic_ends_one_stream_only() {
    let rig = start(plain()).await;
    let (client, connection) = h2::client::handshake(rig.connect().await).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client
        .send_request(Request::get("http://x/panic").body(()).unwrap(), true)
        .unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 500);
    assert!(!answer.headers().contains_key("connection"));

    let mut client = client.ready().await.unwrap();
    let (answer, mut send) = client
        .send_request(Request::post("http://x/length").body(()).unwrap(), false)
        .unwrap();
    send.send_data(Bytes::from_static(b"hello"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("authorization", "Bearer x".parse().unwrap());
    send.send_trailers(trailers).unwrap();
    let mut body = answer.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "5");
}

#[tokio::test]
async fn rapid_resets_end_the_connection_with_enhance_your_calm() {
    let rig = start(plain()).await;
    let mut stream = open(&rig).await;
    let mut flood = Vec::new();
    for id in (1..20_000).step_by(2) {
        flood.extend(frame(1, 0x5, id, &request()));
        flood.extend(frame(3, 0, id, &[0, 0, 0, 8]));
    }
    let _ = stream.write_all(&flood).await;
    let (_, goaway) = frames_to_the_end(stream).await;
    assert!(goaway.is_none_or(|code| code == 11), "{goaway:?}");
    let answer = rig
        .say("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 "),
        "others are served: {answer}"
    );
}

#[tokio::test]
async fn endless_continuations_end_the_connection() {
    let rig = start(plain()).await;
    let (mut read, mut write) = open(&rig).await.into_split();
    let flood = tokio::spawn(async move {
        let _ = write.write_all(&frame(1, 0, 1, &request())).await;
        let more = frame(
            9,
            0,
            1,
            &[&[0x00, 0x01, b'a', 0x7f, 0x81, 0x1e][..], &[b'b'; 285]].concat(),
        );
        for _ in 0..100_000 {
            if write.write_all(&more).await.is_err() {
                return true;
            }
        }
        false
    });
    let mut sink = Vec::new();
    let _ = read.read_to_end(&mut sink).await;
    assert!(flood.await.unwrap(), "the flood was taken to its end");
}

#[tokio::test]
async fn a_list_of_headers_that_is_too_long_is_answered_431() {
    let rig = start(plain()).await;
    let (client, connection) = h2::client::handshake(rig.connect().await).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::get("http://x/hello")
        .header("a", "b".repeat(20_000))
        .body(())
        .unwrap();
    match client.send_request(request, true).unwrap().0.await {
        Ok(answer) => assert_eq!(answer.status(), 431),
        Err(error) => assert!(
            error.is_reset() || error.is_go_away() || error.is_io(),
            "{error}"
        ),
    }
    let (client, connection) = h2::client::handshake(rig.connect().await).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::get(format!("http://x/{}", "a".repeat(9_000)))
        .body(())
        .unwrap();
    assert_eq!(
        client
            .send_request(request, true)
            .unwrap()
            .0
            .await
            .unwrap()
            .status(),
        414
    );
}

#[tokio::test]
async fn what_would_be_smuggled_by_a_translation_to_http1_is_a_protocol_error() {
    let rig = start(plain()).await;
    let literal = |name: &[u8], value: &[u8]| {
        [
            &[0x00, u8::try_from(name.len()).unwrap()],
            name,
            &[u8::try_from(value.len()).unwrap()],
            value,
        ]
        .concat()
    };
    for bad in [
        literal(b"Upper", b"x"),
        literal(b"transfer-encoding", b"chunked"),
        literal(b"connection", b"close"),
        literal(b"a", b"b\r\nc: d"),
        literal(b"te", b"gzip"),
    ] {
        let mut stream = open(&rig).await;
        let headers = [request(), bad.clone()].concat();
        stream.write_all(&frame(1, 0x5, 1, &headers)).await.unwrap();
        let kind = loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let len = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; len];
            stream.read_exact(&mut payload).await.unwrap();
            if !matches!(head[3], 4 | 8) {
                break head[3];
            }
        };
        assert!(
            matches!(kind, 3 | 7),
            "{:?} was answered by a frame of kind {kind}",
            String::from_utf8_lossy(&bad)
        );
    }
}

#[tokio::test]
async fn floods_of_pings_and_settings_do_not_keep_others_from_being_served() {
    let rig = start(plain()).await;
    for one in [frame(6, 0, 0, &[0; 8]), frame(4, 0, 0, &[])] {
        let (mut read, mut write) = open(&rig).await.into_split();
        let flood = tokio::spawn(async move {
            let many = one.repeat(1000);
            for _ in 0..100 {
                if write.write_all(&many).await.is_err() {
                    return;
                }
            }
        });
        let drain =
            tokio::spawn(async move { tokio::io::copy(&mut read, &mut tokio::io::sink()).await });
        let answer = rig
            .say("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        flood.abort();
        drain.abort();
    }
}

#[tokio::test]
async fn connections_without_a_request_and_requests_that_stand_still_are_closed() {
    let short = Duration::from_millis(300);
    let timeouts = Timeouts {
        head: short,
        idle: short,
        stuck: 2 * short,
        ..Timeouts::default()
    };
    let rig = start(Options {
        timeouts,
        ..plain()
    })
    .await;
    let mute = open(&rig).await;
    let start = std::time::Instant::now();
    frames_to_the_end(mute).await;
    assert!(start.elapsed() < 5 * short);

    let mut stuck = open(&rig).await;
    stuck
        .write_all(&frame(1, 0x5, 1, &request()))
        .await
        .unwrap();
    let start = std::time::Instant::now();
    frames_to_the_end(stuck).await;
    assert!(start.elapsed() >= short, "{:?}", start.elapsed());

    let (client, connection) = h2::client::handshake(rig.connect().await).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client
        .send_request(Request::get("http://x/hello").body(()).unwrap(), true)
        .unwrap();
    assert_eq!(answer.await.unwrap().status(), 200);
    tokio::time::timeout(20 * short, connection)
        .await
        .expect("the idle connection was not closed")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_client_that_never_opens_its_window_gets_no_byte_and_is_closed() {
    let short = Duration::from_millis(300);
    let timeouts = Timeouts {
        idle: short,
        stuck: 2 * short,
        ..Timeouts::default()
    };
    let rig = start(Options {
        timeouts,
        ..plain()
    })
    .await;
    let mut stream = open(&rig).await;
    // SETTINGS_INITIAL_WINDOW_SIZE = 0
    stream
        .write_all(&frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]))
        .await
        .unwrap();
    for id in (1..100).step_by(2) {
        stream
            .write_all(&frame(1, 0x5, id, &get("/endless")))
            .await
            .unwrap();
    }
    let (kinds, _) = frames_to_the_end(stream).await;
    assert_eq!(
        kinds.iter().filter(|kind| matches!(kind, 1)).count(),
        50,
        "each has its head: {kinds:?}"
    );
    assert!(
        !kinds.contains(&0),
        "there was no window for data: {kinds:?}"
    );
    assert_eq!(rig.stats.open(), 0);
}

#[tokio::test]
async fn a_stream_in_flight_is_finished_when_the_server_stops() {
    let rig = start(plain()).await;
    let (client, connection) = h2::client::handshake(rig.connect().await).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let (answer, _) = client
        .send_request(Request::get("http://x/slow").body(()).unwrap(), true)
        .unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    rig.stop.cancel();
    assert_eq!(answer.await.unwrap().status(), 200);
    assert_eq!(rig.running.await.unwrap(), Drained { cut: 0 });
}
