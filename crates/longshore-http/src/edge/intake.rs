//! Bodies on their way in: how long they say they are, where they belong, and manifests read whole.

use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use http::request::Parts;
use http::{HeaderMap, Version, header};
use longshore_core::{ByteStream, Chunk, Code, Error, Result};
use longshore_spec::range::{ContentRange, ContentRangeError};

use super::request::text;
use crate::server::BodyFault;

/// What is known of a body's length before it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// So many bytes.
    Said(u64),
    /// It comes in chunks or frames, and ends when it ends.
    Open,
    /// HTTP/1 without a length and without chunks: there is no body.
    Absent,
}

impl Length {
    pub(super) fn of(head: &Parts) -> Self {
        let said =
            text(&head.headers, &header::CONTENT_LENGTH).and_then(|digits| digits.parse().ok());
        match said {
            Some(bytes) => Self::Said(bytes),
            None if head.version >= Version::HTTP_2 => Self::Open,
            None if head.headers.contains_key(header::TRANSFER_ENCODING) => Self::Open,
            None => Self::Absent,
        }
    }

    /// The number of bytes, where it is known.
    pub(super) const fn said(self) -> Option<u64> {
        match self {
            Self::Said(bytes) => Some(bytes),
            Self::Open => None,
            Self::Absent => Some(0),
        }
    }
}

/// Refuses bodies that were encoded for the way. What a digest names is what is stored and what was sent; a registry
/// that unpacked would have to guess which of them was meant, and could be made to unpack forever.
///
/// # Errors
/// `MediaUnsupported`.
pub(super) fn refuse_encoding(headers: &HeaderMap) -> Result<()> {
    let is_plain = |line: &http::HeaderValue| {
        line.as_bytes()
            .trim_ascii()
            .eq_ignore_ascii_case(b"identity")
    };
    if headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(is_plain)
    {
        return Ok(());
    }
    Err(Error::new(
        Code::MediaUnsupported,
        "send the content as it is: Content-Encoding is not accepted",
    ))
}

/// Where a chunk says it belongs, checked against its length.
///
/// # Errors
/// `ChunkOutOfOrder` for a `Content-Range` that says no place, `SizeInvalid` for one of another length than the body.
pub(super) fn chunk(head: &Parts, body: ByteStream) -> Result<Chunk> {
    let length = Length::of(head);
    let Some(line) = head.headers.get(header::CONTENT_RANGE) else {
        return Ok(Chunk {
            at: None,
            size: length.said(),
            body,
        });
    };
    let range: ContentRange = line
        .to_str()
        .unwrap_or_default()
        .trim()
        .parse()
        .map_err(|error: ContentRangeError| Error::new(Code::ChunkOutOfOrder, error.to_string()))?;
    match length.said() {
        Some(said) if said != range.length() => Err(Error::new(
            Code::SizeInvalid,
            format!(
                "Content-Range {range} has {} bytes, Content-Length is {said}",
                range.length()
            ),
        )),
        _ => Ok(Chunk {
            at: Some(range.start),
            size: Some(range.length()),
            body,
        }),
    }
}

/// All of a body that may have at most `limit` bytes.
///
/// # Errors
/// `TooLarge`, before anything is read where the length was said; `BodyLost`, `BodySlow`; `SizeInvalid`.
pub(super) async fn whole(length: Length, limit: usize, mut body: ByteStream) -> Result<Bytes> {
    let too_large = || {
        Error::new(
            Code::TooLarge,
            format!("a manifest has at most {limit} bytes"),
        )
    };
    let said = length
        .said()
        .map(|said| usize::try_from(said).unwrap_or(usize::MAX));
    if said.is_some_and(|said| said > limit) {
        return Err(too_large());
    }
    let Some(first) = body.try_next().await.map_err(lost)? else {
        return Ok(Bytes::new());
    };
    let mut next = body.try_next().await.map_err(lost)?;
    if next.is_none() && first.len() <= limit {
        return Ok(first);
    }
    let mut all =
        BytesMut::with_capacity(said.unwrap_or_else(|| first.len().saturating_mul(2).min(limit)));
    all.extend_from_slice(&first);
    while let Some(piece) = next {
        if all.len() + piece.len() > limit {
            return Err(too_large());
        }
        all.extend_from_slice(&piece);
        next = body.try_next().await.map_err(lost)?;
    }
    if all.len() > limit {
        return Err(too_large());
    }
    Ok(all.freeze())
}

/// The body with its failures in the registry's words: each is an [`Error`] inside of an [`io::Error`], which is where
/// stores look for what to say instead of "lost".
pub(super) fn in_our_words(body: ByteStream) -> ByteStream {
    if body.size_hint() == (0, Some(0)) {
        return body;
    }
    Box::pin(body.map_err(|cause| io::Error::new(cause.kind(), lost(cause))))
}

fn lost(cause: io::Error) -> Error {
    match cause.downcast::<Error>() {
        Ok(error) => error,
        Err(cause) => {
            let fault = BodyFault::of(&cause);
            let words = match fault {
                Some(BodyFault::Slow) => "the body came too slowly",
                _ => "the body broke off before its end",
            };
            Error::new(fault.map_or(Code::BodyLost, BodyFault::code), words).because(cause)
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http::Request;

    use super::*;

    fn head(lines: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/");
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_chunk_has_the_length_that_both_headers_say() {
        let read = |lines: &[(&str, &str)]| {
            chunk(&head(lines), longshore_core::body::empty())
                .map(|chunk| (chunk.at, chunk.size))
                .map_err(|e| e.code())
        };
        assert_eq!(read(&[("content-length", "5")]), Ok((None, Some(5))));
        assert_eq!(read(&[("transfer-encoding", "chunked")]), Ok((None, None)));
        assert_eq!(read(&[]), Ok((None, Some(0))));
        assert_eq!(
            read(&[("content-range", "5-9"), ("content-length", "5")]),
            Ok((Some(5), Some(5)))
        );
        assert_eq!(
            read(&[("content-range", "5-9"), ("transfer-encoding", "chunked")]),
            Ok((Some(5), Some(5)))
        );
        assert_eq!(
            read(&[("content-range", "0-9"), ("content-length", "5")]),
            Err(Code::SizeInvalid)
        );
        for nonsense in ["0-", "9-0", "a-b", "-1-5", "0-99999999999999999999", ""] {
            assert_eq!(
                read(&[("content-range", nonsense), ("content-length", "5")]),
                Err(Code::ChunkOutOfOrder),
                "{nonsense}"
            );
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_a_byte_further() {
        let body = |pieces: &'static [&'static str]| -> ByteStream {
            Box::pin(stream::iter(
                pieces
                    .iter()
                    .map(|piece| Ok(Bytes::from_static(piece.as_bytes()))),
            ))
        };
        let read = async |length, pieces| {
            whole(length, 6, body(pieces))
                .await
                .map_err(|error| error.code())
        };
        assert_eq!(read(Length::Open, &["abc", "def"]).await.unwrap(), "abcdef");
        assert_eq!(read(Length::Said(3), &["abc"]).await.unwrap(), "abc");
        assert_eq!(read(Length::Absent, &[]).await.unwrap(), "");
        assert_eq!(
            read(Length::Open, &["abc", "def", "g"]).await,
            Err(Code::TooLarge)
        );
        assert_eq!(read(Length::Open, &["abcdefg"]).await, Err(Code::TooLarge));
        let unread: ByteStream = Box::pin(stream::poll_fn(|_| {
            panic!("a body that is too large is not asked for")
        }));
        assert_eq!(
            whole(Length::Said(7), 6, unread)
                .await
                .map_err(|error| error.code()),
            Err(Code::TooLarge)
        );
    }

    #[tokio::test]
    async fn c47_a_failure_of_the_sender_reaches_a_store_as_what_it_means() {
        for (fault, code) in [
            (BodyFault::Slow, Code::BodySlow),
            (BodyFault::Lost, Code::BodyLost),
            (BodyFault::Malformed, Code::BodyLost),
        ] {
            let fails = || -> ByteStream {
                let pieces = [Ok(Bytes::from_static(b"abc")), Err(fault.into())];
                in_our_words(Box::pin(stream::iter(pieces)))
            };
            let mut body = fails();
            assert!(body.try_next().await.unwrap().is_some());
            let error = body.try_next().await.unwrap_err();
            assert_eq!(error.downcast::<Error>().unwrap().code(), code);
            let error = whole(Length::Open, 6, fails()).await.unwrap_err();
            assert_eq!(error.code(), code, "{fault}");
        }
    }

    #[test]
    fn c45_only_plain_bodies_are_taken() {
        assert!(refuse_encoding(&head(&[]).headers).is_ok());
        assert!(refuse_encoding(&head(&[("content-encoding", "identity")]).headers).is_ok());
        for encoding in ["gzip", "identity, gzip", "zstd", ""] {
            assert!(
                refuse_encoding(&head(&[("content-encoding", encoding)]).headers).is_err(),
                "{encoding}"
            );
        }
    }
}
