//! Passwords: set by those who manage users, changed by whoever has them.

use std::fmt;

use longshore_auth::index::keep;
use longshore_auth::index::password::{self, PasswordError};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::NamespaceId;
use serde_json::json;
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::mail::{Task, What, post};
use crate::own::OwnPermit;

/// A password that somebody is to have. It shows itself to nobody.
#[derive(Clone)]
pub enum NewPassword {
    /// The password.
    Plain(Zeroizing<Vec<u8>>),
    /// What another registry kept of it: bcrypt or argon2. It is made anew at the next login.
    Hash(String),
}

impl NewPassword {
    /// This text.
    pub fn plain(text: impl Into<Vec<u8>>) -> Self {
        Self::Plain(Zeroizing::new(text.into()))
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(..)")
    }
}

impl Hub {
    /// What is kept of a password.
    ///
    /// # Errors
    /// `QueryInvalid` when it is not accepted; `Unavailable` when it cannot be hashed just now.
    pub(crate) async fn hashed(&self, user: &str, new: NewPassword) -> Result<String> {
        match new {
            NewPassword::Plain(text) => {
                let hash = self.index.hash_password(user, text).await;
                hash.map_err(|error| match error {
                    PasswordError::Hash => Error::new(Code::Unavailable, error.to_string()),
                    other => Error::new(Code::QueryInvalid, other.to_string()),
                })
            }
            NewPassword::Hash(hash) => match password::foreign(user, &hash) {
                Ok(()) => Ok(hash),
                Err(why) => Err(Error::new(Code::QueryInvalid, why)),
            },
        }
    }

    /// Sets somebody's password. What was issued by the one before is void; personal tokens stay.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `QueryInvalid` when the password is not accepted, or `Unavailable`.
    pub async fn password_set(&self, caller: &Caller, user: &str, new: NewPassword) -> Result<()> {
        self.ask_on(caller, user).await?;
        let hash = self.hashed(user, new).await?;
        let tell = self.desk.post.is_some();
        let args = (hash, tell);
        self.act_on(caller, user, args, |tx, permit, (hash, tell)| {
            Box::pin(password_set(tx, permit, hash, *tell))
        })
        .await?;
        self.desk.wake();
        Ok(())
    }

    /// Changes one's own password, which must be known for that: a session that was left open is not enough.
    ///
    /// # Errors
    /// `Unauthorized` when `old` is wrong, `TooManyRequests` when too many were tried, `Denied`, `QueryInvalid` when the new one is
    /// not accepted, or `Unavailable`.
    pub async fn password_change(
        &self,
        caller: &Caller,
        old: Zeroizing<Vec<u8>>,
        new: NewPassword,
    ) -> Result<()> {
        self.ask_on(caller, &caller.name).await?;
        self.password_shown(caller, old).await?;
        self.password_set(caller, &caller.name, new).await
    }

    /// Looks whether this is the password of whoever asks: a session that was left open is not enough for what follows.
    ///
    /// # Errors
    /// `Unauthorized` when it is wrong, `TooManyRequests` when too many were tried, `Denied` to who is no person, or `Unavailable`.
    pub(crate) async fn password_shown(
        &self,
        caller: &Caller,
        password: Zeroizing<Vec<u8>>,
    ) -> Result<()> {
        let (name, from) = (&caller.name, caller.who.from);
        let known = self
            .index
            .confirm_password(name, password, from, caller.now)
            .await
            .map_err(|refusal| {
                let error = Error::from(refusal);
                if error.code() != Code::Unauthorized {
                    return error;
                }
                Error::new(Code::Unauthorized, "that is not your password of now")
            })?;
        if Some(known.principal) != caller.who.principal.map(|it| it.0) {
            return Err(Error::new(Code::Denied, "only people have passwords"));
        }
        Ok(())
    }
}

/// Sets a password. `tell`: a letter says so to the account's address.
///
/// # Errors
/// See [`Hub::password_set`].
pub async fn password_set(
    tx: &mut Tx<'_>,
    permit: &OwnPermit,
    hash: &str,
    tell: bool,
) -> Result<Done<()>> {
    let account = permit.account();
    let now = permit.caller().micros();
    keep::password_set(tx, account.id.0, hash, now).await?;
    if tell && !account.mail.is_empty() {
        let task = Task::Tell {
            mail: account.mail.clone(),
            name: account.name.clone(),
            what: What::Password,
        };
        post(tx, &task, now).await?;
    }
    Ok(Done {
        value: (),
        object: account.name.clone(),
        namespace: NamespaceId(0),
        detail: json!({ "password": "set", "id": account.id.0 }),
    })
}
