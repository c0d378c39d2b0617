//! People and organisations.

use longshore_auth::rights::role::OWNER_ID;
use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, Subject, binding_forget, binding_put};
use longshore_meta::members::{member_dissolve, member_leave, member_put};
use longshore_meta::namespaces::{
    Namespace, NamespaceId, NewNamespace, Visibility, namespace_delete, namespace_owned,
    namespace_put,
};
use longshore_meta::principals::{
    Kind, NewPrincipal, Principal, PrincipalId, State, principal_describe, principal_named,
    principal_put, principal_state,
};
use longshore_meta::rests::Rest;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{check, conflict, free, lay, missing};
use crate::namespaces::is_empty;
use crate::permit::Permit;

const USERS: u8 = Action::UserManage as u8;
const ORGANISATIONS: u8 = Action::OrganisationCreate as u8;

/// Somebody who is to be.
#[derive(Debug, Clone, Default)]
pub struct NewAccount {
    /// The name.
    pub name: String,
    /// A person's full name.
    pub full_name: String,
    /// A person's mail address.
    pub mail: String,
    /// What it is for.
    pub description: String,
}

impl Hub {
    /// Makes a user with a namespace of its name, which it owns.
    ///
    /// # Errors
    /// `Denied`, `NameInvalid`, `ConditionFailed` when the name cannot be had, or `Unavailable`.
    pub async fn user_create(&self, caller: &Caller, new: NewAccount) -> Result<PrincipalId> {
        self.act(caller, Object::System, new, |tx, permit, new| {
            Box::pin(user_create(tx, permit, new))
        })
        .await
    }

    /// Makes an organisation with a namespace of its name, which whoever asks owns.
    ///
    /// # Errors
    /// `Denied`, `NameInvalid`, `ConditionFailed` when the name cannot be had, or `Unavailable`.
    pub async fn organisation_create(
        &self,
        caller: &Caller,
        new: NewAccount,
    ) -> Result<PrincipalId> {
        self.act(caller, Object::System, new, |tx, permit, new| {
            Box::pin(organisation_create(tx, permit, new))
        })
        .await
    }

    /// Disables a user or organisation, or enables it again. What was issued to it is void.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn account_state(&self, caller: &Caller, name: &str, enabled: bool) -> Result<()> {
        let args = (name.to_owned(), enabled);
        self.act(
            caller,
            Object::System,
            args,
            |tx, permit, (name, enabled)| Box::pin(account_state(tx, permit, name, *enabled)),
        )
        .await
    }

    /// Deletes a user or organisation whose namespaces are empty. Its name rests.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when something is left of it, or `Unavailable`.
    pub async fn account_delete(&self, caller: &Caller, name: &str) -> Result<()> {
        self.act(
            caller,
            Object::System,
            name.to_owned(),
            |tx, permit, name| Box::pin(account_delete(tx, permit, name)),
        )
        .await
    }

    /// Changes the full name, mail address and description of a user or organisation.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn account_describe(&self, caller: &Caller, account: NewAccount) -> Result<()> {
        self.act(caller, Object::System, account, |tx, permit, account| {
            Box::pin(account_describe(tx, permit, account))
        })
        .await
    }
}

fn told<T>(value: T, object: &str, detail: serde_json::Value) -> Done<T> {
    Done {
        value,
        object: object.to_owned(),
        namespace: NamespaceId(0),
        detail,
    }
}

/// Makes somebody with a namespace of its name, owned by `owner` or by itself.
async fn account(
    tx: &mut Tx<'_>,
    caller: &Caller,
    kind: Kind,
    new: &NewAccount,
    owner: Option<PrincipalId>,
) -> Result<PrincipalId> {
    let now = caller.micros();
    check(&new.name)?;
    free(tx, &new.name, now).await?;
    if !is_empty(tx, &new.name).await? {
        return Err(conflict(format!(
            "there are repositories below `{}` that belong to nobody; move or delete them first",
            new.name
        )));
    }
    let row = NewPrincipal {
        kind,
        owner: PrincipalId(0),
        name: &new.name,
        full_name: &new.full_name,
        mail: &new.mail,
        description: &new.description,
        state: State::Active,
        expires: None,
        by: caller.who.id(),
        now,
    };
    let id = principal_put(tx, &row).await?;
    let home = NewNamespace {
        parent: NamespaceId(0),
        path: &new.name,
        owner: id,
        visibility: Visibility::Private,
        description: "",
        now,
    };
    let home = namespace_put(tx, &home).await?;
    let owner = owner.unwrap_or(id);
    if owner != PrincipalId(0) {
        binding_put(tx, &owner_of(owner, home, caller)).await?;
    }
    Ok(id)
}

fn owner_of(owner: PrincipalId, home: NamespaceId, caller: &Caller) -> Binding {
    let by = (caller.who.id(), caller.micros());
    Binding::plain(owner, OWNER_ID, home, by)
}

/// Makes a user.
///
/// # Errors
/// See [`Hub::user_create`].
pub async fn user_create(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    new: &NewAccount,
) -> Result<Done<PrincipalId>> {
    let id = account(tx, permit.caller(), Kind::User, new, None).await?;
    Ok(told(
        id,
        &new.name,
        json!({ "created": "user", "id": id.0 }),
    ))
}

/// Makes an organisation.
///
/// # Errors
/// See [`Hub::organisation_create`].
pub async fn organisation_create(
    tx: &mut Tx<'_>,
    permit: &Permit<ORGANISATIONS>,
    new: &NewAccount,
) -> Result<Done<PrincipalId>> {
    let caller = permit.caller();
    let id = account(tx, caller, Kind::Organisation, new, Some(caller.who.id())).await?;
    if let Some(owner) = caller.who.principal {
        member_put(tx, id, owner, "", caller.micros()).await?;
    }
    Ok(told(
        id,
        &new.name,
        json!({ "created": "organisation", "id": id.0 }),
    ))
}

pub(crate) async fn named(tx: &mut Tx<'_>, name: &str) -> Result<Principal> {
    let found = principal_named(tx, PrincipalId(0), name).await?;
    found.ok_or_else(|| missing("account"))
}

/// Switches an account off or on.
///
/// # Errors
/// See [`Hub::account_state`].
pub async fn account_state(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    name: &str,
    enabled: bool,
) -> Result<Done<()>> {
    let account = named(tx, name).await?;
    let state = if enabled {
        State::Active
    } else {
        State::Disabled
    };
    principal_state(tx, account.id, state, permit.micros()).await?;
    Ok(told(
        (),
        name,
        json!({ "state": state.word(), "id": account.id.0 }),
    ))
}

/// Changes what is said of an account.
///
/// # Errors
/// See [`Hub::account_describe`].
pub async fn account_describe(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    to: &NewAccount,
) -> Result<Done<()>> {
    let account = named(tx, &to.name).await?;
    principal_describe(
        tx,
        account.id,
        &to.full_name,
        &to.mail,
        &to.description,
        permit.micros(),
    )
    .await?;
    Ok(told((), &to.name, json!({ "described": account.id.0 })))
}

/// Deletes an account.
///
/// # Errors
/// See [`Hub::account_delete`].
pub async fn account_delete(
    tx: &mut Tx<'_>,
    permit: &Permit<USERS>,
    name: &str,
) -> Result<Done<()>> {
    let account = named(tx, name).await?;
    let now = permit.micros();
    for namespace in namespace_owned(tx, account.id, "", 1000).await? {
        if !is_empty(tx, &namespace.path).await? {
            return Err(conflict(format!(
                "there are repositories in `{}`; move or delete them first",
                namespace.path
            )));
        }
        forget(tx, &namespace).await?;
        lay(tx, &namespace.path, Rest::Nobody, now).await?;
    }
    binding_forget(tx, Subject::from(account.id)).await?;
    member_leave(tx, account.id).await?;
    member_dissolve(tx, account.id).await?;
    principal_state(tx, account.id, State::Deleted, now).await?;
    lay(tx, name, Rest::Nobody, now).await?;
    Ok(told((), name, json!({ "deleted": account.id.0 })))
}

async fn forget(tx: &mut Tx<'_>, namespace: &Namespace) -> Result<()> {
    longshore_meta::bindings::binding_clear(tx, namespace.id).await?;
    namespace_delete(tx, namespace.id).await
}
