//! Repositories come and go: made by hand or by a first push, deleted one by one or with all of a namespace.

use longshore_auth::rights::decide::{Question, Refused, decide};
use longshore_auth::rights::ground::home;
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Facts, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::audit::audit_put;
use longshore_meta::bindings::{Subject, binding_clear, binding_drop, binding_repo};
use longshore_meta::names::name_resolve;
use longshore_meta::namespaces::{
    NamespaceId, namespace_at, namespace_below, namespace_chain, namespace_delete, namespace_get,
};
use longshore_meta::principals::{PrincipalId, principal_get};
use longshore_meta::profiles::{profile_delete, profile_open};
use longshore_meta::repos::{repo_below, repo_open, repo_remove};
use longshore_meta::rests::{Rest, rest_get, rest_until};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::bindings::taken;
use crate::caller::Caller;
use crate::given::Once;
use crate::homes::home_of_push;
use crate::hub::{Done, Hub};
use crate::names::{conflict, hidden, lay, missing, rests as at_rest};
use crate::permit::Permit;
use crate::pushes::{By, row};

const CREATE: u8 = Action::NamespaceCreateRepository as u8;
const REMOVE: u8 = Action::RepositoryRemove as u8;
const NAMESPACE: u8 = Action::NamespaceRemove as u8;
/// How many repositories are deleted in one transaction.
const TOGETHER: usize = 200;

impl Hub {
    /// Makes a repository without content.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ConditionFailed` when the name cannot be had, or `Unavailable`.
    pub async fn repository_create(&self, caller: &Caller, name: &RepoName) -> Result<()> {
        let object = Object::Repository(name.clone());
        self.act(caller, object, (), |tx, permit, ()| {
            Box::pin(repository_create(tx, permit))
        })
        .await
    }

    /// Deletes a repository: nobody sees it from now on, and its name is free. What is in it goes to the trash bit by bit.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn repository_remove(&self, caller: &Caller, name: &RepoName) -> Result<()> {
        let object = Object::Repository(name.clone());
        let gone = self
            .act(caller, object, (), |tx, permit, ()| {
                Box::pin(repository_remove(tx, permit))
            })
            .await?;
        self.tell(&gone);
        Ok(())
    }

    /// Deletes all repositories in a namespace and all groups below it; the namespace itself stays. Gives how many repositories that
    /// were. Broken off, it has deleted some, and by the same key goes on when it is asked for again.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn namespace_purge(&self, caller: &Caller, id: NamespaceId) -> Result<usize> {
        let (given, once) = self.given.in_parts();
        let rounds = self.given(given);
        let mut count = 0;
        loop {
            let (home, once) = (Object::Namespace(id), once.clone());
            let (gone, more) = rounds
                .act(caller, home, once, |tx, permit, once| {
                    Box::pin(round(tx, permit, once.as_ref()))
                })
                .await?;
            self.tell(&gone);
            count += gone.len();
            if !more {
                return Ok(count);
            }
        }
    }
}

pub(crate) async fn inmost(tx: &mut Tx<'_>, name: &RepoName) -> Result<NamespaceId> {
    let around = namespace_chain(tx, home(name)).await?;
    Ok(around.last().map_or(NamespaceId(0), |it| it.id))
}

/// Makes a repository.
///
/// # Errors
/// See [`Hub::repository_create`].
pub async fn repository_create(tx: &mut Tx<'_>, permit: &Permit<CREATE>) -> Result<Done<()>> {
    let name = permit
        .object()
        .repo()
        .ok_or_else(|| missing("repository"))?;
    let now = permit.micros();
    let found = name_resolve(tx, name, now).await?;
    // A name that led to a repository which is deleted is free.
    let rest = rest_get(tx, name.as_str(), now).await?;
    let rests = rest.is_some_and(|rest| !matches!(rest, Rest::Repo(_)));
    if let Some(until) = rest_until(tx, name.as_str(), now).await?
        && (rests || found.repo.is_some())
    {
        return Err(at_rest(name.as_str(), until));
    }
    let is_namespace = namespace_at(tx, name.as_str()).await?.is_some();
    if found.repo.is_some() || found.name != *name || rests || is_namespace {
        return Err(conflict(format!(
            "the name `{name}` cannot be had; choose another"
        )));
    }
    let namespace = inmost(tx, name).await?;
    if namespace == NamespaceId(0) {
        return Err(hidden());
    }
    let id = repo_open(tx, name, now).await?;
    profile_open(tx, id, permit.caller().who.id(), now).await?;
    Ok(Done {
        value: (),
        object: name.to_string(),
        namespace,
        detail: json!({ "created": "repository", "id": id }),
    })
}

/// What belongs to the making of a repository by a push, in the transaction that makes it: its profile, a namespace where it lies in
/// none, and a row of the audit log. The right was looked at by whoever let the push in.
///
/// # Errors
/// `Unavailable`.
pub async fn born(tx: &mut Tx<'_>, (id, name): (i64, &RepoName), by: &By) -> Result<()> {
    let object = (name.to_string(), inmost(tx, name).await?);
    let detail = json!({ "created": "repository", "by": "push", "id": id });
    let mut entry = row(tx, by, Action::NamespaceCreateRepository, object, detail).await?;
    profile_open(tx, id, entry.actor, by.now).await?;
    if entry.namespace == NamespaceId::EVERYWHERE {
        entry.namespace = home_of_push(tx, name, &entry).await?;
    }
    audit_put(tx, &entry).await.map(drop)
}

/// Takes everything from a repository that belongs to it and not to its content, and its name. Gives the name it has then.
async fn gone(tx: &mut Tx<'_>, id: i64, by: (&str, i64)) -> Result<RepoName> {
    // What was issued to those who had a right on this one alone is void: another may have the name in a moment.
    for binding in binding_repo(tx, id).await? {
        if binding.subject != Subject::EVERYBODY
            && let Some(who) = principal_get(tx, PrincipalId(binding.subject.0)).await?
        {
            taken(tx, who.id, who.kind).await?;
        }
    }
    binding_drop(tx, id).await?;
    profile_delete(tx, id).await?;
    repo_remove(tx, id, by).await
}

/// Checks that nothing keeps whoever asks from deleting any tag of a repository: with the repository all of them go.
///
/// # Errors
/// `Denied` where a rule limits their deleting to some tags, or keeps some from it; `Unavailable`.
async fn may_empty(tx: &mut Tx<'_>, caller: &Caller, name: &RepoName) -> Result<()> {
    let object = Object::Repository(name.clone());
    let facts = Facts::load(tx, &caller.who, &object, caller.now).await?;
    for action in [Action::RepositoryDelete, Action::TagDelete] {
        let question = Question::on(&caller.who, action, Some(name), caller.now);
        let decision = decide(&facts, &question);
        let is_kept = matches!(decision.verdict, Err(Refused::Rule(_)));
        if decision.limit.is_some() || is_kept {
            return Err(Error::new(
                Code::Denied,
                format!(
                    "`{}` may not delete every tag of `{name}` (`{action}` is limited there), and so not the repository; \
                     ask whoever says who may do what there",
                    caller.name
                ),
            ));
        }
    }
    Ok(())
}

/// Deletes a repository.
///
/// # Errors
/// See [`Hub::repository_remove`].
pub async fn repository_remove(
    tx: &mut Tx<'_>,
    permit: &Permit<REMOVE>,
) -> Result<Done<Vec<RepoName>>> {
    let name = permit
        .object()
        .repo()
        .ok_or_else(|| missing("repository"))?;
    let found = name_resolve(tx, name, permit.micros()).await?;
    let id = found.repo.ok_or_else(|| missing("repository"))?;
    may_empty(tx, permit.caller(), name).await?;
    let namespace = inmost(tx, &found.name).await?;
    let by = (permit.caller().name.as_str(), permit.micros());
    let left = gone(tx, id, by).await?;
    Ok(Done {
        detail: json!({ "removed": "repository", "id": id, "content": left.as_str() }),
        object: found.name.to_string(),
        namespace,
        value: vec![found.name, left],
    })
}

/// The answer to whoever may not delete something.
fn kept(caller: &Caller, action: Action, what: &str) -> Error {
    Error::new(
        Code::Denied,
        format!("`{}` lacks the right `{action}` on {what}", caller.name),
    )
}

/// Deletes some of what is in a namespace. What it is asked for by is taken by the round after which nothing is left.
async fn round(
    tx: &mut Tx<'_>,
    permit: &Permit<NAMESPACE>,
    once: Option<&Once>,
) -> Result<Done<(Vec<RepoName>, bool)>> {
    if let Some(once) = once {
        once.is_free(tx, permit.caller()).await?;
    }
    let done = namespace_purge(tx, permit).await?;
    let (_, more) = done.value;
    if let Some(once) = once.filter(|_| !more) {
        once.note(tx, permit.caller()).await?;
    }
    Ok(done)
}

/// Deletes some of the repositories in a namespace, and its groups when there are no more; says whether there are.
///
/// # Errors
/// See [`Hub::namespace_purge`].
pub async fn namespace_purge(
    tx: &mut Tx<'_>,
    permit: &Permit<NAMESPACE>,
) -> Result<Done<(Vec<RepoName>, bool)>> {
    let Object::Namespace(id) = permit.object() else {
        return Err(missing("namespace"));
    };
    let namespace = namespace_get(tx, *id).await?;
    let namespace = namespace.ok_or_else(|| missing("namespace"))?;
    let (caller, now) = (permit.caller(), permit.micros());
    let remove = Action::RepositoryRemove;
    if !allows(tx, &caller.who, remove, permit.object(), caller.now).await? {
        return Err(kept(caller, remove, &format!("`{}`", namespace.path)));
    }
    let by = (caller.name.as_str(), now);
    let page = repo_below(tx, &namespace.path, "", TOGETHER).await?;
    let more = page.len() == TOGETHER;
    let mut names = Vec::new();
    for (repo, name) in page {
        let name: RepoName = name.parse().map_err(Error::internal)?;
        // One may be kept from them, or be read-only, where the rest is not.
        let object = Object::Repository(name.clone());
        if !allows(tx, &caller.who, remove, &object, caller.now).await? {
            return Err(kept(caller, remove, "a repository in it"));
        }
        may_empty(tx, caller, &name).await?;
        gone(tx, repo, by).await?;
        names.push(name);
    }
    let mut groups = 0;
    if !more {
        for group in namespace_below(tx, &namespace.path, usize::MAX).await? {
            let (remove, object) = (Action::NamespaceRemove, Object::Namespace(group.id));
            if !allows(tx, &caller.who, remove, &object, caller.now).await? {
                return Err(kept(caller, remove, "a group in it"));
            }
            binding_clear(tx, group.id).await?;
            namespace_delete(tx, group.id).await?;
            lay(tx, &group.path, Rest::Nobody, now).await?;
            groups += 1;
        }
    }
    let told: Vec<_> = names.iter().map(RepoName::as_str).collect();
    Ok(Done {
        object: namespace.path.clone(),
        namespace: namespace.id,
        detail: json!({ "purged": told, "groups": groups }),
        value: (names, more),
    })
}
