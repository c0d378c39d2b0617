//! Counting pulls: in memory, and written every so often. A pull costs an entry in a map and no write.
//!
//! What counts is the manifest of an image that was read to its end, by tag or by digest. Clients look a tag up and read by digest
//! what it points to; so a digest counts for the one tag that has it. The manifests for each platform that an index lists are read
//! along with it and are no pulls of their own. What is counted and not yet written is lost when the process is killed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_core::Result;
use longshore_meta::manifests::{EdgeKind, edge_parent};
use longshore_meta::names::name_resolve;
use longshore_meta::pulls::{PullDay, pulls_add, pulls_expire};
use longshore_meta::{Db, Durability, Tx, artifacts, tags};
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;

/// Beyond this many images nothing new is counted until it is written.
const IMAGES: usize = 50_000;
/// How many are written in one transaction.
const BATCH: usize = 500;
/// How many days are kept.
const DAYS: i64 = 400;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Counts pulls. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Pulls(Arc<Mutex<HashMap<(RepoName, Reference), u64>>>);

impl Pulls {
    /// Counts one pull. Neither blocks nor fails.
    pub fn count(&self, repo: &RepoName, at: &Reference) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (repo.clone(), at.clone());
        if let Some(count) = counted.get_mut(&key) {
            *count = count.saturating_add(1);
        } else if counted.len() < IMAGES {
            counted.insert(key, 1);
        }
    }

    /// Writes what was counted until now, and forgets what is too old.
    ///
    /// # Errors
    /// `Unavailable`; what could not be written is counted still.
    pub async fn flush(&self, db: &Db, now: i64) -> Result<()> {
        let counted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut counted: Vec<_> = counted.into_iter().collect();
        while !counted.is_empty() {
            let rest = counted.split_off(counted.len().min(BATCH));
            let written = db
                .write(
                    Durability::Process,
                    (counted.clone(), now),
                    |tx, (counted, now)| Box::pin(write(tx, counted, *now)),
                )
                .await;
            if let Err(error) = written {
                self.keep(counted.into_iter().chain(rest));
                return Err(error);
            }
            counted = rest;
        }
        db.write(Durability::Process, now / DAY - DAYS, |tx, day| {
            Box::pin(async move { pulls_expire(tx, *day, BATCH).await.map(drop) })
        })
        .await
    }

    fn keep(&self, again: impl Iterator<Item = ((RepoName, Reference), u64)>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, count) in again {
            *counted.entry(key).or_default() += count;
        }
    }
}

async fn write(tx: &mut Tx<'_>, counted: &[((RepoName, Reference), u64)], now: i64) -> Result<()> {
    for ((name, at), count) in counted {
        // By the name that was asked for, which may be an old one.
        let Some(repo) = name_resolve(tx, name, now).await?.repo else {
            continue;
        };
        let Some(tag) = tag_of(tx, repo, at).await? else {
            continue;
        };
        let more = PullDay {
            tag,
            day: now / DAY,
            pulls: *count,
        };
        pulls_add(tx, repo, &more, now).await?;
    }
    Ok(())
}

/// The tag that a pull counts for, empty for none; `None` where it is no pull of its own.
async fn tag_of(tx: &mut Tx<'_>, repo: i64, at: &Reference) -> Result<Option<String>> {
    let digest = match at {
        Reference::Tag(tag) => return Ok(Some(tag.as_str().to_owned())),
        Reference::Digest(digest) => digest,
    };
    let mut names = tags::tag_of(tx, repo, digest).await?;
    if names.len() == 1 {
        return Ok(names.pop());
    }
    let is_part = names.is_empty()
        && edge_parent(tx, repo, digest, EdgeKind::Manifest)
            .await?
            .is_some();
    // What is about another artifact is read by tools that look at that one.
    let is_about =
        !is_part && names.is_empty() && artifacts::artifact_is_about(tx, repo, digest).await?;
    Ok((!is_part && !is_about).then(String::new))
}
