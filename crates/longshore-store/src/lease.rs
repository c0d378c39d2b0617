//! What somebody who may push is told of a blob, and may rely on.
//!
//! Clients ask with `HEAD` which blobs are here, do not push those, and push the manifest at the end, maybe hours later. So a
//! `200` to somebody who may push is a promise, and it is given only when a lease that lasts is in the database: collection
//! decides by the same rows, in a transaction of its own, so either it sees the lease, or this sees no blob. Most answers
//! write nothing: a lease is written down for a twelfth longer than it is promised, and the row was read with one that lasts.

use std::sync::atomic::Ordering;

use longshore_core::error::Chain;
use longshore_core::{Code, Cx, Result, Verb};
use longshore_meta::blobs::{self, Lease};
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, Tx};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use crate::cache::{Repo, Seen};
use crate::store::Inner;

impl Inner {
    /// Promises the blob to a caller who may push: it stays for the manifest that is to come. False when it is not here any more.
    pub(crate) async fn promise(
        &self,
        cx: &Cx,
        name: &RepoName,
        repo: &Repo,
        digest: &Digest,
        seen: &Seen,
    ) -> Result<bool> {
        let now = micros(cx.now);
        let left = seen.lease.load(Ordering::Relaxed).saturating_sub(now);
        if left >= span(self.options.push_lease)
            || !self.options.leases
            || !cx.rights.allow(Some(name), Verb::Push)
        {
            return Ok(true);
        }
        let lease = self.options.lease(now);
        let written = self
            .db
            .write(
                Durability::Process,
                (repo.id, *digest, lease),
                |tx, (repo, digest, lease)| Box::pin(renew(tx, *repo, digest, *lease)),
            )
            .await;
        match written {
            Ok(Some(until)) => {
                seen.lease.store(until, Ordering::Relaxed);
                Ok(true)
            }
            Ok(None) => {
                // What was remembered is out of date; so is what others remember of it.
                self.cache.content_left(name);
                Ok(false)
            }
            // A full disk must not keep anybody from reading. Collection, which would have to write too, pays first.
            Err(error) if error.code() == Code::Unavailable => {
                tracing::debug!(%digest, error = %Chain(&error), "a lease cannot be written down now; collection waits for it");
                self.gc
                    .owed
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .insert(*digest, lease.until);
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes down the leases that could not be written down before.
    pub(crate) async fn pay(&self) -> Result<()> {
        let owed: Vec<_> = {
            let mut owed = self
                .gc
                .owed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if owed.is_empty() {
                return Ok(());
            }
            owed.drain().collect()
        };
        let paid = self
            .db
            .write(Durability::Process, owed.clone(), |tx, owed| {
                Box::pin(async move {
                    for (digest, until) in owed {
                        let (least, until) = (*until, *until);
                        blobs::blob_lease(tx, digest, Lease { least, until }).await?;
                    }
                    Ok(())
                })
            })
            .await;
        if paid.is_err() {
            let mut still = self
                .gc
                .owed
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            for (digest, until) in owed {
                let entry = still.entry(digest).or_insert(until);
                *entry = until.max(*entry);
            }
        }
        paid
    }
}

/// Gives until when the blob is kept; `None` when the repository does not hold it.
async fn renew(tx: &mut Tx<'_>, repo: i64, digest: &Digest, lease: Lease) -> Result<Option<i64>> {
    let Some((_, until)) = blobs::blob_seen(tx, repo, digest).await? else {
        return Ok(None);
    };
    if until >= lease.least {
        return Ok(Some(until));
    }
    blobs::blob_lease(tx, digest, lease).await?;
    Ok(Some(lease.until))
}
