//! Where tags pointed, and pointing them there again.

use longshore_core::past::TagRestored;
use longshore_core::{Code, Error, Result};
use longshore_meta::history::{self, Cause, Change};
use longshore_meta::time::micros;
use longshore_meta::untagged::{self, Why};
use longshore_meta::{Durability, Tx, manifests, repos, tags, trash};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

use crate::store::Store;
use crate::trash::bring_back;

/// What a change of a tag was caused by; see [`TagChange`].
pub use longshore_meta::history::Cause as TagCause;

/// A change of a tag, and what is left of where it pointed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// The tag.
    pub tag: String,
    /// When, in microseconds since the Unix epoch.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// Where it pointed before, if it was there.
    pub old: Option<Digest>,
    /// Whether that can be pulled or restored.
    pub old_is_here: bool,
    /// Where it pointed afterwards, if it was there.
    pub new: Option<Digest>,
    /// By what.
    pub cause: TagCause,
}

impl Store {
    /// The latest changes of a tag before `before` if that is said, the latest first.
    ///
    /// # Errors
    /// `NameUnknown`; `Unavailable`.
    pub async fn tag_history(
        &self,
        repo: &RepoName,
        tag: &Tag,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<TagChange>> {
        let id = self.0.repo(repo).await?.id;
        let args = (id, tag, before.unwrap_or(i64::MAX), limit);
        self.0
            .db
            .read(&args, |tx, (repo, tag, before, limit)| {
                Box::pin(async move {
                    let found =
                        history::history_list(tx, *repo, tag.as_str(), *before, *limit).await?;
                    let named = found.into_iter().map(|change| (tag.to_string(), change));
                    shown(tx, *repo, named.collect()).await
                })
            })
            .await
    }

    /// The changes of all tags of a repository behind the one of the tag and the time in `after`: tag by tag, the earliest
    /// change of each first.
    ///
    /// # Errors
    /// `NameUnknown`; `Unavailable`.
    pub async fn tag_history_all(
        &self,
        repo: &RepoName,
        after: Option<(String, i64)>,
        limit: usize,
    ) -> Result<Vec<TagChange>> {
        let args = (self.0.repo(repo).await?.id, after, limit);
        self.0
            .db
            .read(&args, |tx, (repo, after, limit)| {
                Box::pin(async move {
                    let found =
                        history::history_list_all(tx, *repo, after.as_ref(), *limit).await?;
                    shown(tx, *repo, found).await
                })
            })
            .await
    }

    /// Forgets what the caches know of the tags and content of a repository: something of it was restored. To be called when that is
    /// committed.
    pub fn restored(&self, repo: &RepoName) {
        self.0.restored(repo);
    }

    /// Points a tag to `to`, or to where it pointed before its last change; the manifest is taken out of the trash if it is
    /// there.
    ///
    /// # Errors
    /// `NameUnknown`; `ManifestUnknown` when the tag has no history, or the manifest is gone for good; `Unavailable`.
    pub async fn tag_restore(
        &self,
        repo: &RepoName,
        tag: &Tag,
        to: Option<Digest>,
        actor: &str,
    ) -> Result<TagRestored> {
        let inner = &self.0;
        let id = inner.repo(repo).await?.id;
        let by = (actor.to_owned(), micros((inner.clock)()));
        let args = (id, tag.clone(), to, by);
        let restored = inner
            .db
            .write(Durability::Power, args, |tx, (id, tag, to, by)| {
                Box::pin(restore_tag(tx, *id, tag, *to, (&by.0, by.1)))
            })
            .await?;
        inner.restored(repo);
        tracing::info!(repo = %repo, tag = %tag, to = %restored.to, actor, "a tag was restored");
        Ok(restored)
    }
}

async fn shown(tx: &mut Tx<'_>, repo: i64, found: Vec<(String, Change)>) -> Result<Vec<TagChange>> {
    let mut changes = Vec::new();
    for (tag, change) in found {
        let old_is_here = match &change.old {
            Some(old) => trash::manifest_is_here(tx, repo, old).await?,
            None => false,
        };
        changes.push(TagChange {
            tag,
            at: change.at,
            actor: change.actor,
            old: change.old,
            old_is_here,
            new: change.new,
            cause: change.cause,
        });
    }
    Ok(changes)
}

/// Points a tag of a repository to `to`, or to where it pointed before its last change, as part of a transaction of somebody who
/// knows that it may be; `by` is who, and when. [`Store::restored`] is to be called when that is committed.
///
/// # Errors
/// See [`Store::tag_restore`].
pub async fn restore_tag(
    tx: &mut Tx<'_>,
    repo: i64,
    tag: &Tag,
    to: Option<Digest>,
    (actor, now): (&str, i64),
) -> Result<TagRestored> {
    let unknown = |what: String| Error::new(Code::ManifestUnknown, what);
    let to = match to {
        Some(to) => to,
        None => history::history_list(tx, repo, tag.as_str(), i64::MAX, 1)
            .await?
            .pop()
            .and_then(|change| change.old)
            .ok_or_else(|| {
                unknown(format!(
                    "nothing is known of where the tag {tag} pointed before; name a digest"
                ))
            })?,
    };
    let mut manifests = 0;
    if manifests::manifest_depth(tx, repo, &to).await?.is_none() {
        manifests = bring_back(tx, repo, &to, now).await?;
        if manifests == 0 {
            return Err(unknown(format!(
                "the manifest {to} is neither in this repository nor in its trash; push it again"
            )));
        }
    }
    let from = tags::tag_get(tx, repo, tag).await?;
    if from == Some(to) {
        return Ok(TagRestored {
            to,
            from,
            manifests,
        });
    }
    point(tx, repo, tag, from, &to, actor, now, Cause::Restored).await?;
    repos::repo_count(tx, repo, 0, i64::from(from.is_none())).await?;
    Ok(TagRestored {
        to,
        from,
        manifests,
    })
}

/// Points a tag elsewhere and writes that down. What it pointed to before is looked at if that was its last tag.
#[expect(clippy::too_many_arguments, reason = "the facts of one change")]
pub(crate) async fn point(
    tx: &mut Tx<'_>,
    repo: i64,
    tag: &Tag,
    from: Option<Digest>,
    to: &Digest,
    actor: &str,
    now: i64,
    cause: Cause,
) -> Result<()> {
    tags::tag_put(tx, repo, tag, to, actor, now).await?;
    manifests::manifest_tagged(tx, repo, to).await?;
    let change = Change {
        at: now,
        actor: actor.to_owned(),
        old: from,
        new: Some(*to),
        cause,
    };
    history::history_put(tx, repo, tag.as_str(), &change).await?;
    if let Some(from) = from {
        lost_tag(tx, repo, &from, now).await?;
    }
    Ok(())
}

/// Has a manifest looked at that lost a tag, if that was its last one.
pub(crate) async fn lost_tag(tx: &mut Tx<'_>, repo: i64, digest: &Digest, now: i64) -> Result<()> {
    if !untagged::manifest_has_tag(tx, repo, digest).await? {
        untagged::untagged_put(tx, repo, digest, Why::LostTag, now).await?;
    }
    Ok(())
}
