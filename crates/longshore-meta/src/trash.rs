//! Manifests that were deleted and can be restored.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::manifests::manifest_depth;
use crate::news::{Kind, news_put};
use crate::tx::Tx;
use crate::values;

const FILL: &str = "INSERT INTO trash (repo, digest, size, media_type, depth, artifact_type, subject, descriptor, created, tagged, \
                    tags, deleted, deleted_by, why, expires) \
                    SELECT repo, digest, size, media_type, depth, artifact_type, subject, descriptor, created, tagged, \
                    ?3, ?4, ?5, ?6, CASE WHEN tagged = 0 THEN ?8 ELSE ?7 END FROM manifest WHERE repo = ?1 AND digest = ?2";
const TAKE_MANIFEST: &str = "DELETE FROM manifest WHERE repo = ?1 AND digest = ?2";
const LAY: &str = "UPDATE edge SET kind = kind + 2 WHERE repo = ?1 AND parent = ?2 AND kind < 2";
const BACK: &str = "INSERT INTO manifest (repo, digest, size, media_type, depth, artifact_type, subject, descriptor, created, tagged) \
                    SELECT repo, digest, size, media_type, depth, artifact_type, subject, descriptor, created, tagged \
                    FROM trash WHERE repo = ?1 AND digest = ?2";
const LIFT: &str = "UPDATE edge SET kind = kind - 2 WHERE repo = ?1 AND parent = ?2 AND kind >= 2";
const RELINK: &str = "INSERT INTO link (repo, digest, created) SELECT e.repo, e.child, ?3 FROM edge e \
                      JOIN blob b ON b.digest = e.child WHERE e.repo = ?1 AND e.parent = ?2 AND e.kind = 0 AND b.state < 2 \
                      ON CONFLICT (repo, digest) DO NOTHING";
const DELETE: &str = "DELETE FROM trash WHERE repo = ?1 AND digest = ?2";
const DELETE_EDGES: &str = "DELETE FROM edge WHERE repo = ?1 AND parent = ?2 AND kind >= 2";
const DELETE_BODY: &str = "DELETE FROM manifest_body WHERE digest = ?1 \
                           AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = ?1) \
                           AND NOT EXISTS (SELECT 1 FROM trash t WHERE t.digest = ?1)";
const GET: &str = "SELECT size, tags, deleted, deleted_by, why, expires FROM trash WHERE repo = ?1 AND digest = ?2";
const LIST: &str = "SELECT repo, digest, expires FROM trash WHERE repo = ?1 AND digest > ?2 ORDER BY digest LIMIT ?3";
const EXPIRED: &str = "SELECT repo, digest, expires FROM trash WHERE (expires, repo, digest) > (?1, ?2, ?3) AND expires <= ?4 \
                       ORDER BY expires, repo, digest LIMIT ?5";
const COUNT: &str = "SELECT count(*), min(expires) FROM trash";
const NEEDS: &str = "SELECT child FROM edge WHERE repo = ?1 AND parent = ?2 AND kind = ?3 LIMIT ?4";

/// How a manifest came into the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// The tags it lost, one a line.
    pub tags: String,
    /// When it was deleted.
    pub deleted: i64,
    /// By whom.
    pub deleted_by: String,
    /// Whether it was collected, and not deleted by somebody.
    pub collected: bool,
    /// Until when it can be restored.
    pub expires: i64,
    /// How long it is, in bytes.
    pub size: u64,
}

/// A place in the listing of the trash: when it expires, its repository and its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrashKey {
    /// The repository.
    pub repo: i64,
    /// The manifest.
    pub digest: Digest,
    /// Until when it can be restored.
    pub expires: i64,
}

/// Moves a manifest into the trash; false when it is not there. It stays until `expires` of `how`, one that never had a tag until
/// `untagged_expires`.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_put(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    how: &Trashed,
    untagged_expires: i64,
) -> Result<bool> {
    let fill = values![
        repo,
        digest,
        how.tags.as_str(),
        how.deleted,
        how.deleted_by.as_str(),
        i64::from(how.collected),
        how.expires,
        untagged_expires
    ];
    if tx.exec(FILL, &fill).await? == 0 {
        return Ok(false);
    }
    let at = values![repo, digest];
    tx.exec(TAKE_MANIFEST, &at).await?;
    tx.exec(LAY, &at).await?;
    let by = (how.deleted_by.as_str(), how.deleted);
    news_put(tx, by, Kind::ManifestGone, repo, Some(digest), None).await?;
    Ok(true)
}

/// Whether a manifest of a repository can be pulled, or restored from the trash.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_is_here(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    Ok(manifest_depth(tx, repo, digest).await?.is_some()
        || trash_get(tx, repo, digest).await?.is_some())
}

/// What is known of a manifest in the trash.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_get(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<Option<Trashed>> {
    let found = tx
        .one::<(u64, String, i64, String, i64, i64)>(GET, &values![repo, digest])
        .await?;
    Ok(
        found.map(|(size, tags, deleted, deleted_by, why, expires)| Trashed {
            tags,
            deleted,
            deleted_by,
            collected: why == 1,
            expires,
            size,
        }),
    )
}

/// Moves a manifest back into its repository, which holds its blobs again; its tags are another matter.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_restore(tx: &mut Tx<'_>, repo: i64, digest: &Digest, now: i64) -> Result<bool> {
    let at = values![repo, digest];
    if tx.exec(BACK, &at).await? == 0 {
        return Ok(false);
    }
    tx.exec(DELETE, &at).await?;
    tx.exec(LIFT, &at).await?;
    tx.exec(RELINK, &values![repo, digest, now]).await?;
    news_put(tx, ("", now), Kind::Manifest, repo, Some(digest), None).await?;
    Ok(true)
}

/// Takes a manifest out of the trash for good, with its edges, and with its bytes where nobody else has them; false when it was
/// not there.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_delete(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    let at = values![repo, digest];
    if tx.exec(DELETE, &at).await? == 0 {
        return Ok(false);
    }
    tx.exec(DELETE_EDGES, &at).await?;
    tx.exec(DELETE_BODY, &values![digest]).await?;
    Ok(true)
}

/// Forgets what the trash has of a manifest that was just pushed again.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_overtaken(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<()> {
    let at = values![repo, digest];
    if tx.exec(DELETE, &at).await? > 0 {
        tx.exec(DELETE_EDGES, &at).await?;
    }
    Ok(())
}

/// What expires at `until` or earlier, strictly after `after`, what expires first first.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_expired(
    tx: &mut Tx<'_>,
    after: Option<&TrashKey>,
    until: i64,
    limit: usize,
) -> Result<Vec<TrashKey>> {
    let from = match after {
        Some(at) => values![at.expires, at.repo, &at.digest, until, limit],
        None => values![i64::MIN, i64::MIN, [].as_slice(), until, limit],
    };
    Ok(keys(tx.all(EXPIRED, &from).await?))
}

/// What a repository has in the trash, strictly after `after`, in the order of digests.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_list(
    tx: &mut Tx<'_>,
    repo: i64,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<TrashKey>> {
    let after = after.map_or_else(Vec::new, |digest| digest.to_key().to_vec());
    let found = tx
        .all(LIST, &values![repo, after.as_slice(), limit])
        .await?;
    Ok(keys(found))
}

fn keys(found: Vec<(i64, Digest, i64)>) -> Vec<TrashKey> {
    let key = |(repo, digest, expires)| TrashKey {
        repo,
        digest,
        expires,
    };
    found.into_iter().map(key).collect()
}

/// How many manifests are in the trash, and when the first of them expires.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_count(tx: &mut Tx<'_>) -> Result<(u64, Option<i64>)> {
    Ok(tx.one(COUNT, &[]).await?.unwrap_or_default())
}

/// The blobs that a manifest in the trash needs, `most` of them.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_blobs(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    most: u64,
) -> Result<Vec<Digest>> {
    needs(tx, repo, digest, 2, most).await
}

/// The manifests that a manifest in the trash lists, `most` of them.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_children(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    most: u64,
) -> Result<Vec<Digest>> {
    needs(tx, repo, digest, 3, most).await
}

async fn needs(
    tx: &mut Tx<'_>,
    repo: i64,
    parent: &Digest,
    kind: i64,
    most: u64,
) -> Result<Vec<Digest>> {
    Ok(tx
        .all::<(Digest,)>(NEEDS, &values![repo, parent, kind, most])
        .await?
        .into_iter()
        .map(|(digest,)| digest)
        .collect())
}
