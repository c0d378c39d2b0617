//! Tags: names that point to manifests.

use longshore_core::Result;
use longshore_spec::digest::Digest;
use longshore_spec::name::Tag;

use crate::news::{By, Kind, news_of_tags, news_put};
use crate::tx::Tx;
use crate::values;

const GET: &str = "SELECT digest FROM tag WHERE repo = ?1 AND name = ?2";
const PUT: &str = "INSERT INTO tag (repo, name, digest, moved, moved_by) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (repo, name) DO UPDATE SET digest = excluded.digest, moved = excluded.moved, \
                   moved_by = excluded.moved_by WHERE tag.digest <> excluded.digest";
const DELETE: &str = "DELETE FROM tag WHERE repo = ?1 AND name = ?2";
const DELETE_OF: &str = "DELETE FROM tag WHERE repo = ?1 AND digest = ?2";
const OF: &str = "SELECT name FROM tag WHERE repo = ?1 AND digest = ?2";
const SOME_OF: &str = "SELECT name FROM tag WHERE repo = ?1 AND digest = ?2 LIMIT ?3";
const PAGE: &str =
    "SELECT name, digest FROM tag WHERE repo = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
const LIST: &str = "SELECT name FROM tag WHERE repo = ?1 AND name > ?2 ORDER BY name LIMIT ?3";

/// What the tag points to.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_get(tx: &mut Tx<'_>, repo: i64, tag: &Tag) -> Result<Option<Digest>> {
    Ok(tx
        .one::<(Digest,)>(GET, &values![repo, tag.as_str()])
        .await?
        .map(|(digest,)| digest))
}

/// Points the tag to `digest`, wherever it pointed before.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_put(
    tx: &mut Tx<'_>,
    repo: i64,
    tag: &Tag,
    digest: &Digest,
    by: &str,
    now: i64,
) -> Result<()> {
    let values = values![repo, tag.as_str(), digest, now, by];
    if tx.exec(PUT, &values).await? > 0 {
        let name = Some(tag.as_str());
        news_put(tx, (by, now), Kind::Tag, repo, Some(digest), name).await?;
    }
    Ok(())
}

/// Takes the tag away; false when there was none.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_delete(tx: &mut Tx<'_>, repo: i64, tag: &Tag, by: &str, now: i64) -> Result<bool> {
    let Some(digest) = tag_get(tx, repo, tag).await? else {
        return Ok(false);
    };
    tx.exec(DELETE, &values![repo, tag.as_str()]).await?;
    let name = Some(tag.as_str());
    news_put(tx, (by, now), Kind::TagGone, repo, Some(&digest), name).await?;
    Ok(true)
}

/// Takes all tags away that point to `digest`, and tells how many there were.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_delete_of(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    by: &str,
    now: i64,
) -> Result<usize> {
    let by = By { actor: by, at: now };
    news_of_tags(tx, by, repo, digest).await?;
    tx.exec(DELETE_OF, &values![repo, digest]).await
}

/// All tags that point to `digest`.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_of(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<Vec<String>> {
    let found = tx.all::<(String,)>(OF, &values![repo, digest]).await?;
    Ok(found.into_iter().map(|(name,)| name).collect())
}

/// At most `limit` of the tags that point to `digest`.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_some_of(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    limit: usize,
) -> Result<Vec<String>> {
    let found = tx
        .all::<(String,)>(SOME_OF, &values![repo, digest, limit])
        .await?;
    Ok(found.into_iter().map(|(name,)| name).collect())
}

/// At most `limit` tags, strictly after `after`, in byte order.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_list(
    tx: &mut Tx<'_>,
    repo: i64,
    after: &str,
    limit: usize,
) -> Result<Vec<String>> {
    Ok(tx
        .all::<(String,)>(LIST, &values![repo, after, limit])
        .await?
        .into_iter()
        .map(|(name,)| name)
        .collect())
}

/// At most `limit` tags after `after`, each with what it points to, in byte order.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_page(
    tx: &mut Tx<'_>,
    repo: i64,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, Digest)>> {
    tx.all(PAGE, &values![repo, after, limit]).await
}
