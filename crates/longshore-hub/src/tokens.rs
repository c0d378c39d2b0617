//! Personal access tokens: made, listed, revoked.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use longshore_auth::index::keep::{self, Wanted};
use longshore_auth::index::secret::{Looks, NoRandom, ShownSecret, looks, prefix};
use longshore_auth::rights::{Narrow, Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::audit_put;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::PrincipalId;
use longshore_meta::secrets::{Kind, NewSecret, Secret, secret_find, secret_list};
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx};
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub, entry};
use crate::names::missing;
use crate::narrowing::{Kept, bound, by_name};
use crate::own::{OWN, OwnPermit};
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
    /// The names in what it is narrowed to that are for whatever is called so, as nothing is.
    pub by_name: Vec<String>,
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
        let kept = self
            .act_on(caller, user, row, |tx, permit, row| {
                Box::pin(token_create(tx, permit, row))
            })
            .await?;
        Ok(Made {
            id: kept.id,
            secret,
            expires,
            by_name: kept.by_name,
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

    /// Takes a personal or a refresh token back that somebody shows, and what was issued for it: whoever has one could use it, and so
    /// may end it. False where it is none; a robot's secret is none, since others use it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn token_give_up(
        &self,
        secret: &str,
        from: IpAddr,
        request: u128,
        now: SystemTime,
    ) -> Result<bool> {
        let kind = match looks(secret.as_bytes()) {
            Looks::Like(found) if found == prefix(Kind::Personal) => Kind::Personal,
            Looks::Like(found) if found == prefix(Kind::Refresh) => Kind::Refresh,
            _ => return Ok(false),
        };
        let caller = Caller {
            who: Who::stranger(from),
            name: String::new(),
            request,
            now,
        };
        let hash = self.index.hash(secret);
        // Anybody may ask: what is none writes nothing.
        let known = self
            .db
            .read(&hash, |tx, hash| Box::pin(secret_find(tx, hash)))
            .await?;
        if known.is_none_or(|known| known.kind != kind.number()) {
            return Ok(false);
        }
        let args = (hash, kind, caller);
        let done = self
            .db
            .write(Durability::Power, args, |tx, (hash, kind, caller)| {
                Box::pin(token_give_up(tx, hash, *kind, caller))
            })
            .await?;
        self.index.forget_all();
        Ok(done)
    }
}

/// Takes back the token of that hash, with a row of the audit log in its owner's name.
async fn token_give_up(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    kind: Kind,
    caller: &Caller,
) -> Result<bool> {
    let found = secret_find(tx, hash).await?;
    let Some(found) = found.filter(|found| found.kind == kind.number()) else {
        return Ok(false);
    };
    let name = keep::shown_name(tx, found.principal).await?;
    if !keep::secret_revoke(tx, found.principal, found.id).await? {
        return Ok(false);
    }
    let owner = PrincipalId(found.principal);
    let caller = Caller {
        who: Who::principal(owner, Via::PersonalToken, caller.who.from),
        name: name.clone(),
        ..caller.clone()
    };
    let detail = json!({ "revoked": found.id, "label": found.label, "by": "whoever had it" });
    let row = entry(
        &caller,
        OWN,
        name,
        NamespaceId(0),
        "done",
        detail.to_string(),
    );
    audit_put(tx, &row).await?;
    Ok(true)
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
) -> Result<Done<Kept>> {
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
    let mut row = NewSecret {
        principal: permit.account().id.0,
        ..row.clone()
    };
    let mut names = Vec::new();
    if let Some(scope) = &row.scope {
        let narrow = Narrow::parse(scope).map_err(Error::internal)?;
        let narrow = bound(tx, permit.caller(), &narrow).await?;
        row.scope = Some(narrow.to_json());
        names = by_name(&narrow);
    }
    let id = keep::personal_put(tx, &row, permit.caller().micros()).await?;
    let detail =
        json!({ "token": id, "label": row.label, "scope": row.scope, "expires": row.expires });
    let kept = Kept { id, by_name: names };
    Ok(told(kept, permit, detail))
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
