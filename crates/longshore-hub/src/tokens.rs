//! Personal access tokens: made, listed, revoked.

use std::time::{Duration, SystemTime};

use longshore_auth::index::keep::{self, Wanted};
use longshore_auth::index::secret::{NoRandom, ShownSecret};
use longshore_auth::rights::Narrow;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::secrets::{Kind, NewSecret, Secret, secret_list};
use longshore_meta::time::micros;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::missing;
use crate::own::OwnPermit;
use crate::views::Listed;

/// The longest label, in bytes.
const LABEL: usize = 200;

/// A token that is to be.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// What it is for.
    pub label: String,
    /// What it leaves of its owner's rights; `None`: all.
    pub narrow: Option<Narrow>,
    /// When it ends; `None`: when it is revoked.
    pub expires: Option<SystemTime>,
}

/// A secret that was made. It is not to be had again.
#[derive(Debug, Clone)]
pub struct Made {
    /// Its id.
    pub id: i64,
    /// The secret.
    pub secret: ShownSecret,
    /// When it ends, in microseconds.
    pub expires: Option<i64>,
}

impl Made {
    /// How long it is good from `now` on; none: until it is revoked.
    pub fn lives(&self, now: SystemTime) -> Option<Duration> {
        let left = self.expires?.saturating_sub(micros(now));
        Some(Duration::from_micros(u64::try_from(left).unwrap_or(0)))
    }
}

pub(crate) fn no_random(error: NoRandom) -> Error {
    let what = "no secret can be made just now; try again";
    Error::new(Code::Unavailable, what).because(error)
}

impl Hub {
    /// Makes a token of somebody's.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `QueryInvalid` when it would have ended already or its label is too long, or `Unavailable`.
    pub async fn token_create(&self, caller: &Caller, user: &str, new: NewToken) -> Result<Made> {
        let wanted = Wanted {
            kind: Kind::Personal,
            // Known in the transaction.
            principal: 0,
            label: new.label,
            narrow: new.narrow,
            expires: new.expires,
        };
        let (secret, row) = self.index.new_secret(wanted).map_err(no_random)?;
        let expires = row.expires;
        let id = self
            .act_on(caller, user, row, |tx, permit, row| {
                Box::pin(token_create(tx, permit, row))
            })
            .await?;
        Ok(Made {
            id,
            secret,
            expires,
        })
    }

    /// At most `limit` of somebody's tokens, without the secrets, with ids after `after`.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn token_list(
        &self,
        caller: &Caller,
        user: &str,
        after: i64,
        limit: usize,
    ) -> Result<Listed<Secret, i64>> {
        let args = (caller, user, after, limit);
        self.db
            .read(&args, |tx, (caller, user, after, limit)| {
                Box::pin(async move {
                    let permit = OwnPermit::ask(tx, caller, user).await??;
                    let owner = permit.account().id.0;
                    let rows = secret_list(tx, owner, Kind::Personal, *after, limit + 1).await?;
                    Ok(Listed::of(rows, *limit, |row| row.id))
                })
            })
            .await
    }

    /// Takes one of somebody's tokens back, and what was issued for it.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn token_revoke(&self, caller: &Caller, user: &str, id: i64) -> Result<()> {
        self.act_on(caller, user, id, |tx, permit, id| {
            Box::pin(token_revoke(tx, permit, *id))
        })
        .await
    }
}

fn told<T>(value: T, permit: &OwnPermit, detail: serde_json::Value) -> Done<T> {
    Done {
        value,
        object: permit.account().name.clone(),
        namespace: NamespaceId(0),
        detail,
    }
}

/// Keeps a token.
///
/// # Errors
/// See [`Hub::token_create`].
pub async fn token_create(
    tx: &mut Tx<'_>,
    permit: &OwnPermit,
    row: &NewSecret,
) -> Result<Done<i64>> {
    if row.label.len() > LABEL {
        return Err(Error::new(
            Code::QueryInvalid,
            format!("a label has at most {LABEL} bytes"),
        ));
    }
    if row
        .expires
        .is_some_and(|end| end <= permit.caller().micros())
    {
        let what = "a token that has ended already is of no use; give a later time";
        return Err(Error::new(Code::QueryInvalid, what));
    }
    let row = NewSecret {
        principal: permit.account().id.0,
        ..row.clone()
    };
    let id = keep::personal_put(tx, &row, permit.caller().micros()).await?;
    let detail =
        json!({ "token": id, "label": row.label, "scope": row.scope, "expires": row.expires });
    Ok(told(id, permit, detail))
}

/// Takes a token back.
///
/// # Errors
/// See [`Hub::token_revoke`].
pub async fn token_revoke(tx: &mut Tx<'_>, permit: &OwnPermit, id: i64) -> Result<Done<()>> {
    let account = permit.account().id.0;
    // Of this kind only: a session is not ended by this door, nor is a refresh token.
    let known = secret_list(tx, account, Kind::Personal, id.saturating_sub(1), 1).await?;
    let is_token = known.first().is_some_and(|token| token.id == id);
    if !is_token || !keep::secret_revoke(tx, account, id).await? {
        return Err(missing(&format!("token {id}")));
    }
    Ok(told((), permit, json!({ "revoked": id })))
}
