//! The trash: manifests that were deleted can be restored for a while, with the tags they lost.
//!
//! What is in the trash is nobody's to pull, and keeps its blobs and the manifests it lists from being collected.

use longshore_core::past::{Outlook, Restored};
use longshore_core::{Code, Error, Result};
use longshore_meta::history::{self, Cause, Change};
use longshore_meta::time::{micros, span};
use longshore_meta::trash::{self, TrashKey, Trashed};
use longshore_meta::untagged::{self, Why};
use longshore_meta::{Durability, Tx, repos, tags};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use crate::outlook::outlook;
use crate::store::{Inner, Store};

/// How many tags the trash remembers of one manifest; the history has all.
const TAGS: usize = 1000;
/// How many things below a manifest are brought back with it.
const BELOW: u64 = 20_000;

/// How long manifests stay in the trash, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    tagged: i64,
    untagged: i64,
}

/// Who moves manifests into the trash, and when.
#[derive(Debug)]
pub(crate) struct Bin<'a> {
    pub(crate) actor: &'a str,
    /// Whether nobody asked for it.
    pub(crate) collected: bool,
    pub(crate) now: i64,
    pub(crate) times: Times,
}

impl Bin<'_> {
    /// Moves a manifest into the trash, and takes its tags away; false when it is not there.
    pub(crate) async fn take(&self, tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<bool> {
        let names = tags::tag_of(tx, repo, digest).await?;
        let until = |time: i64| self.now.saturating_add(time);
        let how = Trashed {
            tags: names
                .iter()
                .take(TAGS)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n"),
            deleted: self.now,
            deleted_by: self.actor.to_owned(),
            collected: self.collected,
            expires: until(self.times.tagged),
            size: 0,
        };
        if !trash::trash_put(tx, repo, digest, &how, until(self.times.untagged)).await? {
            return Ok(false);
        }
        untagged::untagged_delete(tx, repo, digest).await?;
        for name in &names {
            let change = Change {
                at: self.now,
                actor: self.actor.to_owned(),
                old: Some(*digest),
                new: None,
                cause: Cause::ManifestDeleted,
            };
            history::history_put(tx, repo, name, &change).await?;
        }
        let tags = tags::tag_delete_of(tx, repo, digest, self.actor, self.now).await?;
        repos::repo_count(tx, repo, -1, -i64::try_from(tags).unwrap_or(0)).await?;
        Ok(true)
    }
}

/// Brings a manifest back from the trash, and those below it that are there too; gives how many they are. Its tags are
/// another matter.
pub(crate) async fn bring_back(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    now: i64,
) -> Result<u64> {
    let (mut todo, mut count) = (vec![*digest], 0_u64);
    // What was brought back is in the trash no more, so whatever leads to it again is done with at once.
    while let Some(digest) = todo.pop() {
        let below = trash::trash_children(tx, repo, &digest, BELOW).await?;
        if trash::trash_restore(tx, repo, &digest, now).await? {
            untagged::untagged_put(tx, repo, &digest, Why::LostTag, now).await?;
            count += 1;
            todo.extend(below);
        }
    }
    repos::repo_count(tx, repo, i64::try_from(count).unwrap_or(0), 0).await?;
    Ok(count)
}

/// A manifest in the trash. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTrash {
    /// Its repository.
    pub repo: RepoName,
    /// It.
    pub digest: Digest,
    /// The tags it lost with its deletion.
    pub tags: Vec<String>,
    /// When it was deleted.
    pub deleted: i64,
    /// By whom.
    pub deleted_by: String,
    /// Until when it can be restored.
    pub expires: i64,
    /// What its end will free.
    pub outlook: Outlook,
}

impl Store {
    /// What is in the trash, of one repository or of all, what leaves it first first; at most `limit` manifests.
    ///
    /// # Errors
    /// `NameUnknown`, or `Unavailable` when the metadata cannot be read.
    pub async fn trash(&self, repo: Option<&RepoName>, limit: usize) -> Result<Vec<InTrash>> {
        self.0.trash(repo, limit).await
    }

    /// Brings a manifest back from the trash, with what it lists, and with the tags it lost, as far as they are free.
    ///
    /// # Errors
    /// `NameUnknown`; `ManifestUnknown` when it is not in the trash; `Unavailable`.
    pub async fn trash_restore(
        &self,
        repo: &RepoName,
        digest: &Digest,
        actor: &str,
    ) -> Result<Restored> {
        self.0.trash_restore(repo, digest, actor).await
    }
}

impl Inner {
    pub(crate) fn times(&self) -> Times {
        Times {
            tagged: span(self.options.gc.trash),
            untagged: span(self.options.gc.trash_untagged),
        }
    }

    async fn trash(&self, name: Option<&RepoName>, limit: usize) -> Result<Vec<InTrash>> {
        let only = match name {
            Some(name) => Some(self.repo(name).await?.id),
            None => None,
        };
        let (mut found, mut after) = (Vec::new(), None::<TrashKey>);
        while found.len() < limit {
            let args = (only, after);
            let page = self
                .db
                .read(&args, |tx, (only, after)| {
                    Box::pin(async move {
                        let keys = match only {
                            Some(repo) => {
                                let after = after.as_ref().map(|key| &key.digest);
                                trash::trash_list(tx, *repo, after, 100).await?
                            }
                            None => trash::trash_expired(tx, after.as_ref(), i64::MAX, 100).await?,
                        };
                        let mut page = Vec::with_capacity(keys.len());
                        for key in keys {
                            page.push((key, shown(tx, &key).await?));
                        }
                        Ok(page)
                    })
                })
                .await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            found.extend(page.into_iter().filter_map(|(_, shown)| shown));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// See [`Store::restored`].
    pub(crate) fn restored(&self, repo: &RepoName) {
        self.cache.tags_moved(repo);
        self.cache.content_left(repo);
    }

    async fn trash_restore(
        &self,
        name: &RepoName,
        digest: &Digest,
        actor: &str,
    ) -> Result<Restored> {
        let repo = self.repo(name).await?;
        let args = (repo.id, *digest, actor.to_owned(), micros((self.clock)()));
        let restored = self
            .db
            .write(Durability::Power, args, |tx, (repo, digest, actor, now)| {
                Box::pin(restore_manifest(tx, *repo, digest, (actor, *now)))
            })
            .await?;
        self.restored(name);
        tracing::info!(repo = %name, %digest, actor, tags = restored.tags.join(", "), "a manifest was restored from the trash");
        Ok(restored)
    }
}

async fn shown(tx: &mut Tx<'_>, key: &TrashKey) -> Result<Option<InTrash>> {
    let how = trash::trash_get(tx, key.repo, &key.digest).await?;
    let name = repos::repo_name(tx, key.repo).await?;
    let (Some(how), Some(repo)) = (how, name) else {
        return Ok(None);
    };
    Ok(Some(InTrash {
        repo,
        digest: key.digest,
        tags: how.tags.lines().map(str::to_owned).collect(),
        deleted: how.deleted,
        deleted_by: how.deleted_by,
        expires: how.expires,
        outlook: outlook(tx, key.repo, &key.digest).await?,
    }))
}

/// Brings a manifest of a repository back from the trash, as part of a transaction of somebody who knows that it may be; `by` is who,
/// and when. [`Store::restored`] is to be called when that is committed.
///
/// # Errors
/// See [`Store::trash_restore`].
pub async fn restore_manifest(
    tx: &mut Tx<'_>,
    repo: i64,
    digest: &Digest,
    (actor, now): (&str, i64),
) -> Result<Restored> {
    let Some(how) = trash::trash_get(tx, repo, digest).await? else {
        return Err(Error::new(
            Code::ManifestUnknown,
            format!("the manifest {digest} is not in the trash of this repository"),
        ));
    };
    let mut restored = Restored {
        manifests: bring_back(tx, repo, digest, now).await?,
        ..Restored::default()
    };
    for name in how.tags.lines() {
        let tag = name.parse().map_err(Error::internal)?;
        if tags::tag_get(tx, repo, &tag).await?.is_some() {
            restored.taken.push(name.to_owned());
            continue;
        }
        tags::tag_put(tx, repo, &tag, digest, actor, now).await?;
        let change = Change {
            at: now,
            actor: actor.to_owned(),
            old: None,
            new: Some(*digest),
            cause: Cause::Restored,
        };
        history::history_put(tx, repo, name, &change).await?;
        restored.tags.push(name.to_owned());
    }
    let tags = i64::try_from(restored.tags.len()).unwrap_or(0);
    repos::repo_count(tx, repo, 0, tags).await?;
    Ok(restored)
}
