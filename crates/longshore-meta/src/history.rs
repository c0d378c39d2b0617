//! Where tags pointed.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::value::{FromValue, Value};
use crate::values;

/// Two changes of one tag in one microsecond, or after the clock was set back, still have an order.
const PUT: &str = "INSERT INTO tag_history (repo, name, at, actor, old_digest, new_digest, why) SELECT ?1, ?2, \
                   CASE WHEN h.last >= ?3 THEN h.last + 1 ELSE ?3 END, ?4, ?5, ?6, ?7 \
                   FROM (SELECT coalesce(max(at), 0) AS last FROM tag_history WHERE repo = ?1 AND name = ?2) AS h";
const LIST: &str = "SELECT at, actor, old_digest, new_digest, why FROM tag_history \
                    WHERE repo = ?1 AND name = ?2 AND at < ?3 ORDER BY at DESC LIMIT ?4";
const LIST_ALL: &str = "SELECT name, at, actor, old_digest, new_digest, why FROM tag_history \
                        WHERE repo = ?1 AND (name, at) > (?2, ?3) ORDER BY name, at LIMIT ?4";
const EXPIRED: &str = "SELECT repo, name, at FROM tag_history WHERE at < ?1 ORDER BY at LIMIT ?2";
const DELETE: &str = "DELETE FROM tag_history WHERE repo = ?1 AND name = ?2 AND at = ?3";

/// What changed a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A manifest was pushed with it.
    Pushed = 0,
    /// It was deleted.
    Deleted = 1,
    /// The manifest it pointed to was deleted.
    ManifestDeleted = 2,
    /// It was restored.
    Restored = 3,
}

impl FromValue for Cause {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Int(0) => Some(Cause::Pushed),
            Value::Int(1) => Some(Cause::Deleted),
            Value::Int(2) => Some(Cause::ManifestDeleted),
            Value::Int(3) => Some(Cause::Restored),
            _ => None,
        }
    }
}

/// A change of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// Where it pointed before, if it was there.
    pub old: Option<Digest>,
    /// Where it pointed afterwards, if it was there.
    pub new: Option<Digest>,
    /// By what.
    pub cause: Cause,
}

/// Writes a change down.
///
/// # Errors
/// `Unavailable`.
pub async fn history_put(tx: &mut Tx<'_>, repo: i64, tag: &str, change: &Change) -> Result<()> {
    let at = values![
        repo,
        tag,
        change.at,
        change.actor.as_str(),
        change.old.as_ref(),
        change.new.as_ref(),
        change.cause as i64
    ];
    tx.exec(PUT, &at).await.map(drop)
}

/// The changes of a tag before `before`, the latest first.
///
/// # Errors
/// `Unavailable`.
pub async fn history_list(
    tx: &mut Tx<'_>,
    repo: i64,
    tag: &str,
    before: i64,
    limit: usize,
) -> Result<Vec<Change>> {
    let found = tx
        .all::<(_, _, _, _, _)>(LIST, &values![repo, tag, before, limit])
        .await?;
    Ok(found
        .into_iter()
        .map(|(at, actor, old, new, cause)| Change {
            at,
            actor,
            old,
            new,
            cause,
        })
        .collect())
}

/// The changes of all tags of a repository behind the one of the tag and the time in `after`: tag by tag in byte order, the
/// earliest change of each first.
///
/// # Errors
/// `Unavailable`.
pub async fn history_list_all(
    tx: &mut Tx<'_>,
    repo: i64,
    after: Option<&(String, i64)>,
    limit: usize,
) -> Result<Vec<(String, Change)>> {
    let (name, at) = after.map_or(("", 0), |(name, at)| (name.as_str(), *at));
    let found = tx
        .all::<(String, _, _, _, _, _)>(LIST_ALL, &values![repo, name, at, limit])
        .await?;
    Ok(found
        .into_iter()
        .map(|(name, at, actor, old, new, cause)| {
            let change = Change {
                at,
                actor,
                old,
                new,
                cause,
            };
            (name, change)
        })
        .collect())
}

/// Forgets at most `limit` changes before `before`, and tells how many there were.
///
/// # Errors
/// `Unavailable`.
pub async fn history_forget(tx: &mut Tx<'_>, before: i64, limit: usize) -> Result<usize> {
    let found = tx
        .all::<(i64, String, i64)>(EXPIRED, &values![before, limit])
        .await?;
    for (repo, name, at) in &found {
        tx.exec(DELETE, &values![*repo, name.as_str(), *at]).await?;
    }
    Ok(found.len())
}
