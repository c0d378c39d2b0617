//! Manifests in repositories, and what they need.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::value::Value;
use crate::values;

const DEPTH: &str = "SELECT depth FROM manifest WHERE repo = ?1 AND digest = ?2";
const GET: &str = "SELECT m.media_type, b.bytes FROM manifest m JOIN manifest_body b ON b.digest = m.digest \
                   WHERE m.repo = ?1 AND m.digest = ?2";
const BODY: &str = "INSERT INTO manifest_body (digest, bytes) VALUES (?1, ?2) ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes \
                    WHERE manifest_body.bytes <> excluded.bytes";
const INSERT: &str = "INSERT INTO manifest (repo, digest, size, media_type, artifact_type, subject, descriptor, created, depth) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (repo, digest) DO NOTHING";
const RETYPE: &str = "UPDATE manifest SET media_type = ?3, artifact_type = ?4, descriptor = ?5 \
                      WHERE repo = ?1 AND digest = ?2 AND media_type <> ?3";
const DELETE: &str = "DELETE FROM manifest WHERE repo = ?1 AND digest = ?2";
const DELETE_BODY: &str = "DELETE FROM manifest_body WHERE digest = ?1 \
                           AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = ?1)";
const EDGE: &str = "INSERT INTO edge (repo, parent, child, kind) VALUES (?1, ?2, ?3, ?4) \
                    ON CONFLICT (repo, parent, child, kind) DO NOTHING";
const DELETE_EDGES: &str = "DELETE FROM edge WHERE repo = ?1 AND parent = ?2";
const NEEDED_BY: &str =
    "SELECT parent FROM edge WHERE repo = ?1 AND child = ?2 AND kind = ?3 LIMIT 1";

/// What a manifest needs something as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeKind {
    /// A config or a layer.
    Blob = 0,
    /// A manifest listed by an index.
    Manifest = 1,
}

/// A manifest's row.
#[derive(Debug, Clone)]
pub struct ManifestRow {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// What it was pushed as.
    pub media_type: String,
    /// How many levels of manifests lie below it.
    pub depth: u64,
    /// What it is, as far as it says.
    pub artifact_type: Option<String>,
    /// What it is about.
    pub subject: Option<Digest>,
    /// Its entry in the list of its subject's referrers, as JSON; where it has a subject.
    pub descriptor: Option<String>,
}

/// How many levels of manifests lie below this one, as far as they were known; `None` when the repository does not have
/// it.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_depth(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<Option<u64>> {
    Ok(tx
        .one::<(u64,)>(DEPTH, &values![repo, digest])
        .await?
        .map(|(depth,)| depth))
}

/// Media type and bytes of a manifest in a repository.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_get(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
) -> Result<Option<(String, Vec<u8>)>> {
    tx.one(GET, &values![repo, digest]).await
}

/// What writing a manifest did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestPut {
    /// The repository did not have it.
    New,
    /// The repository had it.
    Same,
    /// The repository had it as another media type; it is of the new one from now on.
    Retyped,
}

/// Writes a manifest and its bytes.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_put(
    tx: &mut Tx<'_>,
    repo: i64,
    row: &ManifestRow,
    bytes: &[u8],
    now: i64,
) -> Result<ManifestPut> {
    let (kind, artifact) = (row.media_type.as_str(), row.artifact_type.as_deref());
    tx.exec(BODY, &values![&row.digest, bytes]).await?;
    let new = values![
        repo,
        &row.digest,
        row.size,
        kind,
        artifact,
        row.subject.as_ref(),
        row.descriptor.as_deref(),
        now,
        row.depth
    ];
    if tx.exec(INSERT, &new).await? > 0 {
        return Ok(ManifestPut::New);
    }
    let retyped = tx
        .exec(
            RETYPE,
            &values![repo, &row.digest, kind, artifact, row.descriptor.as_deref()],
        )
        .await?
        > 0;
    Ok(if retyped {
        ManifestPut::Retyped
    } else {
        ManifestPut::Same
    })
}

/// Takes a manifest, its edges, and its bytes where no other repository has it, out of a repository; false when it was
/// not there.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_delete(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    let at: [Value; 2] = values![repo, digest];
    if tx.exec(DELETE, &at).await? == 0 {
        return Ok(false);
    }
    tx.exec(DELETE_EDGES, &at).await?;
    tx.exec(DELETE_BODY, &values![digest]).await?;
    Ok(true)
}

/// Records that `parent` needs `child`.
///
/// # Errors
/// `Unavailable`.
pub async fn edge_put(
    tx: &mut Tx<'_>,
    repo: i64,
    parent: &Digest,
    child: &Digest,
    kind: EdgeKind,
) -> Result<()> {
    tx.exec(EDGE, &values![repo, parent, child, kind as i64])
        .await
        .map(drop)
}

/// One manifest of the repository that needs `child`, where there is one.
///
/// # Errors
/// `Unavailable`.
pub async fn edge_parent(
    tx: &mut Tx<'_>,
    repo: i64,
    child: &Digest,
    kind: EdgeKind,
) -> Result<Option<Digest>> {
    Ok(tx
        .one::<(Digest,)>(NEEDED_BY, &values![repo, child, kind as i64])
        .await?
        .map(|(parent,)| parent))
}
