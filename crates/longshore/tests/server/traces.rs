//! Traces reach a collector, and only where one is configured.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use longshore_testkit::wire::Ask;

use super::harness::{Start, expect};

/// A collector that takes one request after the other and gives head and body away.
fn collector() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (give, taken) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).unwrap_or(0) == 0 {
                    break;
                }
            }
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length:")
                        .map(|n| n.trim().parse().unwrap())
                })
                .unwrap_or(0);
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            if give.send((head, body)).is_err() {
                return;
            }
        }
    });
    (format!("http://{address}/v1/traces"), taken)
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

#[tokio::test]
async fn a_request_is_a_span_of_the_trace_its_client_began() {
    let data = tempfile::tempdir().unwrap();
    let (endpoint, taken) = collector();
    let server = Start::over(data.path())
        .set("tracing.endpoint", &endpoint)
        .set("tracing.service", "harbour")
        .set("tracing.headers", "x-key=abc")
        .run();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let ask =
        Ask::new("GET", "/v2/").header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    expect(&mut server.client(), ask, 200).await;
    assert_eq!(server.stop(), Some(0));

    let (head, body) = taken
        .recv_timeout(Duration::from_secs(10))
        .expect("the collector was sent nothing");
    assert!(head.starts_with("POST /v1/traces"), "{head}");
    assert!(head.to_lowercase().contains("x-key: abc"), "{head}");
    assert!(holds(&body, b"harbour"));
    assert!(holds(&body, b"ping"), "the span is named after its route");
    let id: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&trace[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    assert!(
        holds(&body, &id),
        "the span does not belong to the client's trace"
    );
}
