//! News: what happened, for whoever works on it later.
//!
//! The functions that change a manifest, a tag or a repository write the row themselves, so no change can be without one, and a
//! change that is undone takes its row along. Nobody in `news_reader` means no rows. On an engine with several writers ids
//! would have to be given out at the commit; SQLite has one.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO news (at, actor, kind, repo, digest, name) SELECT ?1, ?2, ?3, ?4, ?5, ?6 \
                   WHERE EXISTS (SELECT 1 FROM news_reader)";
const PUT_TAGS: &str = "INSERT INTO news (at, actor, kind, repo, digest, name) SELECT ?1, ?2, 3, t.repo, t.digest, t.name FROM tag t \
                        WHERE t.repo = ?3 AND t.digest = ?4 AND EXISTS (SELECT 1 FROM news_reader)";
const LIST: &str =
    "SELECT id, at, actor, kind, repo, digest, name FROM news WHERE id > ?1 ORDER BY id LIMIT ?2";
const LAST: &str = "SELECT coalesce(max(id), 0) FROM news";
const FOLLOW: &str = "INSERT INTO news_reader (name, seen, walk) SELECT ?1, coalesce(max(id), 0), '' FROM news WHERE true \
                      ON CONFLICT (name) DO NOTHING";
const READER: &str = "SELECT seen, walk FROM news_reader WHERE name = ?1";
const LEAVE: &str = "DELETE FROM news_reader WHERE name = ?1";
const SEEN: &str = "UPDATE news_reader SET seen = ?2 WHERE name = ?1 AND seen < ?2";
const WALKED: &str = "UPDATE news_reader SET walk = ?2 WHERE name = ?1";
const SLOWEST: &str = "SELECT min(seen) FROM news_reader";
const PRUNE: &str = "DELETE FROM news WHERE id IN (SELECT id FROM news WHERE id <= ?1 AND id < ?2 ORDER BY id LIMIT ?3)";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A manifest is here: pushed, taken over, restored, or known as another media type.
    Manifest = 0,
    /// A manifest is here no more.
    ManifestGone = 1,
    /// A tag points to a manifest.
    Tag = 2,
    /// A tag is here no more.
    TagGone = 3,
    /// A repository was made.
    Repo = 4,
    /// A repository is called otherwise.
    Renamed = 5,
    /// A repository is here no more.
    RepoGone = 6,
    /// What people say of a repository has changed: its description, its labels.
    Profile = 7,
}

impl Kind {
    fn of(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::Manifest,
            1 => Self::ManifestGone,
            2 => Self::Tag,
            3 => Self::TagGone,
            4 => Self::Repo,
            5 => Self::Renamed,
            6 => Self::RepoGone,
            7 => Self::Profile,
            _ => return None,
        })
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Its number: greater than that of everything before, stable for ever.
    pub id: i64,
    /// When, in microseconds since the Unix epoch.
    pub at: i64,
    /// Who did it; empty where nobody in particular did.
    pub actor: String,
    /// What.
    pub kind: Kind,
    /// In which repository.
    pub repo: i64,
    /// The manifest, or what the tag points or pointed to.
    pub digest: Option<Digest>,
    /// The tag, or what the repository was called before.
    pub name: Option<String>,
}

/// How far somebody is with the news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The last of the news that it is through with.
    pub seen: i64,
    /// The last repository, by name, that was here before it read news and that it is through with; `None` when it is through with
    /// all of them.
    pub walk: Option<String>,
}

/// Who did something, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By<'a> {
    pub(crate) actor: &'a str,
    pub(crate) at: i64,
}

/// Writes a row, if anybody reads them.
///
/// # Errors
/// `Unavailable`.
pub async fn news_put(
    tx: &mut Tx<'_>,
    (actor, at): (&str, i64),
    kind: Kind,
    repo: i64,
    digest: Option<&Digest>,
    name: Option<&str>,
) -> Result<()> {
    let values = values![at, actor, kind as i64, repo, digest, name];
    tx.exec(PUT, &values).await.map(drop)
}

/// Writes that all tags of a manifest are gone, which they are to be in the same transaction.
pub(crate) async fn news_of_tags(
    tx: &mut Tx<'_>,
    by: By<'_>,
    repo: i64,
    digest: &Digest,
) -> Result<()> {
    tx.exec(PUT_TAGS, &values![by.at, by.actor, repo, digest])
        .await
        .map(drop)
}

/// At most `limit` news after the one called `after`, in their order.
///
/// # Errors
/// `Unavailable`.
pub async fn news_list(tx: &mut Tx<'_>, after: i64, limit: usize) -> Result<Vec<News>> {
    type Columns = (i64, i64, String, i64, i64, Option<Digest>, Option<String>);
    let rows = tx.all::<Columns>(LIST, &values![after, limit]).await?;
    let row = |(id, at, actor, kind, repo, digest, name): Columns| {
        Some(News {
            id,
            at,
            actor,
            kind: Kind::of(kind)?,
            repo,
            digest,
            name,
        })
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

/// The number of the last news; 0 where there was none.
///
/// # Errors
/// `Unavailable`.
pub async fn news_last(tx: &mut Tx<'_>) -> Result<i64> {
    Ok(tx.one::<(i64,)>(LAST, &[]).await?.map_or(0, |(id,)| id))
}

/// From now on there are news for `reader`, until it leaves; gives how far it is. What was here before it has to walk through.
///
/// # Errors
/// `Unavailable`.
pub async fn news_follow(tx: &mut Tx<'_>, reader: &str) -> Result<Reading> {
    tx.exec(FOLLOW, &values![reader]).await?;
    Ok(news_reading(tx, reader).await?.unwrap_or(Reading {
        seen: 0,
        walk: Some(String::new()),
    }))
}

/// How far `reader` is; `None` where it does not read news.
///
/// # Errors
/// `Unavailable`.
pub async fn news_reading(tx: &mut Tx<'_>, reader: &str) -> Result<Option<Reading>> {
    let row = tx
        .one::<(i64, Option<String>)>(READER, &values![reader])
        .await?;
    Ok(row.map(|(seen, walk)| Reading { seen, walk }))
}

/// There are no news for `reader` any more; true when there were.
///
/// # Errors
/// `Unavailable`.
pub async fn news_leave(tx: &mut Tx<'_>, reader: &str) -> Result<bool> {
    Ok(tx.exec(LEAVE, &values![reader]).await? > 0)
}

/// Records that `reader` is through with all news up to `id`.
///
/// # Errors
/// `Unavailable`.
pub async fn news_seen(tx: &mut Tx<'_>, reader: &str, id: i64) -> Result<()> {
    tx.exec(SEEN, &values![reader, id]).await.map(drop)
}

/// Records how far `reader` has walked; `None`: through all.
///
/// # Errors
/// `Unavailable`.
pub async fn news_walked(tx: &mut Tx<'_>, reader: &str, walk: Option<&str>) -> Result<()> {
    tx.exec(WALKED, &values![reader, walk]).await.map(drop)
}

/// Removes at most `limit` news that all readers are through with, and gives how many. The last one stays: numbers go on from it.
///
/// # Errors
/// `Unavailable`.
pub async fn news_prune(tx: &mut Tx<'_>, limit: usize) -> Result<usize> {
    let last = news_last(tx).await?;
    let slowest = tx.one::<(Option<i64>,)>(SLOWEST, &[]).await?;
    let slowest = slowest.and_then(|(seen,)| seen).unwrap_or(last);
    tx.exec(PRUNE, &values![slowest, last, limit]).await
}
