//! Names that rest: they lead elsewhere for a while, or nobody may take them yet.

use longshore_core::Result;

use crate::namespaces::NamespaceId;
use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO name_rest (path, repo, namespace, until) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (path) DO UPDATE SET repo = excluded.repo, namespace = excluded.namespace, until = excluded.until";
const GET: &str = "SELECT repo, namespace, until FROM name_rest WHERE path = ?1";
const LIST: &str =
    "SELECT path, until FROM name_rest WHERE path > ?1 AND until > ?2 ORDER BY path LIMIT ?3";
const DELETE: &str = "DELETE FROM name_rest WHERE path = ?1";
const FORGET: &str = "DELETE FROM name_rest WHERE until < ?1";
const ANY: &str = "SELECT 1 FROM name_rest LIMIT 1";

/// Where a name that rests leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// To a repository.
    Repo(i64),
    /// To a namespace, with all that lies below it.
    Namespace(NamespaceId),
    /// Nowhere.
    Nobody,
}

/// Lays a name to rest until `until`, in microseconds.
///
/// # Errors
/// `Unavailable`.
pub async fn rest_put(tx: &mut Tx<'_>, path: &str, rest: Rest, until: i64) -> Result<()> {
    let (repo, namespace) = match rest {
        Rest::Repo(repo) => (Some(repo), None),
        Rest::Namespace(namespace) => (None, Some(namespace.0)),
        Rest::Nobody => (None, None),
    };
    tx.exec(PUT, &values![path, repo, namespace, until])
        .await
        .map(drop)
}

/// Where a name leads at `now`, if it rests.
///
/// # Errors
/// `Unavailable`.
pub async fn rest_get(tx: &mut Tx<'_>, path: &str, now: i64) -> Result<Option<Rest>> {
    let found = tx
        .one::<(Option<i64>, Option<NamespaceId>, i64)>(GET, &values![path])
        .await?;
    Ok(found
        .filter(|(_, _, until)| *until > now)
        .map(|(repo, namespace, _)| match (repo, namespace) {
            (Some(repo), _) => Rest::Repo(repo),
            (None, Some(namespace)) => Rest::Namespace(namespace),
            (None, None) => Rest::Nobody,
        }))
}

/// Until when a name rests, if it does at `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn rest_until(tx: &mut Tx<'_>, path: &str, now: i64) -> Result<Option<i64>> {
    let found = tx
        .one::<(Option<i64>, Option<NamespaceId>, i64)>(GET, &values![path])
        .await?;
    Ok(found
        .map(|(_, _, until)| until)
        .filter(|until| *until > now))
}

/// At most `limit` names that rest at `now`, each until when, in their order, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn rest_list(
    tx: &mut Tx<'_>,
    after: &str,
    now: i64,
    limit: usize,
) -> Result<Vec<(String, i64)>> {
    tx.all(LIST, &values![after, now, limit]).await
}

/// Wakes a name.
///
/// # Errors
/// `Unavailable`.
pub async fn rest_delete(tx: &mut Tx<'_>, path: &str) -> Result<()> {
    tx.exec(DELETE, &values![path]).await.map(drop)
}

/// Forgets the names whose rest ended before `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn rest_forget(tx: &mut Tx<'_>, now: i64) -> Result<usize> {
    tx.exec(FORGET, &values![now]).await
}

/// Whether any name rests. Most installations have none, and need not look for each.
///
/// # Errors
/// `Unavailable`.
pub async fn rest_any(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(tx.one::<(i64,)>(ANY, &[]).await?.is_some())
}
