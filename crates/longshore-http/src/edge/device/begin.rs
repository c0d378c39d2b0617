//! What a command line is told: where everything is, and its codes.

use http::{Response, StatusCode, header};
use longshore_core::ByteStream;
use longshore_hub::devices::{CODE_LIVES, PACE, device_scope, is_client};
use serde_json::json;

use super::super::errors::Fault;
use super::super::reply::Reply;
use super::super::token::{DEVICE_GRANT, OAuthError, Problem};
use super::super::{ids, names};
use super::fields::fields;
use super::{Asked, BEGIN, DEVICE, DeviceEdge, REVOKE};
use crate::server::Body;

impl DeviceEdge {
    /// Where everything is (RFC 8414).
    pub(super) fn metadata(&self, asked: &Asked<'_>) -> Reply {
        let here = |path: &str| self.edge.0.urls.here(asked.head, asked.sender, path);
        let text = json!({
            "issuer": self.index().options().issuer,
            "token_endpoint": here("/token"),
            "device_authorization_endpoint": here(BEGIN),
            "revocation_endpoint": here(REVOKE),
            "revocation_endpoint_auth_methods_supported": ["none"],
            "jwks_uri": here("/token/jwks.json"),
            "grant_types_supported": ["password", "refresh_token", DEVICE_GRANT],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["none"],
            "ui_locales_supported": ["en", "zh-CN"],
        })
        .to_string();
        Reply::new(StatusCode::OK).json(names::JSON, text.into_bytes())
    }

    /// Begins a login of a command line (RFC 8628, 3.1).
    pub(super) async fn begin(
        &self,
        asked: &Asked<'_>,
        body: ByteStream,
    ) -> Result<Response<Body>, Fault> {
        let refused = |error: &OAuthError| {
            asked.watch.error(error.code);
            Ok(error.respond(&ids::print(asked.request)))
        };
        let fields = match fields(asked, body).await? {
            Ok(fields) => fields,
            Err(why) => return refused(&OAuthError::request(Problem::Malformed(why))),
        };
        let client = fields.client_id.unwrap_or_default();
        if !is_client(&client) {
            let why = "`client_id` must be there, with at most 64 plain letters";
            return refused(&OAuthError::request(Problem::Malformed(why)));
        }
        let scope = fields.scope.unwrap_or_default();
        if let Err(why) = device_scope(&scope) {
            return refused(&OAuthError::scope(why));
        }
        let started = self
            .hub
            .device_begin(&client, &scope, asked.sender.address, asked.now)
            .await?;
        let code = started.user_code.shown();
        let page = self.edge.0.urls.here(asked.head, asked.sender, DEVICE);
        let text = json!({
            "device_code": started.device_code.as_str(),
            "user_code": code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={code}"),
            "expires_in": CODE_LIVES.as_secs(),
            "interval": PACE.as_secs(),
        })
        .to_string();
        Ok(Reply::new(StatusCode::OK)
            .json(names::JSON, text.into_bytes())
            .with(header::CACHE_CONTROL, names::NO_STORE)
            .respond(false))
    }
}
