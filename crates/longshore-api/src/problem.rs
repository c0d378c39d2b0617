//! Failures as problem+json (RFC 9457): the only place that makes them.
//!
//! Each says what happened (`detail`) and what to do next (`next`); programs choose by `code`. What went wrong on our side is
//! logged here, once, with its causes.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use longshore_core::error::Chain;
use longshore_core::{Code, Error};
use longshore_hub::given::{CHANGED, DONE};
use serde::Serialize;
use utoipa::ToSchema;

/// The type of a problem.
const TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");
/// When to come back, where the failure does not say.
const SOON: Duration = Duration::from_secs(5);

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) status: StatusCode,
    /// For programs. The end of `type`, too.
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    /// What to do next, unless the failure says something better.
    pub(crate) next: &'static str,
}

macro_rules! sorts {
    ($($name:ident $status:ident $code:literal $title:literal $next:literal;)+) => {
        $(pub(crate) const $name: Sort = Sort {
            status: StatusCode::$status, code: $code, title: $title, next: $next,
        };)+
        /// Every sort of failure.
        #[cfg(test)]
        const SORTS: &[Sort] = &[$($name),+];
    };
}

sorts! {
    INVALID BAD_REQUEST "invalid" "The request cannot be understood" "Send what the description of this API says.";
    UNAUTHENTICATED UNAUTHORIZED "unauthenticated" "Nobody is logged in" "Send a name and password, a personal token or a robot's secret.";
    SECOND_FACTOR UNAUTHORIZED "second-factor" "The password is right, and is not enough" "Send a code beside it in the header `Longshore-Code`, or a personal token in its place.";
    DENIED FORBIDDEN "denied" "A right is missing" "Ask whoever runs this place for the right.";
    NOT_FOUND NOT_FOUND "not-found" "Not there, or not yours to see" "Check the name; if it is right, ask whoever owns it for a right.";
    NOT_ALLOWED METHOD_NOT_ALLOWED "method" "The method cannot be used here" "Use one of those in `Allow`.";
    NOT_ACCEPTABLE NOT_ACCEPTABLE "not-acceptable" "Only JSON can be had" "Accept application/json.";
    CONFLICT CONFLICT "conflict" "It cannot be as things are" "Change what is in the way, or ask for something else.";
    KEY_USED CONFLICT "done-before" "It was done before" "Look at what was made; use another key to do it again.";
    CHANGED_SINCE PRECONDITION_FAILED "changed" "It has changed since it was read" "Read it again, and decide again.";
    TOO_LARGE PAYLOAD_TOO_LARGE "too-large" "It is larger than the limit" "Send less.";
    MEDIA UNSUPPORTED_MEDIA_TYPE "media-type" "The body is of another type than can be read" "Send application/json.";
    KEY_OTHER UNPROCESSABLE_ENTITY "key-reused" "The key was used for another request" "Use a new key for each request that is not a repetition.";
    THROTTLED TOO_MANY_REQUESTS "throttled" "Too many requests" "Wait as long as `Retry-After` says.";
    SLOW REQUEST_TIMEOUT "slow" "The request came too slowly" "Send it again.";
    BROKEN INTERNAL_SERVER_ERROR "internal" "Something failed on our side" "Tell whoever runs this place the id of the request.";
    UNAVAILABLE SERVICE_UNAVAILABLE "unavailable" "Not just now" "Try again shortly.";
}

/// A failure on its way to the client.
#[derive(Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    sort: Sort,
    detail: Cow<'static, str>,
    wait: Option<Duration>,
    allow: Option<String>,
    /// What to log, where the fault is ours.
    ours: Option<Error>,
}

/// A failure, as it is sent (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// What sort of failure it is.
    #[serde(rename = "type")]
    kind: String,
    /// The sort, in words.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// What happened.
    detail: &'a str,
    /// The sort, for programs.
    code: &'a str,
    /// What to do about it.
    next: &'a str,
    /// The id of the request, by which it is found in the log.
    request: &'a str,
}

impl Problem {
    pub(crate) fn new(sort: Sort, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            sort,
            detail: detail.into(),
            wait: None,
            allow: None,
            ours: None,
        }))
    }

    /// Something in the request cannot be understood.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(INVALID, detail)
    }

    pub(crate) fn allowing(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    pub(crate) fn sort(&self) -> Sort {
        self.0.sort
    }

    /// The answer to a stranger: what they may not and what is not there are the same, and logging in may help with both.
    pub(crate) fn for_stranger(self) -> Self {
        match self.0.sort.code {
            "denied" | "not-found" => {
                Self::new(UNAUTHENTICATED, "log in to see whether you may do this")
            }
            _ => self,
        }
    }

    pub(crate) fn respond(self, request: &str) -> Response<Bytes> {
        let Inner {
            sort,
            detail,
            wait,
            allow,
            ours,
        } = *self.0;
        if let Some(error) = &ours {
            tracing::error!(request, status = sort.status.as_u16(), error = %Chain(error), "a request failed on our side");
        }
        let body = ProblemBody {
            kind: format!("urn:longshore:problem:{}", sort.code),
            title: sort.title,
            status: sort.status.as_u16(),
            detail: &detail,
            code: sort.code,
            next: sort.next,
            request,
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Bytes::from(json));
        *response.status_mut() = sort.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, TYPE);
        if sort.status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"Longshore\",charset=\"UTF-8\"");
            headers.insert(header::WWW_AUTHENTICATE, basic);
        }
        if sort == THROTTLED || sort == UNAVAILABLE {
            let wait = wait.unwrap_or(SOON);
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(Ok(allow)) = allow.map(HeaderValue::try_from) {
            headers.insert(header::ALLOW, allow);
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let sort = match error.code() {
            Code::NameUnknown
            | Code::BlobUnknown
            | Code::ManifestUnknown
            | Code::BlobUploadUnknown => NOT_FOUND,
            Code::Denied => DENIED,
            Code::Unauthorized => UNAUTHENTICATED,
            Code::ConditionFailed if error.public() == CHANGED => CHANGED_SINCE,
            Code::ConditionFailed if error.public() == DONE => KEY_USED,
            Code::ConditionFailed => CONFLICT,
            Code::TooLarge | Code::SizeInvalid => TOO_LARGE,
            Code::TooManyRequests => THROTTLED,
            Code::BodySlow => SLOW,
            Code::Unavailable | Code::Upstream => UNAVAILABLE,
            Code::Internal => BROKEN,
            Code::MediaUnsupported => MEDIA,
            _ => INVALID,
        };
        let mut problem = Self::new(sort, error.public().to_owned());
        problem.0.wait = error.wait();
        if error.code().is_ours() {
            problem.0.ours = Some(error);
        }
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_of_failure_has_a_code_of_its_own_and_says_what_to_do_next() {
        for (at, sort) in SORTS.iter().enumerate() {
            assert!(
                SORTS
                    .iter()
                    .skip(at + 1)
                    .all(|other| other.code != sort.code)
            );
            assert!(sort.status.is_client_error() || sort.status.is_server_error());
            assert!(sort.next.ends_with('.') && !sort.title.ends_with('.'));
        }
    }

    #[test]
    fn a_stranger_cannot_tell_what_is_not_there_from_what_is_not_theirs() {
        let bytes = |sort| {
            let problem = Problem::new(sort, "x").for_stranger();
            problem.respond("r").into_body()
        };
        assert_eq!(bytes(NOT_FOUND), bytes(DENIED));
    }
}
