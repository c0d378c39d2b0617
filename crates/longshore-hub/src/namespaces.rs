//! Namespaces: made, changed, renamed, removed.

use longshore_auth::rights::{Action, Object};
use longshore_core::{Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::binding_clear;
use longshore_meta::namespaces::{
    Namespace, NamespaceId, NewNamespace, Visibility, namespace_at, namespace_below,
    namespace_chain, namespace_change, namespace_delete, namespace_get, namespace_put,
};
use longshore_meta::principals::PrincipalId;
use longshore_meta::repos::repo_all;
use longshore_meta::rests::{Rest, rest_until};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{check, conflict, free_for, lay, missing, rests};
use crate::permit::Permit;
use crate::repositories::narrows;

const CREATE: u8 = Action::NamespaceCreate as u8;
const GROUP: u8 = Action::NamespaceCreateGroup as u8;
const SETTINGS: u8 = Action::NamespaceSettings as u8;
const UPDATE: u8 = Action::NamespaceUpdate as u8;
const REMOVE: u8 = Action::NamespaceRemove as u8;

impl Hub {
    /// Makes a namespace at the top that belongs to the system.
    ///
    /// # Errors
    /// `Denied`, `NameInvalid`, `ConditionFailed` when the name cannot be had, or `Unavailable`.
    pub async fn namespace_create(&self, caller: &Caller, name: &str) -> Result<NamespaceId> {
        self.act(
            caller,
            Object::System,
            name.to_owned(),
            |tx, permit, name| Box::pin(namespace_create(tx, permit, name)),
        )
        .await
    }

    /// Makes a group in a namespace. It is as visible as that.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `ConditionFailed` when there is one of that name, or `Unavailable`.
    pub async fn group_create(
        &self,
        caller: &Caller,
        parent: NamespaceId,
        name: &str,
    ) -> Result<NamespaceId> {
        let object = Object::Namespace(parent);
        self.act(caller, object, name.to_owned(), |tx, permit, name| {
            Box::pin(group_create(tx, permit, name))
        })
        .await
    }

    /// Says who may see what is in a namespace, and whether it is read-only; `None` leaves it.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` where what it lies in is hidden from more people than that, or `Unavailable`.
    pub async fn namespace_settings(
        &self,
        caller: &Caller,
        id: NamespaceId,
        visibility: Option<Visibility>,
        read_only: Option<bool>,
    ) -> Result<()> {
        let args = (visibility, read_only);
        self.act(caller, Object::Namespace(id), args, |tx, permit, args| {
            Box::pin(namespace_settings(tx, permit, *args))
        })
        .await
    }

    /// Says what a namespace is for.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn namespace_describe(
        &self,
        caller: &Caller,
        id: NamespaceId,
        description: &str,
    ) -> Result<()> {
        let object = Object::Namespace(id);
        self.act(
            caller,
            object,
            description.to_owned(),
            |tx, permit, text| Box::pin(namespace_describe(tx, permit, text)),
        )
        .await
    }

    /// Removes a namespace that nothing lies in and that is nobody's home.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when something lies in it, or `Unavailable`.
    pub async fn namespace_remove(&self, caller: &Caller, id: NamespaceId) -> Result<()> {
        self.act(caller, Object::Namespace(id), (), |tx, permit, ()| {
            Box::pin(namespace_remove(tx, permit))
        })
        .await
    }
}

/// Whether no repository lies below `path`.
pub(crate) async fn is_empty(tx: &mut Tx<'_>, path: &str) -> Result<bool> {
    Ok(repo_all(tx, path, 1).await?.is_empty())
}

async fn of<const ACTION: u8>(tx: &mut Tx<'_>, permit: &Permit<ACTION>) -> Result<Namespace> {
    let Object::Namespace(id) = permit.object() else {
        return Err(missing("namespace"));
    };
    let found = namespace_get(tx, *id).await?;
    found.ok_or_else(|| missing("namespace"))
}

fn told<T>(value: T, namespace: &Namespace, detail: serde_json::Value) -> Done<T> {
    Done {
        value,
        object: namespace.path.clone(),
        namespace: namespace.id,
        detail,
    }
}

/// Makes a namespace of the system.
///
/// # Errors
/// See [`Hub::namespace_create`].
pub async fn namespace_create(
    tx: &mut Tx<'_>,
    permit: &Permit<CREATE>,
    name: &str,
) -> Result<Done<NamespaceId>> {
    check(name)?;
    free_for(tx, permit.caller(), name).await?;
    let new = NewNamespace {
        parent: NamespaceId(0),
        path: name,
        owner: PrincipalId(0),
        visibility: Visibility::Private,
        description: "",
        now: permit.micros(),
    };
    let id = namespace_put(tx, &new).await?;
    Ok(Done {
        value: id,
        object: name.to_owned(),
        namespace: id,
        detail: json!({ "created": "namespace" }),
    })
}

/// Makes a group.
///
/// # Errors
/// See [`Hub::group_create`].
pub async fn group_create(
    tx: &mut Tx<'_>,
    permit: &Permit<GROUP>,
    name: &str,
) -> Result<Done<NamespaceId>> {
    let parent = of(tx, permit).await?;
    let path = inside(&parent.path, name)?;
    unused(tx, &path, permit.micros()).await?;
    let new = NewNamespace {
        parent: parent.id,
        path: &path,
        owner: parent.owner,
        visibility: parent.visibility,
        description: "",
        now: permit.micros(),
    };
    let id = namespace_put(tx, &new).await?;
    Ok(Done {
        value: id,
        object: path,
        namespace: id,
        detail: json!({ "created": "group" }),
    })
}

/// The path of a group called `name`.
pub(crate) fn inside(parent: &str, name: &str) -> Result<String> {
    let path = format!("{parent}/{name}");
    // A repository must have room below it.
    if name.contains('/') || RepoName::check(&format!("{path}/a")).is_err() {
        return Err(Error::new(
            longshore_core::Code::NameInvalid,
            format!("`{name}` is no name of a group: it is one component of a repository's name"),
        ));
    }
    Ok(path)
}

pub(crate) async fn unused(tx: &mut Tx<'_>, path: &str, now: i64) -> Result<()> {
    let taken = namespace_at(tx, path).await?.is_some();
    if taken {
        return Err(conflict(format!(
            "the path `{path}` cannot be had; choose another"
        )));
    }
    match rest_until(tx, path, now).await? {
        Some(until) => Err(rests(path, until)),
        None => Ok(()),
    }
}

/// Changes who may see a namespace and its read-only mode.
///
/// # Errors
/// See [`Hub::namespace_settings`].
pub async fn namespace_settings(
    tx: &mut Tx<'_>,
    permit: &Permit<SETTINGS>,
    (visibility, read_only): (Option<Visibility>, Option<bool>),
) -> Result<Done<()>> {
    let mut namespace = of(tx, permit).await?;
    let before = (namespace.visibility, namespace.read_only);
    if let Some(word) = visibility.filter(|word| *word != namespace.visibility)
        && let Some((parent, _)) = namespace.path.rsplit_once('/')
    {
        let around = namespace_chain(tx, parent).await?;
        narrows(&namespace.path, word, &around)?;
    }
    namespace.visibility = visibility.unwrap_or(namespace.visibility);
    namespace.read_only = read_only.unwrap_or(namespace.read_only);
    namespace_change(tx, &namespace, permit.micros()).await?;
    let detail = json!({
        "visibility": [before.0.word(), namespace.visibility.word()],
        "read_only": [before.1, namespace.read_only],
    });
    Ok(told((), &namespace, detail))
}

/// Changes what a namespace says of itself.
///
/// # Errors
/// See [`Hub::namespace_describe`].
pub async fn namespace_describe(
    tx: &mut Tx<'_>,
    permit: &Permit<UPDATE>,
    text: &str,
) -> Result<Done<()>> {
    let mut namespace = of(tx, permit).await?;
    text.clone_into(&mut namespace.description);
    namespace_change(tx, &namespace, permit.micros()).await?;
    Ok(told((), &namespace, json!({ "described": true })))
}

/// Removes a namespace.
///
/// # Errors
/// See [`Hub::namespace_remove`].
pub async fn namespace_remove(tx: &mut Tx<'_>, permit: &Permit<REMOVE>) -> Result<Done<()>> {
    let namespace = of(tx, permit).await?;
    if namespace.parent == NamespaceId(0) && namespace.owner != PrincipalId(0) {
        return Err(conflict("it is somebody's home, and goes when they do"));
    }
    let groups = namespace_below(tx, &namespace.path, 1).await?;
    if !groups.is_empty() || !is_empty(tx, &namespace.path).await? {
        return Err(conflict(format!("something lies in `{}`", namespace.path)));
    }
    binding_clear(tx, namespace.id).await?;
    namespace_delete(tx, namespace.id).await?;
    lay(tx, &namespace.path, Rest::Nobody, permit.micros()).await?;
    Ok(told((), &namespace, json!({ "removed": true })))
}
