//! What a form or a query of these pages may say.

use http::StatusCode;
use longshore_auth::index::UserCode;
use longshore_core::{ByteStream, Code};

use super::super::errors::Fault;
use super::super::form::{is_form, once, pairs, read};
use super::Asked;

/// What a form or a query of these pages may say.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) user_code: Option<String>,
    pub(super) mark: Option<String>,
    pub(super) decision: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) code: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) token: Option<String>,
}

impl Fields {
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let mut fields = Fields::default();
        for (name, value) in pairs(text)? {
            let place = match name.as_str() {
                "user_code" => &mut fields.user_code,
                "mark" => &mut fields.mark,
                "decision" => &mut fields.decision,
                "username" => &mut fields.username,
                "password" => &mut fields.password,
                "code" => &mut fields.code,
                "client_id" => &mut fields.client_id,
                "scope" => &mut fields.scope,
                "token" => &mut fields.token,
                _ => continue,
            };
            once(place, value)?;
        }
        Ok(fields)
    }

    pub(super) fn typed(&self) -> Option<UserCode> {
        self.user_code.as_deref().and_then(UserCode::read)
    }
}

/// A form; the inner error says what is wrong with it.
pub(super) async fn fields(
    asked: &Asked<'_>,
    body: ByteStream,
) -> Result<Result<Fields, &'static str>, Fault> {
    if !is_form(&asked.head.headers) {
        return Err(Fault::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::Unsupported.wire().1,
            "send the parameters as application/x-www-form-urlencoded",
        ));
    }
    let bytes = read(body).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not text");
    Ok(text.and_then(Fields::read))
}

pub(super) async fn page_fields(asked: &Asked<'_>, body: ByteStream) -> Result<Fields, Fault> {
    fields(asked, body).await?.map_err(unreadable)
}

pub(super) fn unreadable(why: &'static str) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, Code::Unsupported.wire().1, why)
}
