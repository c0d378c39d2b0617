//! The strict reading of a request's head, before hyper's.
//!
//! hyper is lenient where RFC 9112 lets it be: it takes bare LF for a line end, drops `Content-Length` when there is a
//! `Transfer-Encoding`, and answers what is too long with limits of its own. Behind a proxy that reads the same bytes
//! differently each of these is a smuggled request. Here a head has one reading or none; hyper parses it once more, and
//! it is hyper's reading that counts for what is in it.

use super::options::Limits;
use super::refusal::Refusal;

/// How the body after a head is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes follow.
    Length(u64),
    /// Chunks follow (RFC 9112, 7.1).
    Chunked,
}

/// A head being read, line by line as it comes.
#[derive(Debug)]
pub(super) struct Head {
    /// Where the unfinished line starts.
    line: usize,
    /// How far was looked for its end.
    looked: usize,
    /// Where the header lines start.
    headers: usize,
    count: usize,
    state: State,
    length: Option<u64>,
    chunked: bool,
    hosts: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many empty lines before the request line: RFC 9112, 2.2 asks to ignore at least one.
    RequestLine(u8),
    Headers(Version),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            line: 0,
            looked: 0,
            headers: 0,
            count: 0,
            state: State::RequestLine(0),
            length: None,
            chunked: false,
            hosts: 0,
        }
    }
}

impl Head {
    /// Reads on in `bytes`, which are all bytes since the head began. `Some` is where the head ends and what follows.
    ///
    /// # Errors
    /// The [`Refusal`] this head deserves, as soon as that is clear.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Option<(usize, Framing)>, Refusal> {
        if bytes.first() == Some(&0x16) {
            return Err(Refusal::TlsOnPlain);
        }
        loop {
            let rest = bytes.get(self.looked..).unwrap_or_default();
            let Some(end) = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .map(|at| self.looked + at)
            else {
                self.looked = bytes.len();
                self.check_size(bytes.len(), limits)?;
                return Ok(None);
            };
            self.check_size(end + 1, limits)?;
            let Some(line) = bytes
                .get(self.line..end)
                .and_then(|line| line.strip_suffix(b"\r"))
            else {
                return Err(Refusal::Malformed);
            };
            self.line = end + 1;
            self.looked = end + 1;
            match self.state {
                State::RequestLine(empty) if line.is_empty() => {
                    if empty == 4 {
                        return Err(Refusal::Malformed);
                    }
                    self.state = State::RequestLine(empty + 1);
                }
                State::RequestLine(_) => {
                    self.state = State::Headers(request_line(line)?);
                    self.headers = self.line;
                }
                State::Headers(version) if line.is_empty() => {
                    return Ok(Some((self.line, self.framing(version)?)));
                }
                State::Headers(_) => {
                    self.count += 1;
                    if self.count > limits.header_count {
                        return Err(Refusal::HeadersTooLarge);
                    }
                    self.header(line)?;
                }
            }
        }
    }

    /// Whether nothing of it has come yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.looked == 0
    }

    fn check_size(&self, end: usize, limits: &Limits) -> Result<(), Refusal> {
        let line = end.saturating_sub(self.line);
        match self.state {
            State::RequestLine(_) if line > limits.request_line.saturating_add(2) => {
                Err(Refusal::TargetTooLong)
            }
            State::RequestLine(_) => Ok(()),
            State::Headers(_) => {
                if line > limits.header.saturating_add(2)
                    || end.saturating_sub(self.headers) > limits.headers
                {
                    return Err(Refusal::HeadersTooLarge);
                }
                Ok(())
            }
        }
    }

    fn header(&mut self, line: &[u8]) -> Result<(), Refusal> {
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .ok_or(Refusal::Malformed)?;
        let (name, value) = line.split_at(colon);
        // A space in front makes a folded line, one before the colon is read differently by every server; neither is
        // a token character.
        if name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(Refusal::Malformed);
        }
        let value = value.strip_prefix(b":").unwrap_or(value);
        if value
            .iter()
            .any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f)
        {
            return Err(Refusal::Malformed);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err(Refusal::Malformed);
            }
            self.length = Some(length(value).ok_or(Refusal::Malformed)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::Malformed);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            self.hosts += 1;
        }
        Ok(())
    }

    fn framing(&self, version: Version) -> Result<Framing, Refusal> {
        // RFC 9112, 3.2: exactly one Host from 1.1 on.
        if self.hosts > 1 || (self.hosts == 0 && version == Version::Http11) {
            return Err(Refusal::Malformed);
        }
        match (self.length, self.chunked) {
            (Some(_), true) => Err(Refusal::Malformed),
            (None, true) if version == Version::Http10 => Err(Refusal::Malformed),
            (None, true) => Ok(Framing::Chunked),
            (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

fn request_line(line: &[u8]) -> Result<Version, Refusal> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::Malformed);
    };
    if method.is_empty() || !method.iter().copied().all(is_token) {
        return Err(Refusal::Malformed);
    }
    if target.is_empty() || target.iter().any(|byte| *byte < 0x21 || *byte == 0x7f) {
        return Err(Refusal::Malformed);
    }
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::Malformed),
    }
}

/// Digits and nothing else, after the one space that everybody writes: a sign, a list or a second space has been read
/// as something else by somebody.
fn length(value: &[u8]) -> Option<u64> {
    let value = value.strip_prefix(b" ").unwrap_or(value);
    if value.is_empty() || value.len() > 18 || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Option<(usize, Framing)>, Refusal> {
        Head::default().read(head.as_bytes(), &Limits::default())
    }

    fn with(lines: &str) -> Result<Option<(usize, Framing)>, Refusal> {
        read(&format!("PUT /v2/ HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n"))
    }

    fn framing(lines: &str) -> Framing {
        with(lines).unwrap().unwrap().1
    }

    #[test]
    fn a_head_that_comes_byte_by_byte_reads_like_one_that_comes_at_once() {
        let text = "\r\nPUT /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nrest of it";
        let end = text.len() - "rest of it".len();
        let mut head = Head::default();
        for upto in 0..end {
            assert_eq!(
                head.read(&text.as_bytes()[..upto], &Limits::default()),
                Ok(None)
            );
        }
        assert_eq!(
            head.read(text.as_bytes(), &Limits::default()),
            Ok(Some((end, Framing::Length(12))))
        );
        assert_eq!(read(text), Ok(Some((end, Framing::Length(12)))));
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for lines in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: +5",
            "Content-Length: 5,5",
            "Content-Length:  5",
            "Content-Length: 5 ",
            "Content-Length: 0x5",
            "Content-Length: -1",
            "Content-Length: 99999999999999999999",
            "Content-Length:",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding : chunked",
            "A: b\r\n folded",
            "A: b\nC: d",
            "A: b\rC: d",
            "A: b\0c",
            "A\0: b",
            ": b",
            "no colon",
            "Host: y",
        ] {
            assert_eq!(with(lines), Err(Refusal::Malformed), "{lines:?}");
        }
    }

    #[test]
    fn what_everybody_sends_is_taken() {
        assert_eq!(framing("Content-Length: 5"), Framing::Length(5));
        assert_eq!(framing("content-length:5"), Framing::Length(5));
        assert_eq!(framing("Transfer-Encoding: Chunked"), Framing::Chunked);
        assert_eq!(framing("X: \u{e9}t\u{e9}\ttab"), Framing::Length(0));
        assert!(
            read("GET / HTTP/1.0\r\n\r\n").unwrap().is_some(),
            "1.0 needs no Host"
        );
    }

    #[test]
    fn a_request_line_is_three_words_of_a_version_we_speak() {
        for (line, refusal) in [
            ("GET /", Refusal::Malformed),
            ("GET  / HTTP/1.1", Refusal::Malformed),
            ("GET / HTTP/1.1 ", Refusal::Malformed),
            ("GET / http/1.1", Refusal::Malformed),
            ("G(T / HTTP/1.1", Refusal::Malformed),
            ("GET /\t HTTP/1.1", Refusal::Malformed),
            ("GET / HTTP/3.0", Refusal::Version),
            ("PRI * HTTP/2.0", Refusal::Version),
            ("\x16\x03\x01\x02", Refusal::TlsOnPlain),
        ] {
            assert_eq!(
                read(&format!("{line}\r\nHost: x\r\n\r\n")),
                Err(refusal),
                "{line:?}"
            );
        }
        assert_eq!(read("GET / HTTP/1.1\nHost: x\n\n"), Err(Refusal::Malformed));
    }

    #[test]
    fn what_is_too_much_is_refused_before_it_has_all_come() {
        let long = |n: usize| "a".repeat(n);
        assert_eq!(
            read(&format!("GET /{}", long(9000))),
            Err(Refusal::TargetTooLong)
        );
        assert!(
            read(&format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", long(8000)))
                .unwrap()
                .is_some()
        );
        assert_eq!(
            with(&format!("A: {}", long(17_000))),
            Err(Refusal::HeadersTooLarge)
        );
        assert_eq!(
            read(&format!("GET / HTTP/1.1\r\nA: {}", long(17_000))),
            Err(Refusal::HeadersTooLarge)
        );
        let three = format!("A: {0}\r\nB: {0}\r\nC: {0}", long(12_000));
        assert_eq!(with(&three), Err(Refusal::HeadersTooLarge));
        assert_eq!(with(&"A: b\r\n".repeat(100)), Err(Refusal::HeadersTooLarge));
        assert!(with("A: b\r\n".repeat(98).trim_end()).unwrap().is_some());
    }
}
