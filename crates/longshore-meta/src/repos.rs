//! Repositories: a name, an id, and how many manifests there are.

use longshore_core::{Error, Result};
use longshore_spec::name::RepoName;

use crate::news::{Kind, news_put};
use crate::tx::Tx;
use crate::values;

/// Where repositories lie that were deleted, until nothing is left of what was in them. Nobody has a namespace of that name.
pub const REMOVED: &str = "deleted";

const ID: &str = "SELECT id FROM repository WHERE name = ?1";
const NAME: &str = "SELECT name FROM repository WHERE id = ?1";
const NEXT: &str = "INSERT INTO counter (name, value) VALUES ('repository', 1) \
                    ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value";
const INSERT: &str = "INSERT INTO repository (id, name, created) VALUES (?1, ?2, ?3)";
const ADD: &str = "UPDATE repository SET manifests = manifests + ?2, tags = tags + ?3 WHERE id = ?1 RETURNING manifests, tags";
const LIST: &str =
    "SELECT name FROM repository WHERE manifests > 0 AND name >= ?1 ORDER BY name LIMIT ?2";
const FACTS: &str = "SELECT created, manifests, tags FROM repository WHERE id = ?1";
const RANGE: &str = "SELECT name FROM repository WHERE manifests > 0 AND name >= ?1 AND name < ?2 ORDER BY name LIMIT ?3";
const KNOWN: &str = "SELECT name FROM repository WHERE name >= ?1 AND NOT (name >= 'deleted/' AND name < 'deleted0') ORDER BY name LIMIT ?2";
const KNOWN_RANGE: &str = "SELECT name FROM repository WHERE name >= ?1 AND name < ?2 \
                           AND NOT (name >= 'deleted/' AND name < 'deleted0') ORDER BY name LIMIT ?3";
const ALL: &str =
    "SELECT id, name FROM repository WHERE name >= ?1 AND name < ?2 ORDER BY name LIMIT ?3";
const BELOW: &str =
    "SELECT id, name FROM repository WHERE name > ?1 AND name < ?2 ORDER BY name LIMIT ?3";
const SIZES: &str = "SELECT manifests, tags FROM repository WHERE id = ?1";
const RENAME: &str = "UPDATE repository SET name = ?2 WHERE id = ?1";
const ANY: &str = "SELECT 1 FROM repository WHERE id > 0 LIMIT 1";

/// The id of the repository called `name`.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_id(tx: &mut Tx<'_>, name: &RepoName) -> Result<Option<i64>> {
    Ok(tx
        .one::<(i64,)>(ID, &values![name.as_str()])
        .await?
        .map(|(id,)| id))
}

/// The name of a repository.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_name(tx: &mut Tx<'_>, id: i64) -> Result<Option<RepoName>> {
    let name = tx.one::<(String,)>(NAME, &values![id]).await?;
    name.map(|(name,)| name.parse().map_err(Error::internal))
        .transpose()
}

/// The id of the repository called `name`, which is made if it is not there.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_open(tx: &mut Tx<'_>, name: &RepoName, now: i64) -> Result<i64> {
    if let Some(id) = repo_id(tx, name).await? {
        return Ok(id);
    }
    let (id,) = tx.one::<(i64,)>(NEXT, &[]).await?.unwrap_or((1,));
    tx.exec(INSERT, &values![id, name.as_str(), now]).await?;
    news_put(tx, ("", now), Kind::Repo, id, None, None).await?;
    Ok(id)
}

/// Adds to the numbers of manifests and tags in a repository, and gives what they are then.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_count(tx: &mut Tx<'_>, id: i64, manifests: i64, tags: i64) -> Result<(u64, u64)> {
    Ok(tx
        .one::<(u64, u64)>(ADD, &values![id, manifests, tags])
        .await?
        .unwrap_or_default())
}

/// Which repositories a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepoKind {
    /// Those that hold a manifest.
    Filled,
    /// All, but for what is left of those that were deleted.
    Known,
}

/// At most `limit` names of such repositories, from `from` on and before `to`, in byte order.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_range(
    tx: &mut Tx<'_>,
    which: RepoKind,
    from: &str,
    to: Option<&str>,
    limit: usize,
) -> Result<Vec<String>> {
    let (range, list) = match which {
        RepoKind::Filled => (RANGE, LIST),
        RepoKind::Known => (KNOWN_RANGE, KNOWN),
    };
    let rows = match to {
        Some(to) => {
            tx.all::<(String,)>(range, &values![from, to, limit])
                .await?
        }
        None => tx.all::<(String,)>(list, &values![from, limit]).await?,
    };
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// At most `limit` repositories below `path`, id and name, also those without content.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_all(tx: &mut Tx<'_>, path: &str, limit: usize) -> Result<Vec<(i64, String)>> {
    let (from, to) = (format!("{path}/"), format!("{path}0"));
    tx.all(ALL, &values![from.as_str(), to.as_str(), limit])
        .await
}

/// At most `limit` repositories below `path`, or of all where that is empty, id and name, also those without content, in byte order,
/// after the one called `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_below(
    tx: &mut Tx<'_>,
    path: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<(i64, String)>> {
    // A name has no byte above `z`.
    let (from, to) = if path.is_empty() {
        (String::new(), "{".to_owned())
    } else {
        (format!("{path}/"), format!("{path}0"))
    };
    let from = from.as_str().max(after);
    tx.all(BELOW, &values![from, to.as_str(), limit]).await
}

/// How many manifests and tags a repository has.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_sizes(tx: &mut Tx<'_>, id: i64) -> Result<(u64, u64)> {
    let found = tx.one::<(u64, u64)>(SIZES, &values![id]).await?;
    Ok(found.unwrap_or_default())
}

/// Gives a repository another name: by whom, and when.
///
/// # Errors
/// `Unavailable`, also when the name is taken: look first, in the same transaction.
pub async fn repo_rename(tx: &mut Tx<'_>, id: i64, name: &RepoName, by: (&str, i64)) -> Result<()> {
    let Some(old) = repo_name(tx, id).await? else {
        return Ok(());
    };
    tx.exec(RENAME, &values![id, name.as_str()]).await?;
    news_put(tx, by, Kind::Renamed, id, None, Some(old.as_str())).await
}

/// Takes a repository out of everybody's sight, by whom and when. Its row stays, under a name of its own: what is in it goes bit by
/// bit. Gives that name.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_remove(tx: &mut Tx<'_>, id: i64, by: (&str, i64)) -> Result<RepoName> {
    let old = repo_name(tx, id).await?;
    let name: RepoName = format!("{REMOVED}/{id}").parse().map_err(Error::internal)?;
    tx.exec(RENAME, &values![id, name.as_str()]).await?;
    let old = old.as_ref().map(RepoName::as_str);
    news_put(tx, by, Kind::RepoGone, id, None, old).await?;
    Ok(name)
}

/// Whether the repository of that id and name was deleted.
pub fn is_removed(id: i64, name: &str) -> bool {
    name == format!("{REMOVED}/{id}")
}

/// Whether there is any repository at all, also one without content.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_any(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.one::<(i64,)>(ANY, &[]).await?.is_some())
}

/// When a repository was made, in microseconds, and how many manifests and tags it has.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_facts(tx: &mut Tx<'_>, id: i64) -> Result<Option<(i64, u64, u64)>> {
    tx.one(FACTS, &values![id]).await
}
