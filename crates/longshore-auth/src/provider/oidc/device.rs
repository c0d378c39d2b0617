//! Logging in from a command line (RFC 8628): it shows a short code, and a browser anywhere ends the login.
//!
//! The command line speaks to us and we to the provider, so it needs to know nothing about providers, and who comes in is
//! decided by the same rules.

use std::fmt;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::{Oidc, OidcError, TokenAnswer};
use crate::directory::Person;
use crate::token::json::Json;

/// What a provider that says nothing means by how often it may be asked (RFC 8628, 3.2), and the bounds of what it may say.
const INTERVAL_SECS: u64 = 5;
const MAX_INTERVAL_SECS: u64 = 60;
const MAX_LIFE_SECS: u64 = 3600;

/// A login that waits for a browser.
pub struct DeviceStart {
    /// What we ask with; a secret of whoever began it.
    pub device_code: Zeroizing<String>,
    /// What the person types.
    pub user_code: String,
    /// Where they type it.
    pub verification_url: String,
    /// The same with the code in it, where the provider has such.
    pub complete_url: Option<String>,
    /// How long the code is good.
    pub expires_in: Duration,
    /// How often we may ask.
    pub interval: Duration,
}

impl fmt::Debug for DeviceStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceStart")
            .field("verification_url", &self.verification_url)
            .finish_non_exhaustive()
    }
}

/// How far a login from a command line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DevicePoll {
    /// The person has not ended it yet.
    Waiting,
    /// We ask too often; wait five seconds longer each time from now on.
    Slower,
    /// It is over without a login: they said no, or too much time passed.
    Over,
    /// They are logged in.
    Done(Box<Person>),
}

impl Oidc {
    /// Begins a login from a command line.
    ///
    /// # Errors
    /// The provider has no such logins, does not accept us, or cannot be asked.
    pub async fn device_start(&self, now: SystemTime) -> Result<DeviceStart, OidcError> {
        let inner = &*self.0;
        let described = inner.described(now).await?;
        let url = described.device.as_deref().ok_or(OidcError::Refused(
            "the provider has no logins for command lines",
        ))?;
        let answer = inner.post(url, &[("scope", &inner.scope())]).await?;
        if answer.status != 200 {
            return Err(OidcError::Unavailable(format!(
                "its endpoint for command lines answers {}",
                answer.status
            )));
        }
        let broken = |why: &'static str| OidcError::Unavailable(why.to_owned());
        let answer = Json::object(&answer.body).map_err(broken)?;
        let text = |name: &str| {
            answer
                .get(name)
                .and_then(Json::text)
                .filter(|text| {
                    !text.is_empty() && text.len() <= 4096 && !text.chars().any(char::is_control)
                })
                .map(str::to_owned)
        };
        let seconds = |name: &str| match answer.get(name) {
            Some(Json::Whole(seconds)) => Some(*seconds),
            _ => None,
        };
        // People are told to open these.
        let page = |name: &str| text(name).filter(|url| inner.issuer.web.check(url).is_ok());
        let incomplete = || broken("its answer for command lines lacks something");
        Ok(DeviceStart {
            device_code: Zeroizing::new(text("device_code").ok_or_else(incomplete)?),
            user_code: text("user_code").ok_or_else(incomplete)?,
            verification_url: page("verification_uri").ok_or_else(incomplete)?,
            complete_url: page("verification_uri_complete"),
            expires_in: Duration::from_secs(
                seconds("expires_in")
                    .ok_or_else(incomplete)?
                    .min(MAX_LIFE_SECS),
            ),
            interval: Duration::from_secs(
                seconds("interval")
                    .unwrap_or(INTERVAL_SECS)
                    .clamp(1, MAX_INTERVAL_SECS),
            ),
        })
    }

    /// Asks whether a login from a command line has ended.
    ///
    /// # Errors
    /// What the provider gives cannot be accepted, our rules say no, or it cannot be asked.
    pub async fn device_poll(
        &self,
        device_code: &str,
        now: SystemTime,
    ) -> Result<DevicePoll, OidcError> {
        let inner = &*self.0;
        let described = inner.described(now).await?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device_code),
        ];
        let answer = inner.token(&described, &form).await?;
        match answer.status {
            200 => {
                let tokens = TokenAnswer::read(&answer.body).map_err(OidcError::Refused)?;
                let person = inner.person(&described, &tokens, None, now).await?;
                Ok(DevicePoll::Done(Box::new(person)))
            }
            400 | 401 => {
                let answer = Json::object(&answer.body).unwrap_or_default();
                match answer.get("error").and_then(Json::text) {
                    Some("authorization_pending") => Ok(DevicePoll::Waiting),
                    Some("slow_down") => Ok(DevicePoll::Slower),
                    Some("access_denied" | "expired_token" | "invalid_grant") => {
                        Ok(DevicePoll::Over)
                    }
                    _ => Err(OidcError::Refused(
                        "the provider does not accept the request",
                    )),
                }
            }
            status => Err(OidcError::Unavailable(format!(
                "its token endpoint answers {status}"
            ))),
        }
    }
}
