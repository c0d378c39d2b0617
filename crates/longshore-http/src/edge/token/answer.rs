//! What the token service answers.

use std::time::SystemTime;

use http::{Response, StatusCode, header};
use longshore_auth::index::Issued;
use longshore_core::Code;
use longshore_hub::devices::{DeviceLogin, DevicePoll};
use serde_json::{Value, json};

use super::super::names;
use super::super::reply::Reply;
use crate::server::Body;

/// A token. `POST` also says what it allows (RFC 6749, 5.1).
pub(super) fn given(issued: &Issued, post: bool) -> Reply {
    let at = jiff::Timestamp::try_from(issued.issued_at).unwrap_or_default();
    let mut answer = json!({
        "token": issued.token,
        "access_token": issued.token,
        "expires_in": issued.expires_in.as_secs(),
        "issued_at": at.to_string(),
    });
    if let Some(members) = answer.as_object_mut() {
        if post {
            members.insert("token_type".to_owned(), json!("Bearer"));
            members.insert("scope".to_owned(), json!(issued.granted));
        }
        if let Some(refresh) = &issued.refresh {
            members.insert("refresh_token".to_owned(), json!(refresh.as_str()));
        }
    }
    Reply::new(StatusCode::OK)
        .json(names::JSON, answer.to_string().into_bytes())
        .with(header::CACHE_CONTROL, names::NO_STORE)
}

/// What a command line logs in with from now on: a personal token, which is a password for its user and a Bearer for the API.
pub(super) fn logged_in(login: &DeviceLogin, now: SystemTime) -> Reply {
    let mut answer = json!({
        "access_token": login.token.secret.as_str(),
        "token_type": "Bearer",
        "scope": login.scope,
        "username": login.user,
    });
    let left = login.token.lives(now).map(|left| left.as_secs());
    if let (Some(left), Some(members)) = (left, answer.as_object_mut()) {
        members.insert("expires_in".to_owned(), json!(left));
    }
    Reply::new(StatusCode::OK)
        .json(names::JSON, answer.to_string().into_bytes())
        .with(header::CACHE_CONTROL, names::NO_STORE)
}

/// What is wrong with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::edge) enum Problem {
    /// A parameter is missing, there twice, or cannot be read.
    Malformed(&'static str),
    /// The grant type is missing or none that is known.
    Grant,
    /// The grant type is that of a login by browser, which this endpoint does not have.
    Code,
}

/// A failure in the words of OAuth (RFC 6749, 5.2), with the registry's own beside them, which is what clients show.
#[derive(Debug)]
pub(in crate::edge) struct OAuthError {
    status: StatusCode,
    error: &'static str,
    /// The code in the registry's words.
    pub(in crate::edge) code: &'static str,
    message: String,
}

impl OAuthError {
    fn new(error: &'static str, code: Code, message: impl Into<String>) -> Self {
        OAuthError {
            status: StatusCode::BAD_REQUEST,
            error,
            code: code.wire().1,
            message: message.into(),
        }
    }

    pub(in crate::edge) fn request(problem: Problem) -> Self {
        match problem {
            Problem::Malformed(why) => Self::new(
                "invalid_request",
                Code::Unsupported,
                format!("the form cannot be understood: {why}"),
            ),
            Problem::Grant => Self::new(
                "unsupported_grant_type",
                Code::Unsupported,
                "`grant_type` must be password, refresh_token or that of a device code",
            ),
            Problem::Code => Self::new(
                "unsupported_grant_type",
                Code::Unsupported,
                "logins by authorization_code are not offered here; use a password, a personal token or a refresh token",
            ),
        }
    }

    pub(in crate::edge) fn scope(why: String) -> Self {
        Self::new("invalid_scope", Code::Unsupported, why)
    }

    pub(super) fn target(why: String) -> Self {
        // RFC 8707, 2.
        Self::new("invalid_target", Code::Unsupported, why)
    }

    pub(super) fn grant(why: &str) -> Self {
        Self::new("invalid_grant", Code::Unauthorized, why)
    }

    /// RFC 8628, 3.5.
    pub(super) fn device(poll: &DevicePoll) -> Self {
        let (error, message) = match poll {
            DevicePoll::Waiting => (
                "authorization_pending",
                "nobody has approved this login yet",
            ),
            DevicePoll::TooSoon => (
                "slow_down",
                "asked too soon; wait five seconds longer each time",
            ),
            DevicePoll::Denied => (
                "access_denied",
                "this login was denied; begin another one if that was a mistake",
            ),
            DevicePoll::Expired => (
                "expired_token",
                "nobody approved this login in time; begin another one",
            ),
            DevicePoll::Unknown | DevicePoll::Given(_) => (
                "invalid_grant",
                "there is no such device code, it was used, or it is another client's",
            ),
        };
        Self::new(error, Code::Unauthorized, message)
    }

    pub(in crate::edge) fn respond(&self, request: &str) -> Response<Body> {
        let body: Value = json!({
            "error": self.error,
            "error_description": self.message,
            "errors": [{"code": self.code, "message": self.message, "detail": {"request": request}}],
        });
        let mut response = Response::new(body.to_string().into_bytes().into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, names::JSON);
        headers.insert(header::CACHE_CONTROL, names::NO_STORE);
        response
    }
}
