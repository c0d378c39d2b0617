//! A server that answers what a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What is answered for a path.
type Answers = HashMap<String, (u16, String)>;

/// A server on loopback. It ends with the test's runtime.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) url: String,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let server = Server {
            url: format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port()),
            answers: Arc::default(),
            asked: Arc::default(),
        };
        let shared = server.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    let mut buffer = [0; 4096];
                    loop {
                        let Ok(length @ 1..) = stream.read(&mut buffer).await else {
                            return;
                        };
                        request.extend_from_slice(&buffer[..length]);
                        if is_whole(&request) {
                            break;
                        }
                    }
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                    shared
                        .asked
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(text);
                    let (status, body) = {
                        let answers = shared
                            .answers
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner);
                        answers.get(&path).cloned().unwrap_or((404, String::new()))
                    };
                    let location = if (300..400).contains(&status) {
                        "Location: /elsewhere\r\n"
                    } else {
                        ""
                    };
                    let head = format!(
                        "HTTP/1.1 {status} X\r\n{location}Content-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    stream.write_all(head.as_bytes()).await.ok();
                    stream.write_all(body.as_bytes()).await.ok();
                });
            }
        });
        server
    }

    pub(super) fn answer(&self, path: &str, status: u16, body: impl Into<String>) {
        let mut answers = self.answers.lock().unwrap();
        answers.insert(path.to_owned(), (status, body.into()));
    }

    /// The requests for a path, whole.
    pub(super) fn asked(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|request| request.split(' ').nth(1) == Some(path))
            .cloned()
            .collect()
    }

    /// Describes an issuer whose keys are at `/keys`, with further members.
    pub(super) fn describe(&self, more: &str, keys: &[String]) {
        let url = &self.url;
        let description = format!(r#"{{"issuer":"{url}","jwks_uri":"{url}/keys"{more}}}"#);
        self.answer("/.well-known/openid-configuration", 200, description);
        self.answer("/keys", 200, format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse().unwrap());
    body.len() >= length
}
