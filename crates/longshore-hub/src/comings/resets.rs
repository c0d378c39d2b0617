//! Forgotten passwords.

use longshore_auth::index::keep;
use longshore_auth::rights::{Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::audit_put;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{Kind as Sort, Principal, PrincipalId, State, principal_get};
use longshore_meta::secrets::{Kind, secret_find};
use longshore_meta::{Durability, Tx};
use serde_json::json;

use crate::caller::Caller;
use crate::desk::no_token;
use crate::hub::{Hub, entry};
use crate::mail::{Task, What, no_post, post};
use crate::passwords::NewPassword;

/// The longest that is taken for a name or an address, in bytes.
const LONGEST: usize = 320;
/// What the audit log calls it.
const RESET: &str = "account:reset";

struct Resetting {
    token: [u8; 32],
    caller: Caller,
    hash: String,
    tell: bool,
}

impl Hub {
    /// Somebody has forgotten the password of the account that is meant by `account`: a name, or a mail address. A letter goes to the
    /// account's address where there is such an account; the answer is the same, and takes the same way, where there is none.
    ///
    /// # Errors
    /// `ConditionFailed` where no mail is sent, `QueryInvalid`, `TooManyRequests`, or `Unavailable`.
    pub async fn reset_ask(&self, caller: &Caller, account: &str) -> Result<()> {
        self.desk.take(caller.who.from, caller.now)?;
        if self.desk.post.is_none() {
            return Err(no_post());
        }
        if account.is_empty() || account.len() > LONGEST || account.chars().any(char::is_control) {
            let what = "say the name of the account, or its mail address";
            return Err(Error::new(Code::QueryInvalid, what));
        }
        let task = Task::Reset {
            account: account.to_owned(),
            from: caller.who.from.to_string(),
        };
        self.db
            .write(Durability::Process, (task, caller.micros()), |tx, args| {
                Box::pin(post(tx, &args.0, args.1))
            })
            .await?;
        self.desk.wake();
        Ok(())
    }

    /// Sets a password by the token of a letter. What was issued for the old one ends: sessions, refresh tokens, tokens; personal
    /// tokens and a second factor stay. All letters that were sent for that account are void then.
    ///
    /// # Errors
    /// `Unauthorized` when the token is not good, `QueryInvalid` when the password is not accepted, `TooManyRequests`, or
    /// `Unavailable`.
    pub async fn reset(&self, caller: &Caller, token: &str, new: NewPassword) -> Result<()> {
        self.desk.take(caller.who.from, caller.now)?;
        let token = self.letter_token(token)?;
        let args = (token, caller.micros());
        let account = self
            .db
            .read(&args, |tx, (token, now)| Box::pin(whose(tx, token, *now)))
            .await?;
        let hash = self.hashed(&account.name, new).await?;
        let resetting = Resetting {
            token,
            caller: Caller {
                who: Who {
                    via: Via::Program,
                    ..Who::stranger(caller.who.from)
                },
                name: account.name,
                ..caller.clone()
            },
            hash,
            tell: self.desk.post.is_some(),
        };
        self.db
            .write(Durability::Power, resetting, |tx, resetting| {
                Box::pin(reset(tx, resetting))
            })
            .await?;
        self.index.forget_all();
        self.desk.wake();
        Ok(())
    }
}

/// The account that a token sets the password of.
async fn whose(tx: &mut Tx<'_>, token: &[u8; 32], now: i64) -> Result<Principal> {
    let found = secret_find(tx, token).await?;
    let found = found
        .filter(|it| it.kind == Kind::Reset.number() && it.expires.is_some_and(|end| now < end));
    let secret = found.ok_or_else(no_token)?;
    let account = principal_get(tx, PrincipalId(secret.principal)).await?;
    let account = account.filter(|it| it.kind == Sort::User && it.state == State::Active);
    account.ok_or_else(no_token)
}

async fn reset(tx: &mut Tx<'_>, of: &Resetting) -> Result<()> {
    let now = of.caller.micros();
    let account = whose(tx, &of.token, now).await?;
    // With the other letters that are on their way.
    keep::password_set(tx, account.id.0, &of.hash, now).await?;
    let detail = json!({ "password": "set", "id": account.id.0 }).to_string();
    let (name, none) = (account.name.clone(), NamespaceId(0));
    let row = entry(&of.caller, RESET, name, none, "done", detail);
    audit_put(tx, &row).await?;
    if of.tell && !account.mail.is_empty() {
        let task = Task::Tell {
            mail: account.mail,
            name: account.name,
            what: What::Password,
        };
        post(tx, &task, now).await?;
    }
    Ok(())
}
