//! Changes of parts of an account: what a form or a request changes at a time.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::names::name_resolve;
use longshore_meta::namespaces::Visibility;
use longshore_meta::principals::{Kind, State, principal_describe, principal_state};
use longshore_meta::profiles::profile_standing;
use longshore_meta::robots::robots_void;
use longshore_meta::secrets::{Kind as Secret, secret_delete_of};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::accounts::{named, told};
use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::mail::Address;
use crate::names::{conflict, missing};
use crate::permit::Permit;
use crate::rank::outranks;
use crate::repositories::repository_settings;

const USERS: u8 = Action::UserManage as u8;
const SETTINGS: u8 = Action::RepositorySettings as u8;

/// What of an account is to be otherwise; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// A person's full name.
    pub full_name: Option<String>,
    /// A person's mail address.
    pub mail: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it can do anything.
    pub enabled: Option<bool>,
}

impl Hub {
    /// Changes parts of a user or organisation, and gives its id. What was issued to whom is switched off is void.
    ///
    /// # Errors
    /// `Denied` also when it has more rights than whoever asks, `NameUnknown`, `ConditionFailed` for who switches themselves off, or `Unavailable`.
    pub async fn account_edit(
        &self,
        caller: &Caller,
        kind: Kind,
        name: &str,
        edit: Edit,
    ) -> Result<i64> {
        let args = (kind, name.to_owned(), edit);
        self.act(caller, Object::System, args, |tx, permit, args| {
            Box::pin(account_edit(tx, permit, args))
        })
        .await
    }

    /// Says who may see a repository (`Some(None)`: as its namespace says) and whether it is read-only; `None` leaves it.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` where its namespace is hidden from more people than that, or `Unavailable`.
    pub async fn repository_set(
        &self,
        caller: &Caller,
        name: &RepoName,
        visibility: Option<Option<Visibility>>,
        read_only: Option<bool>,
    ) -> Result<()> {
        let args = (visibility, read_only);
        let object = Object::Repository(name.clone());
        self.act(caller, object, args, |tx, permit, args| {
            Box::pin(repository_set(tx, permit, *args))
        })
        .await
    }
}

/// Changes parts of an account.
///
/// # Errors
/// See [`Hub::account_edit`].
pub async fn account_edit(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    (kind, name, edit): &(Kind, String, Edit),
) -> Result<Done<i64>> {
    let account = named(tx, name).await?;
    if account.kind != *kind {
        return Err(missing(kind.word()));
    }
    if edit.enabled == Some(false) && permit.caller().who.principal == Some(account.id) {
        return Err(conflict(
            "nobody switches themselves off; ask another administrator",
        ));
    }
    // Whoever sets somebody's mail address could have their password sent there.
    outranks(tx, permit.caller(), account.id).await?;
    let now = permit.micros();
    let mut changed = Vec::new();
    let mut take = |new: &Option<String>, old: &str, what: &'static str| {
        if new.is_some() {
            changed.push(what);
        }
        new.clone().unwrap_or_else(|| old.to_owned())
    };
    let full_name = take(&edit.full_name, &account.full_name, "full_name");
    let new_mail = edit.mail.as_deref().map(Address::of).transpose()?;
    let mail = take(&new_mail, &account.mail, "mail");
    let description = take(&edit.description, &account.description, "description");
    principal_describe(tx, account.id, &full_name, &mail, &description, now).await?;
    if mail != account.mail {
        // Letters that were sent to the address before are good for nothing any more.
        for kind in [Secret::Confirmation, Secret::Reset] {
            secret_delete_of(tx, account.id.0, kind).await?;
        }
    }
    if let Some(enabled) = edit.enabled {
        let state = if enabled {
            State::Active
        } else {
            State::Disabled
        };
        if state != account.state {
            // Who was logged in by a browser or an engine logs in anew when the account is back.
            for kind in [Secret::Refresh, Secret::Session, Secret::Reset] {
                secret_delete_of(tx, account.id.0, kind).await?;
            }
            principal_state(tx, account.id, state, now).await?;
            // Its robots can do nothing while it cannot.
            robots_void(tx, account.id).await?;
        }
        changed.push(state.word());
    }
    let detail = json!({ "changed": changed, "id": account.id.0 });
    Ok(told(account.id.0, name, detail))
}

/// Changes one of who may see a repository and its read-only mode, or both.
///
/// # Errors
/// See [`Hub::repository_set`].
pub async fn repository_set(
    tx: &mut Tx<'_>,
    permit: &Permit<SETTINGS>,
    (visibility, read_only): (Option<Option<Visibility>>, Option<bool>),
) -> Result<Done<()>> {
    let mut now = (None, false);
    if let Some(name) = permit.object().repo()
        && let Some(id) = name_resolve(tx, name, permit.micros()).await?.repo
    {
        now = profile_standing(tx, id).await?.unwrap_or_default();
    }
    let to = (visibility.unwrap_or(now.0), read_only.unwrap_or(now.1));
    repository_settings(tx, permit, to).await
}
