//! The first administrator: by a token that the first start prints, and that works once.

use std::time::{Duration, SystemTime};

use longshore_auth::index::keep::Wanted;
use longshore_auth::index::secret::{Looks, ShownSecret, looks};
use longshore_auth::rights::role::ADMINISTRATOR_ID;
use longshore_auth::rights::{Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::audit_put;
use longshore_meta::bindings::binding_with;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{Kind as Principal, PrincipalId};
use longshore_meta::secrets::{Kind, NewSecret, secret_delete_of, secret_find, secret_put};
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx};
use serde_json::json;

use crate::accounts::{NewAccount, administrator};
use crate::caller::Caller;
use crate::hub::{Hub, entry};
use crate::mail::Address;
use crate::names::check;
use crate::tokens::no_random;

/// How long the token of a start is good; each start without an administrator makes another.
pub const SETUP_LIVES: Duration = Duration::from_hours(24);
/// What the audit log calls it.
pub const SETUP: &str = "system:setup";
/// Whose the token is: nobody is there yet.
const NOBODY: i64 = 0;

struct Making {
    token: [u8; 32],
    caller: Caller,
    new: NewAccount,
    hash: Option<String>,
}

impl Hub {
    /// A token by which the first administrator can be made; `None` where there is one. Those made before are void.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn setup_token(&self, now: SystemTime) -> Result<Option<ShownSecret>> {
        let wanted = Wanted {
            kind: Kind::Setup,
            principal: NOBODY,
            label: String::new(),
            narrow: None,
            expires: Some(now + SETUP_LIVES),
        };
        let (secret, row) = self.index.new_secret(wanted).map_err(no_random)?;
        let made = self
            .db
            .write(Durability::Power, (row, micros(now)), |tx, (row, now)| {
                Box::pin(offer(tx, row, *now))
            })
            .await?;
        Ok(made.then_some(secret))
    }

    /// Makes the first administrator for whoever has the token that the start printed. It works once. The address and the time are
    /// those of `caller`, whose rights are not asked for.
    ///
    /// # Errors
    /// `Unauthorized` when that is not the token, or there is an administrator; `NameInvalid`, `ConditionFailed` when the name cannot be
    /// had, `QueryInvalid` when the password is not accepted, `TooManyRequests`, or `Unavailable`.
    pub async fn setup(
        &self,
        caller: &Caller,
        token: &str,
        mut new: NewAccount,
    ) -> Result<PrincipalId> {
        self.desk.take(caller.who.from, caller.now)?;
        // Before any work is done for whoever has none.
        if !matches!(looks(token.as_bytes()), Looks::Like("lsi_")) {
            return Err(wrong());
        }
        let token = self.index.hash(token);
        let args = (token, caller.micros());
        self.db
            .read(&args, |tx, (token, now)| Box::pin(holds(tx, token, *now)))
            .await?;
        check(&new.name)?;
        new.mail = Address::of(&new.mail)?;
        let hash = match new.password.take() {
            Some(password) => Some(self.hashed(&new.name, password).await?),
            None => None,
        };
        let by = Caller {
            who: Who {
                via: Via::Program,
                ..Who::stranger(caller.who.from)
            },
            name: "setup".to_owned(),
            ..caller.clone()
        };
        let making = Making {
            token,
            caller: by,
            new,
            hash,
        };
        let id = self
            .db
            .write(Durability::Power, making, |tx, making| {
                Box::pin(setup(tx, making))
            })
            .await?;
        self.index.forget_all();
        Ok(id)
    }
}

fn wrong() -> Error {
    Error::new(
        Code::Unauthorized,
        "that is not the set-up token that the last start printed; without it, use `longshore admin user create NAME --admin` on the server",
    )
}

async fn offer(tx: &mut Tx<'_>, row: &NewSecret, now: i64) -> Result<bool> {
    secret_delete_of(tx, NOBODY, Kind::Setup).await?;
    if !binding_with(tx, ADMINISTRATOR_ID, 1).await?.is_empty() {
        return Ok(false);
    }
    secret_put(tx, row, now).await?;
    Ok(true)
}

/// Checks the token, and that nobody was faster.
async fn holds(tx: &mut Tx<'_>, token: &[u8; 32], now: i64) -> Result<()> {
    let found = secret_find(tx, token).await?;
    let good = found.is_some_and(|it| {
        it.kind == Kind::Setup.number() && it.expires.is_none_or(|end| now < end)
    });
    if !good || !binding_with(tx, ADMINISTRATOR_ID, 1).await?.is_empty() {
        return Err(wrong());
    }
    Ok(())
}

async fn setup(tx: &mut Tx<'_>, making: &Making) -> Result<PrincipalId> {
    let caller = &making.caller;
    holds(tx, &making.token, caller.micros()).await?;
    secret_delete_of(tx, NOBODY, Kind::Setup).await?;
    let id = administrator(tx, caller, &making.new, making.hash.as_deref()).await?;
    let detail = json!({ "created": Principal::User.word(), "id": id.0, "administrator": true });
    let (none, name) = (NamespaceId(0), making.new.name.clone());
    let row = entry(caller, SETUP, name, none, "done", detail.to_string());
    audit_put(tx, &row).await?;
    Ok(id)
}
