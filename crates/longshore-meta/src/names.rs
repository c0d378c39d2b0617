//! Which repository a name means: the one that has it, or the one that had it.

use longshore_core::{Error, Result};
use longshore_spec::name::RepoName;

use crate::namespaces::namespace_get;
use crate::repos::{is_removed, repo_id, repo_name};
use crate::rests::{Rest, rest_any, rest_get};
use crate::tx::Tx;

/// How often a name leads to another before it leads nowhere.
const HOPS: usize = 4;

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The repository, if there is one.
    pub repo: Option<i64>,
    /// The name it has now, or would have.
    pub name: RepoName,
}

/// Which repository `name` means at `now`: the one that has it; `library/app` for `app` and the other way round; the one that had
/// it, or lay in the namespace that had its beginning.
///
/// # Errors
/// `Unavailable`.
pub async fn name_resolve(tx: &mut Tx<'_>, name: &RepoName, now: i64) -> Result<Resolved> {
    let mut at = name.clone();
    for _ in 0..HOPS {
        if let Some(found) = exactly(tx, &at).await? {
            return Ok(found);
        }
        match moved(tx, &at, now).await? {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(Resolved {
        repo: None,
        name: at,
    })
}

/// Reads what [`name_resolve`] reads of a name that nothing has: of one that something has and that is not everybody's to know, so
/// that its time does not tell.
///
/// # Errors
/// `Unavailable`.
pub async fn name_past(tx: &mut Tx<'_>, name: &RepoName, now: i64) -> Result<()> {
    moved(tx, name, now).await.map(drop)
}

async fn exactly(tx: &mut Tx<'_>, name: &RepoName) -> Result<Option<Resolved>> {
    if let Some(id) = repo_id(tx, name).await? {
        return Ok(Some(Resolved {
            repo: Some(id),
            name: name.clone(),
        }));
    }
    // Names of one component are those of this namespace, too.
    let other = match name.as_str().strip_prefix("library/") {
        Some(rest) if !rest.contains('/') => rest.to_owned(),
        None if !name.as_str().contains('/') => format!("library/{name}"),
        _ => return Ok(None),
    };
    let Ok(other) = other.parse::<RepoName>() else {
        return Ok(None);
    };
    let id = repo_id(tx, &other).await?;
    Ok(id.map(|id| Resolved {
        repo: Some(id),
        name: other,
    }))
}

/// Where a name that rests leads.
async fn moved(tx: &mut Tx<'_>, name: &RepoName, now: i64) -> Result<Option<RepoName>> {
    // Most installations have none: one look in place of one for each component.
    if !rest_any(tx).await? {
        return Ok(None);
    }
    if let Some(Rest::Repo(id)) = rest_get(tx, name.as_str(), now).await? {
        let found = repo_name(tx, id).await?;
        // One that was deleted since is nobody's, and its names lead nowhere.
        if let Some(found) = found.filter(|it| !is_removed(id, it.as_str())) {
            return Ok(Some(found));
        }
    }
    let slashes: Vec<usize> = name.as_str().match_indices('/').map(|(at, _)| at).collect();
    for at in slashes.into_iter().rev() {
        let Some((path, rest)) = name.as_str().split_at_checked(at) else {
            continue;
        };
        if let Some(Rest::Namespace(id)) = rest_get(tx, path, now).await?
            && let Some(namespace) = namespace_get(tx, id).await?
        {
            let name = format!("{}{rest}", namespace.path);
            return name.parse().map(Some).map_err(Error::internal);
        }
    }
    Ok(None)
}
