//! Everything there is, in order and in parts, for whoever copies it elsewhere.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

const REPOS: &str = "SELECT id, name FROM repository WHERE name > ?1 ORDER BY name LIMIT ?2";
const MANIFESTS: &str = "SELECT m.digest, m.media_type, m.subject, m.descriptor, b.bytes FROM manifest m \
                         JOIN manifest_body b ON b.digest = m.digest WHERE m.repo = ?1 AND m.digest > ?2 \
                         ORDER BY m.digest LIMIT ?3";
const TAGS: &str =
    "SELECT name, digest FROM tag WHERE repo = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
const LINKS: &str = "SELECT l.digest, b.size, b.location FROM link l JOIN blob b ON b.digest = l.digest \
                     WHERE l.repo = ?1 AND l.digest > ?2 AND b.state < 2 ORDER BY l.digest LIMIT ?3";

/// A manifest, all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkedManifest {
    /// Its digest.
    pub digest: Digest,
    /// What it was pushed as.
    pub media_type: String,
    /// What it is about, and its entry in the list of that one's referrers.
    pub about: Option<(Digest, String)>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Repositories, with or without content, strictly after `after`, in byte order: id and name.
///
/// # Errors
/// `Unavailable`.
pub async fn walk_repos(tx: &mut Tx<'_>, after: &str, limit: usize) -> Result<Vec<(i64, String)>> {
    tx.all(REPOS, &values![after, limit]).await
}

/// Manifests of a repository, strictly after `after`, in the order of their keys.
///
/// # Errors
/// `Unavailable`.
pub async fn walk_manifests(
    tx: &mut Tx<'_>,
    repo: i64,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<WalkedManifest>> {
    type Columns = (Digest, String, Option<Digest>, Option<String>, Vec<u8>);
    let after = key(after);
    let rows = tx
        .all::<Columns>(MANIFESTS, &values![repo, after.as_slice(), limit])
        .await?;
    let row = |(digest, media_type, subject, descriptor, bytes): Columns| WalkedManifest {
        digest,
        media_type,
        about: subject.zip(descriptor),
        bytes,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Tags of a repository and what they point to, strictly after `after`, in byte order.
///
/// # Errors
/// `Unavailable`.
pub async fn walk_tags(
    tx: &mut Tx<'_>,
    repo: i64,
    after: &str,
    limit: usize,
) -> Result<Vec<(String, Digest)>> {
    tx.all(TAGS, &values![repo, after, limit]).await
}

/// Blobs that a repository holds and that can be read, strictly after `after`, in the order of their keys: digest, size in
/// bytes, location.
///
/// # Errors
/// `Unavailable`.
pub async fn walk_links(
    tx: &mut Tx<'_>,
    repo: i64,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<(Digest, u64, String)>> {
    let after = key(after);
    tx.all(LINKS, &values![repo, after.as_slice(), limit]).await
}

fn key(after: Option<&Digest>) -> Vec<u8> {
    after.map_or_else(Vec::new, |digest| digest.to_key().to_vec())
}
