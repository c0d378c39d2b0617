//! A change of one's mail address: the new one confirms it, the old one is told.

use longshore_auth::rights::{Via, Who};
use longshore_core::Result;
use longshore_meta::audit::audit_put;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{
    Kind as Sort, PrincipalId, State, principal_describe, principal_get,
};
use longshore_meta::secrets::{Kind, secret_delete_of, secret_find};
use longshore_meta::{Durability, Tx};
use serde_json::json;

use crate::caller::Caller;
use crate::desk::no_token;
use crate::hub::{Done, Hub, entry};
use crate::mail::{Address, Task, What, no_post, post};
use crate::own::{OWN, OwnPermit};

impl Hub {
    /// Asks for another mail address for one's own account. It counts when a letter to it was answered.
    ///
    /// # Errors
    /// `ConditionFailed` where no mail is sent, `QueryInvalid`, `Denied`, `TooManyRequests`, or `Unavailable`.
    pub async fn mail_change(&self, caller: &Caller, to: &str) -> Result<()> {
        self.desk.take(caller.who.from, caller.now)?;
        if self.desk.post.is_none() {
            return Err(no_post());
        }
        let to = Address::parse(to)?;
        self.act_on(caller, &caller.name, to.to_string(), |tx, permit, to| {
            Box::pin(change(tx, permit, to))
        })
        .await?;
        self.desk.wake();
        Ok(())
    }

    /// Gives an account the address that a letter was sent to, by the letter's token.
    ///
    /// # Errors
    /// `Unauthorized` when the token is not good, `TooManyRequests`, or `Unavailable`.
    pub async fn mail_confirm(&self, caller: &Caller, token: &str) -> Result<()> {
        self.desk.take(caller.who.from, caller.now)?;
        let token = self.letter_token(token)?;
        self.db
            .write(Durability::Power, (token, caller.clone()), |tx, args| {
                Box::pin(confirm(tx, &args.0, &args.1))
            })
            .await?;
        self.desk.wake();
        Ok(())
    }
}

async fn change(tx: &mut Tx<'_>, permit: &OwnPermit, to: &str) -> Result<Done<()>> {
    let (account, now) = (permit.account(), permit.caller().micros());
    let task = Task::Confirm {
        principal: account.id.0,
        mail: to.to_owned(),
    };
    post(tx, &task, now).await?;
    Ok(Done {
        value: (),
        object: account.name.clone(),
        namespace: NamespaceId(0),
        detail: json!({ "mail_asked": to, "id": account.id.0 }),
    })
}

async fn confirm(tx: &mut Tx<'_>, token: &[u8; 32], caller: &Caller) -> Result<()> {
    let now = caller.micros();
    let found = secret_find(tx, token).await?;
    let found = found.filter(|it| {
        it.kind == Kind::Confirmation.number() && it.expires.is_some_and(|end| now < end)
    });
    let secret = found.ok_or_else(no_token)?;
    let scope: serde_json::Value = secret
        .scope
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let to = scope.get("mail").and_then(|it| it.as_str());
    let to = Address::parse(to.unwrap_or_default()).map_err(|_| no_token())?;
    let account = principal_get(tx, PrincipalId(secret.principal)).await?;
    let account = account.filter(|it| it.kind == Sort::User && it.state == State::Active);
    let account = account.ok_or_else(no_token)?;
    let said = (&account.full_name, to.as_str(), &account.description);
    principal_describe(tx, account.id, said.0, said.1, said.2, now).await?;
    // Letters to the old address are good for nothing any more.
    for kind in [Kind::Confirmation, Kind::Reset] {
        secret_delete_of(tx, account.id.0, kind).await?;
    }
    let by = Caller {
        who: Who {
            via: Via::Program,
            ..Who::stranger(caller.who.from)
        },
        name: account.name.clone(),
        ..caller.clone()
    };
    let detail = json!({ "mail": to.as_str(), "before": account.mail, "id": account.id.0 });
    let (name, none) = (account.name.clone(), NamespaceId(0));
    let row = entry(&by, OWN, name, none, "done", detail.to_string());
    audit_put(tx, &row).await?;
    if !account.mail.is_empty() && account.mail != to.as_str() {
        let task = Task::Tell {
            mail: account.mail,
            name: account.name,
            what: What::Moved(Address::hint(to.as_str())),
        };
        post(tx, &task, now).await?;
    }
    Ok(())
}
