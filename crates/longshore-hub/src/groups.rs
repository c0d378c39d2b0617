//! Namespaces get other paths, with all that lies in them: rows, and no byte of content. The old paths lead to the new ones for a while.

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::role::LIBRARY;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::namespaces::{
    Namespace, NamespaceId, namespace_at, namespace_below, namespace_chain, namespace_change,
    namespace_get, namespace_move, namespace_own,
};
use longshore_meta::principals::PrincipalId;
use longshore_meta::repos::{repo_all, repo_rename};
use longshore_meta::rests::{Rest, rest_delete, rest_get};
use serde_json::json;

use crate::caller::Caller;
use crate::carried::{Carried, Moved, Renamed};
use crate::hub::{Done, Hub};
use crate::moving::{hidden_there, leaves, left, not_out};
use crate::names::{check, conflict, free_for, lay, missing};
use crate::namespaces::{inside, is_empty, unused};
use crate::permit::Permit;

const RENAME: u8 = Action::NamespaceRename as u8;
/// The most repositories and groups that are renamed together.
const TOGETHER: usize = 10_000;

impl Hub {
    /// Gives a group, or a namespace of the system, another name where it is, with all that lies below it. The old path leads there for a while.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `ConditionFailed` when the name cannot be had, the namespace is somebody's home, or too
    /// much lies in it, or `Unavailable`.
    pub async fn namespace_rename(
        &self,
        caller: &Caller,
        id: NamespaceId,
        name: &str,
    ) -> Result<Moved> {
        let object = Object::Namespace(id);
        let moved = self
            .act(caller, object, name.to_owned(), |tx, permit, name| {
                Box::pin(namespace_rename(tx, permit, name))
            })
            .await?;
        self.tell(&moved.names);
        Ok(moved)
    }

    /// Moves a group to another path, into another namespace perhaps, where whoever asks must be able to make groups; what lies in it
    /// belongs to that namespace's owner then. The old path leads there for a while.
    ///
    /// # Errors
    /// As [`Hub::namespace_rename`].
    pub async fn namespace_move(
        &self,
        caller: &Caller,
        id: NamespaceId,
        to: &str,
    ) -> Result<Moved> {
        let object = Object::Namespace(id);
        let moved = self
            .act(caller, object, to.to_owned(), |tx, permit, to| {
                Box::pin(namespace_move_to(tx, permit, to))
            })
            .await?;
        self.tell(&moved.names);
        Ok(moved)
    }
}

/// Renames a group.
///
/// # Errors
/// See [`Hub::namespace_rename`].
pub async fn namespace_rename(
    tx: &mut Tx<'_>,
    permit: &Permit<RENAME>,
    name: &str,
) -> Result<Done<Moved>> {
    let namespace = of(tx, permit).await?;
    let path = match namespace.path.rsplit_once('/') {
        Some((around, _)) => inside(around, name)?,
        None => at_the_top(tx, permit, &namespace, name).await?,
    };
    relocate(tx, permit, &namespace, &path, namespace.parent).await
}

/// Moves a group.
///
/// # Errors
/// See [`Hub::namespace_move`].
pub async fn namespace_move_to(
    tx: &mut Tx<'_>,
    permit: &Permit<RENAME>,
    to: &str,
) -> Result<Done<Moved>> {
    let mut namespace = of(tx, permit).await?;
    if namespace.parent == NamespaceId(0) {
        let path = at_the_top(tx, permit, &namespace, to).await?;
        return relocate(tx, permit, &namespace, &path, NamespaceId(0)).await;
    }
    let Some((around, name)) = to.rsplit_once('/') else {
        return Err(conflict(
            "a group stays in some namespace; name the namespace and the group, such as `acme/web`",
        ));
    };
    let path = inside(around, name)?;
    if path.starts_with(&format!("{}/", namespace.path)) {
        return Err(conflict("a group does not go into itself"));
    }
    let (caller, make) = (permit.caller(), Action::NamespaceCreateGroup);
    let parent = namespace_at(tx, around).await?;
    let object = Object::Namespace(parent.as_ref().map_or(NamespaceId(-1), |it| it.id));
    // Absent and forbidden are the same.
    let may = allows(tx, &caller.who, make, &object, caller.now).await?;
    let Some(parent) = parent.filter(|_| may) else {
        return Err(Error::new(
            Code::Denied,
            format!("`{}` may not make groups in `{around}`", caller.name),
        ));
    };
    let from = namespace_chain(tx, &namespace.path).await?;
    let into = namespace_chain(tx, around).await?;
    if leaves(&from, &into, namespace.id) {
        for action in [Action::NamespaceRemove, Action::RepositoryRemove] {
            if !allows(tx, &caller.who, action, permit.object(), caller.now).await? {
                return Err(not_out(caller, action, &namespace.path));
            }
        }
    }
    left(tx, &from).await?;
    stay_hidden(tx, &mut namespace, (&from, &into), permit.micros()).await?;
    namespace_own(tx, namespace.id, parent.owner).await?;
    for group in namespace_below(tx, &namespace.path, TOGETHER + 1).await? {
        namespace_own(tx, group.id, parent.owner).await?;
    }
    relocate(tx, permit, &namespace, &path, parent.id).await
}

/// The path of a namespace at the top that is to have another name: nobody's, for whoever could make one of that name.
async fn at_the_top(
    tx: &mut Tx<'_>,
    permit: &Permit<RENAME>,
    namespace: &Namespace,
    name: &str,
) -> Result<String> {
    if namespace.owner != PrincipalId(0) {
        return Err(conflict(
            "a namespace at the top has the name of whoever owns it; rename that",
        ));
    }
    if namespace.path == LIBRARY {
        return Err(conflict(
            "names of one component lie in `library`, which keeps its name",
        ));
    }
    check(name)?;
    let (caller, make) = (permit.caller(), Action::NamespaceCreate);
    if allows(tx, &caller.who, make, &Object::System, caller.now).await? {
        return Ok(name.to_owned());
    }
    Err(Error::new(
        Code::Denied,
        format!(
            "`{}` lacks the right `{make}`, which another name at the top needs",
            caller.name
        ),
    ))
}

async fn of<const ACTION: u8>(tx: &mut Tx<'_>, permit: &Permit<ACTION>) -> Result<Namespace> {
    let Object::Namespace(id) = permit.object() else {
        return Err(missing("namespace"));
    };
    let found = namespace_get(tx, *id).await?;
    found.ok_or_else(|| missing("namespace"))
}

async fn relocate(
    tx: &mut Tx<'_>,
    permit: &Permit<RENAME>,
    namespace: &Namespace,
    path: &str,
    parent: NamespaceId,
) -> Result<Done<Moved>> {
    let now = permit.micros();
    // Its own old path may be taken back.
    if rest_get(tx, path, now).await? != Some(Rest::Namespace(namespace.id)) {
        if parent == NamespaceId(0) {
            free_for(tx, permit.caller(), path).await?;
        } else {
            unused(tx, path, now).await?;
        }
    }
    let moved = renamed(tx, permit.caller(), namespace, path, parent).await?;
    Ok(Done {
        object: namespace.path.clone(),
        namespace: namespace.id,
        detail: json!({ "renamed": [namespace.path, path], "repositories": moved.names.len() / 2 }),
        value: moved,
    })
}

/// Gives a namespace the path `path` in `parent`, with all below it, and lays the old path to rest.
///
/// # Errors
/// `Denied` where that would get around what is kept from whoever asks, `ConditionFailed` where it cannot be, or `Unavailable`.
pub(crate) async fn renamed(
    tx: &mut Tx<'_>,
    caller: &Caller,
    namespace: &Namespace,
    path: &str,
    parent: NamespaceId,
) -> Result<Moved> {
    let (old, by) = (
        namespace.path.as_str(),
        (caller.name.as_str(), caller.micros()),
    );
    let repos = repo_all(tx, old, TOGETHER + 1).await?;
    let groups = namespace_below(tx, old, TOGETHER + 1).await?;
    if repos.len() > TOGETHER || groups.len() > TOGETHER {
        return Err(conflict(format!(
            "more than {TOGETHER} names lie below `{old}`"
        )));
    }
    if !is_empty(tx, path).await? {
        return Err(conflict(format!(
            "there are repositories below `{path}` already"
        )));
    }
    let moved = |name: &str| name.strip_prefix(old).map(|rest| format!("{path}{rest}"));
    let mut names = Vec::with_capacity(repos.len());
    for (id, name) in repos {
        let Some(to) = moved(&name) else { continue };
        let to = to
            .parse()
            .map_err(|error| conflict(format!("a name would break a rule: {error}")))?;
        let from = name.parse().map_err(Error::internal)?;
        names.push(Renamed {
            id,
            from,
            to,
            seen: [None, None],
        });
    }
    let mut before = namespace_chain(tx, old).await?;
    let mut after = namespace_chain(tx, path).await?;
    before.extend(groups.iter().cloned());
    for group in std::iter::once(namespace).chain(&groups) {
        let mut group = group.clone();
        group.path = moved(&group.path).unwrap_or_default();
        after.push(group);
    }
    let carried = Carried::load(tx, names, before, after).await?;
    carried.check(tx, caller).await?;
    namespace_move(tx, namespace.id, path, parent, by.1).await?;
    for group in &groups {
        if let Some(path) = moved(&group.path) {
            namespace_move(tx, group.id, &path, group.parent, by.1).await?;
        }
    }
    for it in carried.names() {
        repo_rename(tx, it.id, &it.to, by).await?;
    }
    let all = carried.moved(tx, caller).await?;
    carried.settle(tx).await?;
    rest_delete(tx, path).await?;
    lay(tx, old, Rest::Namespace(namespace.id), by.1).await?;
    Ok(all)
}

/// Keeps a group hidden from whom it is hidden where it lies.
async fn stay_hidden(
    tx: &mut Tx<'_>,
    group: &mut Namespace,
    (from, into): (&[Namespace], &[Namespace]),
    now: i64,
) -> Result<()> {
    if let Some(word) = hidden_there(from, into, Some(group.visibility)) {
        group.visibility = word;
        namespace_change(tx, group, now).await?;
    }
    Ok(())
}
