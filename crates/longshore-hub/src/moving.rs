//! Repositories and namespaces get other names: rows, and no byte of content. The old name leads to the new one for a while.

use std::fmt;

use longshore_auth::rights::ground::home;
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{binding_list, binding_move};
use longshore_meta::names::name_resolve;
use longshore_meta::namespaces::{
    Namespace, NamespaceId, namespace_at, namespace_below, namespace_chain, namespace_get,
    namespace_move, namespace_own,
};
use longshore_meta::principals::{PrincipalId, principal_get};
use longshore_meta::repos::{repo_all, repo_id, repo_rename};
use longshore_meta::rests::{Rest, rest_delete, rest_get};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::bindings::taken;
use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::names::{conflict, lay, missing};
use crate::namespaces::{inside, is_empty, unused};
use crate::permit::Permit;

const RENAME: u8 = Action::NamespaceRename as u8;
const RENAME_REPOSITORY: u8 = Action::RepositoryRename as u8;
/// The most repositories and groups that are renamed together.
const TOGETHER: usize = 10_000;
/// The most bindings of a namespace whose holders are told at once that something was moved away from them.
const TOLD: usize = 10_000;

/// Whoever remembers repositories by their names, and must hear at once when other repositories have them.
pub trait Follower: fmt::Debug + Send + Sync {
    /// These names mean something else than they did, or nothing.
    fn names_changed(&self, names: &[RepoName]);
}

impl Hub {
    /// Gives a group another name where it is, with all that lies below it. The old path leads there for a while.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `ConditionFailed` when the name cannot be had, the namespace is somebody's home, or too
    /// much lies in it, or `Unavailable`.
    pub async fn namespace_rename(
        &self,
        caller: &Caller,
        id: NamespaceId,
        name: &str,
    ) -> Result<()> {
        let object = Object::Namespace(id);
        let changed = self
            .act(caller, object, name.to_owned(), |tx, permit, name| {
                Box::pin(namespace_rename(tx, permit, name))
            })
            .await?;
        self.tell(&changed);
        Ok(())
    }

    /// Moves a group to another path, into another namespace perhaps, where whoever asks must be able to make groups; what lies in it
    /// belongs to that namespace's owner then. The old path leads there for a while.
    ///
    /// # Errors
    /// As [`Hub::namespace_rename`].
    pub async fn namespace_move(&self, caller: &Caller, id: NamespaceId, to: &str) -> Result<()> {
        let object = Object::Namespace(id);
        let changed = self
            .act(caller, object, to.to_owned(), |tx, permit, to| {
                Box::pin(namespace_move_to(tx, permit, to))
            })
            .await?;
        self.tell(&changed);
        Ok(())
    }

    /// Gives a repository another name, in another namespace perhaps, where whoever asks must be able to make repositories. The old
    /// name leads there for a while.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when the name cannot be had, or `Unavailable`.
    pub async fn repository_rename(
        &self,
        caller: &Caller,
        name: &RepoName,
        to: &RepoName,
    ) -> Result<()> {
        let object = Object::Repository(name.clone());
        let changed = self
            .act(caller, object, to.clone(), |tx, permit, to| {
                Box::pin(repository_rename(tx, permit, to))
            })
            .await?;
        self.tell(&changed);
        Ok(())
    }
}

/// Makes void what was issued to those who have a right in `old` and may have none where something went.
async fn left(tx: &mut Tx<'_>, old: &[Namespace]) -> Result<()> {
    for namespace in old {
        for binding in binding_list(tx, namespace.id, 0, TOLD).await? {
            if let Some(found) = principal_get(tx, PrincipalId(binding.subject.0)).await? {
                taken(tx, found.id, found.kind).await?;
            }
        }
    }
    Ok(())
}

/// Renames a group.
///
/// # Errors
/// See [`Hub::namespace_rename`].
pub async fn namespace_rename(
    tx: &mut Tx<'_>,
    permit: &Permit<RENAME>,
    name: &str,
) -> Result<Done<Vec<RepoName>>> {
    let namespace = of(tx, permit).await?;
    let around = match namespace.path.rsplit_once('/') {
        Some((around, _)) => around.to_owned(),
        None => return Err(at_the_top()),
    };
    let path = inside(&around, name)?;
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
) -> Result<Done<Vec<RepoName>>> {
    let namespace = of(tx, permit).await?;
    if namespace.parent == NamespaceId(0) {
        return Err(at_the_top());
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
    left(tx, &from).await?;
    namespace_own(tx, namespace.id, parent.owner).await?;
    for group in namespace_below(tx, &namespace.path, TOGETHER + 1).await? {
        namespace_own(tx, group.id, parent.owner).await?;
    }
    relocate(tx, permit, &namespace, &path, parent.id).await
}

fn at_the_top() -> Error {
    conflict("a namespace at the top has the name of whoever owns it; rename that")
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
) -> Result<Done<Vec<RepoName>>> {
    let now = permit.micros();
    // Its own old path may be taken back.
    if rest_get(tx, path, now).await? != Some(Rest::Namespace(namespace.id)) {
        unused(tx, path, now).await?;
    }
    let by = (permit.caller().name.as_str(), now);
    let changed = renamed(tx, namespace, path, parent, by).await?;
    Ok(Done {
        object: namespace.path.clone(),
        namespace: namespace.id,
        detail: json!({ "renamed": [namespace.path, path], "repositories": changed.len() / 2 }),
        value: changed,
    })
}

/// Gives a namespace the path `path` in `parent`, with all below it, and lays the old path to rest. Gives the names of repositories that
/// changed, old and new.
pub(crate) async fn renamed(
    tx: &mut Tx<'_>,
    namespace: &Namespace,
    path: &str,
    parent: NamespaceId,
    by: (&str, i64),
) -> Result<Vec<RepoName>> {
    let old = namespace.path.as_str();
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
    namespace_move(tx, namespace.id, path, parent, by.1).await?;
    let moved = |name: &str| name.strip_prefix(old).map(|rest| format!("{path}{rest}"));
    for group in &groups {
        if let Some(path) = moved(&group.path) {
            namespace_move(tx, group.id, &path, group.parent, by.1).await?;
        }
    }
    let mut changed = Vec::new();
    for (id, name) in &repos {
        let Some(to) = moved(name) else { continue };
        let to: RepoName = to
            .parse()
            .map_err(|error| conflict(format!("a name would break a rule: {error}")))?;
        repo_rename(tx, *id, &to, by).await?;
        changed.push(name.parse().map_err(Error::internal)?);
        changed.push(to);
    }
    rest_delete(tx, path).await?;
    lay(tx, old, Rest::Namespace(namespace.id), by.1).await?;
    Ok(changed)
}

/// Renames or moves a repository.
///
/// # Errors
/// See [`Hub::repository_rename`].
pub async fn repository_rename(
    tx: &mut Tx<'_>,
    permit: &Permit<RENAME_REPOSITORY>,
    to: &RepoName,
) -> Result<Done<Vec<RepoName>>> {
    let (caller, now) = (permit.caller(), permit.micros());
    let name = permit
        .object()
        .repo()
        .ok_or_else(|| missing("repository"))?;
    let found = name_resolve(tx, name, now).await?;
    let (id, name) = (found.repo.ok_or_else(|| missing("repository"))?, found.name);
    let object = Object::Repository(to.clone());
    let make = Action::NamespaceCreateRepository;
    if !allows(tx, &caller.who, make, &object, caller.now).await? {
        return Err(Error::new(
            Code::Denied,
            format!(
                "`{}` may not make repositories where `{to}` would be",
                caller.name
            ),
        ));
    }
    // Its own old name may be taken back, and that of one that is deleted. A name that means another, as that was called so, or by its
    // beginning, or by `library/`, is taken.
    let rest = rest_get(tx, to.as_str(), now).await?;
    let rests = rest.is_some_and(|rest| !matches!(rest, Rest::Repo(_)));
    let means = name_resolve(tx, to, now).await?;
    let taken = repo_id(tx, to).await?.is_some() || means.repo.is_some_and(|other| other != id);
    if rests || taken || namespace_at(tx, to.as_str()).await?.is_some() {
        return Err(conflict(format!(
            "the name `{to}` cannot be had; choose another"
        )));
    }
    let from = namespace_chain(tx, home(&name)).await?;
    let around = namespace_chain(tx, home(to)).await?;
    let inmost = |chain: &[Namespace]| chain.last().map_or(NamespaceId(0), |it| it.id);
    if inmost(&from) != inmost(&around) {
        left(tx, &from).await?;
    }
    repo_rename(tx, id, to, (caller.name.as_str(), now)).await?;
    binding_move(tx, id, inmost(&around)).await?;
    rest_delete(tx, to.as_str()).await?;
    lay(tx, name.as_str(), Rest::Repo(id), now).await?;
    Ok(Done {
        detail: json!({ "renamed": [name.as_str(), to.as_str()] }),
        object: name.to_string(),
        namespace: inmost(&from),
        value: vec![name, to.clone()],
    })
}
