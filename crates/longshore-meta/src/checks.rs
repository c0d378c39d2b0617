//! What a check of everything asks for: each table page by page, in the order of its key, beside what its rows refer to.
//!
//! A page begins behind the key of the last row of the one before, so a check holds one page and no transaction, however
//! much is stored.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::blobs::{BlobRow, BlobState};
use crate::candidates::{Candidate, candidate_put};
use crate::tx::Tx;
use crate::values;

const BLOBS: &str = "SELECT digest, size, location, generation, state, verified FROM blob WHERE digest > ?1 ORDER BY digest LIMIT ?2";
const VERIFIED: &str = "SELECT verified FROM blob WHERE digest = ?1";
const VERIFY: &str =
    "UPDATE blob SET verified = ?3 WHERE digest = ?1 AND generation = ?2 AND state < 2";
const NEEDED: &str = "SELECT e.repo, e.parent FROM blob b CROSS JOIN edge e ON e.repo = b.home AND e.child = b.digest AND e.kind = 0 \
                      WHERE b.digest = ?1 UNION ALL \
                      SELECT e.repo, e.parent FROM link l CROSS JOIN edge e ON e.repo = l.repo AND e.child = l.digest AND e.kind = 0 \
                      WHERE l.shared = 1 AND l.digest = ?1 LIMIT 1";
const BODIES: &str = "SELECT x.id, x.digest, b.location FROM blob_body x LEFT JOIN blob b ON b.digest = x.digest \
                      WHERE x.id > ?1 ORDER BY x.id LIMIT ?2";
const MANIFEST_BODIES: &str = "SELECT b.digest, b.bytes, coalesce((SELECT 1 FROM manifest m WHERE m.digest = b.digest LIMIT 1), (SELECT 1 FROM trash t WHERE t.digest = b.digest LIMIT 1)) \
                               FROM manifest_body b WHERE b.digest > ?1 ORDER BY b.digest LIMIT ?2";
const MANIFEST_BODY: &str = "SELECT b.bytes, coalesce((SELECT 1 FROM manifest m WHERE m.digest = b.digest LIMIT 1), (SELECT 1 FROM trash t WHERE t.digest = b.digest LIMIT 1)) \
                             FROM manifest_body b WHERE b.digest = ?1";
const DROP_MANIFEST_BODY: &str = "DELETE FROM manifest_body WHERE digest = ?1";
const MANIFESTS: &str = "SELECT m.repo, m.digest, m.size, r.name, length(b.bytes) FROM manifest m \
                         LEFT JOIN repository r ON r.id = m.repo LEFT JOIN manifest_body b ON b.digest = m.digest \
                         WHERE (m.repo, m.digest) > (?1, ?2) ORDER BY m.repo, m.digest LIMIT ?3";
const TAGS: &str = "SELECT t.repo, t.name, t.digest, r.name, m.size FROM tag t LEFT JOIN repository r ON r.id = t.repo \
                    LEFT JOIN manifest m ON m.repo = t.repo AND m.digest = t.digest \
                    WHERE (t.repo, t.name) > (?1, ?2) ORDER BY t.repo, t.name LIMIT ?3";
const LINKS: &str = "SELECT l.repo, l.digest, r.name, b.state, l.shared OR b.home = l.repo FROM link l LEFT JOIN repository r ON r.id = l.repo \
                     LEFT JOIN blob b ON b.digest = l.digest \
                     WHERE (l.repo, l.digest) > (?1, ?2) ORDER BY l.repo, l.digest LIMIT ?3";
const SHARE: &str = "UPDATE link SET shared = 1 WHERE repo = ?1 AND digest = ?2 \
                     AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.digest = ?2 AND b.home = ?1)";
const EDGES: &str = "SELECT e.repo, e.parent, e.child, e.kind, p.size, l.created, b.state, c.size FROM edge e \
                     LEFT JOIN manifest p ON p.repo = e.repo AND p.digest = e.parent \
                     LEFT JOIN link l ON l.repo = e.repo AND l.digest = e.child \
                     LEFT JOIN blob b ON b.digest = e.child \
                     LEFT JOIN manifest c ON c.repo = e.repo AND c.digest = e.child \
                     WHERE (e.repo, e.parent, e.child, e.kind) > (?1, ?2, ?3, ?4) AND e.kind < 2 \
                     ORDER BY e.repo, e.parent, e.child, e.kind LIMIT ?5";
const EDGES_OF: &str = "SELECT child, kind FROM edge WHERE repo = ?1 AND parent = ?2";
const DROP_EDGE: &str =
    "DELETE FROM edge WHERE repo = ?1 AND parent = ?2 AND child = ?3 AND kind = ?4";
const COUNTS: &str = "SELECT r.id, r.name, r.manifests, r.tags, (SELECT count(*) FROM manifest m WHERE m.repo = r.id), \
                      (SELECT count(*) FROM tag t WHERE t.repo = r.id) FROM repository r WHERE r.id > ?1 ORDER BY r.id LIMIT ?2";
const RECOUNT: &str = "UPDATE repository SET manifests = (SELECT count(*) FROM manifest m WHERE m.repo = repository.id), \
                       tags = (SELECT count(*) FROM tag t WHERE t.repo = repository.id) WHERE id = ?1";
const TRASH: &str = "SELECT t.repo, t.digest, r.name, length(b.bytes) FROM trash t LEFT JOIN repository r ON r.id = t.repo \
                     LEFT JOIN manifest_body b ON b.digest = t.digest \
                     WHERE (t.repo, t.digest) > (?1, ?2) ORDER BY t.repo, t.digest LIMIT ?3";
const NAME: &str = "SELECT name FROM repository WHERE id = ?1";
const UPLOADS: &str =
    "SELECT id, stage, finished FROM upload WHERE id > ?1 AND touched >= 0 ORDER BY id LIMIT ?2";
const DROP_UPLOADS: &str = "DELETE FROM upload WHERE id > ?1";

fn key(digest: Option<&Digest>) -> Vec<u8> {
    digest.map_or_else(Vec::new, |digest| digest.to_key().to_vec())
}

/// A blob's row, and when its bytes were last seen to be whole, in microseconds.
pub type Blob = (Digest, BlobRow, i64);

/// Blobs behind `after`, whatever their state.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_page(tx: &mut Tx<'_>, after: Option<&Digest>, limit: usize) -> Result<Vec<Blob>> {
    let rows = tx
        .all::<(Digest, u64, String, i64, BlobState, i64)>(
            BLOBS,
            &values![key(after).as_slice(), limit],
        )
        .await?;
    let blob = |(digest, size, location, generation, state, verified)| {
        let row = BlobRow {
            size,
            location,
            generation,
            state,
        };
        (digest, row, verified)
    };
    Ok(rows.into_iter().map(blob).collect())
}

/// When the bytes of a blob were last seen to be whole, in microseconds.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_verified(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<i64>> {
    Ok(tx
        .one::<(i64,)>(VERIFIED, &values![digest])
        .await?
        .map(|(verified,)| verified))
}

/// Records that the bytes of this generation were seen to be whole `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_verify(
    tx: &mut Tx<'_>,
    digest: &Digest,
    generation: i64,
    now: i64,
) -> Result<()> {
    tx.exec(VERIFY, &values![digest, generation, now])
        .await
        .map(drop)
}

/// A manifest that needs the blob, and its repository.
///
/// # Errors
/// `Unavailable`.
pub async fn blob_needed_by(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<(i64, Digest)>> {
    tx.one(NEEDED, &values![digest]).await
}

/// Bodies of small blobs behind `after`: id, digest, and where the digest's blob lies.
///
/// # Errors
/// `Unavailable`.
pub async fn body_page(
    tx: &mut Tx<'_>,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, Digest, Option<String>)>> {
    tx.all(BODIES, &values![after, limit]).await
}

/// Bytes of manifests behind `after`, and whether any repository holds the manifest.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_body_page(
    tx: &mut Tx<'_>,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<(Digest, Vec<u8>, Option<i64>)>> {
    tx.all(MANIFEST_BODIES, &values![key(after).as_slice(), limit])
        .await
}

/// Removes the bytes of a manifest if they are not those of its digest, or no repository holds it.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_body_clean(tx: &mut Tx<'_>, digest: &Digest) -> Result<()> {
    let found = tx
        .one::<(Vec<u8>, Option<i64>)>(MANIFEST_BODY, &values![digest])
        .await?;
    let useless = |(bytes, held): &(Vec<u8>, Option<i64>)| {
        held.is_none() || Digest::of(digest.algorithm(), bytes) != *digest
    };
    if found.as_ref().is_some_and(useless) {
        tx.exec(DROP_MANIFEST_BODY, &values![digest]).await?;
    }
    Ok(())
}

/// A manifest's repository, digest and size, the repository's name, and how many bytes there are.
pub type Manifest = (i64, Digest, u64, Option<String>, Option<u64>);

/// Manifests behind `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_page(
    tx: &mut Tx<'_>,
    after: (i64, Option<&Digest>),
    limit: usize,
) -> Result<Vec<Manifest>> {
    let (repo, digest) = after;
    tx.all(MANIFESTS, &values![repo, key(digest).as_slice(), limit])
        .await
}

/// A tag's repository, name and digest, the repository's name, and the size of the manifest.
pub type Tag = (i64, String, Digest, Option<String>, Option<u64>);

/// Tags behind `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn tag_page(tx: &mut Tx<'_>, after: (i64, &str), limit: usize) -> Result<Vec<Tag>> {
    tx.all(TAGS, &values![after.0, after.1, limit]).await
}

/// A link's repository and digest, the repository's name, the state of the blob, and 0 where whoever asks who holds the blob does not
/// find it.
pub type Link = (i64, Digest, Option<String>, Option<BlobState>, Option<i64>);

/// Links behind `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn link_page(
    tx: &mut Tx<'_>,
    after: (i64, Option<&Digest>),
    limit: usize,
) -> Result<Vec<Link>> {
    let (repo, digest) = after;
    tx.all(LINKS, &values![repo, key(digest).as_slice(), limit])
        .await
}

/// An edge and what is there of its ends.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The repository.
    pub repo: i64,
    /// The manifest that needs.
    pub parent: Digest,
    /// What it needs.
    pub child: Digest,
    /// 0 a blob, 1 a manifest.
    pub kind: i64,
    /// Whether the repository has the parent.
    pub has_parent: bool,
    /// Whether the repository holds a blob of the child's digest.
    pub has_link: bool,
    /// The state of the blob of the child's digest.
    pub blob: Option<BlobState>,
    /// Whether the repository has a manifest of the child's digest.
    pub has_manifest: bool,
}

/// The key of an edge.
pub type EdgeKey<'a> = (i64, Option<&'a Digest>, Option<&'a Digest>, i64);

/// Has a link found by whoever asks who holds the blob.
///
/// # Errors
/// `Unavailable`.
pub async fn link_share(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<()> {
    tx.exec(SHARE, &values![repo, digest]).await.map(drop)
}

/// Edges behind `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn edge_page(tx: &mut Tx<'_>, after: EdgeKey<'_>, limit: usize) -> Result<Vec<Edge>> {
    type Columns = (
        i64,
        Digest,
        Digest,
        i64,
        Option<i64>,
        Option<i64>,
        Option<BlobState>,
        Option<i64>,
    );
    let (repo, parent, child, kind) = after;
    let (parent, child) = (key(parent), key(child));
    let rows = tx
        .all::<Columns>(
            EDGES,
            &values![repo, parent.as_slice(), child.as_slice(), kind, limit],
        )
        .await?;
    let edge = |(repo, parent, child, kind, has_parent, link, blob, manifest): Columns| Edge {
        repo,
        parent,
        child,
        kind,
        has_parent: has_parent.is_some(),
        has_link: link.is_some(),
        blob,
        has_manifest: manifest.is_some(),
    };
    Ok(rows.into_iter().map(edge).collect())
}

/// What a manifest needs, as it is recorded: digests, and 0 for blobs, 1 for manifests.
///
/// # Errors
/// `Unavailable`.
pub async fn edges_of(tx: &mut Tx<'_>, repo: i64, parent: &Digest) -> Result<Vec<(Digest, i64)>> {
    tx.all(EDGES_OF, &values![repo, parent]).await
}

/// Removes an edge.
///
/// # Errors
/// `Unavailable`.
pub async fn edge_drop(
    tx: &mut Tx<'_>,
    repo: i64,
    parent: &Digest,
    child: &Digest,
    kind: i64,
) -> Result<()> {
    tx.exec(DROP_EDGE, &values![repo, parent, child, kind])
        .await?;
    if kind == 0 {
        // It may have been the last thing that kept the blob in the repository.
        let (due, digest) = (0, *child);
        candidate_put(tx, &Candidate { due, repo, digest }).await?;
    }
    Ok(())
}

/// A repository's id and name, the manifests and tags it says it has, and those it has.
pub type Count = (i64, String, i64, i64, i64, i64);

/// Repositories behind `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn count_page(tx: &mut Tx<'_>, after: i64, limit: usize) -> Result<Vec<Count>> {
    tx.all(COUNTS, &values![after, limit]).await
}

/// Counts a repository's manifests and tags anew.
///
/// # Errors
/// `Unavailable`.
pub async fn recount(tx: &mut Tx<'_>, repo: i64) -> Result<()> {
    tx.exec(RECOUNT, &values![repo]).await.map(drop)
}

/// A deleted manifest's repository and digest, the repository's name, and how many bytes there are.
pub type Trashed = (i64, Digest, Option<String>, Option<u64>);

/// Manifests in the trash behind `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn trash_page(
    tx: &mut Tx<'_>,
    after: (i64, Option<&Digest>),
    limit: usize,
) -> Result<Vec<Trashed>> {
    let (repo, digest) = after;
    tx.all(TRASH, &values![repo, key(digest).as_slice(), limit])
        .await
}

/// The name of a repository.
///
/// # Errors
/// `Unavailable`.
pub async fn repo_name(tx: &mut Tx<'_>, repo: i64) -> Result<Option<String>> {
    Ok(tx
        .one::<(String,)>(NAME, &values![repo])
        .await?
        .map(|(name,)| name))
}

/// Upload sessions behind `after`, open and finished: id, stage, the blob it became.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_page(
    tx: &mut Tx<'_>,
    after: &[u8],
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>, Option<Digest>)>> {
    tx.all(UPLOADS, &values![after, limit]).await
}

/// Removes every upload session: for a copy of the metadata whose staged bytes are elsewhere.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_drop_all(tx: &mut Tx<'_>) -> Result<()> {
    let nothing: &[u8] = &[];
    tx.exec(DROP_UPLOADS, &values![nothing]).await.map(drop)
}
