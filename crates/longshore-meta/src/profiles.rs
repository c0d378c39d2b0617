//! Profiles: what people say of a repository, and how it differs from its namespace.

use longshore_core::Result;

use crate::namespaces::Visibility;
use crate::news::{Kind, news_put};
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const GET: &str = "SELECT visibility, read_only, description, readme, links, labels, stars, pulls, created_by, changed \
                   FROM profile WHERE repo = ?1";
const STANDING: &str = "SELECT visibility, read_only FROM profile WHERE repo = ?1";
const OPEN: &str = "INSERT INTO profile (repo, created_by, changed) VALUES (?1, ?2, ?3) ON CONFLICT (repo) DO NOTHING";
const CHANGE: &str = "UPDATE profile SET visibility = ?2, read_only = ?3, description = ?4, readme = ?5, links = ?6, labels = ?7, changed = ?8 \
                      WHERE repo = ?1";
const NARROWED: &str = "SELECT r.name FROM profile p JOIN repository r ON r.id = p.repo WHERE p.visibility IS NOT NULL AND p.visibility < ?1";
const STAR: &str = "UPDATE profile SET stars = stars + ?2 WHERE repo = ?1";
const DELETE: &str = "DELETE FROM profile WHERE repo = ?1";
const STARRED: &str = "SELECT 1 FROM star WHERE principal = ?1 AND repo = ?2";
const STAR_PUT: &str = "INSERT INTO star (principal, repo, created) VALUES (?1, ?2, ?3) ON CONFLICT (principal, repo) DO NOTHING";
const STAR_DELETE: &str = "DELETE FROM star WHERE principal = ?1 AND repo = ?2";
const STAR_DROP: &str = "DELETE FROM star WHERE repo = ?1";
const STARS: &str = "SELECT s.repo, r.name FROM star s JOIN repository r ON r.id = s.repo WHERE s.principal = ?1 AND s.repo > ?2 ORDER BY s.repo LIMIT ?3";

/// What people say of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Who may read it; `None`: as its namespace says. It never widens that.
    pub visibility: Option<Visibility>,
    /// Whether nothing in it can be changed.
    pub read_only: bool,
    /// What it is, in a line.
    pub description: String,
    /// What it is, in Markdown.
    pub readme: String,
    /// Addresses, as a JSON list.
    pub links: String,
    /// Words and their values, as a JSON object.
    pub labels: String,
    /// How many have starred it.
    pub stars: u64,
    /// How often it was pulled.
    pub pulls: u64,
    /// Who pushed to it first; 0: nobody knows.
    pub created_by: PrincipalId,
    /// When this was last changed, in microseconds.
    pub changed: i64,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            visibility: None,
            read_only: false,
            description: String::new(),
            readme: String::new(),
            links: "[]".to_owned(),
            labels: "{}".to_owned(),
            stars: 0,
            pulls: 0,
            created_by: PrincipalId(0),
            changed: 0,
        }
    }
}

/// The profile of a repository, where it has one.
///
/// # Errors
/// `Unavailable`.
pub async fn profile_get(tx: &mut Tx<'_>, repo: i64) -> Result<Option<Profile>> {
    let found = tx.one(GET, &values![repo]).await?;
    Ok(found.map(
        |(
            visibility,
            read_only,
            description,
            readme,
            links,
            labels,
            stars,
            pulls,
            created_by,
            changed,
        )| Profile {
            visibility,
            read_only,
            description,
            readme,
            links,
            labels,
            stars,
            pulls,
            created_by,
            changed,
        },
    ))
}

/// What a decision must know of a repository: the visibility of its own, and whether it is read-only.
///
/// # Errors
/// `Unavailable`.
pub async fn profile_standing(
    tx: &mut Tx<'_>,
    repo: i64,
) -> Result<Option<(Option<Visibility>, bool)>> {
    tx.one(STANDING, &values![repo]).await
}

/// Makes the profile of a repository, unless it is there.
///
/// # Errors
/// `Unavailable`.
pub async fn profile_open(tx: &mut Tx<'_>, repo: i64, by: PrincipalId, now: i64) -> Result<bool> {
    Ok(tx.exec(OPEN, &values![repo, by, now]).await? > 0)
}

/// Writes all of a profile but what is counted and who made it.
///
/// # Errors
/// `Unavailable`.
pub async fn profile_change(tx: &mut Tx<'_>, repo: i64, to: &Profile, now: i64) -> Result<()> {
    let values = values![
        repo,
        to.visibility.map(|visibility| visibility as i64),
        to.read_only,
        to.description.as_str(),
        to.readme.as_str(),
        to.links.as_str(),
        to.labels.as_str(),
        now,
    ];
    if tx.exec(CHANGE, &values).await? > 0 {
        news_put(tx, ("", now), Kind::Profile, repo, None, None).await?;
    }
    Ok(())
}

/// The names of repositories that are less visible than `least` for themselves.
///
/// # Errors
/// `Unavailable`.
pub async fn profile_narrowed(tx: &mut Tx<'_>, least: Visibility) -> Result<Vec<String>> {
    let found = tx
        .all::<(String,)>(NARROWED, &values![least as i64])
        .await?;
    Ok(found.into_iter().map(|(name,)| name).collect())
}

/// Stars a repository or takes that back, and tells whether that changed anything.
///
/// # Errors
/// `Unavailable`.
pub async fn star_set(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    repo: i64,
    starred: bool,
    now: i64,
) -> Result<bool> {
    let changed = if starred {
        tx.exec(STAR_PUT, &values![principal, repo, now]).await? > 0
    } else {
        tx.exec(STAR_DELETE, &values![principal, repo]).await? > 0
    };
    if changed {
        let one: i64 = if starred { 1 } else { -1 };
        tx.exec(STAR, &values![repo, one]).await?;
    }
    Ok(changed)
}

/// Whether `principal` has starred a repository.
///
/// # Errors
/// `Unavailable`.
pub async fn star_is(tx: &mut Tx<'_>, principal: PrincipalId, repo: i64) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(STARRED, &values![principal, repo])
        .await?
        .is_some())
}

/// At most `limit` repositories that `principal` has starred, id and name, in the order of their ids, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn star_list(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, String)>> {
    tx.all(STARS, &values![principal, after, limit]).await
}

/// Forgets what was said of a repository, and its stars.
///
/// # Errors
/// `Unavailable`.
pub async fn profile_delete(tx: &mut Tx<'_>, repo: i64) -> Result<()> {
    tx.exec(STAR_DROP, &values![repo]).await?;
    tx.exec(DELETE, &values![repo]).await.map(drop)
}
