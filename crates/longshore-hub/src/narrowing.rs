//! What a credential is narrowed to: repositories that are there by their ids, and patterns by names.
//!
//! A name without a wildcard means the repository that has it, and goes on meaning that when it is renamed or moved, and nothing when it
//! is deleted. Of a name that nothing has that its writer may see, whatever gets it is meant: it cannot be told from one that is hidden.

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, ActionSet, Narrow, Object};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::names::{Resolved, name_resolve};
use longshore_meta::repos::repo_name;
use longshore_spec::name::RepoName;
use longshore_spec::pattern::{RepoPattern, RepoPatterns};

use crate::caller::Caller;
use crate::hub::Hub;

/// What a credential leaves of its owner's rights, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// The actions.
    pub actions: ActionSet,
    /// The repositories: those that it is for by themselves, by the names they have now, and then patterns; none: all.
    pub repositories: Option<Vec<String>>,
    /// Those of them that are names without a wildcard and for whatever is called so.
    pub by_name: Vec<String>,
}

impl Hub {
    /// What a scope leaves, as whoever asks is shown it: `None` where it leaves all. A repository that they may not see is shown as `#`
    /// and its id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn limits(&self, caller: &Caller, scope: Option<&str>) -> Result<Option<Limits>> {
        let Some(scope) = scope else { return Ok(None) };
        // One that cannot be read leaves nothing, here as where it counts.
        let Ok(narrow) = Narrow::parse(scope) else {
            return Ok(Some(Limits::default()));
        };
        let args = (caller, &narrow.ids);
        let mut names = Vec::new();
        if !narrow.ids.is_empty() {
            names = self
                .db
                .read(&args, |tx, (caller, ids)| Box::pin(named(tx, caller, ids)))
                .await?;
        }
        let is_of_some = narrow.is_of_some();
        let by_name = by_name(&narrow);
        let patterns = narrow.repos.iter().flat_map(RepoPatterns::iter);
        names.extend(patterns.map(ToString::to_string));
        Ok(Some(Limits {
            actions: narrow.actions,
            repositories: is_of_some.then_some(names),
            by_name,
        }))
    }
}

/// A rule about a credential that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: i64,
    /// The names in what it is narrowed to that are for whatever is called so, as nothing is.
    pub by_name: Vec<String>,
}

/// The names in a narrowing that are for whatever is called so.
pub(crate) fn by_name(narrow: &Narrow) -> Vec<String> {
    let patterns = narrow.repos.iter().flat_map(RepoPatterns::iter);
    patterns
        .filter(|pattern| pattern.is_exact())
        .map(ToString::to_string)
        .collect()
}

async fn named(tx: &mut Tx<'_>, caller: &Caller, ids: &[i64]) -> Result<Vec<String>> {
    let mut names = Vec::with_capacity(ids.len());
    for id in ids {
        let found = match repo_name(tx, *id).await? {
            Some(name) if sees(tx, caller, &name).await? => name.to_string(),
            _ => format!("#{id}"),
        };
        names.push(found);
    }
    Ok(names)
}

async fn sees(tx: &mut Tx<'_>, caller: &Caller, name: &RepoName) -> Result<bool> {
    let (list, object) = (Action::RepositoryList, Object::Repository(name.clone()));
    allows(tx, &caller.who, list, &object, caller.now).await
}

/// The repository that a name means, if there is one that whoever asks may see.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn meant(
    tx: &mut Tx<'_>,
    caller: &Caller,
    name: &RepoName,
) -> Result<Option<(i64, RepoName)>> {
    let Resolved { repo, name } = name_resolve(tx, name, caller.micros()).await?;
    let may_know = sees(tx, caller, &name).await?;
    Ok(repo.filter(|_| may_know).map(|id| (id, name)))
}

/// The same narrowing, with repositories by their ids where there is one of a name.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn bound(tx: &mut Tx<'_>, caller: &Caller, narrow: &Narrow) -> Result<Narrow> {
    let mut ids = narrow.ids.clone();
    let mut left: Vec<RepoPattern> = Vec::new();
    for pattern in narrow.repos.iter().flat_map(RepoPatterns::iter) {
        let name = pattern.as_str().parse::<RepoName>().ok();
        let found = match name.filter(|_| pattern.is_exact()) {
            Some(name) => meant(tx, caller, &name).await?,
            None => None,
        };
        match found {
            Some((id, _)) => ids.push(id),
            None => left.push(pattern.clone()),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    // Of no repository is not of all.
    Ok(Narrow {
        actions: narrow.actions,
        repos: (!left.is_empty() || (narrow.repos.is_some() && ids.is_empty()))
            .then(|| left.into_iter().collect()),
        ids,
    })
}
