//! Keeping order while the store is used: recording syncs, forgetting sessions.

use std::time::Duration;

use longshore_blob::Stage;
use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, uploads};

use crate::store::Inner;

/// How often finished syncs of blobs that no manifest has asked for are recorded.
const SETTLE: Duration = Duration::from_millis(500);
/// How often sessions are looked through.
const SWEEP: Duration = Duration::from_mins(1);
/// How many sessions are ended in one go.
const BATCH: usize = 200;

impl Inner {
    pub(crate) async fn tend(&self, stop: impl Future<Output = ()> + Send) {
        let mut settle = tokio::time::interval(SETTLE);
        let mut sweep = tokio::time::interval(SWEEP);
        let mut stop = std::pin::pin!(stop);
        loop {
            let done = tokio::select! {
                () = &mut stop => return,
                _ = settle.tick() => self.settle().await,
                _ = sweep.tick() => self.sweep().await,
            };
            if let Err(error) = done {
                tracing::warn!(error = %Chain(&error), "housekeeping failed; it will be tried again");
            }
        }
    }

    /// Ends sessions nobody will come back to and frees what they hold.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let now = micros((self.clock)());
        let ago = |time: Duration| now.saturating_sub(span(time));
        let options = &self.options;
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
            let last = stale.len() < BATCH;
            for (id, stage, finished) in stale {
                // The bytes first: a row without bytes is found again, bytes without a row are not.
                if finished.is_none() {
                    self.blobs.discard(&Stage::decode(&stage)?).await?;
                }
                self.db
                    .write(Durability::Process, id, |tx, id| {
                        Box::pin(uploads::upload_delete(tx, id))
                    })
                    .await?;
            }
            if last {
                return Ok(());
            }
        }
    }
}
