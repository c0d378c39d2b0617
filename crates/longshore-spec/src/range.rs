//! Byte ranges in headers, and the `Link` header of paged lists.
//!
//! On the wire every range is inclusive at both ends and counts from 0. Here a range is half-open, as everywhere in
//! Rust; the step between the two is made in this file only, and it never overflows.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// The part of a blob that a `Range` header asks for. Source: RFC 9110, section 14.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteRange {
    /// `bytes=5-`: from this offset to the end.
    From(u64),
    /// `bytes=5-9`: from the first offset up to and without the second (here 5 and 10).
    Within(u64, u64),
    /// `bytes=-5`: this many bytes at the end.
    Last(u64),
}

impl ByteRange {
    /// Reads a `Range` header. `None` means "ignore the header and answer with the whole": another unit, a text
    /// that is no range, or several ranges at once, which nobody needs and which cost much to serve.
    ///
    /// A range that ends before it starts (`500-0`) is returned: it is satisfied by no blob, so [`ByteRange::resolve`]
    /// refuses it. Numbers too large for 64 bits count as the largest.
    pub fn parse_header(value: &str) -> Option<Self> {
        let (unit, set) = value.split_once('=')?;
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return None;
        }
        // Empty list elements are legal (RFC 9110, section 5.6.1.2), so `bytes=0-1,` is still one range.
        let mut specs = set.split(',').map(trim).filter(|spec| !spec.is_empty());
        let (spec, None) = (specs.next()?, specs.next()) else {
            return None;
        };
        let (first, last) = spec.split_once('-')?;
        match (first, last) {
            ("", count) => saturating(count).map(Self::Last),
            (first, "") => saturating(first).map(Self::From),
            (first, last) => {
                let (first, last) = (saturating(first)?, saturating(last)?);
                Some(Self::Within(first, last.saturating_add(1)))
            }
        }
    }

    /// The bytes this range means in a blob of `size` bytes; `None` when it holds not a single one, which is a 416.
    pub fn resolve(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(start) => start..size,
            Self::Within(start, end) => start..end.min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (range.start < range.end).then_some(range)
    }
}

/// As a `Range` header: `bytes=5-9`.
impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(start) => write!(f, "bytes={start}-"),
            // The empty range at 0 has no inclusive form; `1-0` is as empty.
            Self::Within(start, 0) => write!(f, "bytes={}-0", (*start).max(1)),
            Self::Within(start, end) => write!(f, "bytes={start}-{}", end - 1),
            Self::Last(count) => write!(f, "bytes=-{count}"),
        }
    }
}

/// Where a chunk belongs in an upload: the request's `Content-Range`, without the unit that HTTP would have.
///
/// Source: distribution-spec v1.1.1, "Pushing a blob in chunks", end-5: `^[0-9]+-[0-9]+$`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentRange {
    /// The offset of the chunk's first byte.
    pub start: u64,
    /// The offset after the chunk's last byte; always above `start`.
    pub end: u64,
}

/// A `Content-Range` that says no place for a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the Content-Range of a chunk is <first byte>-<last byte>, counted from 0, the last not before the first"
)]
pub struct ContentRangeError;

impl ContentRange {
    /// The chunk's length, in bytes; never 0.
    pub const fn length(self) -> u64 {
        self.end - self.start
    }
}

impl FromStr for ContentRange {
    type Err = ContentRangeError;

    fn from_str(text: &str) -> Result<Self, ContentRangeError> {
        // The form of RFC 9110, `bytes 0-9/10` or `bytes 0-9/*`, means the same; clients built on general HTTP
        // libraries send it.
        let (range, total) = match text.strip_prefix("bytes ") {
            Some(rest) => match rest.split_once('/') {
                Some((range, "*")) => (range, None),
                Some((range, total)) => (range, Some(exact(total).ok_or(ContentRangeError)?)),
                None => (rest, None),
            },
            None => (text, None),
        };
        let (first, last) = range.split_once('-').ok_or(ContentRangeError)?;
        let start = exact(first).ok_or(ContentRangeError)?;
        let end = exact(last)
            .and_then(|last| last.checked_add(1))
            .ok_or(ContentRangeError)?;
        if start >= end || total.is_some_and(|total| total < end) {
            return Err(ContentRangeError);
        }
        Ok(Self { start, end })
    }
}

/// As the request's header: `0-99`.
impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end.saturating_sub(1))
    }
}

/// The `Content-Range` of a 206: `bytes 0-99/1000`. `range` is not empty and within `size`.
pub fn content_range(range: &Range<u64>, size: u64) -> String {
    format!(
        "bytes {}-{}/{size}",
        range.start,
        range.end.saturating_sub(1)
    )
}

/// The `Content-Range` of a 416 on a blob of `size` bytes: `bytes */1000`.
pub fn content_range_unsatisfied(size: u64) -> String {
    format!("bytes */{size}")
}

/// The `Range` of an upload that holds `offset` bytes: `0-<offset - 1>`.
///
/// Inclusive ranges cannot say "nothing", so an empty upload says `0-0`, as every registry does: clients look at it
/// only after they have sent something.
pub fn upload_range(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

/// Reads what [`upload_range`] wrote: the offset to go on at. `0-0` reads as one byte; see there.
pub fn parse_upload_range(text: &str) -> Option<u64> {
    let text = text.strip_prefix("bytes=").unwrap_or(text);
    exact(text.strip_prefix("0-")?)?.checked_add(1)
}

/// The `Link` header that names the next page: `<target>; rel="next"`. `target` is a path with query, already
/// percent-encoded. Source: RFC 8288.
pub fn link_next(target: &str) -> String {
    format!("<{target}>; rel=\"next\"")
}

/// The target of the first link of relation `next` in a `Link` header; `None` when there is none.
pub fn parse_link_next(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (target, after) = rest.split_once('<')?.1.split_once('>')?;
        let (params, more) = split_outside_quotes(after, b',');
        if has_relation(params, "next") {
            return Some(target);
        }
        rest = more?;
    }
}

/// Whether `params` (`; rel="a b"; title=c`) holds a `rel` with `relation` among its words.
fn has_relation(params: &str, relation: &str) -> bool {
    let mut rest = Some(params);
    while let Some(text) = rest {
        let (param, more) = split_outside_quotes(text, b';');
        rest = more;
        let Some((name, value)) = param.split_once('=') else {
            continue;
        };
        if name.trim().eq_ignore_ascii_case("rel") {
            // Only the first `rel` counts (RFC 8288, section 3.3).
            let words = value.trim().trim_matches('"');
            return words
                .split_ascii_whitespace()
                .any(|word| word.eq_ignore_ascii_case(relation));
        }
    }
    false
}

/// Splits at the first `at` that is not inside a quoted string.
fn split_outside_quotes(text: &str, at: u8) -> (&str, Option<&str>) {
    let (mut quoted, mut escaped) = (false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == at && !quoted => {
                let (before, rest) = text.split_at(index);
                return (before, rest.get(1..));
            }
            _ => {}
        }
    }
    (text, None)
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Digits as a number; `None` if there are none, anything else, or too many.
fn exact(digits: &str) -> Option<u64> {
    // `parse` alone would take a leading `+`.
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// Digits as a number, the largest one if they say more; `None` if there are none or anything else.
fn saturating(digits: &str) -> Option<u64> {
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}
