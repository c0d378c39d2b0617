//! A blocking HTTP/1.1 connection, for preparing what is measured and for pushes.
//!
//! It says what it is told and reports what it heard: no redirects, no retries, no pool, so that a measured request is exactly one request.

use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// Nobody waits longer than this for bytes: a server that hangs ends the run with an error rather than never.
const PATIENCE: Duration = Duration::from_mins(2);
/// Bytes asked of the socket at once.
const READ: usize = 64 << 10;
/// A head above this is not an answer of a registry.
const HEAD_LIMIT: usize = 64 << 10;

/// What a connection runs over: TCP, or TLS over it.
pub(crate) trait Stream: Read + Write + Send {}

impl<T: Read + Write + Send> Stream for T {}

/// One request; `Host` and `Content-Length` are added to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

/// One answer, read to its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// The value of the header `name`, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(at, _)| at == name)
            .map(|(_, value)| value.as_str())
    }

    /// `Location` as a path with its query, whatever host an absolute one names: the answer's server is the one that is measured.
    pub(crate) fn location(&self) -> Option<&str> {
        let value = self.header("location")?;
        let Some((_, rest)) = value.split_once("://") else {
            return Some(value);
        };
        rest.find('/').and_then(|at| rest.get(at..))
    }
}

/// A connection that is kept alive between requests.
pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    host: String,
    /// Read from the stream and not yet used.
    buffer: Vec<u8>,
    used: usize,
    /// The server said that it closes after this answer.
    closed: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects over plain TCP.
    ///
    /// # Errors
    /// When nobody listens at `addr`.
    pub(crate) fn open(addr: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(addr).with_context(|| format!("connecting to {addr}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self::over(Box::new(stream), addr.to_string()))
    }

    /// Speaks over a stream that somebody else opened; `host` is what the requests say.
    pub(crate) fn over(stream: Box<dyn Stream>, host: String) -> Self {
        Self {
            stream,
            host,
            buffer: Vec::new(),
            used: 0,
            closed: false,
        }
    }

    /// Whether the server said that this connection takes no further request.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }

    /// Sends a request whose body is in memory and reads the answer.
    ///
    /// # Errors
    /// When the connection breaks or what came is not HTTP/1.1.
    pub(crate) fn send(&mut self, request: &Request<'_>) -> Result<Response> {
        let mut message = self.head(request, request.body.len() as u64);
        // Small bodies travel in the packet of their head; big ones are not worth the copy.
        let joined = request.body.len() <= READ;
        if joined {
            message.extend_from_slice(request.body);
        }
        let mut sent = self.stream.write_all(&message);
        if !joined && sent.is_ok() {
            sent = self.stream.write_all(request.body);
        }
        self.finish(request.method, sent)
    }

    /// Sends a request with a body of `len` bytes which `body` writes to the stream itself, and reads the answer; `request.body` is not
    /// looked at.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub(crate) fn send_with(
        &mut self,
        request: &Request<'_>,
        len: u64,
        body: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<Response> {
        let head = self.head(request, len);
        let mut sent = self.stream.write_all(&head);
        if sent.is_ok() {
            sent = body(&mut self.stream);
        }
        self.finish(request.method, sent)
    }

    fn head(&self, request: &Request<'_>, len: u64) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\n",
            request.method, request.path, self.host
        );
        if len > 0 || !matches!(request.method, "GET" | "HEAD" | "DELETE") {
            head.push_str("Content-Length: ");
            head.push_str(&len.to_string());
            head.push_str("\r\n");
        }
        for (name, value) in request.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Reads the answer. A server that refuses a body half way answers and hangs up: what it said is worth more than the broken pipe.
    fn finish(&mut self, method: &str, sent: std::io::Result<()>) -> Result<Response> {
        let answer = self.receive(method);
        match (sent, answer) {
            (_, Ok(answer)) => Ok(answer),
            (Err(error), Err(_)) => Err(error).context("sending the request"),
            (Ok(()), Err(error)) => Err(error),
        }
    }

    fn receive(&mut self, method: &str) -> Result<Response> {
        loop {
            let head = self.until(b"\r\n\r\n", HEAD_LIMIT)?;
            let mut response = parse_head(&head)?;
            if response.status / 100 == 1 {
                continue;
            }
            if response
                .header("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close"))
            {
                self.closed = true;
            }
            if method == "HEAD" || matches!(response.status, 204 | 304) {
                return Ok(response);
            }
            let chunked = response
                .header("transfer-encoding")
                .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
            if chunked {
                response.body = self.chunks()?;
            } else if let Some(length) = response.header("content-length") {
                let length: usize = length.parse().context("the answer's Content-Length")?;
                response.body = self.exactly(length)?;
            } else {
                bail!("an answer {} without a length", response.status);
            }
            return Ok(response);
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n", HEAD_LIMIT)?;
            let line = str::from_utf8(&line)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).context("the size of a chunk")?;
            if size == 0 {
                // Trailers, then the empty line.
                while self.until(b"\r\n", HEAD_LIMIT)? != b"\r\n" {}
                return Ok(body);
            }
            body.extend_from_slice(&self.exactly(size)?);
            ensure!(
                self.exactly(2)? == b"\r\n",
                "a chunk does not end where it said"
            );
        }
    }

    /// The bytes up to and with `end`.
    fn until(&mut self, end: &[u8], limit: usize) -> Result<Vec<u8>> {
        loop {
            let rest = self.buffer.get(self.used..).unwrap_or_default();
            if let Some(at) = rest.windows(end.len()).position(|window| window == end) {
                return self.exactly(at + end.len());
            }
            ensure!(rest.len() <= limit, "an answer's head without end");
            self.fill()?;
        }
    }

    fn exactly(&mut self, len: usize) -> Result<Vec<u8>> {
        let have = self.buffer.len() - self.used;
        let mut out = Vec::with_capacity(len);
        let from_buffer = self.used..self.used + len.min(have);
        out.extend_from_slice(self.buffer.get(from_buffer).unwrap_or_default());
        self.used += out.len();
        if out.len() < len {
            let missing = (len - out.len()) as u64;
            (&mut self.stream).take(missing).read_to_end(&mut out)?;
        }
        ensure!(
            out.len() == len,
            "the connection ended in the middle of an answer"
        );
        Ok(out)
    }

    fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.used);
        self.used = 0;
        let have = self.buffer.len();
        self.buffer.resize(have + READ, 0);
        let (_, free) = self.buffer.split_at_mut(have);
        let read = self.stream.read(free);
        let n = *read.as_ref().unwrap_or(&0);
        self.buffer.truncate(have + n);
        read.context("reading the answer")?;
        ensure!(n > 0, "the server closed the connection");
        Ok(())
    }
}

fn parse_head(head: &[u8]) -> Result<Response> {
    let head = str::from_utf8(head).context("the answer's head is not text")?;
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    ensure!(
        words.next() == Some("HTTP/1.1"),
        "not an HTTP/1.1 answer: {first}"
    );
    let status = words.next().unwrap_or_default();
    let status = status.parse().context("the answer's status")?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Response {
        status,
        headers,
        body: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Answers with what it was given and keeps what it was sent out of the way.
    struct Canned(Cursor<Vec<u8>>);

    impl Read for Canned {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            // Few bytes at once, so that every join in the parser is met.
            let n = buffer.len().min(7);
            self.0.read(&mut buffer[..n])
        }
    }

    impl Write for Canned {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn hearing(answer: &str) -> Connection {
        let stream = Canned(Cursor::new(answer.as_bytes().to_vec()));
        Connection::over(Box::new(stream), "test".to_owned())
    }

    fn request(method: &str) -> Request<'_> {
        Request {
            method,
            path: "/",
            headers: &[],
            body: b"",
        }
    }

    #[test]
    fn answers_of_both_framings_are_read_one_after_the_other() {
        let mut connection = hearing(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 99\r\nConnection: close\r\n\r\n",
        );
        assert_eq!(connection.send(&request("GET")).unwrap().body, b"hello");
        assert_eq!(connection.send(&request("GET")).unwrap().body, b"abcde");
        let absent = connection.send(&request("HEAD")).unwrap();
        assert_eq!((absent.status, absent.body.len()), (404, 0));
        assert_eq!(absent.header("content-length"), Some("99"));
        assert!(connection.closed());
        assert!(connection.send(&request("GET")).is_err());
    }

    #[test]
    fn a_location_loses_its_host_and_keeps_its_query() {
        for (value, path) in [
            (
                "/v2/a/blobs/uploads/1?_state=x",
                "/v2/a/blobs/uploads/1?_state=x",
            ),
            ("http://127.0.0.1:5000/v2/a?b=/c", "/v2/a?b=/c"),
        ] {
            let response = Response {
                headers: vec![("location".to_owned(), value.to_owned())],
                ..Response::default()
            };
            assert_eq!(response.location(), Some(path));
        }
    }

    #[test]
    fn an_answer_that_is_cut_short_is_an_error() {
        let mut connection = hearing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
        assert!(connection.send(&request("GET")).is_err());
    }
}
