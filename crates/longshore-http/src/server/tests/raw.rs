//! What goes over the wire, byte for byte: `HTTP/1.1` as it should be, and as attackers write it.

use super::*;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// A request whose answer ends the connection.
fn last(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
}

fn post(lines: &str, body: &str) -> String {
    format!("POST /length HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n{body}")
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_answered_400_and_closed() {
    let rig = start(options()).await;
    let smuggled = get("/hello");
    for request in [
        post(
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "0\r\n\r\n",
        ),
        post(
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "0\r\n\r\n",
        ),
        post("Content-Length: 5\r\nContent-Length: 6", "hello!"),
        post("Content-Length: +5", "hello"),
        post("Content-Length: 5,5", "hello"),
        post("Content-Length:  5", "hello"),
        post("Content-Length: 0x5", "hello"),
        post("Content-Length: -1", "hello"),
        post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
        post("A: b\r\n folded: c", ""),
        post("A: b\nC: d", ""),
        post("A: b\rC: d", ""),
        post("A: b\0c", ""),
        "GET /hello HTTP/1.1\nHost: x\n\n".to_owned(),
        "GET /hello\r\n\r\n".to_owned(),
        "\0\0\0\0".to_owned() + &smuggled,
    ] {
        let answer = rig.say(format!("{request}{smuggled}")).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
        assert!(
            answer.contains("\"code\":\"UNSUPPORTED\""),
            "{request:?}: {answer}"
        );
        assert_eq!(
            answer.matches("HTTP/1.1").count(),
            1,
            "nothing is answered after it: {request:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_broken_chunked_body_is_answered_400_by_whoever_wanted_it() {
    let rig = start(options()).await;
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(1 << 20));
    for body in [
        "16345785D8A00000\r\nhello",
        "FFFFFFFFFFFFFFFFF\r\nhello",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "3\r\nabc\r\n0x3\r\nabc\r\n0\r\n\r\n",
        &long,
    ] {
        let answer = rig.say(post("Transfer-Encoding: chunked", body)).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 "),
            "{}: {answer}",
            &body[..body.len().min(40)]
        );
    }
}

#[tokio::test]
async fn what_is_too_large_has_its_own_status() {
    let rig = start(options()).await;
    let many = "A: b\r\n".repeat(1000);
    for (request, status) in [
        (format!("GET /hello HTTP/1.1\r\nHost: x\r\n{many}\r\n"), 431),
        (
            format!(
                "GET /hello HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
                "b".repeat(1 << 20)
            ),
            431,
        ),
        (
            format!(
                "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n",
                "a".repeat(100 * 1024)
            ),
            414,
        ),
        (
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(9 * 1024)),
            414,
        ),
    ] {
        let answer = rig.say(&request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{}: {answer}",
            request.len()
        );
    }
    let rich = format!(
        "GET /hello HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n",
        "a".repeat(15_000)
    );
    let answer = rig
        .say(format!(
            "{rich}A: {}\r\nConnection: close\r\n\r\n",
            "b".repeat(15_000)
        ))
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 200 "),
        "30 KiB of headers are within the limits: {answer}"
    );
}

#[tokio::test]
async fn other_versions_of_http_are_served_or_named() {
    let rig = start(options()).await;
    let kept = "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let answer = rig.say(format!("{kept}GET /hello HTTP/1.0\r\n\r\n")).await;
    assert_eq!(answer.matches(" 200 OK").count(), 2, "{answer}");
    assert!(
        rig.say("GET / HTTP/3.0\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 505 ")
    );
    assert!(
        rig.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 505 ")
    );
}

#[tokio::test]
async fn a_tls_hello_on_the_plain_port_gets_a_real_answer_in_http() {
    let rig = start(options()).await;
    let mut hello = vec![
        0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03,
    ];
    hello.extend((0..=255).cycle().take(500));
    let answer = rig.say(hello).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(answer.contains("plain HTTP"), "{answer}");
}

#[tokio::test]
async fn of_pipelined_requests_those_before_a_bad_one_are_answered() {
    let rig = start(options()).await;
    for first in ["/hello", "/slow"] {
        let answer = rig.say(format!("{}GET / HTTP/9\r\n\r\n", get(first))).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 400").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_conversation_reads_the_same_however_its_packets_are_cut() {
    let rig = start(options()).await;
    let talk = [
        post("Content-Length: 5", "hello"),
        post(
            "Transfer-Encoding: chunked",
            "3;a=b\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: x\r\n\r\n",
        ),
        get("/hello"),
        "\r\n".to_owned(),
        post("Content-Length: 0", ""),
        last("/hello"),
    ]
    .concat();
    let bodies = |answer: &str| {
        let ends = answer.split("HTTP/1.1 200 OK").skip(1);
        ends.map(|part| part.split_once("\r\n\r\n").unwrap().1.to_owned())
            .collect::<Vec<_>>()
    };
    let expected = ["5", "19", "hello", "0", "hello"];
    assert_eq!(bodies(&rig.say(&talk).await), expected);
    for cut in 1..talk.len() {
        let mut stream = rig.connect().await;
        stream.set_nodelay(true).unwrap();
        stream.write_all(&talk.as_bytes()[..cut]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        stream.write_all(&talk.as_bytes()[cut..]).await.unwrap();
        assert_eq!(bodies(&rest(&mut stream).await), expected, "cut at {cut}");
    }
    let mut stream = rig.connect().await;
    stream.set_nodelay(true).unwrap();
    for byte in talk.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(bodies(&rest(&mut stream).await), expected, "byte by byte");
}

#[tokio::test]
async fn a_large_body_arrives_whole_in_either_framing() {
    let rig = start(options()).await;
    let piece = "x".repeat(100_000);
    let chunks = format!("186A0\r\n{piece}\r\n").repeat(50) + "0\r\n\r\n";
    let answer = rig
        .say(post(
            "Transfer-Encoding: chunked\r\nConnection: close",
            &chunks,
        ))
        .await;
    assert!(answer.ends_with("\r\n\r\n5000000"), "{answer}");
    let answer = rig
        .say(post(
            "Content-Length: 5000000\r\nConnection: close",
            &piece.repeat(50),
        ))
        .await;
    assert!(answer.ends_with("\r\n\r\n5000000"), "{answer}");
}

#[tokio::test]
async fn continue_is_said_when_the_body_is_wanted_and_not_before() {
    let rig = start(options()).await;
    let mut stream = rig.connect().await;
    stream
        .write_all(post("Content-Length: 5\r\nExpect: 100-continue", "").as_bytes())
        .await
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    assert!(one_answer(&mut stream).await.ends_with("\r\n\r\n5"));

    let unwanted =
        "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    let mut stream = rig.connect().await;
    stream.write_all(unwanted.as_bytes()).await.unwrap();
    assert!(one_answer(&mut stream).await.starts_with("HTTP/1.1 404 "));
    // Whether the body comes after all cannot be known, so nothing else is taken for a request here.
    let _ = stream
        .write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_client_that_still_sends_gets_to_read_the_answer() {
    let rig = start(options()).await;
    let mut stream = rig.connect().await;
    let head = "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let sent = stream.write_all(&vec![b'x'; 3_000_000]).await;
    assert!(sent.is_ok(), "a reset would have lost the answer: {sent:?}");
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn a_panic_is_answered_500_and_the_next_request_200() {
    let rig = start(options()).await;
    let answer = rig.say(get("/panic")).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(!answer.contains("as asked"), "{answer}");
    assert!(rig.say(last("/hello")).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(rig.stats.panics(), 1);
}

#[tokio::test]
async fn a_client_that_closes_its_half_still_gets_the_answer() {
    let rig = start(options()).await;
    let mut stream = rig.connect().await;
    stream.write_all(get("/slow").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    assert!(rest(&mut stream).await.ends_with("slept"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_from_one_that_ends() {
    let rig = start(options()).await;
    for request in [
        post("Content-Length: 1000", "abc"),
        post("Transfer-Encoding: chunked", "3\r\nabc\r\n"),
    ] {
        let mut stream = rig.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request:?}: {answer}");
        assert!(answer.contains("broke off"), "{request:?}: {answer}");
    }
}
