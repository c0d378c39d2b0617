//! People and organisations.

use longshore_auth::rights::role::{ADMINISTRATOR_ID, OWNER_ID};
use longshore_auth::rights::{Action, ActionSet, Object};
use longshore_core::{Code, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, binding_put, binding_with};
use longshore_meta::logins::password_put;
use longshore_meta::members::member_put;
use longshore_meta::namespaces::{
    NamespaceId, NewNamespace, Visibility, namespace_at, namespace_below, namespace_own,
    namespace_put,
};
use longshore_meta::principals::{
    Kind, NewPrincipal, Principal, PrincipalId, State, principal_named, principal_put,
};
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::mail::Address;
use crate::names::{check, conflict, free_for, missing};
use crate::namespaces::is_empty;
use crate::passwords::NewPassword;
use crate::permit::Permit;
use crate::rank::has_all;

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
    /// A person's password; `None`: the person logs in by other means.
    pub password: Option<NewPassword>,
    /// Whether a person may do everything here. Nobody gives that who may not do everything.
    pub administrator: bool,
    /// The name of the user who owns an organisation; empty: whoever makes it.
    pub owner: String,
}

/// What is kept of a person's password, made before the transaction.
struct Making {
    new: NewAccount,
    hash: Option<String>,
}

impl Hub {
    /// Makes a user with a namespace of its name, which it owns.
    ///
    /// # Errors
    /// `Denied`, `NameInvalid`, `ConditionFailed` when the name cannot be had, or `Unavailable`.
    pub async fn user_create(&self, caller: &Caller, mut new: NewAccount) -> Result<PrincipalId> {
        self.ask::<USERS>(caller, &Object::System).await?;
        check(&new.name)?;
        new.mail = Address::of(&new.mail)?;
        let hash = match new.password.take() {
            Some(password) => Some(self.hashed(&new.name, password).await?),
            None => None,
        };
        let making = Making { new, hash };
        self.act(caller, Object::System, making, |tx, permit, making| {
            Box::pin(user_create(tx, permit, &making.new, making.hash.as_deref()))
        })
        .await
    }

    /// Whether somebody may do everything here.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn has_administrator(&self) -> Result<bool> {
        let found = self
            .db
            .read(&(), |tx, ()| {
                Box::pin(binding_with(tx, ADMINISTRATOR_ID, 1))
            })
            .await?;
        Ok(!found.is_empty())
    }

    /// Makes an organisation with a namespace of its name, which whoever asks owns. Where the system has a namespace of that name, it
    /// becomes the organisation's with all that lies in it, if whoever asks may do everything there.
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
}

pub(crate) fn told<T>(value: T, object: &str, detail: serde_json::Value) -> Done<T> {
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
    let systems = match kind {
        Kind::Organisation => systems(tx, caller, &new.name).await?,
        _ => None,
    };
    if systems.is_none() {
        free_for(tx, caller, &new.name).await?;
        if !is_empty(tx, &new.name).await? {
            return Err(conflict(format!(
                "there are repositories below `{}` that belong to nobody; move or delete them first",
                new.name
            )));
        }
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
    let home = if let Some(home) = systems {
        namespace_own(tx, home, id).await?;
        for group in namespace_below(tx, &new.name, usize::from(u16::MAX)).await? {
            namespace_own(tx, group.id, id).await?;
        }
        home
    } else {
        let home = NewNamespace {
            parent: NamespaceId(0),
            path: &new.name,
            owner: id,
            visibility: Visibility::Private,
            description: "",
            now,
        };
        namespace_put(tx, &home).await?
    };
    let owner = match kind {
        Kind::User => Some(id),
        _ => owner,
    };
    // An organisation that the operator made for nobody belongs to whom the operator gives it.
    if let Some(owner) = owner {
        binding_put(tx, &owner_of(owner, home, caller)).await?;
    }
    Ok(id)
}

/// The namespace of that name where it is the system's, nobody has the name, and whoever asks may do everything there: an organisation gets
/// it with all that lies in it. Nobody gets one by having an account made for themselves.
async fn systems(tx: &mut Tx<'_>, caller: &Caller, name: &str) -> Result<Option<NamespaceId>> {
    let Some(home) = namespace_at(tx, name).await? else {
        return Ok(None);
    };
    if home.owner != PrincipalId(0) || principal_named(tx, PrincipalId(0), name).await?.is_some() {
        return Ok(None);
    }
    match has_all(tx, caller, &Object::Namespace(home.id), ActionSet::ALL).await {
        Ok(()) => Ok(Some(home.id)),
        Err(error) if error.code() == Code::Denied => Ok(None),
        Err(error) => Err(error),
    }
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
    hash: Option<&str>,
) -> Result<Done<PrincipalId>> {
    let caller = permit.caller();
    let id = if new.administrator {
        has_all(tx, caller, &Object::System, ActionSet::ALL).await?;
        administrator(tx, caller, new, hash).await?
    } else {
        user(tx, caller, new, hash).await?
    };
    let detail = json!({ "created": "user", "id": id.0, "administrator": new.administrator });
    Ok(told(id, &new.name, detail))
}

/// Makes a person. Whether that may be is for whoever calls to say.
pub(crate) async fn user(
    tx: &mut Tx<'_>,
    caller: &Caller,
    new: &NewAccount,
    hash: Option<&str>,
) -> Result<PrincipalId> {
    let id = account(tx, caller, Kind::User, new, None).await?;
    if let Some(hash) = hash {
        password_put(tx, id.0, hash, caller.micros()).await?;
    }
    Ok(id)
}

/// Makes a user who may do everything. Whether that may be is for whoever calls to say.
pub(crate) async fn administrator(
    tx: &mut Tx<'_>,
    caller: &Caller,
    new: &NewAccount,
    hash: Option<&str>,
) -> Result<PrincipalId> {
    let id = user(tx, caller, new, hash).await?;
    let by = (caller.who.id(), caller.micros());
    let everything = Binding::plain(id, ADMINISTRATOR_ID, NamespaceId::EVERYWHERE, by);
    binding_put(tx, &everything).await?;
    Ok(id)
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
    let owner = if new.owner.is_empty() {
        caller.who.principal
    } else {
        let owner = named(tx, &new.owner).await?;
        let owner = Some(owner).filter(|it| it.kind == Kind::User);
        Some(
            owner
                .ok_or_else(|| missing(&format!("user `{}`", new.owner)))?
                .id,
        )
    };
    let id = account(tx, caller, Kind::Organisation, new, owner).await?;
    if let Some(owner) = owner {
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
    let found = found.filter(|it| matches!(it.kind, Kind::User | Kind::Organisation));
    found.ok_or_else(|| missing(&format!("user or organisation `{name}`")))
}
