//! What a token says, once its signature is known to be good.
//!
//! Each claim is read by its exact type. A claim that is there with another type refuses the token and is never taken
//! for a missing one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_core::{Actor, Rights, Way};

use super::access;
use super::json::{Json, Object};
use crate::rights::Via;

/// The longest subject, in bytes. It goes into each line of the log.
const MAX_SUBJECT_BYTES: usize = 1024;

/// What a token must say to be for us, and what to add to it.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// The most entries of the access list.
    pub(crate) entries: usize,
    /// What callers without a token may do.
    pub(crate) strangers: Rights,
    /// Whether what a token leaves open is looked up: the index that signed it is in this process.
    pub(crate) looked_up: bool,
}

/// How far clocks may differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leeway {
    /// How long before its time a token is good.
    pub(crate) early: Duration,
    /// How long after its end.
    pub(crate) late: Duration,
}

/// The claims of a token for this registry. Times are in seconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct Claims {
    pub(crate) actor: Actor,
    pub(crate) rights: Rights,
    /// The principal and its version, where the issuer is an index like ours.
    pub(crate) principal: Option<(i64, i64)>,
    /// How its owner had shown who they are when it was issued, where the issuer says it as our index does.
    pub(crate) way: Way,
    /// Whether the credential that the token was issued for leaves only part of its principal's rights.
    pub(crate) narrowed: bool,
    not_before: u64,
    expires: u64,
}

impl Claims {
    /// Reads claims.
    ///
    /// `exp`, `iss` and `aud` must be there. The others of the token specification may be missing, as some servers
    /// leave out what is empty: no `sub` is an anonymous caller, no `nbf` is no such bound.
    ///
    /// # Errors
    /// The claims are malformed, or those of a token for somebody else. Times are checked by [`Claims::check_time`].
    pub(crate) fn read(payload: &[u8], expected: &Expected) -> Result<Self, &'static str> {
        let claims =
            Json::object(payload).map_err(|_| "the claims are not an object of strict JSON")?;
        if text(&claims, "iss")? != Some(expected.issuer.as_str()) {
            return Err("`iss` is not the issuer");
        }
        check_audience(claims.get("aud"), &expected.audience)?;
        text(&claims, "jti")?;
        let expires = time(&claims, "exp")?.ok_or("`exp` is missing")?;
        let not_before = time(&claims, "nbf")?
            .unwrap_or(0)
            .max(time(&claims, "iat")?.unwrap_or(0));
        let actor = match text(&claims, "sub")?.unwrap_or_default() {
            "" => Actor::Anonymous,
            subject
                if subject.len() > MAX_SUBJECT_BYTES || subject.chars().any(char::is_control) =>
            {
                return Err("`sub` is too long or has control characters");
            }
            subject => Actor::Named(Arc::from(subject)),
        };
        let rights = access::read(
            claims.get("access"),
            expected.entries,
            &expected.strangers,
            expected.looked_up,
        )?;
        let principal = number(&claims, "pid")?.zip(number(&claims, "ver")?);
        Ok(Claims {
            actor,
            rights,
            principal,
            way: way(&claims).unwrap_or(Via::Bearer.way(0)),
            narrowed: claims.contains_key("nar"),
            not_before,
            expires,
        })
    }

    /// Whether the token is valid at `now`, where the clocks may differ as `leeway` says.
    ///
    /// # Errors
    /// It is expired or not valid yet, or says it was issued in the future.
    pub(crate) fn check_time(&self, now: SystemTime, leeway: Leeway) -> Result<(), &'static str> {
        let now = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|_| "the clock is before 1970")?
            .as_secs();
        if now >= self.expires.saturating_add(leeway.late.as_secs()) {
            return Err("the token is expired");
        }
        if self.not_before > now.saturating_add(leeway.early.as_secs()) {
            return Err("the token is not valid yet");
        }
        Ok(())
    }
}

/// How somebody got the token; none where it does not say that in our words. Nothing is decided by it, so others may call what they like
/// `via`.
fn way(claims: &Object) -> Option<Way> {
    match claims.get("via") {
        Some(Json::Text(text)) => Via::read(text),
        _ => None,
    }
}

/// A claim that is text; none where it is missing.
fn text<'a>(claims: &'a Object, name: &str) -> Result<Option<&'a str>, &'static str> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text)),
        Some(_) => Err("a claim that should be text is not"),
    }
}

/// A claim that is a time; none where it is missing.
fn time(claims: &Object, name: &str) -> Result<Option<u64>, &'static str> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Whole(seconds)) => Ok(Some(*seconds)),
        Some(_) => Err("a claim that should be a time is not a whole number from 0"),
    }
}

/// A claim of ours that is a number; none where it is missing or, in the tokens of others, something else.
fn number(claims: &Object, name: &str) -> Result<Option<i64>, &'static str> {
    match claims.get(name) {
        Some(Json::Whole(number)) => i64::try_from(*number)
            .map(Some)
            .map_err(|_| "a claim that should be a small number is not"),
        _ => Ok(None),
    }
}

/// `aud` is this registry (`us`), or a flat list of texts of which one is (RFC 7519, 4.1.3).
fn check_audience(claim: Option<&Json>, us: &str) -> Result<(), &'static str> {
    let is_us = match claim {
        Some(Json::Text(one)) => one == us,
        Some(Json::List(list)) => {
            let names: Option<Vec<&str>> = list.iter().map(Json::text).collect();
            names
                .ok_or("`aud` has a member that is not text")?
                .contains(&us)
        }
        _ => return Err("`aud` is missing or neither text nor list"),
    };
    if is_us {
        Ok(())
    } else {
        Err("`aud` does not have this registry")
    }
}
