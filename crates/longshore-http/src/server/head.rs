//! The strict reading of a request's head, before hyper's.
//!
//! hyper is lenient where RFC 9112 lets it be: it takes bare LF for a line end, drops `Content-Length` when there is a
//! `Transfer-Encoding`, and answers what is too long with limits of its own. Behind a proxy that reads the same bytes
//! differently each of these is a smuggled request. Here a head has one reading or none; hyper parses it once more, and
//! it is hyper's reading that counts for what is in it.

use memchr::memchr;

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
            let Some(end) = memchr(b'\n', rest).map(|at| self.looked + at) else {
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
        let colon = memchr(b':', line).ok_or(Refusal::Malformed)?;
        let (name, value) = line.split_at(colon);
        // A space in front makes a folded line, one before the colon is read differently by every server; neither is
        // a token character.
        if name.is_empty() || !all(&TOKEN, name) {
            return Err(Refusal::Malformed);
        }
        let value = value.strip_prefix(b":").unwrap_or(value);
        if has_control(value) {
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
    let parts = before_space(line).and_then(|(method, rest)| {
        let (target, version) = before_space(rest)?;
        Some((method, target, version))
    });
    // A third space would stand in the version, which is compared as a whole below.
    let Some((method, target, version)) = parts else {
        return Err(Refusal::Malformed);
    };
    if method.is_empty() || !all(&TOKEN, method) {
        return Err(Refusal::Malformed);
    }
    // What is plain needs no second opinion; of the rest hyper will take what `Uri` takes, and would refuse the others
    // without a word.
    if !target.starts_with(b"/") || !all(&PLAIN, target) {
        http::Uri::try_from(target).map_err(|_| Refusal::Malformed)?;
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

/// What stands before the first space, and what after it.
fn before_space(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, after) = line.split_at_checked(memchr(b' ', line)?)?;
    Some((before, after.get(1..)?))
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

/// Whether there is a control character other than a tab.
fn has_control(value: &[u8]) -> bool {
    let control =
        |byte: u8| (u8::from(byte < 0x20) & u8::from(byte != b'\t')) | u8::from(byte == 0x7f);
    value.iter().fold(0, |seen, byte| seen | control(*byte)) != 0
}

/// RFC 3986: what may stand in a path or query as it is.
const PLAIN: [bool; 256] = alphanumeric_and(b"/-._~%!$&'()*+,;=:@?");
/// RFC 9110, 5.6.2.
const TOKEN: [bool; 256] = alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// A table of what belongs to a set: each byte of each head is looked up in one.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler, which refuses an index that is too large"
)]
const fn alphanumeric_and(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

/// Whether all of these bytes belong to the set. It goes on after one that does not: a look without a branch is a third of one with.
fn all(set: &[bool; 256], bytes: &[u8]) -> bool {
    let of = |byte: &u8| set.get(usize::from(*byte)).copied().unwrap_or_default();
    bytes.iter().fold(true, |all, byte| all & of(byte))
}

#[cfg(test)]
mod tests;
