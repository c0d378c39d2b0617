//! Clients that take their time, and clients that are too many.

use super::super::{Floor, Limits, Timeouts};
use super::*;

const SHORT: Duration = Duration::from_millis(300);

fn floor() -> Floor {
    Floor {
        idle: SHORT,
        grace: Duration::ZERO,
        window: 2 * SHORT,
        bytes: 1_000_000,
    }
}

fn hasty() -> Options {
    Options {
        timeouts: Timeouts {
            head: SHORT,
            idle: 2 * SHORT,
            body: floor(),
            write: floor(),
            ..Timeouts::default()
        },
        ..options()
    }
}

#[tokio::test]
async fn a_head_that_drips_in_is_answered_408_at_the_limit() {
    let rig = start(hasty()).await;
    let mut stream = rig.connect().await;
    let start = std::time::Instant::now();
    let mut written = 0;
    for byte in b"GET /hello HTTP/1.1\r\nHost: x\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" {
        if stream.write_all(&[*byte]).await.is_err() || start.elapsed() > 2 * SHORT {
            break;
        }
        written += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(written < 40, "{written} bytes were taken");
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn a_client_that_says_nothing_is_closed_without_a_word() {
    let rig = start(hasty()).await;
    let start = std::time::Instant::now();
    assert_eq!(rig.say("").await, "");
    assert!(
        start.elapsed() >= SHORT && start.elapsed() < 10 * SHORT,
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_connection_between_requests_is_closed_after_the_idle_limit_and_not_during_one() {
    let rig = start(hasty()).await;
    let mut stream = rig.connect().await;
    for _ in 0..3 {
        // Longer than the limit for a head: it must not run while we answer, nor between requests.
        stream
            .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(one_answer(&mut stream).await.ends_with("slept"));
        tokio::time::sleep(SHORT + SHORT / 3).await;
    }
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_body_that_stops_or_drips_is_answered_408() {
    let rig = start(hasty()).await;
    let head = "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
    let answer = rig.say(format!("{head}abc")).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");

    let expects = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let answer = rig.say(expects).await;
    assert!(
        answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 "),
        "{answer}"
    );

    let (mut read, mut write) = rig.connect().await.into_split();
    write.write_all(head.as_bytes()).await.unwrap();
    let drip = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = [0; 12];
    read.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    drip.abort();
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_after_the_write_limit() {
    // More than the buffers of both ends hold.
    let rig = start_with(hasty(), Content::of(64 << 20).0).await;
    for path in ["/endless", "/region"] {
        let mut stream = rig.connect().await;
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
            .await
            .unwrap();
        stream.readable().await.unwrap();
        let start = std::time::Instant::now();
        while rig.stats.open() > 0 {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{path} is still being written"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(start.elapsed() >= SHORT, "{path} was cut before the limit");
    }
}

#[tokio::test]
async fn the_connection_too_many_is_told_503() {
    for limits in [
        Limits {
            connections: 2,
            ..Limits::default()
        },
        Limits {
            connections_per_ip: Some(2),
            ..Limits::default()
        },
    ] {
        let rig = start(Options {
            limits,
            ..options()
        })
        .await;
        let mut kept = Vec::new();
        for _ in 0..2 {
            let mut stream = rig.connect().await;
            stream
                .write_all(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
                .await
                .unwrap();
            assert!(one_answer(&mut stream).await.ends_with("hello"));
            kept.push(stream);
        }
        let answer = rig.say("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
        assert_eq!((rig.stats.refused(), rig.stats.open()), (1, 2));

        kept.clear();
        while rig.stats.open() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = rig
            .say("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}
