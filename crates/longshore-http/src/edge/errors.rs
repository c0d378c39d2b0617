//! Failures as responses. The only place that does it.
//!
//! Status and code are `longshore_core::Code`'s; here are the headers that belong to them and the one JSON shape
//! (distribution-spec, "Error Codes"). What went wrong on our side is logged here, once, with its causes.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use longshore_core::error::Chain;
use longshore_core::{Code, Error};
use longshore_spec::range::content_range_unsatisfied;
use longshore_spec::route::RouteError;
use serde::Serialize;

use super::names;
use super::reply::Reply;
use super::urls::value;
use crate::server::Body;

/// What a request is answered: a response, or a failure that becomes one.
pub(super) type Answer = Result<Reply, Fault>;

/// When to come back, where the failure does not say.
const SOON: Duration = Duration::from_secs(5);

/// A failure on its way to the client.
#[derive(Debug)]
pub(super) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    /// The right that was missing, as a token scope.
    scope: Option<String>,
    /// Why, in a word for programs.
    reason: Option<&'static str>,
    headers: HeaderMap,
    /// What to log, where the fault is ours.
    ours: Option<Error>,
}

impl Fault {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            status,
            code,
            message,
            scope: None,
            reason: None,
            headers: HeaderMap::new(),
            ours: None,
        }))
    }

    /// Adds a header.
    #[must_use]
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Says which right was missing.
    #[must_use]
    pub(super) fn lacking(mut self, scope: Option<String>) -> Self {
        self.0.scope = scope;
        self
    }

    /// Says why in a word, for programs.
    #[must_use]
    pub(super) fn reason(mut self, reason: Option<&'static str>) -> Self {
        self.0.reason = reason;
        self
    }

    /// Answers with another status than the code's own.
    #[must_use]
    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// Names the methods that do work, for a 405 that does not yet.
    #[must_use]
    pub(super) fn allowing(mut self, methods: &'static str) -> Self {
        if self.0.status == StatusCode::METHOD_NOT_ALLOWED {
            self.0
                .headers
                .entry(header::ALLOW)
                .or_insert(HeaderValue::from_static(methods));
        }
        self
    }

    /// The error code on the wire.
    pub(super) fn code(&self) -> &'static str {
        self.0.code
    }

    /// The response. `request` is the id that finds it in the log; an answer to `HEAD` has no body.
    pub(super) fn respond(self, head: bool, request: &str) -> Response<Body> {
        let Inner {
            status,
            code,
            message,
            scope,
            reason,
            mut headers,
            ours,
        } = *self.0;
        if let Some(error) = &ours {
            tracing::error!(request, status = status.as_u16(), error = %Chain(error), "a request failed on our side");
        }
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::BAD_GATEWAY
        ) {
            headers
                .entry(header::RETRY_AFTER)
                .or_insert(HeaderValue::from(SOON.as_secs()));
        }
        headers.insert(header::CONTENT_TYPE, names::JSON);
        headers.insert(header::CACHE_CONTROL, names::NO_STORE);
        let envelope = Envelope {
            errors: [Entry {
                code,
                message: &message,
                detail: Detail {
                    request,
                    scope: scope.as_deref(),
                    reason,
                },
            }],
        };
        let body = match serde_json::to_vec(&envelope) {
            Ok(_) if head => Body::empty(),
            Ok(json) => json.into(),
            Err(_) => Body::empty(),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (status, code) = error.code().wire();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut fault = Self::new(status, code, error.public().to_owned());
        if let Some(wait) = error.wait() {
            fault = fault.with(header::RETRY_AFTER, seconds(wait));
        }
        if let (Code::RangeUnsatisfiable, Some(size)) = (error.code(), error.offset()) {
            fault = fault.with(
                header::CONTENT_RANGE,
                value(content_range_unsatisfied(size)),
            );
        }
        if error.code().is_ours() {
            fault.0.ours = Some(error);
        }
        fault
    }
}

/// Whole seconds, never fewer than asked for.
pub(super) fn seconds(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

impl From<RouteError> for Fault {
    fn from(error: RouteError) -> Self {
        let code = match error {
            // The specification has no code for a path that is not its own, and only its codes may be in the body.
            RouteError::NotFound | RouteError::V1 => {
                return Self::new(
                    StatusCode::NOT_FOUND,
                    Code::Unsupported.wire().1,
                    error.to_string(),
                );
            }
            RouteError::NotAllowed { allow } => {
                return Self::from(Error::new(Code::Unsupported, error.to_string()))
                    .allowing(allow);
            }
            RouteError::NameInvalid(_) => Code::NameInvalid,
            RouteError::DigestInvalid(_) => Code::DigestInvalid,
            RouteError::BlobUnknown => Code::BlobUnknown,
            RouteError::ManifestUnknown => Code::ManifestUnknown,
            RouteError::ManifestInvalid(_) => Code::ManifestInvalid,
            RouteError::TagsTooMany { .. } => Code::TooManyTags,
            RouteError::BlobUploadUnknown => Code::BlobUploadUnknown,
            RouteError::BlobUploadInvalid { .. } => Code::BlobUploadInvalid,
            RouteError::BadPageSize | RouteError::BadParameter { .. } => Code::QueryInvalid,
        };
        Self::from(Error::new(code, error.to_string()))
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    errors: [Entry<'a>; 1],
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    message: &'a str,
    detail: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    request: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn json(fault: Fault) -> serde_json::Value {
        let body = fault
            .respond(false, "r1")
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn every_code_becomes_one_json_error_with_its_status_and_the_requests_id() {
        for code in Code::ALL {
            let fault = Fault::from(
                Error::new(*code, "what happened").because(std::io::Error::other("/secret/path")),
            );
            let (status, name) = code.wire();
            assert_eq!(fault.0.status.as_u16(), status);
            assert_eq!(
                json(fault).await,
                serde_json::json!({"errors": [{"code": name, "message": "what happened", "detail": {"request": "r1"}}]})
            );
        }
    }

    #[test]
    fn whoever_is_to_come_back_is_told_when() {
        let wait = |fault: Fault| {
            let response = fault.respond(true, "r1");
            response
                .headers()
                .get(header::RETRY_AFTER)
                .map(|wait| wait.to_str().unwrap().to_owned())
        };
        let later = Error::new(Code::TooManyRequests, "").retry_after(Duration::from_millis(1500));
        assert_eq!(wait(later.into()).as_deref(), Some("2"));
        assert_eq!(
            wait(Error::new(Code::Unavailable, "").into()).as_deref(),
            Some("5")
        );
        assert_eq!(wait(Error::new(Code::BlobUnknown, "").into()), None);
    }

    #[test]
    fn an_answer_to_head_has_the_same_headers_and_no_body() {
        let fault = || Fault::from(RouteError::NotAllowed { allow: "GET, HEAD" });
        let (get, head) = (fault().respond(false, "r1"), fault().respond(true, "r1"));
        assert_eq!(get.headers(), head.headers());
        assert_eq!(head.headers()[header::ALLOW], "GET, HEAD");
        assert!(head.body().is_empty() && !get.body().is_empty());
    }

    #[test]
    fn a_range_that_cannot_be_met_says_how_long_the_content_is() {
        let response =
            Fault::from(Error::new(Code::RangeUnsatisfiable, "").at_offset(7)).respond(false, "r1");
        assert_eq!(response.status(), 416);
        assert_eq!(response.headers()[header::CONTENT_RANGE], "bytes */7");
    }
}
