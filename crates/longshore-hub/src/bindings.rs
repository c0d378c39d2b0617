//! Bindings and roles: who gives which right to whom.

use longshore_auth::rights::condition::{Hours, Network};
use longshore_auth::rights::role::OWNER_ID;
use longshore_auth::rights::{Action, ActionSet, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{
    Binding, Subject, binding_delete, binding_get, binding_list, binding_owners, binding_put,
    binding_with,
};
use longshore_meta::members::member_list;
use longshore_meta::namespaces::{NamespaceId, namespace_chain, namespace_get};
use longshore_meta::principals::{
    Kind, Principal, PrincipalId, State, principal_bump, principal_get,
};
use longshore_meta::repos::repo_name;
use longshore_meta::roles::{Role, role_delete, role_get, role_id, role_named, role_put};
use longshore_spec::pattern::{RepoPatterns, TagPatterns};
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{check, conflict, missing};
use crate::permit::Permit;
use crate::rank::{Terms, has_all, has_all_on};

pub(crate) const MANAGE: u8 = Action::RightsManage as u8;
/// How many members of a team are told at once that something was taken from it; the others' tokens end by themselves.
const MEMBERS: usize = 10_000;

/// The object that a binding on `namespace` is decided about.
pub fn place(namespace: NamespaceId) -> Object {
    if namespace == NamespaceId::EVERYWHERE {
        Object::System
    } else {
        Object::Namespace(namespace)
    }
}

impl Hub {
    /// Gives a role to somebody, or denies it. Its id, giver and time are set here. Nobody gives what they have not themselves,
    /// wholly and there.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid` for a condition that cannot be read, or `Unavailable`.
    pub async fn binding_add(&self, caller: &Caller, binding: Binding) -> Result<i64> {
        let object = place(binding.namespace);
        self.act(caller, object, binding, |tx, permit, binding| {
            Box::pin(binding_add(tx, permit, binding))
        })
        .await
    }

    /// Takes a binding on `namespace` back.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when nobody would own the namespace, or `Unavailable`.
    pub async fn binding_remove(
        &self,
        caller: &Caller,
        namespace: NamespaceId,
        id: i64,
    ) -> Result<()> {
        self.act(caller, place(namespace), id, |tx, permit, id| {
            Box::pin(binding_remove(tx, permit, *id))
        })
        .await
    }

    /// Makes a role, or changes what one allows, for the namespaces of an owner, whose home is `home`; or for all (0).
    ///
    /// # Errors
    /// `Denied`, `NameInvalid`, `ConditionFailed` when the name is that of a built-in role, or `Unavailable`.
    pub async fn role_set(
        &self,
        caller: &Caller,
        home: NamespaceId,
        name: &str,
        actions: ActionSet,
        description: &str,
    ) -> Result<i64> {
        let args = (name.to_owned(), actions, description.to_owned());
        self.act(
            caller,
            place(home),
            args,
            |tx, permit, (name, actions, text)| {
                Box::pin(role_set(tx, permit, name, *actions, text))
            },
        )
        .await
    }

    /// Removes a role that nobody has.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when somebody has it, or `Unavailable`.
    pub async fn role_remove(&self, caller: &Caller, home: NamespaceId, name: &str) -> Result<()> {
        self.act(caller, place(home), name.to_owned(), |tx, permit, name| {
            Box::pin(role_remove(tx, permit, name))
        })
        .await
    }

    /// At most `limit` bindings on a namespace, after the one with the id `after`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn binding_list(
        &self,
        namespace: NamespaceId,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Binding>> {
        let args = (namespace, after, limit);
        self.db
            .read(&args, |tx, (namespace, after, limit)| {
                Box::pin(binding_list(tx, *namespace, *after, *limit))
            })
            .await
    }
}

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::new(Code::NameInvalid, error.to_string())
}

/// Checks that the conditions of a binding can be read.
fn conditions(binding: &Binding) -> Result<()> {
    if let Some(text) = &binding.repos {
        text.parse::<RepoPatterns>().map_err(invalid)?;
    }
    if let Some(text) = &binding.tags {
        text.parse::<TagPatterns>().map_err(invalid)?;
    }
    if let Some(text) = &binding.networks {
        Network::list(text).map_err(invalid)?;
    }
    if let Some(text) = &binding.hours {
        Hours::parse(text).map_err(invalid)?;
    }
    Ok(())
}

/// Checks that there can be a binding, whatever its role: its conditions can be read, whom it is for is there, and the repository it is
/// for lies where it counts. Gives those.
///
/// # Errors
/// `NameInvalid`, `NameUnknown`, or `Unavailable`.
pub(crate) async fn possible(
    tx: &mut Tx<'_>,
    binding: &Binding,
) -> Result<(Option<Principal>, Object)> {
    conditions(binding)?;
    let subject = match binding.subject {
        Subject::EVERYBODY | Subject::LOGGED_IN => None,
        Subject(id) => {
            let found = principal_get(tx, PrincipalId(id)).await?;
            let found = found.filter(|it| it.state != State::Deleted);
            Some(found.ok_or_else(|| missing("account"))?)
        }
    };
    let Some(id) = binding.repo else {
        return Ok((subject, place(binding.namespace)));
    };
    let name = repo_name(tx, id).await?;
    let name = name.ok_or_else(|| missing("repository"))?;
    let home = longshore_auth::rights::ground::home(&name).to_owned();
    let around = namespace_chain(tx, &home).await?;
    // Whoever gave it takes it back, so it may be from further out than the group the repository lies in.
    let is_around = around.iter().any(|it| it.id == binding.namespace);
    if !is_around && binding.namespace != NamespaceId::EVERYWHERE {
        return Err(missing("repository"));
    }
    Ok((subject, Object::Repository(name)))
}

/// The owner of the namespaces around, 0 for the system.
pub(crate) async fn owner(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<PrincipalId> {
    Ok(namespace_get(tx, namespace)
        .await?
        .map_or(PrincipalId(0), |it| it.owner))
}

/// Gives or denies a role.
///
/// # Errors
/// See [`Hub::binding_add`].
pub async fn binding_add(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    binding: &Binding,
) -> Result<Done<i64>> {
    let mut binding = binding.clone();
    if place(binding.namespace) != *permit.object() {
        return Err(missing("namespace"));
    }
    let caller = permit.caller();
    let role = role_get(tx, binding.role).await?;
    let role = role.ok_or_else(|| missing("role"))?;
    let owner = owner(tx, binding.namespace).await?;
    if role.owner != PrincipalId(0) && role.owner != owner {
        return Err(missing("role"));
    }
    let (subject, object) = possible(tx, &binding).await?;
    if !binding.deny {
        let actions = ActionSet::known(&role.actions);
        has_all_on(tx, caller, &object, actions, &Terms::of(&binding)).await?;
    }
    binding.created_by = caller.who.id();
    binding.created = permit.micros();
    let id = binding_put(tx, &binding).await?;
    if binding.deny
        && let Some(subject) = &subject
    {
        taken(tx, subject.id, subject.kind).await?;
    }
    let detail = json!({
        "added": id, "role": role.name, "deny": binding.deny, "subject": binding.subject.0,
        "repo": binding.repo, "repos": binding.repos, "tags": binding.tags, "expires": binding.expires,
    });
    told(tx, id, binding.namespace, detail).await
}

/// Makes void what was issued to somebody, or to the members of a team or organisation.
pub(crate) async fn taken(tx: &mut Tx<'_>, id: PrincipalId, kind: Kind) -> Result<()> {
    principal_bump(tx, id).await?;
    if matches!(kind, Kind::Team | Kind::Organisation) {
        for member in member_list(tx, id, PrincipalId(i64::MIN), MEMBERS).await? {
            principal_bump(tx, member.principal).await?;
        }
    }
    Ok(())
}

async fn told<T>(
    tx: &mut Tx<'_>,
    value: T,
    namespace: NamespaceId,
    detail: serde_json::Value,
) -> Result<Done<T>> {
    let found = namespace_get(tx, namespace).await?;
    Ok(Done {
        value,
        object: found.map_or_else(|| "system".to_owned(), |it| it.path),
        namespace,
        detail,
    })
}

/// Takes a binding back.
///
/// # Errors
/// See [`Hub::binding_remove`].
pub async fn binding_remove(tx: &mut Tx<'_>, permit: &Permit<MANAGE>, id: i64) -> Result<Done<()>> {
    let binding = binding_get(tx, id).await?;
    let binding = binding.filter(|it| place(it.namespace) == *permit.object());
    let binding = binding.ok_or_else(|| missing("binding"))?;
    binding_delete(tx, id).await?;
    let caller = permit.caller();
    // Whoever owns the namespace around a group owns that, too.
    let is_top = namespace_get(tx, binding.namespace).await?;
    let is_top = is_top.is_some_and(|it| it.parent == NamespaceId(0));
    let owned = is_top && binding.role == OWNER_ID && !binding.deny;
    if owned
        && !caller.who.is_operator()
        && binding_owners(tx, binding.namespace, OWNER_ID)
            .await?
            .is_empty()
    {
        return Err(conflict(
            "it is the last that says who owns the namespace; give it to somebody else first",
        ));
    }
    if let Some(subject) = principal_get(tx, PrincipalId(binding.subject.0)).await? {
        taken(tx, subject.id, subject.kind).await?;
    }
    let detail = json!({ "removed": id, "role": binding.role_name, "subject": binding.subject.0 });
    told(tx, (), binding.namespace, detail).await
}

/// Whose the roles are that are made and changed at a place. A role counts in all that its owner has, so only whoever gives rights in all
/// of that changes it: not in a group, and not in a namespace of the system.
pub(crate) async fn role_owner(tx: &mut Tx<'_>, home: NamespaceId) -> Result<PrincipalId> {
    if home == NamespaceId::EVERYWHERE {
        return Ok(PrincipalId(0));
    }
    let found = namespace_get(tx, home).await?;
    let found = found.ok_or_else(|| missing("namespace"))?;
    let (path, top) = (
        &found.path,
        found.path.split('/').next().unwrap_or_default(),
    );
    if found.owner == PrincipalId(0) {
        return Err(conflict(format!(
            "`{path}` is the system's, and has no roles of its own: there are those for all"
        )));
    }
    if found.parent != NamespaceId(0) {
        return Err(conflict(format!(
            "`{path}` has no roles of its own: they are made and changed for all of `{top}`, there"
        )));
    }
    Ok(found.owner)
}

/// The namespace that bindings and roles of an object lie in; the opposite of [`place`].
pub(crate) fn home_of(object: &Object) -> NamespaceId {
    match object {
        Object::Namespace(id) => *id,
        _ => NamespaceId::EVERYWHERE,
    }
}

/// Makes or changes a role.
///
/// # Errors
/// See [`Hub::role_set`].
pub async fn role_set(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    name: &str,
    actions: ActionSet,
    text: &str,
) -> Result<Done<i64>> {
    check(name)?;
    let home = home_of(permit.object());
    let owner = role_owner(tx, home).await?;
    has_all(tx, permit.caller(), permit.object(), actions).await?;
    let known = role_named(tx, owner, name).await?;
    if known.as_ref().is_some_and(|role| role.builtin) {
        return Err(conflict(format!(
            "the role `{name}` is built in; choose another name"
        )));
    }
    let id = match &known {
        Some(role) => role.id,
        None => role_id(tx).await?,
    };
    let row = Role {
        id,
        owner,
        name: name.to_owned(),
        actions: actions.to_string(),
        builtin: false,
        description: text.to_owned(),
        changed: permit.micros(),
    };
    role_put(tx, &row).await?;
    let detail = json!({ "role": name, "id": id, "actions": row.actions, "before": known.map(|it| it.actions) });
    told(tx, id, home, detail).await
}

/// Removes a role.
///
/// # Errors
/// See [`Hub::role_remove`].
pub async fn role_remove(tx: &mut Tx<'_>, permit: &Permit<MANAGE>, name: &str) -> Result<Done<()>> {
    let home = home_of(permit.object());
    let owner = role_owner(tx, home).await?;
    let role = role_named(tx, owner, name).await?;
    let role = role.filter(|role| !role.builtin);
    let role = role.ok_or_else(|| missing("role"))?;
    if !binding_with(tx, role.id, 1).await?.is_empty() {
        return Err(conflict(format!(
            "somebody has the role `{name}`; take it back first"
        )));
    }
    role_delete(tx, role.id).await?;
    told(tx, (), home, json!({ "role": name, "removed": role.id })).await
}
