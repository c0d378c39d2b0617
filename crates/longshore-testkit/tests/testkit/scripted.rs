//! A server that says what it was told to say, whatever it is asked.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What is sent on one connection.
pub(crate) enum Line {
    /// Answers to one request after another, then the connection closes.
    Answers(Vec<&'static str>),
    /// This to every request.
    Always(&'static str),
}

/// Serves the connections in order, each with its line, the last line for all that follow; gives what it was asked.
pub(crate) async fn serve(lines: Vec<Line>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut asked = Vec::new();
        let count = lines.len();
        for (n, line) in lines.into_iter().enumerate() {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                match &line {
                    Line::Answers(answers) => {
                        for answer in answers {
                            asked.push(request(&mut socket).await);
                            socket.write_all(answer.as_bytes()).await.unwrap();
                        }
                    }
                    Line::Always(answer) => loop {
                        let request = request(&mut socket).await;
                        if request.is_empty() || socket.write_all(answer.as_bytes()).await.is_err()
                        {
                            break;
                        }
                        asked.push(request);
                    },
                }
                let is_last = n + 1 == count;
                if !is_last || matches!(line, Line::Answers(_)) {
                    break;
                }
            }
        }
        asked
    });
    (address, server)
}

/// Reads a request: its head, and its body if that has a length or comes in chunks. Nothing when the client is gone.
async fn request(socket: &mut tokio::net::TcpStream) -> String {
    let mut read = Vec::new();
    let mut part = vec![0; 16 * 1024];
    let mut head_end = None;
    loop {
        head_end = head_end.or_else(|| read.windows(4).position(|four| four == b"\r\n\r\n"));
        if let Some(end) = head_end {
            let head = String::from_utf8_lossy(&read[..end]);
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let is_whole = match length {
                Some(length) => read.len() >= end + 4 + length.parse::<usize>().unwrap(),
                None => !head.contains("chunked") || read.ends_with(b"\r\n0\r\n\r\n"),
            };
            if is_whole {
                return String::from_utf8_lossy(&read).into_owned();
            }
        }
        match socket.read(&mut part).await {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => read.extend_from_slice(&part[..count]),
        }
    }
}
