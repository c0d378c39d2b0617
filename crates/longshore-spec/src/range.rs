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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_a_single_range_is_understood() {
        for (header, range) in [
            ("bytes=0-0", ByteRange::Within(0, 1)),
            ("bytes=500-1499", ByteRange::Within(500, 1500)),
            ("bytes=500-", ByteRange::From(500)),
            ("bytes=-500", ByteRange::Last(500)),
            ("Bytes = 5-9", ByteRange::Within(5, 10)),
            ("bytes=5-9,", ByteRange::Within(5, 10)),
            ("bytes=500-0", ByteRange::Within(500, 1)),
            (
                "bytes=0-18446744073709551615",
                ByteRange::Within(0, u64::MAX),
            ),
            (
                "bytes=0-18446744073709551616",
                ByteRange::Within(0, u64::MAX),
            ),
            ("bytes=99999999999999999999-", ByteRange::From(u64::MAX)),
        ] {
            assert_eq!(ByteRange::parse_header(header), Some(range), "{header}");
        }
    }

    #[test]
    fn what_is_not_one_range_of_bytes_is_ignored() {
        let many = format!("bytes={}", vec!["0-9"; 1000].join(","));
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=1",
            "bytes=+1-2",
            "bytes=1-2-3",
            "lines=0-9",
            "bytes=0-1,5-9",
            "0-9",
            &many,
        ] {
            assert_eq!(ByteRange::parse_header(header), None, "{header}");
        }
    }

    #[test]
    fn a_range_is_cut_to_the_blob_and_holds_at_least_one_byte() {
        for (range, size, bytes) in [
            (ByteRange::From(0), 10, Some(0..10)),
            (ByteRange::From(9), 10, Some(9..10)),
            (ByteRange::From(10), 10, None),
            (ByteRange::From(0), 0, None),
            (ByteRange::Within(2000, 5001), 2048, Some(2000..2048)),
            (ByteRange::Within(0, u64::MAX), 10, Some(0..10)),
            (ByteRange::Within(500, 1), 2048, None),
            (ByteRange::Within(5000, 10001), 2048, None),
            (ByteRange::Last(500), 2048, Some(1548..2048)),
            (ByteRange::Last(5000), 2048, Some(0..2048)),
            (ByteRange::Last(0), 2048, None),
            (ByteRange::Last(1), 0, None),
        ] {
            assert_eq!(range.resolve(size), bytes, "{range:?} of {size}");
        }
    }

    #[test]
    fn a_chunk_says_where_it_belongs() {
        for (text, start, end) in [
            ("0-9", 0, 10),
            ("10-10", 10, 11),
            ("bytes 0-9/10", 0, 10),
            ("bytes 0-9/*", 0, 10),
            ("bytes 5-9/100", 5, 10),
            ("0-18446744073709551614", 0, u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(ContentRange { start, end }), "{text}");
        }
        for text in [
            "",
            "-",
            "0-",
            "-9",
            "9-0",
            "a-b",
            "-1-5",
            "0-9/10",
            "0 - 9",
            "+0-9",
            "0x0-9",
            "bytes=0-9",
            "bytes 0-9/9",
            "bytes 0-9/x",
            "bytes */10",
            "0-99999999999999999999",
            "0-18446744073709551615",
        ] {
            assert_eq!(
                text.parse::<ContentRange>(),
                Err(ContentRangeError),
                "{text}"
            );
        }
    }

    #[test]
    fn headers_are_written_as_the_wire_has_them() {
        assert_eq!(content_range(&(500..1500), 2048), "bytes 500-1499/2048");
        assert_eq!(content_range_unsatisfied(0), "bytes */0");
        assert_eq!(upload_range(0), "0-0");
        assert_eq!(upload_range(1024), "0-1023");
        assert_eq!(parse_upload_range("0-1023"), Some(1024));
        assert_eq!(parse_upload_range("bytes=0-1023"), Some(1024));
        assert_eq!(parse_upload_range("0--1"), None);
        assert_eq!(parse_upload_range("1-5"), None);
        assert_eq!(
            link_next("/v2/_catalog?n=2&last=b"),
            "</v2/_catalog?n=2&last=b>; rel=\"next\""
        );
    }

    #[test]
    fn the_next_page_is_found_among_other_links() {
        for (header, target) in [
            ("</a>; rel=\"next\"", Some("/a")),
            ("</a>; rel=next", Some("/a")),
            ("</a>;REL=\"prev Next\"", Some("/a")),
            (
                "</p>; rel=\"prev\", </a>; title=\"x, <y>; rel=no\"; rel=\"next\"",
                Some("/a"),
            ),
            (
                "<https://r.example/v2/_catalog?last=b,c>; rel=\"next\"",
                Some("https://r.example/v2/_catalog?last=b,c"),
            ),
            ("</a>; rel=\"prev\"", None),
            ("</a>", None),
            ("/a; rel=next", None),
            ("", None),
        ] {
            assert_eq!(parse_link_next(header), target, "{header}");
        }
    }

    proptest! {
        #[test]
        fn ranges_stay_inside_what_they_are_a_range_of(text in "(bytes[= ])?[0-9]{0,21}-[0-9]{0,21}(/[0-9*]{1,3})?|[<>;,\"\\\\ a-z=]{0,30}|\\PC{0,20}") {
            crate::fuzzing::ranges(text.as_bytes());
        }
    }
}
