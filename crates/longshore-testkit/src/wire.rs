//! A minimal HTTP/1.1 client: what it sends is what the test wrote, and what came back is what the test sees.
//!
//! Written by hand over a socket, because a client library repairs, follows, retries and hides. It knows plain
//! connections and bodies with a length or in chunks; credentials are in [`auth`].

pub mod auth;
mod read;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub use auth::Login;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// None, and no header that speaks of one.
    Absent,
    /// With `Content-Length`.
    Sized(Bytes),
    /// With `Transfer-Encoding: chunked`.
    Chunked(Bytes),
}

/// A request, as it will be sent.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The method.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// Headers beside `Host`, credentials and those of the body, in this order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

impl Ask {
    /// A request without a body. `POST`, `PUT` and `PATCH` say so with `Content-Length: 0`.
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        let body = match method {
            "POST" | "PUT" | "PATCH" => Body::Sized(Bytes::new()),
            _ => Body::Absent,
        };
        Self {
            method,
            target: target.into(),
            headers: Vec::new(),
            body,
        }
    }

    /// One more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A body whose length is announced.
    #[must_use]
    pub fn sized(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Sized(bytes.into());
        self
    }

    /// A body whose length is not announced.
    #[must_use]
    pub fn chunked(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Chunked(bytes.into());
        self
    }

    fn head(&self, host: &str, credentials: Option<&str>) -> String {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {host}\r\n",
            self.method, self.target
        );
        let mut line = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        for (name, value) in &self.headers {
            line(name, value);
        }
        if let Some(credentials) = credentials {
            line("authorization", credentials);
        }
        match &self.body {
            Body::Absent => {}
            Body::Sized(bytes) => line("content-length", &bytes.len().to_string()),
            Body::Chunked(_) => line("transfer-encoding", "chunked"),
        }
        head.push_str("\r\n");
        head
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "> {} {}", self.method, self.target)?;
        for (name, value) in &self.headers {
            writeln!(f, "> {name}: {value}")?;
        }
        match &self.body {
            Body::Absent => Ok(()),
            Body::Sized(bytes) => writeln!(f, "> ({} bytes)", bytes.len()),
            Body::Chunked(bytes) => writeln!(f, "> ({} bytes in chunks)", bytes.len()),
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without any transfer coding.
    pub body: Bytes,
}

impl Answer {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every header of this (lower-case) name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Path and query of `Location`, whether it was sent with a host or without.
    pub fn location(&self) -> Option<&str> {
        let location = self.header("location")?;
        Some(match location.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => location,
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "< {}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "< {name}: {value}")?;
        }
        match std::str::from_utf8(&self.body) {
            Ok("") => Ok(()),
            Ok(text) => writeln!(f, "< {}", text.chars().take(600).collect::<String>()),
            Err(_) => writeln!(f, "< ({} bytes)", self.body.len()),
        }
    }
}

/// A client of one server. Keeps one connection open and opens another when that is closed.
#[derive(Debug)]
pub struct Wire {
    address: SocketAddr,
    /// Who the client says it is.
    pub login: Login,
    kept: Option<BufReader<TcpStream>>,
}

impl Wire {
    /// A client of the server at `address`.
    pub fn new(address: SocketAddr, login: Login) -> Self {
        Self {
            address,
            login,
            kept: None,
        }
    }

    /// Sends a request and gives the answer. A 401 is answered once by the login, as its challenge asks.
    ///
    /// # Errors
    /// What the socket said; `TimedOut` after a minute; `InvalidData` when what came back is not HTTP.
    pub async fn ask(&mut self, ask: &Ask) -> io::Result<Answer> {
        let credentials = self.login.known(ask);
        let answer = self
            .ask_with(self.address, ask, credentials.as_deref())
            .await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let Some(next) = self.login.challenged(&answer, self.address)? else {
            return Ok(answer);
        };
        let credentials = match next {
            auth::Next::Send(credentials) => credentials,
            auth::Next::Fetch { server, ask, basic } => {
                let token = Wire::new(server, Login::Nobody)
                    .ask_with(server, &ask, Some(&basic))
                    .await?;
                auth::bearer(&token)?
            }
        };
        self.login.keep(ask, credentials.clone());
        self.ask_with(self.address, ask, Some(&credentials)).await
    }

    async fn ask_with(
        &mut self,
        to: SocketAddr,
        ask: &Ask,
        credentials: Option<&str>,
    ) -> io::Result<Answer> {
        if let Some(connection) = self.kept.take() {
            // The server may have closed it since; only then is nothing lost by asking once more.
            match self.exchange(connection, ask, credentials).await {
                Err(error) if was_closed(&error) => {}
                other => return other,
            }
        }
        let connection = BufReader::new(TcpStream::connect(to).await?);
        connection.get_ref().set_nodelay(true)?;
        self.exchange(connection, ask, credentials).await
    }

    async fn exchange(
        &mut self,
        mut connection: BufReader<TcpStream>,
        ask: &Ask,
        credentials: Option<&str>,
    ) -> io::Result<Answer> {
        let whole = async {
            let head = ask.head(&self.address.to_string(), credentials);
            // A server may answer and close before it has read everything: then the answer is what counts.
            let sent = send(connection.get_mut(), &head, &ask.body).await;
            let answer = read::answer(&mut connection, ask.method).await;
            match (sent, answer) {
                (_, Ok(answer)) => Ok(answer),
                (Err(error), Err(_)) | (Ok(()), Err(error)) => Err(error),
            }
        };
        let (answer, reusable) = timeout(PATIENCE, whole).await??;
        if reusable {
            self.kept = Some(connection);
        }
        Ok(answer)
    }
}

fn was_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

async fn send(to: &mut TcpStream, head: &str, body: &Body) -> io::Result<()> {
    to.write_all(head.as_bytes()).await?;
    match body {
        Body::Absent => {}
        Body::Sized(bytes) => to.write_all(bytes).await?,
        Body::Chunked(bytes) => {
            for part in bytes.chunks(64 * 1024) {
                to.write_all(format!("{:x}\r\n", part.len()).as_bytes())
                    .await?;
                to.write_all(part).await?;
                to.write_all(b"\r\n").await?;
            }
            to.write_all(b"0\r\n\r\n").await?;
        }
    }
    to.flush().await
}
