//! Keeping order while the store is used: recording syncs, forgetting sessions.

use std::time::Duration;

use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, uploads};

use crate::marker;
use crate::small::stage_of;
use crate::store::Inner;
use crate::unsettled::Origin;

/// How often finished syncs of blobs that no manifest has asked for are recorded.
const SETTLE: Duration = Duration::from_millis(500);
/// How often sessions are looked through.
const SWEEP: Duration = Duration::from_mins(1);
/// How often a full disk is looked at again.
const ROOM: Duration = Duration::from_secs(1);
/// How often it is seen whether it is time to read everything again.
const SCRUB: Duration = Duration::from_mins(1);
/// How many sessions are ended in one go.
const BATCH: usize = 200;

impl Inner {
    pub(crate) async fn tend(&self, stop: impl Future<Output = ()> + Send) {
        // Side by side: the check of a large blob that was found must not keep syncs from being recorded, nor the end from
        // coming. Each may be dropped at any await.
        let work = async {
            tokio::join!(
                again(SETTLE, || self.settle(Origin::Published)),
                again(SETTLE, || self.settle(Origin::Found)),
                again(SWEEP, || self.sweep()),
                again(ROOM, async || {
                    self.look_for_room();
                    Ok(())
                }),
                again(SCRUB, || self.scrub()),
                again(marker::EVERY, || self.move_mark()),
                self.heed(),
                self.collect(),
            )
        };
        tokio::select! {
            () = stop => {}
            _ = work => {}
        }
    }

    /// Collects every so often, where that is wanted.
    async fn collect(&self) {
        if self.options.gc.enabled {
            again(self.options.gc.interval, || self.gc_tick()).await;
        }
    }

    /// Ends sessions nobody will come back to and frees what they hold.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let now = micros((self.clock)());
        let ago = |time: Duration| now.saturating_sub(span(time));
        let options = &self.options;
        self.fresh
            .sweep(ago(options.session_idle.min(options.session_age)));
        let args = (
            ago(options.session_idle),
            ago(options.session_age),
            ago(options.session_memory),
            now,
        );
        loop {
            let stale = self
                .db
                .read(&args, |tx, (idle, old, finished, now)| {
                    Box::pin(uploads::upload_stale(
                        tx, *idle, *old, *finished, *now, BATCH,
                    ))
                })
                .await?;
            let found = stale.len();
            let mut stay = 0;
            for session in stale {
                // One that cannot be removed must not keep the others.
                if let Err(error) = self.forget(session).await {
                    stay += 1;
                    tracing::warn!(error = %Chain(&error), "an upload session that expired cannot be removed; it will be tried again");
                }
            }
            if found < BATCH || stay == found {
                return Ok(());
            }
        }
    }

    async fn forget(&self, (id, stage, finished): uploads::Stale) -> Result<()> {
        // The bytes first: a row without bytes is found again, bytes without a row are not.
        if finished.is_none()
            && let Some(stage) = stage_of(&stage)?
        {
            self.blobs.discard(&stage).await?;
        }
        self.db
            .write(Durability::Process, id, |tx, id| {
                Box::pin(uploads::upload_delete(tx, id))
            })
            .await?;
        if finished.is_none() {
            self.fresh.row_left();
        }
        Ok(())
    }
}

/// Does `work` every so often. What fails is logged and done again the next time.
async fn again<W: Future<Output = Result<()>>>(every: Duration, work: impl Fn() -> W) {
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        if let Err(error) = work().await {
            tracing::warn!(error = %Chain(&error), "housekeeping failed; it will be tried again");
        }
    }
}
