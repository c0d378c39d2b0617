//! What a handler gives: a status, headers and JSON.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::problem::Problem;

/// A reply, or a failure that becomes one.
pub(crate) type Answer = Result<Reply, Problem>;

/// A reply under construction.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The type of every answer but lists of lines and problems.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Reply {
    /// 204.
    pub(crate) fn nothing() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// 200 with bytes of a type.
    pub(crate) fn bytes(kind: HeaderValue, body: Bytes) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
            body,
        }
    }

    /// 200 with a value.
    pub(crate) fn json(value: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(value).map_err(longshore_core::Error::internal)?;
        Ok(Self::bytes(JSON, body.into()))
    }

    /// 201 with a value that lies at `location` from now on.
    pub(crate) fn made(value: &impl Serialize, location: &str) -> Answer {
        let mut reply = Self::json(value)?;
        reply.status = StatusCode::CREATED;
        Ok(reply.with(header::LOCATION, location))
    }

    /// 202 with what is known of what was begun.
    pub(crate) fn begun(value: &impl Serialize) -> Answer {
        let mut reply = Self::json(value)?;
        reply.status = StatusCode::ACCEPTED;
        Ok(reply)
    }

    /// Adds a header, if its value can be sent.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// With the mark of what it shows.
    pub(crate) fn marked(self, mark: &str) -> Self {
        self.with(header::ETAG, &format!("\"{mark}\""))
    }
}
