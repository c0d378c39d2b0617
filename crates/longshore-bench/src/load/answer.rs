//! Reads one HTTP/1.1 answer as it comes, without allocating: what the measured loop knows of HTTP.
//!
//! It is strict where a wrong answer could pass for a right one (status line, lengths, bytes after the end) and blind elsewhere.

use anyhow::{Result, bail, ensure};
use aws_lc_rs::digest::{Context, SHA256};

/// A head above this is not an answer of a registry.
const HEAD_LIMIT: usize = 16 << 10;

/// Where the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Head,
    /// So many bytes are missing.
    Body(u64),
    /// In the line that says how long a chunk is; the number so far, and whether its digits are over.
    ChunkSize(u64, bool),
    ChunkData(u64),
    /// After a chunk's data.
    ChunkEnd,
    /// After the last chunk; whether the line so far is empty.
    Trailer(bool),
    End,
}

/// One answer after the other on one connection.
pub(super) struct Answer {
    at: At,
    /// A head of which the rest has not come yet.
    partial: Vec<u8>,
    /// It answers a `HEAD`.
    bodyless: bool,
    digest: Option<Context>,
    pub(super) status: u16,
    /// What `Content-Length` said.
    pub(super) length: Option<u64>,
    /// Bytes of the body so far.
    pub(super) body: u64,
    /// The server closes the connection after it.
    pub(super) close: bool,
}

impl Answer {
    pub(super) fn new() -> Self {
        Self {
            at: At::End,
            partial: Vec::with_capacity(HEAD_LIMIT),
            bodyless: false,
            digest: None,
            status: 0,
            length: None,
            body: 0,
            close: false,
        }
    }

    /// Makes ready for the next answer; with `hashed`, its body's digest is computed.
    pub(super) fn expect(&mut self, bodyless: bool, hashed: bool) {
        self.at = At::Head;
        self.partial.clear();
        self.bodyless = bodyless;
        self.digest = hashed.then(|| Context::new(&SHA256));
        self.status = 0;
        self.length = None;
        self.body = 0;
        self.close = false;
    }

    pub(super) fn complete(&self) -> bool {
        self.at == At::End
    }

    /// The digest of the body, if it was to be computed.
    pub(super) fn digest(&mut self) -> Option<aws_lc_rs::digest::Digest> {
        self.digest.take().map(Context::finish)
    }

    /// Bytes that nobody needs to see.
    pub(super) fn droppable(&self) -> u64 {
        match self.at {
            At::Body(left) if self.digest.is_none() => left,
            _ => 0,
        }
    }

    /// So many of the droppable bytes came and went.
    pub(super) fn dropped(&mut self, n: u64) {
        if let At::Body(left) = self.at {
            self.body += n;
            self.at = body(left.saturating_sub(n));
        }
    }

    /// Takes what came.
    ///
    /// # Errors
    /// When it is not an answer, or more than one.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let used = match self.at {
                At::Head => self.head(bytes)?,
                At::Body(left) => {
                    let n = self.content(bytes, left);
                    self.at = body(left - n as u64);
                    n
                }
                At::ChunkData(left) => {
                    let n = self.content(bytes, left);
                    self.at = match left - n as u64 {
                        0 => At::ChunkEnd,
                        left => At::ChunkData(left),
                    };
                    n
                }
                At::End => bail!("bytes after the end of an answer"),
                _ => {
                    let first = bytes.first().copied().unwrap_or_default();
                    self.at = between_chunks(self.at, first)?;
                    1
                }
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// Takes up to `left` bytes of body.
    fn content(&mut self, bytes: &[u8], left: u64) -> usize {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.body += n as u64;
        if let (Some(digest), Some(piece)) = (&mut self.digest, bytes.get(..n)) {
            digest.update(piece);
        }
        n
    }

    /// Takes bytes of the head and says how many.
    fn head(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.partial.is_empty()
            && let Some(end) = end_of_head(bytes)
        {
            self.read_head(bytes.get(..end).unwrap_or_default())?;
            return Ok(end);
        }
        let before = self.partial.len();
        let room = HEAD_LIMIT - before;
        ensure!(room > 0, "an answer's head without end");
        let n = room.min(bytes.len());
        self.partial
            .extend_from_slice(bytes.get(..n).unwrap_or_default());
        let Some(end) = end_of_head(&self.partial) else {
            return Ok(n);
        };
        let head = std::mem::take(&mut self.partial);
        let read = self.read_head(head.get(..end).unwrap_or_default());
        self.partial = head;
        self.partial.clear();
        read?;
        Ok(end - before)
    }

    fn read_head(&mut self, head: &[u8]) -> Result<()> {
        let mut lines = head.split(|&byte| byte == b'\n');
        let first = lines.next().unwrap_or_default();
        let status = first
            .strip_prefix(b"HTTP/1.1 ")
            .and_then(|rest| number(rest.get(..3)?));
        let Some(status) = status.and_then(|status| u16::try_from(status).ok()) else {
            bail!("not a status line: {}", String::from_utf8_lossy(first));
        };
        let mut chunked = false;
        for line in lines {
            // Only names of these lengths are looked at.
            match line.iter().position(|&byte| byte == b':') {
                Some(10) => {
                    if let Some(value) = value(line, b"connection") {
                        self.close = value.eq_ignore_ascii_case(b"close");
                    }
                }
                Some(14) => {
                    if let Some(value) = value(line, b"content-length") {
                        let Some(length) = number(value) else {
                            bail!("a Content-Length that is no number");
                        };
                        ensure!(self.length.is_none(), "two Content-Lengths");
                        self.length = Some(length);
                    }
                }
                Some(17) => {
                    chunked |= value(line, b"transfer-encoding")
                        .is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"));
                }
                _ => {}
            }
        }
        if status / 100 == 1 {
            self.length = None;
            return Ok(());
        }
        self.status = status;
        self.at = if self.bodyless || matches!(status, 204 | 304) {
            At::End
        } else if chunked {
            At::ChunkSize(0, false)
        } else if let Some(length) = self.length {
            body(length)
        } else {
            bail!("an answer {status} without a length");
        };
        Ok(())
    }
}

fn body(left: u64) -> At {
    match left {
        0 => At::End,
        left => At::Body(left),
    }
}

/// One byte of the framing around chunks.
fn between_chunks(at: At, byte: u8) -> Result<At> {
    Ok(match (at, byte) {
        (At::ChunkSize(0, _), b'\n') => At::Trailer(true),
        (At::ChunkSize(size, _), b'\n') => At::ChunkData(size),
        (At::ChunkSize(size, over), _) => {
            let digit = char::from(byte).to_digit(16).map(u64::from);
            match digit {
                Some(digit) if !over && size >> 48 == 0 => At::ChunkSize(size << 4 | digit, false),
                None if over || matches!(byte, b';' | b'\r' | b' ') => At::ChunkSize(size, true),
                _ if over => At::ChunkSize(size, true),
                _ => bail!("a chunk without a size"),
            }
        }
        (At::ChunkEnd, b'\r') => At::ChunkEnd,
        (At::ChunkEnd, b'\n') => At::ChunkSize(0, false),
        (At::ChunkEnd, _) => bail!("a chunk does not end where it said"),
        (At::Trailer(true), b'\n') => At::End,
        (At::Trailer(_), b'\n') => At::Trailer(true),
        (At::Trailer(empty), b'\r') => At::Trailer(empty),
        (At::Trailer(_), _) => At::Trailer(false),
        (other, _) => other,
    })
}

/// The length of the head with its empty line, if all of it is there.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let line = rest.iter().position(|&byte| byte == b'\n')?;
        let next = from + line + 1;
        if bytes.get(next..)?.starts_with(b"\r\n") {
            return Some(next + 2);
        }
        from = next;
    }
}

/// The value of a header line that has this name, which is given in lower case.
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (at, rest) = line.split_at_checked(name.len())?;
    if !at.eq_ignore_ascii_case(name) {
        return None;
    }
    rest.strip_prefix(b":").map(<[u8]>::trim_ascii)
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &[u8], bodyless: bool, piece: usize) -> Result<Answer> {
        let mut at = Answer::new();
        at.expect(bodyless, true);
        for bytes in answer.chunks(piece) {
            at.feed(bytes)?;
        }
        Ok(at)
    }

    #[test]
    fn an_answer_reads_the_same_however_it_is_cut() {
        let plain = b"HTTP/1.1 206 Partial Content\r\ncontent-LENGTH: 11\r\nConnection: close\r\nx: y\r\n\r\nhello world";
        let chunked = b"HTTP/1.1 206 x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n6;name=1\r\nhello \r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n";
        for answer in [&plain[..], &chunked[..]] {
            for piece in 1..=answer.len() {
                let mut at = read(answer, false, piece).unwrap();
                assert!(at.complete() && at.close);
                assert_eq!((at.status, at.body), (206, 11));
                let right = aws_lc_rs::digest::digest(&SHA256, b"hello world");
                assert_eq!(at.digest().unwrap().as_ref(), right.as_ref());
            }
        }
    }

    #[test]
    fn what_has_no_body_ends_with_its_head() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n";
        let at = read(head, true, 5).unwrap();
        assert!(at.complete());
        assert_eq!(at.length, Some(99));
        assert!(
            read(b"HTTP/1.1 304 Not Modified\r\n\r\n", false, 99)
                .unwrap()
                .complete()
        );
        let empty = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert!(read(empty, false, 99).unwrap().complete());
    }

    #[test]
    fn an_interim_answer_is_passed_over() {
        let both = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
        for piece in [1, 3, both.len()] {
            let at = read(both, false, piece).unwrap();
            assert!(at.complete());
            assert_eq!((at.status, at.body), (200, 1));
        }
    }

    #[test]
    fn what_is_not_one_answer_is_refused() {
        for wrong in [
            &b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
            b"SSH-2.0-OpenSSH\r\n\r\n",
        ] {
            assert!(
                read(wrong, false, wrong.len()).is_err(),
                "{}",
                String::from_utf8_lossy(wrong)
            );
        }
    }

    #[test]
    fn only_bodies_that_are_not_hashed_may_be_dropped() {
        let mut at = Answer::new();
        at.expect(false, false);
        at.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            .unwrap();
        assert_eq!(at.droppable(), 7);
        at.dropped(7);
        assert!(at.complete());
        assert_eq!(at.body, 10);
        at.expect(false, true);
        at.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
            .unwrap();
        assert_eq!(at.droppable(), 0);
    }
}
