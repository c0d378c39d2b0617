//! What people say of themselves, and how they leave.
//!
//! Who leaves is switched off, and not deleted: what they have made stays, their name is nobody else's, and whoever manages users lets
//! them in again.

use longshore_auth::rights::role::{ADMINISTRATOR_ID, OWNER_ID};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{binding_of, binding_owners, binding_person};
use longshore_meta::namespaces::{NamespaceId, namespace_get};
use longshore_meta::principals::{State, principal_describe, principal_state};
use longshore_meta::secrets::{Kind as Secret, secret_delete_of};
use serde_json::json;
use zeroize::Zeroizing;

use crate::accounts::told;
use crate::bindings::owner;
use crate::caller::Caller;
use crate::comings::full_name;
use crate::hub::{Done, Hub};
use crate::names::conflict;
use crate::own::OwnPermit;

/// What is void when somebody leaves, also if they come back.
const VOID: [Secret; 5] = [
    Secret::Personal,
    Secret::Refresh,
    Secret::Session,
    Secret::Reset,
    Secret::Confirmation,
];

/// The most rights of somebody that are looked at when they leave.
const RIGHTS: usize = 10_000;

impl Hub {
    /// Changes one's own full name.
    ///
    /// # Errors
    /// `Denied` to a token and to who is no person, `QueryInvalid`, or `Unavailable`.
    pub async fn own_name_set(&self, caller: &Caller, name: &str) -> Result<()> {
        self.ask_on(caller, &caller.name).await?;
        full_name(name)?;
        let args = name.to_owned();
        self.act_on(caller, &caller.name, args, |tx, permit, name| {
            Box::pin(own_name_set(tx, permit, name))
        })
        .await
    }

    /// Switches off one's own account, which takes the password. Sessions and tokens end, and are void also when somebody switches it on
    /// again. The last administrator stays.
    ///
    /// # Errors
    /// `Unauthorized` when the password is wrong, `TooManyRequests` when too many were tried, `Denied` to a token and to who is no
    /// person, `ConditionFailed` for the last administrator and the last owner of something, or `Unavailable`.
    pub async fn leave(&self, caller: &Caller, password: Zeroizing<Vec<u8>>) -> Result<()> {
        self.ask_on(caller, &caller.name).await?;
        self.password_shown(caller, password).await?;
        self.act_on(caller, &caller.name, (), |tx, permit, ()| {
            Box::pin(leave(tx, permit))
        })
        .await
    }
}

/// Nobody does this to others by this way.
fn own(permit: &OwnPermit) -> Result<()> {
    if permit.is_own() {
        return Ok(());
    }
    Err(Error::new(
        Code::Denied,
        "that is for people about themselves",
    ))
}

/// Changes one's own full name.
///
/// # Errors
/// See [`Hub::own_name_set`].
pub async fn own_name_set(tx: &mut Tx<'_>, permit: &OwnPermit, name: &str) -> Result<Done<()>> {
    own(permit)?;
    let (account, now) = (permit.account(), permit.caller().micros());
    principal_describe(
        tx,
        account.id,
        name,
        &account.mail,
        &account.description,
        now,
    )
    .await?;
    let detail = json!({ "changed": ["full_name"], "id": account.id.0 });
    Ok(told((), &account.name, detail))
}

/// Switches off one's own account.
///
/// # Errors
/// See [`Hub::leave`].
pub async fn leave(tx: &mut Tx<'_>, permit: &OwnPermit) -> Result<Done<()>> {
    own(permit)?;
    let (account, now) = (permit.account(), permit.caller().micros());
    let everywhere = (NamespaceId::EVERYWHERE, ADMINISTRATOR_ID);
    let had = binding_person(tx, everywhere).await?;
    principal_state(tx, account.id, State::Disabled, now).await?;
    if had && !binding_person(tx, everywhere).await? {
        return Err(conflict(
            "you are the last administrator; make somebody else one first",
        ));
    }
    for right in binding_of(tx, account.id.into(), RIGHTS).await? {
        let at = right.namespace;
        let owns = right.role == OWNER_ID && !right.deny && at != NamespaceId::EVERYWHERE;
        if !owns || owner(tx, at).await? == account.id {
            continue;
        }
        if binding_owners(tx, at, OWNER_ID).await?.is_empty() {
            let path = namespace_get(tx, at).await?.map(|it| it.path);
            let path = path.unwrap_or_default();
            return Err(conflict(format!(
                "you are the last who owns `{path}`; give it to somebody else first"
            )));
        }
    }
    for kind in VOID {
        secret_delete_of(tx, account.id.0, kind).await?;
    }
    let detail = json!({ "left": account.id.0 });
    Ok(told((), &account.name, detail))
}
