//! How accounts are known to directories and providers.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::identities::{
    Identity, identity_delete, identity_find, identity_of, identity_put,
};
use longshore_meta::logins::password_delete;
use longshore_meta::principals::{Kind, principal_bump};
use serde_json::json;

use crate::accounts::{named, told};
use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{conflict, missing};
use crate::permit::Permit;
use crate::rank::outranks;

const USERS: u8 = Action::UserManage as u8;
/// The most identities of one account.
const MOST: usize = 100;

/// The source under which somebody is expected by name. No source is called so.
pub(crate) fn expected(source: &str) -> String {
    format!("name@{source}")
}

/// A way in which an account is known, or expected to be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// The source.
    pub source: String,
    /// Who it is there; none: whoever comes first by `name`.
    pub subject: Option<String>,
    /// By which name it logs in there.
    pub name: String,
}

impl Hub {
    /// Says that whoever first comes from `source` by the name `login` is the account `name`. Where the source is a directory,
    /// the account's password here is taken away: its passwords are the directory's from now on.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when somebody else is expected so, or `Unavailable`.
    pub async fn identity_expect(
        &self,
        caller: &Caller,
        name: &str,
        source: &str,
        login: &str,
    ) -> Result<()> {
        let args = (name.to_owned(), source.to_owned(), login.to_owned());
        self.act(caller, Object::System, args, |tx, permit, args| {
            Box::pin(expect(tx, permit, args))
        })
        .await
    }

    /// Says that the account `name` is nobody of `source` any more. What was issued to it is void.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn identity_forget(&self, caller: &Caller, name: &str, source: &str) -> Result<()> {
        let args = (name.to_owned(), source.to_owned());
        self.act(caller, Object::System, args, |tx, permit, args| {
            Box::pin(forget(tx, permit, args))
        })
        .await
    }

    /// How the account `name` is known elsewhere.
    ///
    /// # Errors
    /// `NameUnknown` or `Unavailable`. Whoever calls has asked whether it may be told.
    pub async fn identities(&self, name: &str) -> Result<Vec<Link>> {
        let read = self.db.read(&name, |tx, name| {
            Box::pin(async move {
                let account = named(tx, name).await?;
                identity_of(tx, account.id, MOST).await
            })
        });
        Ok(read.await?.into_iter().map(link).collect())
    }
}

fn link(identity: Identity) -> Link {
    match identity.source.strip_prefix("name@") {
        Some(source) => Link {
            source: source.to_owned(),
            subject: None,
            name: identity.subject,
        },
        None => Link {
            source: identity.source,
            subject: Some(identity.subject),
            name: identity.name,
        },
    }
}

async fn expect(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    (name, source, login): &(String, String, String),
) -> Result<Done<()>> {
    let account = named(tx, name).await?;
    if account.kind != Kind::User {
        return Err(missing("user"));
    }
    // Whoever comes by that name is this account.
    outranks(tx, permit.caller(), account.id).await?;
    if identity_of(tx, account.id, MOST).await?.len() >= MOST {
        return Err(conflict(format!("`{name}` has {MOST} identities already")));
    }
    let at = expected(source);
    let put = identity_put(tx, (&at, login), account.id, login, permit.micros()).await?;
    let other = identity_find(tx, &at, login).await?;
    if !put && other.is_some_and(|(id, _, _)| id != account.id) {
        return Err(conflict(format!(
            "somebody else is expected as `{login}` of `{source}`"
        )));
    }
    if source.starts_with("ldap:") && password_delete(tx, account.id.0).await? {
        principal_bump(tx, account.id).await?;
    }
    let detail = json!({ "expected": login, "source": source, "id": account.id.0 });
    Ok(told((), name, detail))
}

async fn forget(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    (name, source): &(String, String),
) -> Result<Done<()>> {
    let account = named(tx, name).await?;
    outranks(tx, permit.caller(), account.id).await?;
    let at = expected(source);
    let mut forgotten = 0;
    for identity in identity_of(tx, account.id, MOST).await? {
        if identity.source == *source || identity.source == at {
            let key = (identity.source.as_str(), identity.subject.as_str());
            identity_delete(tx, key, account.id).await?;
            forgotten += 1;
        }
    }
    if forgotten == 0 {
        return Err(missing("identity"));
    }
    principal_bump(tx, account.id).await?;
    let detail = json!({ "forgotten": source, "id": account.id.0 });
    Ok(told((), name, detail))
}
