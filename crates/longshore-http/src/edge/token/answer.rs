//! What the token service answers.

use http::{Response, StatusCode, header};
use longshore_auth::index::Issued;
use longshore_core::Code;
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

/// What is wrong with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// A parameter is missing, there twice, or cannot be read.
    Malformed(&'static str),
    /// The grant type is missing or none that is known.
    Grant,
    /// The grant type is that of a login by browser, which this endpoint does not have.
    Code,
}

/// A failure in the words of OAuth (RFC 6749, 5.2), with the registry's own beside them, which is what clients show.
#[derive(Debug)]
pub(super) struct OAuthError {
    status: StatusCode,
    error: &'static str,
    /// The code in the registry's words.
    pub(super) code: &'static str,
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

    pub(super) fn request(problem: Problem) -> Self {
        match problem {
            Problem::Malformed(why) => Self::new(
                "invalid_request",
                Code::Unsupported,
                format!("the form cannot be understood: {why}"),
            ),
            Problem::Grant => Self::new(
                "unsupported_grant_type",
                Code::Unsupported,
                "`grant_type` must be password or refresh_token",
            ),
            Problem::Code => Self::new(
                "unsupported_grant_type",
                Code::Unsupported,
                "logins by authorization_code are not offered here; use a password, a personal token or a refresh token",
            ),
        }
    }

    pub(super) fn scope(why: String) -> Self {
        Self::new("invalid_scope", Code::Unsupported, why)
    }

    pub(super) fn target(why: String) -> Self {
        // RFC 8707, 2.
        Self::new("invalid_target", Code::Unsupported, why)
    }

    pub(super) fn grant(why: &str) -> Self {
        Self::new("invalid_grant", Code::Unauthorized, why)
    }

    pub(super) fn respond(&self, request: &str) -> Response<Body> {
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
