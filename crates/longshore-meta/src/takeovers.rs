//! What is taken over from another registry: the repositories that are through, what was found in them, and blobs that stay
//! where the other registry wrote them.

use longshore_core::Result;
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use crate::tx::Tx;
use crate::values;

const DONE: &str = "INSERT INTO takeover_repo (name, manifests, tags, blobs) VALUES (?1, ?2, ?3, ?4) \
                    ON CONFLICT (name) DO UPDATE SET manifests = excluded.manifests, tags = excluded.tags, blobs = excluded.blobs";
const LIST: &str =
    "SELECT name, manifests, tags, blobs FROM takeover_repo WHERE name > ?1 ORDER BY name LIMIT ?2";
const FORGET: &str = "DELETE FROM takeover_finding WHERE repo = ?1";
const FIND: &str =
    "INSERT INTO takeover_finding (repo, number, kind, what, why) VALUES (?1, ?2, ?3, ?4, ?5)";
const FOUND: &str = "SELECT repo, number, kind, what, why FROM takeover_finding WHERE (repo, number) > (?1, ?2) \
                     ORDER BY repo, number LIMIT ?3";
/// A blob that another push brought stays as it is. Bytes that were lost are replaced, but not by the same ones.
const ADOPT: &str = "INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created) \
                     VALUES (?1, ?2, ?3, ?7, 1, ?4, 0, ?5, ?6) \
                     ON CONFLICT (digest) DO UPDATE SET size = excluded.size, location = excluded.location, \
                     generation = blob.generation + 1, state = 1, lease_until = excluded.lease_until, verified = excluded.verified \
                     WHERE blob.state > 1 AND blob.location <> excluded.location";
const CONDEMN: &str = "INSERT INTO blob (digest, size, location, generation, state, lease_until, not_before, verified, created) \
                       VALUES (?1, 0, ?2, 1, 3, 0, 0, 0, ?3) \
                       ON CONFLICT (digest) DO UPDATE SET state = 3 WHERE blob.location = excluded.location AND blob.state < 2";

/// A repository that is through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenRepo {
    /// Its name.
    pub name: String,
    /// How many manifests were taken over.
    pub manifests: u64,
    /// How many tags.
    pub tags: u64,
    /// How many blobs.
    pub blobs: u64,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRow {
    /// The repository's name; empty outside of them.
    pub repo: String,
    /// Which of the findings there.
    pub number: i64,
    /// What kind of finding.
    pub kind: String,
    /// What it is about.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

/// Records that a repository is through.
///
/// # Errors
/// `Unavailable`.
pub async fn takeover_done(tx: &mut Tx<'_>, repo: &TakenRepo) -> Result<()> {
    let values = values![repo.name.as_str(), repo.manifests, repo.tags, repo.blobs];
    tx.exec(DONE, &values).await.map(drop)
}

/// Repositories that are through, strictly after `after`, in byte order.
///
/// # Errors
/// `Unavailable`.
pub async fn takeover_list(tx: &mut Tx<'_>, after: &str, limit: usize) -> Result<Vec<TakenRepo>> {
    let rows = tx
        .all::<(String, u64, u64, u64)>(LIST, &values![after, limit])
        .await?;
    let row = |(name, manifests, tags, blobs)| TakenRepo {
        name,
        manifests,
        tags,
        blobs,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Forgets what was found in a repository, or outside of all: it is gone through again.
///
/// # Errors
/// `Unavailable`.
pub async fn finding_forget(tx: &mut Tx<'_>, repo: Option<&RepoName>) -> Result<()> {
    let repo = repo.map_or("", RepoName::as_str);
    tx.exec(FORGET, &values![repo]).await.map(drop)
}

/// Records what was found.
///
/// # Errors
/// `Unavailable`.
pub async fn finding_put(tx: &mut Tx<'_>, found: &FoundRow) -> Result<()> {
    let values = values![
        found.repo.as_str(),
        found.number,
        found.kind.as_str(),
        found.what.as_str(),
        found.why.as_str()
    ];
    tx.exec(FIND, &values).await.map(drop)
}

/// What was found, strictly after the finding of this repository and number, in that order.
///
/// # Errors
/// `Unavailable`.
pub async fn finding_list(
    tx: &mut Tx<'_>,
    after: (&str, i64),
    limit: usize,
) -> Result<Vec<FoundRow>> {
    let rows = tx
        .all::<(String, i64, String, String, String)>(FOUND, &values![after.0, after.1, limit])
        .await?;
    let row = |(repo, number, kind, what, why)| FoundRow {
        repo,
        number,
        kind,
        what,
        why,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// A blob that stays where another registry wrote it. Times in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Where it lies.
    pub location: String,
    /// Until when it is not collected.
    pub lease_until: i64,
    /// When its bytes were hashed; 0 when they were not.
    pub verified: i64,
    /// When its bytes were written.
    pub created: i64,
    /// Which of the blobs of this digest it is, if there is none: of a later time than any that was collected.
    pub generation: i64,
}

/// Makes it a blob of this registry, unless there is one of its digest.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_adopt(tx: &mut Tx<'_>, blob: &Adopted) -> Result<()> {
    let values = values![
        &blob.digest,
        blob.size,
        blob.location.as_str(),
        blob.lease_until,
        blob.verified,
        blob.created,
        blob.generation
    ];
    tx.exec(ADOPT, &values).await.map(drop)
}

/// Records that the bytes at `location` are not those of the digest: what lies there is absent for everybody, also where it
/// was adopted or is yet to be.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_condemn(
    tx: &mut Tx<'_>,
    digest: &Digest,
    location: &str,
    now: i64,
) -> Result<()> {
    tx.exec(CONDEMN, &values![digest, location, now])
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use longshore_spec::digest::Algorithm;

    use super::*;
    use crate::blobs::{self, BlobRow, BlobState};
    use crate::{Db, Durability};

    fn adopted(location: &str) -> Adopted {
        Adopted {
            digest: Digest::of(Algorithm::Sha256, b"x"),
            size: 1,
            location: location.to_owned(),
            lease_until: 5,
            verified: 0,
            created: 3,
            generation: 1,
        }
    }

    #[tokio::test]
    async fn a_blob_is_adopted_once_and_never_in_place_of_one_that_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        db.write(Durability::Process, (), |tx, ()| {
            Box::pin(async move {
                let digest = adopted("").digest;
                let get =
                    async |tx: &mut Tx<'_>| blobs::blob_get(tx, &digest).await.unwrap().unwrap();
                let old = BlobRow {
                    size: 1,
                    location: "blobs/pushed".to_owned(),
                    generation: 4,
                    state: BlobState::Live,
                };
                blobs::blob_put(tx, &digest, &old, 0, 0, 0).await?;
                blob_adopt(tx, &adopted("tree")).await?;
                assert_eq!(get(tx).await, old);
                blobs::blob_lose(tx, &digest, 4).await?;
                blob_adopt(tx, &adopted("tree")).await?;
                let there = get(tx).await;
                assert_eq!((there.location.as_str(), there.generation), ("tree", 5));
                assert_eq!(there.state, BlobState::Live);
                blob_condemn(tx, &digest, "elsewhere", 0).await?;
                assert_eq!(get(tx).await.state, BlobState::Live);
                blob_condemn(tx, &digest, "tree", 0).await?;
                blob_adopt(tx, &adopted("tree")).await?;
                assert_eq!(get(tx).await.state, BlobState::Missing);
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_condemned_blob_is_not_adopted_later_and_a_push_of_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        db.write(Durability::Process, (), |tx, ()| {
            Box::pin(async move {
                let digest = adopted("").digest;
                blob_condemn(tx, &digest, "tree", 0).await?;
                blob_adopt(tx, &adopted("tree")).await?;
                let there = blobs::blob_get(tx, &digest).await?.unwrap();
                assert_eq!(there.state, BlobState::Missing);
                blob_adopt(tx, &adopted("other")).await?;
                let there = blobs::blob_get(tx, &digest).await?.unwrap();
                assert_eq!(there.state, BlobState::Live);
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn findings_are_listed_in_the_order_of_repositories_and_forgotten_by_repository() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        db.write(Durability::Process, (), |tx, ()| {
            Box::pin(async move {
                for (repo, number) in [("b", 1), ("a", 2), ("a", 1), ("", 1)] {
                    let found = FoundRow {
                        repo: repo.to_owned(),
                        number,
                        kind: "k".to_owned(),
                        what: "w".to_owned(),
                        why: "y".to_owned(),
                    };
                    finding_put(tx, &found).await?;
                }
                let list = async |tx: &mut Tx<'_>, after, limit| {
                    let rows = finding_list(tx, after, limit).await.unwrap();
                    rows.into_iter()
                        .map(|row| (row.repo, row.number))
                        .collect::<Vec<_>>()
                };
                assert_eq!(
                    list(tx, ("", 0), 2).await,
                    [(String::new(), 1), ("a".to_owned(), 1)]
                );
                assert_eq!(
                    list(tx, ("a", 1), 9).await,
                    [("a".to_owned(), 2), ("b".to_owned(), 1)]
                );
                finding_forget(tx, Some(&"a".parse().unwrap())).await?;
                finding_forget(tx, None).await?;
                assert_eq!(list(tx, ("", 0), 9).await, [("b".to_owned(), 1)]);
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}
