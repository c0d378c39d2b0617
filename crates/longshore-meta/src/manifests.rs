//! Manifests in repositories, and what they need.

use longshore_core::{Error, Result};
use longshore_spec::digest::Digest;
use longshore_spec::manifest::View;

use crate::news::{Kind, news_put};
use crate::tx::Tx;
use crate::values;

const DEPTH: &str = "SELECT depth FROM manifest WHERE repo = ?1 AND digest = ?2";
const GET: &str = "SELECT m.media_type, b.bytes FROM manifest m JOIN manifest_body b ON b.digest = m.digest \
                   WHERE m.repo = ?1 AND m.digest = ?2";
const BODY: &str = "INSERT INTO manifest_body (digest, bytes) VALUES (?1, ?2) ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes \
                    WHERE manifest_body.bytes <> excluded.bytes";
const INSERT: &str = "INSERT INTO manifest (repo, digest, size, media_type, artifact_type, subject, descriptor, created, depth, tagged) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (repo, digest) DO NOTHING";
const RETYPE: &str = "UPDATE manifest SET media_type = ?3, artifact_type = ?4, descriptor = ?5 \
                      WHERE repo = ?1 AND digest = ?2 AND media_type <> ?3";
const TAGGED: &str =
    "UPDATE manifest SET tagged = 1 WHERE repo = ?1 AND digest = ?2 AND tagged = 0";
const SUBJECT: &str = "SELECT subject FROM manifest WHERE repo = ?1 AND digest = ?2";
const TYPE: &str = "SELECT size, media_type FROM manifest WHERE repo = ?1 AND digest = ?2";
const EDGE: &str = "INSERT INTO edge (repo, parent, child, kind) VALUES (?1, ?2, ?3, ?4) \
                    ON CONFLICT (repo, parent, child, kind) DO NOTHING";
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
    /// Whether it is pushed with a tag.
    pub tagged: bool,
}

impl ManifestRow {
    /// The row of a manifest of this digest and `size` in bytes, by whatever way it comes. How deep it is depends on what is in
    /// its repository.
    ///
    /// # Errors
    /// `Internal` when its descriptor cannot be written down, which cannot be.
    pub fn of(view: &View, digest: Digest, size: u64) -> Result<Self> {
        let descriptor = match &view.subject {
            None => None,
            Some(_) => Some(
                serde_json::to_string(&view.referrer_descriptor(digest, size))
                    .map_err(Error::internal)?,
            ),
        };
        Ok(Self {
            digest,
            size,
            media_type: view.media_type.as_str().to_owned(),
            depth: 0,
            artifact_type: view.artifact_type().map(|kind| kind.as_str().to_owned()),
            subject: view.subject.as_ref().map(|subject| subject.digest),
            descriptor,
            // Unless the pusher says otherwise: what had a tag is kept longer.
            tagged: true,
        })
    }
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
    by: &str,
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
        row.depth,
        i64::from(row.tagged)
    ];
    if tx.exec(INSERT, &new).await? > 0 {
        news_put(tx, (by, now), Kind::Manifest, repo, Some(&row.digest), None).await?;
        return Ok(ManifestPut::New);
    }
    let retyped = tx
        .exec(
            RETYPE,
            &values![repo, &row.digest, kind, artifact, row.descriptor.as_deref()],
        )
        .await?
        > 0;
    if !retyped {
        return Ok(ManifestPut::Same);
    }
    news_put(tx, (by, now), Kind::Manifest, repo, Some(&row.digest), None).await?;
    Ok(ManifestPut::Retyped)
}

/// Remembers that the manifest had a tag.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_tagged(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<()> {
    tx.exec(TAGGED, &values![repo, digest]).await.map(drop)
}

/// Length in bytes and media type of a manifest in a repository.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_type(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
) -> Result<Option<(u64, String)>> {
    tx.one(TYPE, &values![repo, digest]).await
}

/// What a manifest of a repository is about, where it is about another one.
///
/// # Errors
/// `Unavailable`.
pub async fn manifest_subject(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
) -> Result<Option<Digest>> {
    let row = tx
        .one::<(Option<Digest>,)>(SUBJECT, &values![repo, digest])
        .await?;
    Ok(row.and_then(|(subject,)| subject))
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
