//! Answers the server gives by itself, before or instead of the service's.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::body::Body;

/// Why a request gets no further than the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The head is not HTTP, or can be read in two ways.
    Malformed,
    /// A TLS hello where plain HTTP is spoken. Docker engines fall back to plain HTTP when they are answered in HTTP.
    TlsOnPlain,
    /// Plain HTTP where TLS is spoken.
    PlainOnTls,
    /// The request line is too long.
    TargetTooLong,
    /// Too many headers, or too large.
    HeadersTooLarge,
    /// A version of HTTP that is not spoken here.
    Version,
    /// The head did not come in time.
    TooSlow,
    /// There are too many connections.
    Busy,
    /// The server is about to end.
    Stopping,
    /// The service failed in a way it should not.
    Panic,
}

impl Refusal {
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Refusal::Malformed => (
                StatusCode::BAD_REQUEST,
                "UNSUPPORTED",
                "the request is not well-formed HTTP",
            ),
            Refusal::TlsOnPlain => (
                StatusCode::BAD_REQUEST,
                "UNSUPPORTED",
                "this port speaks plain HTTP, and the client began with TLS; use http://, or give the registry a certificate",
            ),
            Refusal::PlainOnTls => (
                StatusCode::BAD_REQUEST,
                "UNSUPPORTED",
                "this port speaks TLS, and the client began with plain HTTP; use https://",
            ),
            Refusal::TargetTooLong => (
                StatusCode::URI_TOO_LONG,
                "UNSUPPORTED",
                "the request line is too long",
            ),
            Refusal::HeadersTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "UNSUPPORTED",
                "too many headers, or too large ones",
            ),
            Refusal::Version => (
                StatusCode::HTTP_VERSION_NOT_SUPPORTED,
                "UNSUPPORTED",
                "this version of HTTP is not spoken here",
            ),
            Refusal::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "UNSUPPORTED",
                "the request's head came too slowly",
            ),
            Refusal::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "UNAVAILABLE",
                "there are too many connections; try again soon",
            ),
            Refusal::Stopping => (
                StatusCode::SERVICE_UNAVAILABLE,
                "UNAVAILABLE",
                "this registry process is about to end; try again",
            ),
            Refusal::Panic => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "UNKNOWN",
                "something went wrong in the registry",
            ),
        }
    }

    fn json(self) -> String {
        let (_, code, message) = self.parts();
        // Neither has a character that JSON would want escaped; a test sees to that.
        format!(
            "{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"{message}\",\"detail\":null}}]}}\n"
        )
    }

    /// The answer; the connection ends with it.
    pub(super) fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(Bytes::from(self.json())));
        *response.status_mut() = self.parts().0;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        if matches!(self, Refusal::Busy | Refusal::Stopping) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// The same answer as bytes, for a connection that never gets to HTTP.
    pub(super) fn bytes(self) -> Vec<u8> {
        let body = self.json();
        let status = self.parts().0;
        let retry = if matches!(self, Refusal::Busy | Refusal::Stopping) {
            "retry-after: 1\r\n"
        } else {
            ""
        };
        format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{retry}connection: close\r\n\r\n{body}",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            body.len(),
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_need_no_escaping() {
        for refusal in [
            Refusal::Malformed,
            Refusal::TlsOnPlain,
            Refusal::PlainOnTls,
            Refusal::TargetTooLong,
            Refusal::HeadersTooLarge,
            Refusal::Version,
            Refusal::TooSlow,
            Refusal::Busy,
            Refusal::Stopping,
            Refusal::Panic,
        ] {
            let (_, code, message) = refusal.parts();
            assert!(
                !code.contains(['"', '\\']) && !message.contains(['"', '\\']),
                "{refusal:?}"
            );
            assert!(refusal.bytes().starts_with(b"HTTP/1.1 "), "{refusal:?}");
        }
    }
}
