//! The little of HTTP that the services of tests need: one request a connection, answered with JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

/// No request of a client is longer, its form included.
const REQUEST_BYTES: u64 = 64 << 10;

/// What a client sent.
#[derive(Debug, Default)]
pub(crate) struct Request {
    /// Method, target and version.
    pub(crate) first: String,
    /// `Name: value` each.
    pub(crate) headers: Vec<String>,
    /// What came after them.
    pub(crate) body: String,
}

impl Request {
    /// The path and, where it has one, the query.
    pub(crate) fn target(&self) -> &str {
        self.first.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of the header with this name, which is given in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|header| {
            let (key, value) = header.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The status line's end and the body.
pub(crate) type Answer = (&'static str, Value);

/// A port of this machine, before anybody answers there.
#[derive(Debug)]
pub(crate) struct Port {
    listener: TcpListener,
    /// Its number.
    pub(crate) number: u16,
}

impl Port {
    /// A free one.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
        let number = listener
            .local_addr()
            .context("a port has no number")?
            .port();
        Ok(Self { listener, number })
    }

    /// Answers there with what `answer` says, until the process ends.
    pub(crate) fn serve(self, answer: impl Fn(&Request) -> Result<Answer> + Send + Sync + 'static) {
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in self.listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                // A client that goes away in the middle is its own affair.
                thread::spawn(move || served(stream, &*answer).ok());
            }
        });
    }
}

fn served(mut stream: TcpStream, answer: &dyn Fn(&Request) -> Result<Answer>) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(REQUEST_BYTES));
    let mut lines = reader.by_ref().lines();
    let mut request = Request {
        first: lines.next().context("an empty request")??,
        ..Request::default()
    };
    request.headers = lines
        .map_while(std::io::Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let length = request.header("content-length").map_or(Ok(0), str::parse)?;
    reader.take(length).read_to_string(&mut request.body)?;
    let (status, body) = answer(&request)?;
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    Ok(stream.write_all(body.as_bytes())?)
}
