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

/// Reads the head of a request, and its body if it says how long that is or comes in chunks.
async fn request(socket: &mut tokio::net::TcpStream) -> String {
    let mut read = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let whole = match length {
                Some(length) => read.len() >= head.len() + 4 + length.parse::<usize>().unwrap(),
                None if head.contains("chunked") => body.ends_with("0\r\n\r\n"),
                None => true,
            };
            if whole {
                return text;
            }
        }
        match socket.read(&mut part).await {
            Ok(0) | Err(_) => return String::new(),
            Ok(count) => read.extend_from_slice(&part[..count]),
        }
    }
}
