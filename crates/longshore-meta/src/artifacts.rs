//! What is known of manifests beyond what the registry itself needs: their platforms, their sizes, what they say they are.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO artifact (digest, kind, config, created, author, platforms, layers, size, total, base, about, flaw) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (digest) DO UPDATE SET \
                   kind = excluded.kind, config = excluded.config, created = excluded.created, author = excluded.author, \
                   platforms = excluded.platforms, layers = excluded.layers, size = excluded.size, total = excluded.total, \
                   base = excluded.base, about = excluded.about, flaw = excluded.flaw";
const GET: &str = "SELECT kind, config, created, author, platforms, layers, size, total, base, about, flaw \
                   FROM artifact WHERE digest = ?1";
const TOTAL: &str = "SELECT total FROM artifact WHERE digest = ?1";
const GONE: &str = "DELETE FROM artifact WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = ?1)";
const PAGE: &str = "SELECT m.digest, a.digest IS NULL OR p.digest IS NULL FROM manifest m \
                    LEFT JOIN artifact a ON a.digest = m.digest LEFT JOIN artifact_part p ON p.digest = m.digest WHERE m.repo = ?1 AND m.digest > ?2 ORDER BY m.digest LIMIT ?3";
const UNKNOWN: &str = "SELECT m.repo, m.digest, a.digest IS NOT NULL, f.repo IS NOT NULL FROM manifest m \
                       LEFT JOIN artifact a ON a.digest = m.digest LEFT JOIN find f ON f.repo = m.repo \
                       WHERE (m.repo, m.digest) > (?1, ?2) ORDER BY m.repo, m.digest LIMIT ?3";
const CHILDREN: &str =
    "SELECT child FROM edge WHERE repo = ?1 AND parent = ?2 AND kind = 1 ORDER BY child LIMIT ?3";
const IS_ABOUT: &str =
    "SELECT 1 FROM manifest WHERE repo = ?1 AND digest = ?2 AND subject IS NOT NULL";
const ABOUT: &str = "SELECT m.digest, coalesce(m.artifact_type, ''), coalesce(a.kind, 'artifact') FROM manifest m \
                     LEFT JOIN artifact a ON a.digest = m.digest WHERE m.repo = ?1 AND m.subject = ?2 AND m.digest > ?3 \
                     ORDER BY m.digest LIMIT ?4";
const LATEST: &str = "SELECT name, digest FROM tag WHERE repo = ?1 ORDER BY name DESC LIMIT ?2";

/// What is known of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is, in one word: `image`, `index`, `helm`, `sbom` ...
    pub kind: String,
    /// Its config, where it has one.
    pub config: Option<Digest>,
    /// When it was made, as it says itself, in microseconds since the Unix epoch.
    pub created: Option<i64>,
    /// Who made it, as it says itself.
    pub author: String,
    /// What it runs on, one a line, as in `linux/arm64/v8`.
    pub platforms: String,
    /// How many layers it has.
    pub layers: u64,
    /// The bytes of its layers, as they travel.
    pub size: u64,
    /// The bytes of all of it, with its manifest, its config and what it lists.
    pub total: u64,
    /// The name of the image it was made from, as it says itself.
    pub base: String,
    /// Labels, annotations, history: JSON.
    pub about: String,
    /// Why less is known of it than might be.
    pub flaw: String,
}

/// Writes what is known of a manifest.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_put(tx: &mut Tx<'_>, digest: &Digest, known: &Artifact) -> Result<()> {
    let values = values![
        digest,
        known.kind.as_str(),
        known.config.as_ref(),
        known.created,
        known.author.as_str(),
        known.platforms.as_str(),
        known.layers,
        known.size,
        known.total,
        known.base.as_str(),
        known.about.as_str(),
        known.flaw.as_str(),
    ];
    tx.exec(PUT, &values).await.map(drop)
}

/// What is known of a manifest, in whichever repository it is.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_get(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<Artifact>> {
    type Columns = (
        String,
        Option<Digest>,
        Option<i64>,
        String,
        String,
        u64,
        u64,
        u64,
        String,
        String,
        String,
    );
    let row = tx.one::<Columns>(GET, &values![digest]).await?;
    Ok(row.map(
        |(kind, config, created, author, platforms, layers, size, total, base, about, flaw)| {
            Artifact {
                kind,
                config,
                created,
                author,
                platforms,
                layers,
                size,
                total,
                base,
                about,
                flaw,
            }
        },
    ))
}

/// The bytes of all of an artifact; `None` while it is not known.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_total(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<u64>> {
    let row = tx.one::<(u64,)>(TOTAL, &values![digest]).await?;
    Ok(row.map(|(total,)| total))
}

/// Forgets what was known of a manifest that no repository has any more.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_gone(tx: &mut Tx<'_>, digest: &Digest) -> Result<()> {
    tx.exec(GONE, &values![digest]).await.map(drop)
}

/// Manifests of a repository after `after`, in the order of their keys, each with whether less is known of it than could be read.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_page(
    tx: &mut Tx<'_>,
    repo: i64,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<(Digest, bool)>> {
    let after = after.map_or_else(Vec::new, |digest| digest.to_key().to_vec());
    let rows = tx
        .all::<(Digest, i64)>(PAGE, &values![repo, after.as_slice(), limit])
        .await?;
    Ok(rows
        .into_iter()
        .map(|(digest, unknown)| (digest, unknown != 0))
        .collect())
}

/// At most `limit` manifests that an index of a repository lists.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_children(
    tx: &mut Tx<'_>,
    repo: i64,
    index: &Digest,
    limit: usize,
) -> Result<Vec<Digest>> {
    let rows = tx
        .all::<(Digest,)>(CHILDREN, &values![repo, index, limit])
        .await?;
    Ok(rows.into_iter().map(|(digest,)| digest).collect())
}

/// At most `limit` tags of a repository and what they point to, the last ones in byte order.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_tags(
    tx: &mut Tx<'_>,
    repo: i64,
    limit: usize,
) -> Result<Vec<(String, Digest)>> {
    tx.all(LATEST, &values![repo, limit]).await
}

/// Whether a manifest is about another one.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_is_about(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(IS_ABOUT, &values![repo, digest])
        .await?
        .is_some())
}

/// A manifest that is about another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Which.
    pub digest: Digest,
    /// Its artifact type, as far as it says.
    pub artifact_type: String,
    /// What it is, in one word.
    pub kind: String,
}

/// What there is about a manifest of a repository: its signatures, bills of materials and the like, strictly after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn artifact_referrers(
    tx: &mut Tx<'_>,
    repo: i64,
    subject: &Digest,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<Referrer>> {
    let after = after.map_or_else(Vec::new, |digest| digest.to_key().to_vec());
    let rows = tx
        .all::<(Digest, String, String)>(ABOUT, &values![repo, subject, after.as_slice(), limit])
        .await?;
    let row = |(digest, artifact_type, kind)| Referrer {
        digest,
        artifact_type,
        kind,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// A manifest, and whether it is known and found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Its repository.
    pub repo: i64,
    /// It.
    pub digest: Digest,
    /// Whether something is known of it.
    pub is_known: bool,
    /// Whether its repository can be found.
    pub is_found: bool,
}

/// Manifests of all repositories behind (`repo`, `after`), in the order of their keys.
///
/// # Errors
/// `Unavailable`.
pub async fn unknown_page(
    tx: &mut Tx<'_>,
    repo: i64,
    after: Option<&Digest>,
    limit: usize,
) -> Result<Vec<Unknown>> {
    let after = after.map_or_else(Vec::new, |digest| digest.to_key().to_vec());
    let rows = tx
        .all::<(i64, Digest, i64, i64)>(UNKNOWN, &values![repo, after.as_slice(), limit])
        .await?;
    let row = |(repo, digest, known, found)| Unknown {
        repo,
        digest,
        is_known: known != 0,
        is_found: found != 0,
    };
    Ok(rows.into_iter().map(row).collect())
}
