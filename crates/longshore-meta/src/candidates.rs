//! Links that may be needed no more, and what still keeps them and their blobs.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::blobs::BlobRow;
use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO candidate (due, repo, digest) VALUES (?1, ?2, ?3) ON CONFLICT (due, repo, digest) DO NOTHING";
const PUT_OF: &str = "INSERT INTO candidate (due, repo, digest) SELECT ?3, repo, child FROM edge \
                      WHERE repo = ?1 AND parent = ?2 AND kind = 2 ON CONFLICT (due, repo, digest) DO NOTHING";
const DELETE: &str = "DELETE FROM candidate WHERE due = ?1 AND repo = ?2 AND digest = ?3";
const DUE: &str = "SELECT due, repo, digest FROM candidate WHERE (due, repo, digest) > (?1, ?2, ?3) AND due <= ?4 \
                   ORDER BY due, repo, digest LIMIT ?5";
const FIRST: &str = "SELECT min(due) FROM candidate";
/// `kind` 0: in use; 2: in the trash.
const NEEDED: &str = "SELECT 1 FROM edge WHERE repo = ?1 AND child = ?2 AND kind IN (0, 2) LIMIT 1";
const NEEDED_BESIDE: &str =
    "SELECT 1 FROM edge WHERE repo = ?1 AND child = ?2 AND kind IN (0, 2) AND parent <> ?3 LIMIT 1";
const PINNED: &str = "SELECT repo FROM edge WHERE child = ?1 AND kind = 2 LIMIT 1";
const LINKED: &str = "SELECT 1 FROM link WHERE repo = ?1 AND digest = ?2";
const HOLDERS: &str = "SELECT r.name FROM blob b JOIN link h ON h.repo = b.home AND h.digest = b.digest AND h.shared = 0 \
                       JOIN repository r ON r.id = h.repo WHERE b.digest = ?1 AND b.home <> ?2 \
                       UNION ALL SELECT r.name FROM link l CROSS JOIN repository r ON r.id = l.repo \
                       WHERE l.shared = 1 AND l.digest = ?1 AND l.repo <> ?2 LIMIT ?3";
const REVIEWED: &str =
    "SELECT size, location, generation, state, lease_until FROM blob WHERE digest = ?1";
const TAKE: &str = "UPDATE blob SET state = 2, generation = generation + 1 \
                    WHERE digest = ?1 AND generation = ?2 AND state IN (1, 3)";
const BURY: &str = "DELETE FROM blob WHERE digest = ?1 AND generation = ?2 AND state = 2";

/// A link that may be needed no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// When it is to be looked at.
    pub due: i64,
    /// Its repository.
    pub repo: i64,
    /// Its blob.
    pub digest: Digest,
}

/// Has the link looked at when it is `due`.
///
/// # Errors
/// `Unavailable`.
pub async fn candidate_put(tx: &mut Tx<'_>, at: &Candidate) -> Result<()> {
    tx.exec(PUT, &values![at.due, at.repo, &at.digest])
        .await
        .map(drop)
}

/// Has the links of all blobs looked at that a manifest in the trash needs.
///
/// # Errors
/// `Unavailable`.
pub async fn candidate_put_of(
    tx: &mut Tx<'_>,
    repo: i64,
    manifest: &Digest,
    due: i64,
) -> Result<()> {
    tx.exec(PUT_OF, &values![repo, manifest, due])
        .await
        .map(drop)
}

/// Takes it from the queue.
///
/// # Errors
/// `Unavailable`.
pub async fn candidate_delete(tx: &mut Tx<'_>, at: &Candidate) -> Result<()> {
    tx.exec(DELETE, &values![at.due, at.repo, &at.digest])
        .await
        .map(drop)
}

/// Those that are due at `now`, strictly after `after`, in the order of their times.
///
/// # Errors
/// `Unavailable`.
pub async fn candidate_due(
    tx: &mut Tx<'_>,
    after: Option<&Candidate>,
    now: i64,
    limit: usize,
) -> Result<Vec<Candidate>> {
    let from = match after {
        Some(at) => values![at.due, at.repo, &at.digest, now, limit],
        None => values![i64::MIN, i64::MIN, [].as_slice(), now, limit],
    };
    Ok(tx
        .all::<(i64, i64, Digest)>(DUE, &from)
        .await?
        .into_iter()
        .map(|(due, repo, digest)| Candidate { due, repo, digest })
        .collect())
}

/// When the next one is due.
///
/// # Errors
/// `Unavailable`.
pub async fn candidate_first(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    let first = tx.one::<(Option<i64>,)>(FIRST, &[]).await?;
    Ok(first.and_then(|(due,)| due))
}

/// Whether a manifest of the repository needs the blob, be it in use or in the trash.
///
/// # Errors
/// `Unavailable`.
pub async fn link_is_needed(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(NEEDED, &values![repo, digest])
        .await?
        .is_some())
}

/// Whether another manifest of the repository than `but` needs the blob, be it in use or in the trash.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_needed_beside(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    but: &Digest,
) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(NEEDED_BESIDE, &values![repo, digest, but])
        .await?
        .is_some())
}

/// Whether the repository holds the blob, readable or not.
///
/// # Errors
/// `Unavailable`.
pub async fn link_is(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(LINKED, &values![repo, digest])
        .await?
        .is_some())
}

/// A repository with a manifest in the trash that needs the blob.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_pinned(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<i64>> {
    Ok(tx
        .one::<(i64,)>(PINNED, &values![digest])
        .await?
        .map(|(repo,)| repo))
}

/// Names of other repositories than `but` that hold the blob, `most` of them.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_holders(
    tx: &mut Tx<'_>,
    digest: &Digest,
    but: i64,
    most: u64,
) -> Result<Vec<String>> {
    Ok(tx
        .all::<(String,)>(HOLDERS, &values![digest, but, most])
        .await?
        .into_iter()
        .map(|(name,)| name)
        .collect())
}

/// A blob's row, and until when it is leased.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_reviewed(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<(BlobRow, i64)>> {
    let found = tx
        .one::<(_, _, _, _, i64)>(REVIEWED, &values![digest])
        .await?;
    Ok(found.map(|(size, location, generation, state, lease)| {
        let row = BlobRow {
            size,
            location,
            generation,
            state,
        };
        (row, lease)
    }))
}

/// Takes a blob of this generation out of everybody's sight and gives its new generation; `None` when it is not to be taken.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_take(tx: &mut Tx<'_>, digest: &Digest, generation: i64) -> Result<Option<i64>> {
    let taken = tx.exec(TAKE, &values![digest, generation]).await? > 0;
    Ok(taken.then(|| generation.saturating_add(1)))
}

/// Removes the row of a blob that was taken; false when another took its place.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_bury(tx: &mut Tx<'_>, digest: &Digest, generation: i64) -> Result<bool> {
    Ok(tx.exec(BURY, &values![digest, generation]).await? > 0)
}
