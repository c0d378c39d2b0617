//! Blobs and which repository holds which.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::candidates::{Candidate, candidate_put};
use crate::tx::Tx;
use crate::value::{FromValue, Value};
use crate::values;

const GET: &str = "SELECT size, location, generation, state FROM blob WHERE digest = ?1";
const SEEN: &str = "SELECT b.size, b.location, b.generation, b.state, b.lease_until FROM link l JOIN blob b ON b.digest = l.digest \
                    WHERE l.repo = ?1 AND l.digest = ?2 AND b.state < 2";
const NEEDED: &str = "SELECT b.digest, b.size, b.location, b.generation, b.state, b.lease_until FROM edge e \
                      JOIN link l ON l.repo = e.repo AND l.digest = e.child JOIN blob b ON b.digest = l.digest \
                      WHERE e.repo = ?1 AND e.parent = ?2 AND e.kind = 0 AND b.state < 2 LIMIT ?3";
const PUT: &str = "INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created, home) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?7, ?8) \
                   ON CONFLICT (digest) DO UPDATE SET size = excluded.size, location = excluded.location, \
                   generation = excluded.generation, state = excluded.state, lease_until = excluded.lease_until, \
                   verified = excluded.verified";
const LEASE: &str = "UPDATE blob SET lease_until = ?3 WHERE digest = ?1 AND lease_until < ?2";
const SETTLE: &str =
    "UPDATE blob SET state = 1 WHERE digest = ?1 AND generation = ?2 AND state = 0";
const LOSE: &str = "UPDATE blob SET state = 3 WHERE digest = ?1 AND generation = ?2 AND state < 2";
/// `state <> 1` says nothing new, but the index of unsettled blobs is used for queries that say its condition only.
const STAGED: &str = "SELECT digest, size, location, generation FROM blob \
                      WHERE state <> 1 AND state = 0 AND digest > ?1 ORDER BY digest LIMIT ?2";
/// Whoever finds links by their digest finds the one of the blob's home by the blob. Without a blob, or while its home is another, a link
/// is among those that are found by themselves.
const LINK: &str = "INSERT INTO link (repo, digest, created, shared) \
                    VALUES (?1, ?2, ?3, coalesce((SELECT home <> ?1 FROM blob WHERE digest = ?2), 1)) \
                    ON CONFLICT (repo, digest) DO NOTHING";
const UNLINK: &str = "DELETE FROM link WHERE repo = ?1 AND digest = ?2";
const ANYWHERE: &str = "SELECT 1 FROM blob b WHERE b.digest = ?1 AND b.state < 2 AND \
                        (EXISTS (SELECT 1 FROM link h WHERE h.repo = b.home AND h.digest = b.digest) \
                         OR EXISTS (SELECT 1 FROM link l WHERE l.digest = b.digest AND l.shared = 1))";
const HOLDERS: &str = "SELECT h.repo, r.name FROM blob b JOIN link h ON h.repo = b.home AND h.digest = b.digest AND h.shared = 0 \
                       JOIN repository r ON r.id = h.repo WHERE b.digest = ?1 AND b.home > ?2 \
                       UNION ALL SELECT l.repo, r.name FROM link l CROSS JOIN repository r ON r.id = l.repo \
                       WHERE l.shared = 1 AND l.digest = ?1 AND l.repo > ?2 ORDER BY 1 LIMIT ?3";

/// The state of a blob's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobState {
    /// Its bytes are written, but that they survive a power cut is not recorded yet.
    Staged = 0,
    /// Its bytes are safe.
    Live = 1,
    /// It is being collected: absent for everybody.
    Deleting = 2,
    /// Its bytes were lost: absent until somebody pushes it again.
    Missing = 3,
}

impl FromValue for BlobState {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Int(0) => Some(BlobState::Staged),
            Value::Int(1) => Some(BlobState::Live),
            Value::Int(2) => Some(BlobState::Deleting),
            Value::Int(3) => Some(BlobState::Missing),
            _ => None,
        }
    }
}

/// A blob's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRow {
    /// Its length in bytes.
    pub size: u64,
    /// Where its bytes lie.
    pub location: String,
    /// Which of the blobs of this digest it is; grows with each that replaces another.
    pub generation: i64,
    /// Whether it can be used.
    pub state: BlobState,
}

type Columns = (u64, String, i64, BlobState);

fn row((size, location, generation, state): Columns) -> BlobRow {
    BlobRow {
        size,
        location,
        generation,
        state,
    }
}

/// The blob of that digest, whoever holds it.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_get(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<BlobRow>> {
    Ok(tx.one::<Columns>(GET, &values![digest]).await?.map(row))
}

/// The blob of that digest and until when it is leased, if `repo` holds it and it can be read.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_seen(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
) -> Result<Option<(BlobRow, i64)>> {
    let found = tx
        .one::<(_, _, _, _, i64)>(SEEN, &values![repo, digest])
        .await?;
    Ok(found.map(|(size, location, generation, state, lease)| {
        (row((size, location, generation, state)), lease)
    }))
}

/// Blobs that a manifest needs and that its repository holds, as [`blob_seen`] would find them; `most` of them, in no
/// order that matters.
///
/// # Errors
/// `Unavailable`.
pub async fn blobs_needed(
    tx: &mut Tx<'_>,
    repo: i64,
    manifest: &Digest,
    most: u64,
) -> Result<Vec<(Digest, BlobRow, i64)>> {
    let found = tx
        .all::<(Digest, u64, String, i64, BlobState, i64)>(NEEDED, &values![repo, manifest, most])
        .await?;
    Ok(found
        .into_iter()
        .map(|(digest, size, location, generation, state, lease)| {
            (digest, row((size, location, generation, state)), lease)
        })
        .collect())
}

/// Whether any repository at all holds the blob.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_anywhere(tx: &mut Tx<'_>, digest: &Digest) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(ANYWHERE, &values![digest])
        .await?
        .is_some())
}

/// Repositories that hold the blob, id and name, in the order of their ids, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_holders(
    tx: &mut Tx<'_>,
    digest: &Digest,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, String)>> {
    tx.all(HOLDERS, &values![digest, after, limit]).await
}

/// Writes the blob's row, in place of one that is there. `home`: the repository that it is pushed to, 0 where nobody can say; one that
/// is there keeps its own. `lease_until` and `now` in microseconds.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_put(
    tx: &mut Tx<'_>,
    digest: &Digest,
    blob: &BlobRow,
    home: i64,
    lease_until: i64,
    now: i64,
) -> Result<()> {
    let state = blob.state as i64;
    tx.exec(
        PUT,
        &values![
            digest,
            blob.size,
            blob.location.as_str(),
            blob.generation,
            state,
            lease_until,
            now,
            home
        ],
    )
    .await
    .map(drop)
}

/// For how long a blob is kept from being collected (microseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// It is kept until then at least.
    pub least: i64,
    /// It is kept until then when its row has to be written anyway: further than it must be, so that a blob that many ask for
    /// is not written each time.
    pub until: i64,
}

/// Keeps the blob from being collected.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_lease(tx: &mut Tx<'_>, digest: &Digest, lease: Lease) -> Result<()> {
    tx.exec(LEASE, &values![digest, lease.least, lease.until])
        .await
        .map(drop)
}

/// Records that the bytes of this generation are safe.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_settle(tx: &mut Tx<'_>, digest: &Digest, generation: i64) -> Result<()> {
    tx.exec(SETTLE, &values![digest, generation])
        .await
        .map(drop)
}

/// Records that the bytes of this generation are lost; false when it is not in use any more.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_lose(tx: &mut Tx<'_>, digest: &Digest, generation: i64) -> Result<bool> {
    Ok(tx.exec(LOSE, &values![digest, generation]).await? > 0)
}

/// Blobs whose sync is not recorded: digest, size, location, generation; strictly after `after`, in the order of keys.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_staged(
    tx: &mut Tx<'_>,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<(Digest, u64, String, i64)>> {
    let after = after.map_or_else(Vec::new, |digest| digest.to_key().to_vec());
    tx.all(STAGED, &values![after.as_slice(), limit]).await
}

/// Makes the blob part of the repository; its row is there. One that was not is looked at when it is `due`: by then a manifest needs it, or nobody
/// does. Only whoever writes such a manifest in the same transaction may say no time.
///
/// # Errors
/// `Unavailable`.
pub async fn link_put(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    now: i64,
    due: Option<i64>,
) -> Result<()> {
    let new = tx.exec(LINK, &values![repo, digest, now]).await? > 0;
    if let (true, Some(due)) = (new, due) {
        let digest = *digest;
        candidate_put(tx, &Candidate { due, repo, digest }).await?;
    }
    Ok(())
}

/// Takes the blob out of the repository; false when it was not in it.
///
/// # Errors
/// `Unavailable`.
pub async fn link_delete(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    Ok(tx.exec(UNLINK, &values![repo, digest]).await? > 0)
}

#[cfg(test)]
mod tests {
    use longshore_spec::digest::Algorithm;

    use super::*;
    use crate::{Db, Durability};

    #[tokio::test]
    async fn a_lease_is_written_only_when_what_is_left_of_it_is_less_than_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        let lease = |least, until| {
            db.write(Durability::Process, (least, until), |tx, (least, until)| {
                Box::pin(async move {
                    let digest = Digest::of(Algorithm::Sha256, b"x");
                    let blob = BlobRow {
                        size: 1,
                        location: "blobs/x".to_owned(),
                        generation: 1,
                        state: BlobState::Live,
                    };
                    blob_put(tx, &digest, &blob, 0, 100, 0).await?;
                    let (least, until) = (*least, *until);
                    blob_lease(tx, &digest, Lease { least, until }).await?;
                    tx.one::<(i64,)>("SELECT lease_until FROM blob", &[]).await
                })
            })
        };
        assert_eq!(lease(100, 120).await.unwrap(), Some((100,)));
        assert_eq!(lease(101, 121).await.unwrap(), Some((121,)));
    }
}
