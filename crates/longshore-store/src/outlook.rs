//! What a deletion comes to: what is freed and when, and what stays, because of whom.
//!
//! Every deletion says so in the log, once it is done. A failure to find that out is no failure of the deletion.

use longshore_core::Result;
use longshore_core::past::Outlook;
use longshore_meta::candidates::{self, Candidate};
use longshore_meta::time::span;
use longshore_meta::{Tx, blobs, repos, tags, trash};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

use crate::gc::{GcOptions, Untagged, Verdict, judge, words};
use crate::store::Inner;

/// How many things below a manifest are looked at.
const BELOW: u64 = 20_000;
/// How many repositories are named that share a blob, or tags that share a manifest.
const NAMES: usize = 5;

impl Inner {
    /// Says in the log what the deletion of a manifest will free, and when.
    pub(crate) async fn tell_manifest(&self, name: &RepoName, digest: &Digest, actor: &str) {
        let Some(id) = self.cache.repo(name).map(|repo| repo.id) else {
            return;
        };
        let args = (id, *digest);
        let told = self.db.read(&args, |tx, (repo, digest)| {
            Box::pin(async move {
                let how = trash::trash_get(tx, *repo, digest).await?;
                Ok((how, outlook(tx, *repo, digest).await?))
            })
        });
        // It is deleted whether or not this can be told.
        if let Ok((Some(how), outlook)) = told.await {
            let days = how.expires.saturating_sub(how.deleted) / 86_400_000_000;
            tracing::info!(
                repo = %name, %digest, actor, days,
                frees = outlook.freed.bytes, stays = outlook.shared.bytes, with = outlook.with.join(", "),
                "a manifest was deleted and can be restored for {days} days; {} bytes are free then, {} stay because others have them",
                outlook.freed.bytes, outlook.shared.bytes,
            );
        }
    }

    /// Says in the log what the deletion of a blob from a repository frees, and when.
    pub(crate) async fn tell_blob(&self, name: &RepoName, digest: &Digest, actor: &str, now: i64) {
        let Some(repo) = self.cache.repo(name).map(|repo| repo.id) else {
            return;
        };
        let at = Candidate {
            due: now,
            repo,
            digest: *digest,
        };
        let args = (at, now);
        let told = self
            .db
            .read(&args, |tx, (at, now)| Box::pin(judge(tx, at, *now)));
        if let Ok(verdict) = told.await {
            let then = of_blob(&verdict, &self.options.gc);
            tracing::info!(repo = %name, %digest, actor, "a blob was deleted from a repository; {then}");
        }
    }

    /// Says in the log that the deletion of a tag frees nothing by itself, and what becomes of its manifest.
    pub(crate) async fn tell_tag(&self, name: &RepoName, tag: &Tag, was: &Digest, actor: &str) {
        let Some(repo) = self.cache.repo(name).map(|repo| repo.id) else {
            return;
        };
        let args = (repo, *was);
        let told = self.db.read(&args, |tx, (repo, digest)| {
            Box::pin(tags::tag_some_of(tx, *repo, digest, NAMES + 1))
        });
        if let Ok(others) = told.await {
            let then = of_tag(&others, &self.options.gc);
            tracing::info!(repo = %name, %tag, digest = %was, actor, "a tag was deleted, which frees nothing now; {then}");
        }
    }
}

/// What becomes of a blob that was deleted from a repository.
fn of_blob(verdict: &Verdict, gc: &GcOptions) -> String {
    let soon = words(span(gc.interval.saturating_add(gc.quarantine)));
    let when = if gc.enabled {
        format!("within {soon}")
    } else {
        format!(
            "{} after the next `longshore gc --now`, which nothing runs by itself here",
            words(span(gc.quarantine))
        )
    };
    match verdict {
        Verdict::Take(row) => format!(
            "{} bytes are free {when}, because nobody else has it",
            row.size
        ),
        Verdict::Shared { size, with } => {
            format!("its {size} bytes stay, because of {}", with.join(", "))
        }
        Verdict::Later { size, .. } => {
            format!("{size} bytes are free {when}, if nobody else has it when they are on the disk")
        }
        Verdict::Needed => "it stays, because a manifest that was pushed since needs it".to_owned(),
        Verdict::Nothing => "its bytes were gone before".to_owned(),
    }
}

/// What becomes of a manifest that lost a tag and has these others.
fn of_tag(others: &[String], gc: &GcOptions) -> String {
    if !others.is_empty() {
        let named: Vec<&str> = others.iter().take(NAMES).map(String::as_str).collect();
        let more = if others.len() > NAMES {
            " and others"
        } else {
            ""
        };
        return format!(
            "its manifest stays, because of the tags {}{more}",
            named.join(", ")
        );
    }
    match gc.untagged {
        Untagged::All => format!(
            "its manifest has no other tag and can be pulled by its digest; unless something lists it, it goes to the trash in {} and \
             what only it needs is free {} after that",
            words(span(gc.trash)),
            words(span(gc.trash)),
        ),
        Untagged::Keep | Untagged::Parts => "its manifest has no other tag and can be pulled by its digest; delete it by its digest to \
             free what only it needs"
            .to_owned(),
    }
}

/// What becomes of the blobs of a manifest in the trash when it leaves it. A blob counts as shared when anything but this manifest
/// needs it: another of its repository, or another repository.
///
/// # Errors
/// `Unavailable`.
pub async fn outlook(tx: &mut Tx<'_>, repo: i64, digest: &Digest) -> Result<Outlook> {
    let mut outlook = Outlook::default();
    for blob in trash::trash_blobs(tx, repo, digest, BELOW).await? {
        let Some(row) = blobs::blob_get(tx, &blob).await? else {
            continue;
        };
        let mut with = candidates::blob_holders(tx, &blob, repo, NAMES as u64).await?;
        if with.is_empty() && candidates::blob_needed_beside(tx, repo, &blob, digest).await? {
            with.extend(
                repos::repo_name(tx, repo)
                    .await?
                    .map(|name| name.to_string()),
            );
        }
        if with.is_empty() {
            outlook.freed.add(row.size);
            continue;
        }
        outlook.shared.add(row.size);
        for name in with {
            if outlook.with.len() < NAMES && !outlook.with.contains(&name) {
                outlook.with.push(name);
            }
        }
    }
    Ok(outlook)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use longshore_meta::blobs::{BlobRow, BlobState};

    use super::*;

    #[test]
    fn a_deleted_blob_is_freed_at_a_time_or_stays_because_of_somebody() {
        let gc = GcOptions::default();
        let row = BlobRow {
            size: 7,
            location: String::new(),
            generation: 1,
            state: BlobState::Live,
        };
        let said = of_blob(&Verdict::Take(row.clone()), &gc);
        assert_eq!(
            said,
            "7 bytes are free within 11 minutes, because nobody else has it"
        );
        let with = vec!["acme/base".to_owned(), "the trash of acme/app".to_owned()];
        let said = of_blob(&Verdict::Shared { size: 9, with }, &gc);
        assert_eq!(
            said,
            "its 9 bytes stay, because of acme/base, the trash of acme/app"
        );
        let off = GcOptions {
            enabled: false,
            ..gc
        };
        let said = of_blob(&Verdict::Take(row), &off);
        assert!(
            said.contains("after the next `longshore gc --now`"),
            "{said}"
        );
    }

    #[test]
    fn a_deleted_tag_says_what_keeps_its_manifest_and_for_how_long() {
        let mut gc = GcOptions::default();
        let names: Vec<String> = (1..=6).map(|n| n.to_string()).collect();
        assert_eq!(
            of_tag(&names, &gc),
            "its manifest stays, because of the tags 1, 2, 3, 4, 5 and others"
        );
        assert!(of_tag(&[], &gc).contains("delete it by its digest"));
        gc.untagged = Untagged::All;
        gc.trash = Duration::from_hours(72);
        assert!(of_tag(&[], &gc).contains("goes to the trash in 3 days"));
    }
}
