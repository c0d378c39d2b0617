//! Sign-up, and what becomes of an invitation: an account, or a member.

use longshore_auth::rights::{Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::audit_put;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{PrincipalId, principal_mailed};
use longshore_meta::settings::setting_get;
use longshore_meta::{Durability, Tx};
use serde_json::json;

use super::invitations::full_name;
use super::worth::{enter, good, shut, still_allowed, still_meant, still_meant_for, used};
use crate::accounts::{NewAccount, user};
use crate::caller::Caller;
use crate::hub::{Hub, entry};
use crate::mail::{Address, Task, post};
use crate::names::{check, conflict, free};
use crate::passwords::NewPassword;
use crate::settings::{SIGN_UP, SignUp};

/// What the audit log calls it when somebody comes in.
const JOIN: &str = "account:join";

/// What became of a sign-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedUp {
    /// A letter goes to the address; the account is made by its token.
    Asked,
    /// The account is there: nobody confirms addresses here.
    Made(PrincipalId),
}

/// Who an invitation or a confirmed address is to become.
#[derive(Debug, Clone)]
pub struct Joining {
    /// The name; empty: the one that the invitation says.
    pub name: String,
    /// The full name; `None`: the one that the invitation says.
    pub full_name: Option<String>,
    /// The password.
    pub password: NewPassword,
}

/// What the transactions are told.
struct Coming {
    token: [u8; 32],
    caller: Caller,
    new: NewAccount,
    hash: String,
}

struct Asking {
    caller: Caller,
    new: NewAccount,
    hash: Option<String>,
}

/// Whoever comes in, as the audit log has them.
fn comer(caller: &Caller, name: &str) -> Caller {
    Caller {
        who: Who {
            via: Via::Program,
            ..Who::stranger(caller.who.from)
        },
        name: name.to_owned(),
        ..caller.clone()
    }
}

impl Hub {
    /// Somebody wants an account. Where mail is sent, a letter goes to the address and the account is made by its token, with the
    /// password that is chosen then: until then nothing is there, and nobody's name is taken. Whether the address is known here is not
    /// said. Where no mail is sent and that was allowed, the account is made at once.
    ///
    /// # Errors
    /// `ConditionFailed` when people do not make accounts here or the name cannot be had, `NameInvalid`, `QueryInvalid`,
    /// `TooManyRequests`, or `Unavailable`.
    pub async fn account_sign_up(&self, caller: &Caller, mut new: NewAccount) -> Result<SignedUp> {
        self.desk.take(caller.who.from, caller.now)?;
        let doors = self.doors().await?;
        if doors.sign_up != SignUp::Open {
            return Err(shut());
        }
        check(&new.name)?;
        full_name(&new.full_name)?;
        new.mail = Address::of(&new.mail)?;
        let hash = if doors.mail {
            if new.mail.is_empty() || new.password.is_some() {
                let what = "sign up with a name and a mail address; the password is chosen when the address is confirmed";
                return Err(Error::new(Code::QueryInvalid, what));
            }
            None
        } else {
            let Some(password) = new.password.take() else {
                let what =
                    "choose a password: no mail is sent here by which that could be done later";
                return Err(Error::new(Code::QueryInvalid, what));
            };
            // Nobody has shown that they read what goes there.
            new.mail.clear();
            Some(self.hashed(&new.name, password).await?)
        };
        let asking = Asking {
            caller: comer(caller, &new.name),
            new,
            hash,
        };
        let done = self
            .db
            .write(Durability::Power, asking, |tx, asking| {
                Box::pin(sign_up(tx, asking))
            })
            .await?;
        self.index.forget_all();
        self.desk.wake();
        Ok(done)
    }

    /// Makes the account that an invitation allows, or a letter to whom signed up. The token is used up by that.
    ///
    /// # Errors
    /// `Unauthorized` when the token is not good, `ConditionFailed` when the name cannot be had or people do not come in by this here,
    /// `NameInvalid`, `QueryInvalid` when the password is not accepted, `TooManyRequests`, or `Unavailable`.
    pub async fn account_join(
        &self,
        caller: &Caller,
        token: &str,
        joining: Joining,
    ) -> Result<PrincipalId> {
        self.desk.take(caller.who.from, caller.now)?;
        let token = self.letter_token(token)?;
        let args = (token, caller.micros());
        let found = self
            .db
            .read(&args, |tx, (token, now)| {
                Box::pin(async move {
                    let found = good(tx, token, *now).await?;
                    still_allowed(tx, &found, *now).await?;
                    Ok(found)
                })
            })
            .await?;
        let name = if joining.name.is_empty() {
            found.name.clone()
        } else {
            joining.name
        };
        if name.is_empty() {
            return Err(Error::new(Code::QueryInvalid, "choose a name"));
        }
        check(&name)?;
        let full = joining.full_name.unwrap_or(found.full_name);
        full_name(&full)?;
        let hash = self.hashed(&name, joining.password).await?;
        let coming = Coming {
            token,
            caller: comer(caller, &name),
            new: NewAccount {
                name,
                full_name: full,
                ..NewAccount::default()
            },
            hash,
        };
        let id = self
            .db
            .write(Durability::Power, coming, |tx, coming| {
                Box::pin(join(tx, coming))
            })
            .await?;
        self.index.forget_all();
        Ok(id)
    }

    /// Makes whoever asks a member of what they were invited into.
    ///
    /// # Errors
    /// `Unauthorized` when the token is not good, `ConditionFailed` when it is for an account that is to be made, `Denied` to who is no
    /// person, `TooManyRequests`, or `Unavailable`.
    pub async fn invitation_accept(&self, caller: &Caller, token: &str) -> Result<()> {
        self.desk.take(caller.who.from, caller.now)?;
        let token = self.letter_token(token)?;
        let args = (token, caller.clone());
        self.db
            .write(Durability::Power, args, |tx, (token, caller)| {
                Box::pin(accept(tx, token, caller))
            })
            .await?;
        self.index.forget_all();
        Ok(())
    }
}

async fn sign_up(tx: &mut Tx<'_>, asking: &Asking) -> Result<SignedUp> {
    let (caller, new) = (&asking.caller, &asking.new);
    let word = setting_get(tx, SIGN_UP).await?;
    if SignUp::read(word.as_deref()) != SignUp::Open {
        return Err(shut());
    }
    free(tx, &new.name, caller.micros()).await?;
    let Some(hash) = &asking.hash else {
        let task = Task::SignUp {
            mail: new.mail.clone(),
            name: new.name.clone(),
            full_name: new.full_name.clone(),
        };
        post(tx, &task, caller.micros()).await?;
        return Ok(SignedUp::Asked);
    };
    let id = user(tx, caller, new, Some(hash)).await?;
    note(
        tx,
        caller,
        &new.name,
        &json!({ "created": "user", "id": id.0, "signed_up": true }),
    )
    .await?;
    Ok(SignedUp::Made(id))
}

async fn note(
    tx: &mut Tx<'_>,
    caller: &Caller,
    object: &str,
    detail: &serde_json::Value,
) -> Result<()> {
    let (none, object) = (NamespaceId(0), object.to_owned());
    let row = entry(caller, JOIN, object, none, "done", detail.to_string());
    audit_put(tx, &row).await.map(drop)
}

async fn join(tx: &mut Tx<'_>, coming: &Coming) -> Result<PrincipalId> {
    let (caller, now) = (&coming.caller, coming.caller.micros());
    let found = good(tx, &coming.token, now).await?;
    still_allowed(tx, &found, now).await?;
    if !found.mail.is_empty() && !principal_mailed(tx, &found.mail, 1).await?.is_empty() {
        return Err(conflict(
            "there is an account with this mail address already; log in with it",
        ));
    }
    let new = NewAccount {
        mail: found.mail.clone(),
        ..coming.new.clone()
    };
    let id = user(tx, caller, &new, Some(&coming.hash)).await?;
    used(tx, &found).await?;
    enter(tx, &found, id, now).await?;
    let detail = json!({
        "created": "user",
        "id": id.0,
        "signed_up": found.own,
        "invitation": found.id,
        "invited_by": found.by.0,
        "into": found.place.0,
        "team": found.team.0,
    });
    note(tx, caller, &new.name, &detail).await?;
    Ok(id)
}

async fn accept(tx: &mut Tx<'_>, token: &[u8; 32], caller: &Caller) -> Result<()> {
    let now = caller.micros();
    let found = good(tx, token, now).await?;
    still_meant_for(tx, &found, caller).await?;
    still_meant(tx, &found, now).await?;
    let id = caller.who.id();
    used(tx, &found).await?;
    enter(tx, &found, id, now).await?;
    let detail = json!({
        "joined": found.place.0,
        "team": found.team.0,
        "id": id.0,
        "invitation": found.id,
        "invited_by": found.by.0,
    });
    note(tx, caller, &caller.name, &detail).await
}
