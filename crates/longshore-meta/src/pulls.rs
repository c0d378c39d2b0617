//! How often things are pulled, by day.

use longshore_core::Result;

use crate::tx::Tx;
use crate::values;

const DAY: &str = "INSERT INTO pull_day (repo, tag, day, pulls) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (repo, tag, day) \
                   DO UPDATE SET pulls = pull_day.pulls + excluded.pulls";
const ALL: &str = "INSERT INTO profile (repo, pulls, changed) VALUES (?1, ?2, ?3) ON CONFLICT (repo) \
                   DO UPDATE SET pulls = profile.pulls + excluded.pulls";
const OF: &str = "SELECT tag, day, pulls FROM pull_day WHERE repo = ?1 AND (tag, day) > (?2, ?3) ORDER BY tag, day LIMIT ?4";
const EXPIRED: &str = "DELETE FROM pull_day WHERE (repo, tag, day) IN \
                       (SELECT repo, tag, day FROM pull_day WHERE day < ?1 ORDER BY day LIMIT ?2)";

/// Pulls of a tag on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullDay {
    /// The tag; empty for what was pulled by a digest that no tag has.
    pub tag: String,
    /// The day, in days since the Unix epoch.
    pub day: i64,
    /// How many.
    pub pulls: u64,
}

/// Adds pulls of a tag on a day, and to those of its repository.
///
/// # Errors
/// `Unavailable`.
pub async fn pulls_add(tx: &mut Tx<'_>, repo: i64, more: &PullDay, now: i64) -> Result<()> {
    tx.exec(DAY, &values![repo, more.tag.as_str(), more.day, more.pulls])
        .await?;
    tx.exec(ALL, &values![repo, more.pulls, now])
        .await
        .map(drop)
}

/// Pulls of a repository by tag and day, strictly after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn pulls_of(
    tx: &mut Tx<'_>,
    repo: i64,
    (tag, day): (&str, i64),
    limit: usize,
) -> Result<Vec<PullDay>> {
    let rows = tx
        .all::<(String, i64, u64)>(OF, &values![repo, tag, day, limit])
        .await?;
    Ok(rows
        .into_iter()
        .map(|(tag, day, pulls)| PullDay { tag, day, pulls })
        .collect())
}

/// Forgets at most `limit` rows of days before `day`, and gives how many.
///
/// # Errors
/// `Unavailable`.
pub async fn pulls_expire(tx: &mut Tx<'_>, day: i64, limit: usize) -> Result<usize> {
    tx.exec(EXPIRED, &values![day, limit]).await
}
