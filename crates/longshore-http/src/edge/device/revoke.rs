//! Tokens that are taken back by whoever shows them.

use http::{Response, StatusCode, header};
use longshore_core::ByteStream;
use zeroize::Zeroizing;

use super::super::errors::Fault;
use super::super::reply::Reply;
use super::super::token::{OAuthError, Problem};
use super::super::{ids, names};
use super::fields::fields;
use super::{Asked, DeviceEdge};
use crate::server::Body;

impl DeviceEdge {
    /// Takes a personal or a refresh token back (RFC 7009, 2.1). One that is none is answered the same: it is good for nothing, as
    /// was asked (2.2).
    pub(super) async fn revoke(
        &self,
        asked: &Asked<'_>,
        body: ByteStream,
    ) -> Result<Response<Body>, Fault> {
        let token = match fields(asked, body).await? {
            Ok(fields) => fields.token.ok_or("`token` is missing"),
            Err(why) => Err(why),
        };
        let token = match token {
            Ok(token) => Zeroizing::new(token),
            Err(why) => {
                let error = OAuthError::request(Problem::Malformed(why));
                asked.watch.error(error.code);
                return Ok(error.respond(&ids::print(asked.request)));
            }
        };
        let (from, request) = (asked.sender.address, asked.request);
        let given_up = self.hub.token_give_up(&token, from, request, asked.now);
        given_up.await?;
        Ok(Reply::new(StatusCode::OK)
            .json(names::JSON, b"{}".to_vec())
            .with(header::CACHE_CONTROL, names::NO_STORE)
            .respond(false))
    }
}
