//! An issuer of tokens out there: who it is by its URL, its keys by its own description (OpenID Connect Discovery 1.0).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use crate::outbound::Web;
use crate::token::json::{Json, Object};
use crate::token::jws::Jws;
use crate::token::remote::{Fetch, RemoteKeys};
use crate::token::verify;

/// The least time between two fetches of keys.
const KEYS_EVERY: Duration = Duration::from_mins(1);
/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_mins(1);
/// The longest token, in bytes.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest text of a claim that says who somebody is, in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// An issuer.
#[derive(Debug)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) web: Web,
    keys: Arc<RemoteKeys>,
}

/// Where an issuer's keys are, found anew each time: it may move them.
#[derive(Debug)]
struct Described {
    url: String,
    web: Web,
}

#[async_trait]
impl Fetch for Described {
    async fn fetch(&self) -> Result<Vec<u8>, String> {
        let description = describe(&self.web, &self.url).await?;
        let keys = description
            .get("jwks_uri")
            .and_then(Json::text)
            .ok_or("its description names no keys")?;
        self.web.get(keys, None).await
    }
}

/// What an issuer says about itself. It must say its own name, to the letter: else one that is asked by a name it does not
/// have could speak for another.
///
/// # Errors
/// What went wrong, for the log.
pub(crate) async fn describe(web: &Web, issuer: &str) -> Result<Object, String> {
    let url = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let bytes = web.get(&url, None).await?;
    let description =
        Json::object(&bytes).map_err(|problem| format!("its description: {problem}"))?;
    if description.get("issuer").and_then(Json::text) != Some(issuer) {
        return Err("its description is that of another issuer".to_owned());
    }
    Ok(description)
}

impl Issuer {
    /// # Errors
    /// Why the URL cannot be used.
    pub(crate) fn new(url: &str, web: Web) -> Result<Self, &'static str> {
        let parsed = web.check(url)?;
        if parsed.query().is_some() {
            return Err("it has a query");
        }
        let described = Described {
            url: url.to_owned(),
            web: web.clone(),
        };
        Ok(Issuer {
            url: url.to_owned(),
            web,
            keys: Arc::new(RemoteKeys::new(Box::new(described), KEYS_EVERY, KEYS_EVERY)),
        })
    }

    /// The claims of a token that this issuer signed for `audience`, and that is good now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) async fn claims(
        &self,
        token: &[u8],
        audience: &str,
        now: SystemTime,
    ) -> Result<Object, &'static str> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err("the token is too long");
        }
        let jws = Jws::parse(token)?;
        if jws.chain.is_some() {
            return Err("the token brings certificates");
        }
        let kid = jws.kid.as_deref().ok_or("the header names no key")?;
        self.keys.refresh(now).await;
        let mut keys = self.keys.usable(now);
        if keys
            .as_ref()
            .is_none_or(|keys| keys.value.0.named(kid).is_empty())
        {
            self.keys.seek(now).await;
            keys = self.keys.usable(now);
        }
        let keys = keys.ok_or("the issuer's keys cannot be had")?;
        verify(&jws, keys.value.0.named(kid).iter().map(Arc::as_ref))?;
        let claims = Json::object(&jws.payload()?)
            .map_err(|_| "the claims are not an object of strict JSON")?;
        check(&claims, &self.url, audience, now)?;
        Ok(claims)
    }
}

/// Whether claims are this issuer's, for this audience, and good now. What has another type than it should is never taken
/// for what is missing.
fn check(
    claims: &Object,
    issuer: &str,
    audience: &str,
    now: SystemTime,
) -> Result<(), &'static str> {
    if claims.get("iss").and_then(Json::text) != Some(issuer) {
        return Err("`iss` is not the issuer");
    }
    let is_for_us = match claims.get("aud") {
        Some(Json::Text(one)) => one == audience,
        Some(Json::List(list)) => list
            .iter()
            .map(Json::text)
            .collect::<Option<Vec<_>>>()
            .ok_or("`aud` has a member that is not text")?
            .contains(&audience),
        _ => return Err("`aud` is missing or neither text nor list"),
    };
    if !is_for_us {
        return Err("`aud` is somebody else");
    }
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(Json::Whole(seconds)) => Ok(Some(*seconds)),
        Some(_) => Err("a claim that should be a time is not a whole number from 0"),
    };
    let leeway = LEEWAY.as_secs();
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| "the clock is before 1970")?
        .as_secs();
    if now
        >= time("exp")?
            .ok_or("`exp` is missing")?
            .saturating_add(leeway)
    {
        return Err("the token is expired");
    }
    for name in ["nbf", "iat"] {
        if time(name)?.is_some_and(|from| from > now.saturating_add(leeway)) {
            return Err("the token is not valid yet");
        }
    }
    Ok(())
}

/// A claim that names somebody: text of acceptable length, without control characters.
pub(crate) fn name<'a>(claims: &'a Object, claim: &str) -> Option<&'a str> {
    let text = claims.get(claim).and_then(Json::text)?;
    let is_name = !text.trim().is_empty()
        && text.len() <= MAX_NAME_BYTES
        && !text.chars().any(char::is_control);
    is_name.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_url_that_we_would_ask() {
        let web = Web::new(&[], None).unwrap();
        assert!(Issuer::new("https://token.actions.example", web.clone()).is_ok());
        assert!(Issuer::new("https://gitlab.example/path/", web.clone()).is_ok());
        for bad in [
            "http://id.example",
            "https://10.0.0.1",
            "https://id.example?x",
            "https://id.example#x",
            "kubernetes",
            "",
        ] {
            assert!(Issuer::new(bad, web.clone()).is_err(), "{bad}");
        }
    }
}
