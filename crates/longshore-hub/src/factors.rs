//! Second factors of local accounts: begun, confirmed, and taken away by their owner; taken away by whoever manages users when
//! the telephone and the recovery codes are gone.
//!
//! An owner changes its own by a password or a session, never by a token: a token that leaks must not take the second factor
//! with it. A code is asked for where something is taken away, so that a session left open is not enough.

use longshore_auth::rights::{Action, Object, Via};
use longshore_auth::totp::{RecoveryCodes, TotpSecret};
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::audit_put;
use longshore_meta::factors::{
    factor_begin, factor_confirm, factor_delete, factor_get, recovery_count, recovery_put,
};
use longshore_meta::logins::login_by_id;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{PrincipalId, principal_bump};
use longshore_meta::secrets::{Kind as SecretKind, secret_delete_of};
use longshore_meta::{Durability, Tx};
use serde_json::json;
use zeroize::Zeroizing;

use crate::accounts::{named, told};
use crate::caller::Caller;
use crate::hub::{Done, Hub, entry};
use crate::names::{conflict, missing};
use crate::permit::Permit;
use crate::rank::outranks;

const USERS: u8 = Action::UserManage as u8;

/// What an owner may know of their second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorState {
    /// Since when it is asked for, in microseconds; none: it is not.
    pub confirmed: Option<i64>,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
}

impl Hub {
    /// Begins a second factor of the caller's: a secret to be put into a telephone. It counts when a code of it is confirmed.
    ///
    /// # Errors
    /// `Denied`, `ConditionFailed` when there is one or the account has no password here, or `Unavailable`.
    pub async fn factor_begin(&self, caller: &Caller) -> Result<TotpSecret> {
        let who = own(caller)?;
        let (secret, sealed) = self.index.new_factor(who)?;
        let args = (caller.clone(), who, sealed, self.given.clone());
        self.db
            .write(Durability::Power, args, |tx, (caller, who, sealed, given)| {
                Box::pin(async move {
                    given.hold(tx, caller).await?;
                    let login = login_by_id(tx, who.0).await?;
                    if login.is_none_or(|login| login.password.is_none()) {
                        return Err(conflict(
                            "this account has no password here, so a second factor belongs to where it logs in",
                        ));
                    }
                    if !factor_begin(tx, *who, sealed, caller.micros()).await? {
                        return Err(conflict(
                            "there is a second factor already; disable it before you begin another",
                        ));
                    }
                    note(tx, caller, "begun").await
                })
            })
            .await?;
        Ok(secret)
    }

    /// Confirms the caller's second factor by a code of it, and gives codes for the day it is lost. Logins that were made by the
    /// password alone are void; personal tokens stay.
    ///
    /// # Errors
    /// `Denied` for a wrong code, `ConditionFailed` when there is nothing to confirm, or `Unavailable`.
    pub async fn factor_confirm(&self, caller: &Caller, code: &str) -> Result<RecoveryCodes> {
        let who = own(caller)?;
        self.index
            .try_code(&caller.name, caller.who.from, caller.now)
            .map_err(Error::from)?;
        let (codes, hashes) = self.index.new_recovery_codes()?;
        let code = Zeroizing::new(code.to_owned());
        let args = (self.clone(), caller.clone(), who, code, hashes);
        let done = self
            .db
            .write(
                Durability::Power,
                args,
                |tx, (hub, caller, who, code, hashes)| {
                    Box::pin(hub.confirm(tx, caller, *who, code, hashes))
                },
            )
            .await;
        if let Err(error) = &done
            && error.code() == Code::Denied
        {
            self.index
                .failed_code(&caller.name, caller.who.from, caller.now);
        }
        done?;
        self.index.forget(who.0);
        Ok(codes)
    }

    async fn confirm(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        who: PrincipalId,
        code: &str,
        hashes: &[[u8; 32]],
    ) -> Result<()> {
        self.given.hold(tx, caller).await?;
        let factor = factor_get(tx, who).await?;
        let factor = factor
            .filter(|factor| factor.confirmed.is_none())
            .ok_or_else(|| conflict("there is no second factor that waits to be confirmed"))?;
        let step = self
            .index
            .factor_code(who, &factor.sealed, code, None, caller.now)
            .ok_or_else(wrong)?;
        factor_confirm(tx, who, step, caller.micros()).await?;
        recovery_put(tx, who, hashes).await?;
        secret_delete_of(tx, who.0, SecretKind::Refresh).await?;
        principal_bump(tx, who).await?;
        note(tx, caller, "confirmed").await
    }

    /// Takes the caller's second factor away, by a code of it or a recovery code. Whoever has logged in by the password for this
    /// one request needs none: where there is a second factor, that took a code.
    ///
    /// # Errors
    /// `Denied` for a wrong code or without one, `TooManyRequests` after too many, or `Unavailable`.
    pub async fn factor_disable(&self, caller: &Caller, code: Option<&str>) -> Result<()> {
        let who = own(caller)?;
        if let Some(code) = code {
            self.spend(caller, who, code).await?;
        }
        let has_code = code.is_some();
        self.db
            .write(
                Durability::Power,
                (caller.clone(), who, self.given.clone(), has_code),
                |tx, (caller, who, given, has_code)| {
                    Box::pin(async move {
                        given.hold(tx, caller).await?;
                        if !has_code {
                            needed_code(tx, caller, *who).await?;
                        }
                        factor_delete(tx, *who).await?;
                        note(tx, caller, "disabled").await
                    })
                },
            )
            .await
    }

    /// Uses up a code of the caller's.
    async fn spend(&self, caller: &Caller, who: PrincipalId, code: &str) -> Result<()> {
        let spent = self
            .index
            .spend_code((&caller.name, who), code, caller.who.from, caller.now)
            .await;
        spent.map_err(|refusal| {
            if refusal.is_throttled() {
                Error::from(refusal)
            } else {
                wrong()
            }
        })
    }

    /// How the caller's second factor is.
    ///
    /// # Errors
    /// `Denied` or `Unavailable`.
    pub async fn factor_state(&self, caller: &Caller) -> Result<FactorState> {
        let who = own(caller)?;
        self.db
            .read(&who, |tx, who| {
                Box::pin(async move {
                    let factor = factor_get(tx, *who).await?;
                    Ok(FactorState {
                        confirmed: factor.and_then(|factor| factor.confirmed),
                        recovery_codes: recovery_count(tx, *who).await?,
                    })
                })
            })
            .await
    }

    /// Takes the second factor of `name` away, for somebody who has lost everything.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn factor_remove(&self, caller: &Caller, name: &str) -> Result<()> {
        self.act(
            caller,
            Object::System,
            name.to_owned(),
            |tx, permit, name| Box::pin(remove(tx, permit, name)),
        )
        .await
    }
}

fn no_code() -> Error {
    Error::new(
        Code::Denied,
        "a second factor is taken away by a code of it, or a recovery code",
    )
}

fn wrong() -> Error {
    Error::new(
        Code::Denied,
        "the code is wrong, too old, or was used; wait for the next one",
    )
}

/// The principal that changes its own: by a password or a session, with nothing taken off its rights.
fn own(caller: &Caller) -> Result<PrincipalId> {
    let own = caller.who.principal.filter(|_| caller.is_proven());
    own.ok_or_else(|| {
        Error::new(
            Code::Denied,
            "a second factor is changed by its owner, who has logged in with a password and not with a token",
        )
    })
}

/// Checks that whoever asks for their own to be taken away without a code has shown one to log in for this one request.
async fn needed_code(tx: &mut Tx<'_>, caller: &Caller, who: PrincipalId) -> Result<()> {
    // One that was confirmed after the login was not asked for by it.
    let confirmed = factor_get(tx, who).await?.and_then(|it| it.confirmed);
    let is_later = confirmed.is_some_and(|at| at >= caller.micros());
    if caller.who.via == Via::Password && !is_later {
        return Ok(());
    }
    Err(no_code())
}

/// What somebody did about their own.
async fn note(tx: &mut Tx<'_>, caller: &Caller, what: &str) -> Result<()> {
    let detail = json!({ "second_factor": what }).to_string();
    let (action, object) = ("own:second-factor", caller.name.clone());
    let entry = entry(caller, action, object, NamespaceId(0), "done", detail);
    audit_put(tx, &entry).await.map(drop)
}

async fn remove(tx: &mut Tx<'_>, permit: &Permit<USERS>, name: &str) -> Result<Done<()>> {
    let account = named(tx, name).await?;
    let caller = permit.caller();
    outranks(tx, caller, account.id).await?;
    // Who manages users is no exception: a session left open is not enough for their own.
    if caller.who.principal == Some(account.id) {
        needed_code(tx, caller, account.id).await?;
    }
    if !factor_delete(tx, account.id).await? {
        return Err(missing("second factor"));
    }
    let detail = json!({ "second_factor": "removed", "id": account.id.0 });
    Ok(told((), name, detail))
}
