//! Repositories that were deleted: what is in them goes into the trash, some of it at a time. Nobody sees it since they were.

use longshore_core::{Error, Result};
use longshore_meta::repos::{self, REMOVED};
use longshore_meta::{Durability, Tx, walks};
use longshore_spec::name::RepoName;

use super::fence::Fence;
use super::run::Run;
use crate::trash::{Bin, Times};

/// Who is said to have deleted it; the audit log says who that was.
const ACTOR: &str = "job:removed-repository";

struct Part {
    fence: Fence,
    now: i64,
    times: Times,
    repo: RepoName,
    most: usize,
}

impl Run<'_> {
    /// Empties repositories that were deleted; `None` when another process collects now.
    pub(super) async fn empty_removed(&mut self) -> Result<Option<()>> {
        let (mut from, to) = (format!("{REMOVED}/"), format!("{REMOVED}0"));
        loop {
            let began = self.begin();
            let args = (from.as_str(), to.as_str());
            // Those that hold something only.
            let next = self
                .inner
                .db
                .read(&args, |tx, (from, to)| {
                    Box::pin(repos::repo_range(
                        tx,
                        repos::RepoKind::Filled,
                        from,
                        Some(to),
                        1,
                    ))
                })
                .await?;
            let Some(name) = next.into_iter().next() else {
                return Ok(Some(()));
            };
            let part = Part {
                fence: self.fence(),
                now: self.now,
                times: self.inner.times(),
                repo: name.parse().map_err(Error::internal)?,
                most: self.inner.options.gc.batch,
            };
            let name = part.repo.clone();
            let done = self
                .inner
                .db
                .write(Durability::Power, part, |tx, part| {
                    Box::pin(empty(tx, part))
                })
                .await?;
            let Some(taken) = done else { return Ok(None) };
            if taken == 0 {
                // Somebody's own, by chance; or one that counts what it does not hold, which a check finds.
                from = format!("{name}\0");
                continue;
            }
            self.report.collected += taken;
            self.inner.cache.tags_moved(&name);
            self.inner.cache.content_left(&name);
            self.tell();
            self.rest(began).await;
        }
    }
}

async fn empty(tx: &mut Tx<'_>, part: &Part) -> Result<Option<u64>> {
    if !part.fence.hold(tx).await? {
        return Ok(None);
    }
    let Some(repo) = repos::repo_id(tx, &part.repo).await? else {
        return Ok(Some(0));
    };
    if !repos::is_removed(repo, part.repo.as_str()) {
        return Ok(Some(0));
    }
    let bin = Bin {
        actor: ACTOR,
        collected: false,
        now: part.now,
        times: part.times,
    };
    let mut taken = 0;
    for row in walks::walk_manifests(tx, repo, None, part.most).await? {
        taken += u64::from(bin.take(tx, repo, &row.digest).await?);
    }
    Ok(Some(taken))
}
