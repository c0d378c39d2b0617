//! Responses under construction.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use longshore_spec::digest::Digest;

use super::names;
use crate::server::Body;

/// Room for the headers of a pull, so that the map is not grown: twelve fill the sixteen slots it allocates.
const HEADERS: usize = 12;

/// How many bytes a digest takes as text.
fn printed(digest: &Digest) -> usize {
    "sha512:".len() + 2 * digest.as_bytes().len()
}

/// A header's value of text that cannot be any but fit for one.
fn shared(text: Bytes) -> HeaderValue {
    HeaderValue::from_maybe_shared(text).unwrap_or(HeaderValue::from_static(""))
}

/// A response that succeeds.
#[derive(Debug)]
pub(super) struct Reply(Response<Body>);

impl Reply {
    pub(super) fn new(status: StatusCode) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response.headers_mut().reserve(HEADERS);
        Self(response)
    }

    /// Sets a header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// Sets a header if there is a value for it.
    pub(super) fn maybe(self, name: HeaderName, value: Option<HeaderValue>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a line of a header that may have several.
    pub(super) fn also(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().append(name, value);
        self
    }

    /// Names the content: `Docker-Content-Digest`.
    pub(super) fn naming(self, digest: &Digest) -> Self {
        let mut text = Vec::with_capacity(printed(digest));
        digest.append_to(&mut text);
        self.with(names::DOCKER_CONTENT_DIGEST, shared(text.into()))
    }

    /// Names the content, and makes its digest the entity tag.
    pub(super) fn tagged(self, digest: &Digest) -> Self {
        // Both are slices of one text, which is made in one piece: these are on every answer to a pull.
        let mut quoted = Vec::with_capacity(2 + printed(digest));
        quoted.push(b'"');
        digest.append_to(&mut quoted);
        quoted.push(b'"');
        let quoted = Bytes::from(quoted);
        let plain = quoted.slice(1..quoted.len() - 1);
        self.with(names::DOCKER_CONTENT_DIGEST, shared(plain))
            .with(header::ETAG, shared(quoted))
    }

    /// A body of JSON that may be another one the next moment.
    pub(super) fn json(self, media_type: HeaderValue, json: Vec<u8>) -> Self {
        self.with(header::CONTENT_TYPE, media_type)
            .with(header::CACHE_CONTROL, names::ASK_AGAIN)
            .sized(json.len() as u64)
            .body(json.into())
    }

    /// Says how long the body is, also where it is not sent along (`HEAD`).
    pub(super) fn sized(self, bytes: u64) -> Self {
        // The ready conversion from a number allocates twice.
        let value = HeaderValue::from_str(itoa::Buffer::new().format(bytes))
            .unwrap_or(HeaderValue::from_static("0"));
        self.with(header::CONTENT_LENGTH, value)
    }

    /// Sets the body.
    pub(super) fn body(mut self, body: Body) -> Self {
        *self.0.body_mut() = body;
        self
    }

    /// The response. The answer to a `HEAD` keeps its headers and loses its body.
    pub(super) fn respond(mut self, head: bool) -> Response<Body> {
        if head {
            *self.0.body_mut() = Body::empty();
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entity_tag_is_the_digest_in_quotes() {
        let digest = Digest::of(longshore_spec::Algorithm::Sha512, b"x");
        let response = Reply::new(StatusCode::OK).tagged(&digest).respond(false);
        assert_eq!(
            response.headers()[names::DOCKER_CONTENT_DIGEST],
            digest.to_string().as_str()
        );
        assert_eq!(
            response.headers()[header::ETAG],
            format!("\"{digest}\"").as_str()
        );
    }
}
