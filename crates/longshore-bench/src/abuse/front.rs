//! What an abuser knows of the server, and plain HTTP/1.1 for those who do not keep to it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, interval_at, timeout};

use crate::job::Headers;
use crate::load::TlsDial;

/// Nobody waits longer than this for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// A head above this is not an answer.
const HEAD_LIMIT: usize = 64 << 10;

/// What goes on until it is dropped.
pub(super) type Doing = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// The server as its abusers see it, and what they have done so far.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) address: SocketAddr,
    /// Where the server speaks TLS.
    pub(super) tls: Option<TlsDial>,
    /// A token that is good for the abused repository.
    pub(super) headers: Headers,
    /// A repository to push to.
    pub(super) repository: String,
    /// A blob of 100 MiB.
    pub(super) blob: String,
    /// A small manifest.
    pub(super) manifest: String,
    /// How many connections this process and the server may hold.
    pub(super) connections: usize,
    pub(super) stands: AtomicBool,
    pub(super) acts: AtomicU64,
    pub(super) wrong: OnceLock<String>,
}

impl Front {
    /// Knows the server's address and nothing else yet.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            tls: None,
            headers: Vec::new(),
            repository: String::new(),
            blob: String::new(),
            manifest: String::new(),
            connections: 0,
            stands: AtomicBool::new(false),
            acts: AtomicU64::new(0),
            wrong: OnceLock::new(),
        }
    }

    /// One more abusive act was done. What takes time to build up stands when `enough` are done.
    pub(super) fn act(&self, enough: usize) {
        let done = self.acts.fetch_add(1, Ordering::Relaxed) + 1;
        if done >= enough as u64 {
            self.stands.store(true, Ordering::Release);
        }
    }

    pub(super) fn acts(&self) -> u64 {
        self.acts.load(Ordering::Relaxed)
    }

    /// An answer that no server should give to this.
    pub(super) fn wrong(&self, what: String) {
        self.wrong.get_or_init(|| what);
    }

    /// The first of those.
    pub(super) fn first_wrong(&self) -> Option<&str> {
        self.wrong.get().map(String::as_str)
    }

    /// The head of a request up to its last header, without the empty line.
    pub(super) fn head(&self, method: &str, path: &str) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in &self.headers {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        }
        head
    }

    /// A whole request without a body.
    pub(super) fn request(&self, method: &str, path: &str) -> String {
        let length = if method == "POST" {
            "Content-Length: 0\r\n"
        } else {
            ""
        };
        format!("{}{length}\r\n", self.head(method, path))
    }

    /// Opens a session of an upload and says where its bytes go.
    ///
    /// # Errors
    /// When there is none to be had.
    pub(super) async fn upload(&self, talk: &mut Talk) -> Result<String> {
        let path = format!("/v2/{}/blobs/uploads/", self.repository);
        talk.say(self.request("POST", &path).as_bytes()).await?;
        let heard = talk.hear().await?;
        ensure!(heard.status == 202, "POST {path}: {}", heard.status);
        heard.location.context("an upload has no place")
    }
}

/// Does `work` `count` times at once.
///
/// # Errors
/// When one of them says that the abuse cannot be done at all.
pub(super) async fn crowd<F>(
    front: &Arc<Front>,
    count: usize,
    work: impl Fn(Arc<Front>, usize) -> F,
) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut all = JoinSet::new();
    for at in 0..count {
        all.spawn(work(Arc::clone(front), at));
    }
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    Ok(())
}

/// The pace of the worker `at` of `of` that do `rate` a second together, one after the other: all of them in the same moment would
/// be another abuse, of as many at a time as there are workers.
pub(super) fn pace(rate: u32, of: usize, at: usize) -> Interval {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let turn = Duration::from_secs(1) / rate;
    interval_at(Instant::now() + turn * count(at % of), turn * count(of))
}

/// An answer as far as it matters.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) location: Option<String>,
}

/// A connection to the server without TLS.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Talk {
    /// # Errors
    /// When the server does not take the connection.
    pub(super) async fn open(front: &Front) -> Result<Self> {
        Self::over(TcpSocket::new_v4()?, front).await
    }

    /// With a socket that was set up before, such as with a small buffer.
    ///
    /// # Errors
    /// When the server does not take the connection.
    pub(super) async fn over(socket: TcpSocket, front: &Front) -> Result<Self> {
        let stream = timeout(PATIENCE, socket.connect(front.address)).await??;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    pub(super) async fn say(&mut self, bytes: &[u8]) -> Result<()> {
        timeout(PATIENCE, self.stream.write_all(bytes)).await??;
        Ok(())
    }

    /// Hears a whole answer.
    ///
    /// # Errors
    /// When there is none, in time.
    pub(super) async fn hear(&mut self) -> Result<Heard> {
        timeout(PATIENCE, self.listen()).await?
    }

    async fn listen(&mut self) -> Result<Heard> {
        loop {
            let end = loop {
                let end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
                if let Some(at) = end {
                    break at + 4;
                }
                ensure!(self.buffer.len() < HEAD_LIMIT, "a head without end");
                self.more().await?;
            };
            let head: Vec<u8> = self.buffer.drain(..end).collect();
            let (heard, length) = parse(str::from_utf8(&head)?)?;
            if heard.status < 200 {
                continue;
            }
            while self.buffer.len() < length {
                self.more().await?;
            }
            self.buffer.drain(..length);
            return Ok(heard);
        }
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}

/// The answer in a head, and the length of its body.
fn parse(head: &str) -> Result<(Heard, usize)> {
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first.split(' ').nth(1).unwrap_or_default();
    let status = status
        .parse()
        .with_context(|| format!("no answer: {first}"))?;
    let (mut location, mut length) = (None, 0);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if name.eq_ignore_ascii_case("location") {
            // Whatever host it names.
            let path = value
                .split_once("://")
                .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
            location = Some(path.unwrap_or(value).to_owned());
        } else if name.eq_ignore_ascii_case("content-length") {
            length = value.parse()?;
        }
    }
    Ok((Heard { status, location }, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_the_status_the_place_and_the_length_of_the_body() {
        let head =
            "HTTP/1.1 202 Accepted\r\nlocation: http://a:1/v2/x?y=1\r\nContent-Length: 7\r\n\r\n";
        let (heard, length) = parse(head).unwrap();
        assert_eq!((heard.status, length), (202, 7));
        assert_eq!(heard.location.as_deref(), Some("/v2/x?y=1"));
        assert!(parse("junk\r\n\r\n").is_err());
    }

    #[test]
    fn an_abuse_stands_when_enough_was_done() {
        let front = Front::new(([127, 0, 0, 1], 1).into());
        front.act(2);
        assert!(!front.stands.load(Ordering::Acquire));
        front.act(2);
        assert!(front.stands.load(Ordering::Acquire));
    }
}
