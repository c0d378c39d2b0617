//! Repositories get other names: rows, and no byte of content. The old name leads to the new one for a while.

use std::fmt;

use longshore_auth::rights::decide::{Question, decide};
use longshore_auth::rights::ground::home;
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Facts, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::binding_list;
use longshore_meta::names::name_resolve;
use longshore_meta::namespaces::{
    Namespace, NamespaceId, Visibility, namespace_at, namespace_chain,
};
use longshore_meta::principals::{PrincipalId, principal_get};
use longshore_meta::profiles::profile_change;
use longshore_meta::repos::{repo_id, repo_rename};
use longshore_meta::rests::{Rest, rest_delete, rest_get, rest_until};
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::bindings::taken;
use crate::caller::Caller;
use crate::carried::{Carried, Moved, Renamed};
use crate::hub::{Done, Hub};
use crate::names::{conflict, lay, missing, rests as at_rest};
use crate::permit::Permit;
use crate::repositories::profile;

const RENAME: u8 = Action::RepositoryRename as u8;
/// The most bindings of a namespace whose holders are told at once that something was moved away from them.
const TOLD: usize = 10_000;

/// Whoever remembers repositories by their names, and must hear at once when other repositories have them.
pub trait Follower: fmt::Debug + Send + Sync {
    /// These names mean something else than they did, or nothing.
    fn names_changed(&self, names: &[RepoName]);
}

impl Hub {
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
    ) -> Result<Moved> {
        let object = Object::Repository(name.clone());
        let moved = self
            .act(caller, object, to.clone(), |tx, permit, to| {
                Box::pin(repository_rename(tx, permit, to))
            })
            .await?;
        self.tell(&moved.names);
        Ok(moved)
    }
}

/// Makes void what was issued to those who have a right in `old` and may have none where something went.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn left(tx: &mut Tx<'_>, old: &[Namespace]) -> Result<()> {
    for namespace in old {
        for binding in binding_list(tx, namespace.id, 0, TOLD).await? {
            if let Some(found) = principal_get(tx, PrincipalId(binding.subject.0)).await? {
                taken(tx, found.id, found.kind).await?;
            }
        }
    }
    Ok(())
}

/// Whether something is taken out of a namespace that lay in `from` and is to lie in `into`: `own` is its own.
pub(crate) fn leaves(from: &[Namespace], into: &[Namespace], own: NamespaceId) -> bool {
    let stays = |space: &Namespace| space.id == own || into.iter().any(|it| it.id == space.id);
    !from.iter().all(stays)
}

/// The answer to whoever may not take something away from where it is.
pub(crate) fn not_out(caller: &Caller, action: Action, what: &str) -> Error {
    Error::new(
        Code::Denied,
        format!(
            "`{}` lacks the right `{action}` on `{what}`: what is taken out of a namespace is gone there, so whoever may not delete it \
             may not move it elsewhere",
            caller.name
        ),
    )
}

/// The narrowest word of all around.
fn seen_in(chain: &[Namespace], own: Option<Visibility>) -> Visibility {
    let words = chain.iter().map(|space| space.visibility);
    words.chain(own).min().unwrap_or_default()
}

/// The word that keeps hidden what more would see where it goes; none where nobody would.
pub(crate) fn hidden_there(
    from: &[Namespace],
    into: &[Namespace],
    own: Option<Visibility>,
) -> Option<Visibility> {
    let before = seen_in(from, own);
    (seen_in(into, own) > before).then_some(before)
}

/// Whether whoever asks may make a repository of exactly that name, wherever the name leads now.
async fn may_make(tx: &mut Tx<'_>, caller: &Caller, name: &RepoName) -> Result<bool> {
    let facts = Facts::load_at(tx, &caller.who, name).await?;
    let make = Action::NamespaceCreateRepository;
    let question = Question::on(&caller.who, make, Some(name), caller.now);
    Ok(decide(&facts, &question).is_allowed())
}

/// Renames or moves a repository.
///
/// # Errors
/// See [`Hub::repository_rename`].
pub async fn repository_rename(
    tx: &mut Tx<'_>,
    permit: &Permit<RENAME>,
    to: &RepoName,
) -> Result<Done<Moved>> {
    let (caller, now) = (permit.caller(), permit.micros());
    let name = permit
        .object()
        .repo()
        .ok_or_else(|| missing("repository"))?;
    let found = name_resolve(tx, name, now).await?;
    let (id, name) = (found.repo.ok_or_else(|| missing("repository"))?, found.name);
    if !may_make(tx, caller, to).await? {
        return Err(Error::new(
            Code::Denied,
            format!(
                "`{}` may not make repositories where `{to}` would be",
                caller.name
            ),
        ));
    }
    let from = namespace_chain(tx, home(&name)).await?;
    let around = namespace_chain(tx, home(to)).await?;
    let inmost = |chain: &[Namespace]| chain.last().map_or(NamespaceId(0), |it| it.id);
    let remove = Action::RepositoryRemove;
    if leaves(&from, &around, NamespaceId(0)) {
        let old = Object::Repository(name.clone());
        if !allows(tx, &caller.who, remove, &old, caller.now).await? {
            return Err(not_out(caller, remove, name.as_str()));
        }
    }
    let mut row = profile(tx, id, now).await?;
    let hidden = hidden_there(&from, &around, row.visibility);
    let it = Renamed {
        id,
        from: name.clone(),
        to: to.clone(),
        seen: [row.visibility, hidden.or(row.visibility)],
    };
    let carried = Carried::load(tx, vec![it], from.clone(), around.clone()).await?;
    carried.check(tx, caller).await?;
    // Its own old name may be taken back, and that of one that is deleted. A name that means another, as that was called so, or by its
    // beginning, or by `library/`, is taken.
    let rest = rest_get(tx, to.as_str(), now).await?;
    let rests = rest.is_some_and(|rest| !matches!(rest, Rest::Repo(_)));
    let means = name_resolve(tx, to, now).await?;
    let taken = repo_id(tx, to).await?.is_some() || means.repo.is_some_and(|other| other != id);
    // What is pushed by it goes elsewhere, as the beginning of it is the old name of a group.
    let leads_on = means.repo.is_none() && means.name != *to;
    if let Some(until) = rest_until(tx, to.as_str(), now).await?
        && (rests || means.repo.is_some_and(|other| other != id))
    {
        return Err(at_rest(to.as_str(), until));
    }
    if rests || taken || leads_on || namespace_at(tx, to.as_str()).await?.is_some() {
        return Err(conflict(format!(
            "the name `{to}` cannot be had; choose another"
        )));
    }
    if inmost(&from) != inmost(&around) {
        left(tx, &from).await?;
    }
    if hidden.is_some() {
        row.visibility = hidden;
        profile_change(tx, id, &row, now).await?;
    }
    repo_rename(tx, id, to, (caller.name.as_str(), now)).await?;
    let moved = Moved {
        hidden,
        ..carried.moved(tx, caller).await?
    };
    carried.settle(tx).await?;
    rest_delete(tx, to.as_str()).await?;
    lay(tx, name.as_str(), Rest::Repo(id), now).await?;
    Ok(Done {
        detail: json!({ "renamed": [name.as_str(), to.as_str()], "visibility": hidden.map(Visibility::word) }),
        object: name.to_string(),
        namespace: inmost(&from),
        value: moved,
    })
}
