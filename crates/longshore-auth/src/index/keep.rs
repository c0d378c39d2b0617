//! Making, listing and taking back what people and robots log in with: parts of the transactions of use cases.
//!
//! Who may do so is decided by whoever calls. Whatever takes a credential away also makes void what was issued by it.

use std::time::{Duration, SystemTime};

use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::logins::{Login, login_by_id, login_by_name, password_put};
use longshore_meta::principals::{PrincipalId, principal_bump};
use longshore_meta::secrets::{
    Kind, NewSecret, secret_count, secret_delete, secret_delete_of, secret_expire, secret_list,
    secret_put,
};
use longshore_meta::time::{micros, span};

use super::Index;
use super::login::{ROBOT, SYSTEM};
use super::secret::{NoRandom, ShownSecret, hash};
use crate::rights::Narrow;

/// How long a personal token lives where its maker does not say.
pub const PERSONAL_LIVES: Duration = Duration::from_hours(24 * 90);
/// How long the old secret of a robot goes on beside the new one where nobody says.
pub const OVERLAP: Duration = Duration::from_hours(24);
/// How many secrets of a robot are alive at a time.
const ROBOT_SECRETS: usize = 2;
/// How many personal tokens somebody may have.
const PERSONAL_TOKENS: u64 = 1000;

/// What a secret is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// A personal token or a robot's secret.
    pub kind: Kind,
    /// Whose.
    pub principal: i64,
    /// What its owner calls it.
    pub label: String,
    /// What it leaves of its owner's rights.
    pub narrow: Option<Narrow>,
    /// When it ends, if it does.
    pub expires: Option<SystemTime>,
}

impl Index {
    /// A secret, to be shown once, and its row, to be kept.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new_secret(
        &self,
        wanted: Wanted,
    ) -> std::result::Result<(ShownSecret, NewSecret), NoRandom> {
        let secret = ShownSecret::make(wanted.kind)?;
        let row = NewSecret {
            kind: wanted.kind,
            principal: wanted.principal,
            hash: hash(&self.0.secrets, secret.as_str().as_bytes()),
            label: wanted.label,
            scope: wanted.narrow.as_ref().map(Narrow::to_json),
            expires: wanted.expires.map(micros),
            version: 0,
        };
        Ok((secret, row))
    }
}

/// Whoever logs in with this name: `alice`, `robot+ci`, `acme+ci` or `alice+ci`.
///
/// # Errors
/// `Unavailable`.
pub async fn named(tx: &mut Tx<'_>, name: &str) -> Result<Option<Login>> {
    let Some((owner, robot)) = name.split_once('+') else {
        return login_by_name(tx, 0, name).await;
    };
    let owner = if owner == SYSTEM {
        0
    } else {
        match login_by_name(tx, 0, owner).await? {
            Some(owner) => owner.id,
            None => return Ok(None),
        }
    };
    let found = login_by_name(tx, owner, robot).await?;
    Ok(found.filter(|login| login.kind == ROBOT))
}

/// Sets a password. What was issued by the old one is void: tokens, refresh tokens, sessions; and the letters by which it
/// could have been replaced. Personal tokens stay: they are secrets of their own.
///
/// # Errors
/// `Unavailable`.
pub async fn password_set(tx: &mut Tx<'_>, principal: i64, hash: &str, now: i64) -> Result<()> {
    password_put(tx, principal, hash, now).await?;
    for kind in [Kind::Refresh, Kind::Session, Kind::Reset] {
        secret_delete_of(tx, principal, kind).await?;
    }
    principal_bump(tx, PrincipalId(principal)).await
}

/// Keeps a personal token and gives its id.
///
/// # Errors
/// `Denied` when its owner has too many; `Unavailable`.
pub async fn personal_put(tx: &mut Tx<'_>, secret: &NewSecret, now: i64) -> Result<i64> {
    if secret_count(tx, secret.principal, Kind::Personal).await? >= PERSONAL_TOKENS {
        return Err(Error::new(
            Code::Denied,
            format!("this user has {PERSONAL_TOKENS} tokens; revoke some before making more"),
        ));
    }
    secret_put(tx, secret, now).await
}

/// Keeps a robot's next secret. The one before it goes on for `overlap`, so that it can be replaced wherever it is used;
/// what is older ends now.
///
/// # Errors
/// `Unavailable`.
pub async fn robot_put(
    tx: &mut Tx<'_>,
    secret: &NewSecret,
    overlap: Duration,
    now: i64,
) -> Result<i64> {
    let old = secret_list(tx, secret.principal, Kind::Robot, 0, usize::from(u16::MAX)).await?;
    let mut ended = false;
    for (back, old) in old.iter().rev().enumerate() {
        let goes_on = back + 1 < ROBOT_SECRETS && !overlap.is_zero();
        let end = if goes_on {
            now.saturating_add(span(overlap))
        } else {
            ended |= old.expires.is_none_or(|end| now < end);
            now
        };
        secret_expire(tx, old.id, end).await?;
    }
    if ended {
        // Tokens that were issued for a secret that was cut off do not outlive it.
        principal_bump(tx, PrincipalId(secret.principal)).await?;
    }
    secret_put(tx, secret, now).await
}

/// Takes a personal token or a robot's secret back, and what was issued for it. False when its owner has no such.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_revoke(tx: &mut Tx<'_>, principal: i64, id: i64) -> Result<bool> {
    if !secret_delete(tx, id, principal).await? {
        return Ok(false);
    }
    principal_bump(tx, PrincipalId(principal)).await?;
    Ok(true)
}

/// The name of a principal as it logs in; its number where it is gone.
///
/// # Errors
/// `Unavailable`.
pub async fn shown_name(tx: &mut Tx<'_>, id: i64) -> Result<String> {
    let login = login_by_id(tx, id).await?;
    Ok(login.map_or_else(|| format!("#{id}"), |login| super::login_name(&login)))
}
