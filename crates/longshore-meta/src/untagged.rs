//! Manifests that may have neither a tag nor a parent.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO untagged (repo, digest, why, since) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (repo, digest) DO UPDATE SET why = excluded.why, since = excluded.since";
const PUT_CHILDREN: &str = "INSERT INTO untagged (repo, digest, why, since) \
                            SELECT m.repo, m.digest, 2, ?3 FROM edge e JOIN manifest m ON m.repo = e.repo AND m.digest = e.child \
                            WHERE e.repo = ?1 AND e.parent = ?2 AND e.kind = 3 \
                            ON CONFLICT (repo, digest) DO UPDATE SET why = excluded.why, since = excluded.since";
const PUT_REFERRERS: &str = "INSERT INTO untagged (repo, digest, why, since) \
                             SELECT repo, digest, 2, ?3 FROM manifest WHERE repo = ?1 AND subject = ?2 \
                             ON CONFLICT (repo, digest) DO UPDATE SET why = excluded.why, since = excluded.since";
const DELETE: &str = "DELETE FROM untagged WHERE repo = ?1 AND digest = ?2";
const DUE: &str = "SELECT repo, digest, since FROM untagged WHERE why = ?1 AND since <= ?2 ORDER BY since LIMIT ?3";
const MANIFEST: &str = "SELECT tagged, subject FROM manifest WHERE repo = ?1 AND digest = ?2";
const TAGGED: &str = "SELECT 1 FROM tag WHERE repo = ?1 AND digest = ?2 LIMIT 1";
const LISTED: &str = "SELECT 1 FROM edge WHERE repo = ?1 AND child = ?2 AND kind IN (1, 3) LIMIT 1";
const SUBJECT: &str = "SELECT 1 FROM manifest WHERE repo = ?1 AND digest = ?2";
const SUBJECT_TRASHED: &str = "SELECT 1 FROM trash WHERE repo = ?1 AND digest = ?2";

/// Why a manifest may have neither tag nor parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It was pushed without a tag.
    Pushed = 0,
    /// It lost its last tag.
    LostTag = 1,
    /// The index that listed it, or the manifest it was about, is gone.
    LostParent = 2,
}

/// What keeps a manifest that has no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is no such manifest.
    Gone,
    /// It has a tag, or a manifest that lists it or that it is about, in use or in the trash.
    Needed,
    /// Nothing keeps it; whether it ever had a tag.
    Alone {
        /// Whether it ever had a tag.
        tagged: bool,
    },
}

/// Has a manifest looked at that may have neither tag nor parent from `since` on.
///
/// # Errors
/// `Unavailable`.
pub async fn untagged_put(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    why: Why,
    since: i64,
) -> Result<()> {
    tx.exec(PUT, &values![repo, digest, why as i64, since])
        .await
        .map(drop)
}

/// Has the manifests looked at that a manifest in the trash lists, and those that are about it.
///
/// # Errors
/// `Unavailable`.
pub async fn untagged_put_of(
    tx: &mut Tx<'_>,
    repo: i64,
    parent: &Digest,
    since: i64,
) -> Result<()> {
    let at = values![repo, parent, since];
    tx.exec(PUT_CHILDREN, &at).await?;
    tx.exec(PUT_REFERRERS, &at).await.map(drop)
}

/// Takes it from the queue.
///
/// # Errors
/// `Unavailable`.
pub async fn untagged_delete(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<()> {
    tx.exec(DELETE, &values![repo, digest]).await.map(drop)
}

/// Those that are without tag or parent since `since` or longer: repository, digest, since when.
///
/// # Errors
/// `Unavailable`.
pub async fn untagged_due(
    tx: &mut Tx<'_>,
    why: Why,
    since: i64,
    limit: usize,
) -> Result<Vec<(i64, Digest, i64)>> {
    tx.all(DUE, &values![why as i64, since, limit]).await
}

/// Whether a tag points to the manifest.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_has_tag(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(TAGGED, &values![repo, digest])
        .await?
        .is_some())
}

/// What keeps a manifest.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_standing(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<Standing> {
    let at = values![repo, digest];
    let Some((tagged, subject)) = tx.one::<(i64, Option<Digest>)>(MANIFEST, &at).await? else {
        return Ok(Standing::Gone);
    };
    if tx.one::<(i64,)>(TAGGED, &at).await?.is_some()
        || tx.one::<(i64,)>(LISTED, &at).await?.is_some()
    {
        return Ok(Standing::Needed);
    }
    if let Some(subject) = &subject {
        let at = values![repo, subject];
        if tx.one::<(i64,)>(SUBJECT, &at).await?.is_some()
            || tx.one::<(i64,)>(SUBJECT_TRASHED, &at).await?.is_some()
        {
            return Ok(Standing::Needed);
        }
    }
    Ok(Standing::Alone {
        tagged: tagged != 0,
    })
}
