//! An abuse that is under way.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::thread::{CpuSet, sched_setaffinity};
use tokio::sync::oneshot;

use super::front::{Doing, Front};
use crate::line::Scene;
use crate::peer::Peer;

/// How long an abuse may take to stand.
const STANDS_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks at whether it does.
const LOOK: Duration = Duration::from_millis(10);

/// The thread that does it; dropped, it stops.
#[derive(Debug)]
pub(super) struct Attack {
    thread: Option<JoinHandle<Result<()>>>,
    stop: Option<oneshot::Sender<()>>,
}

impl Attack {
    /// Begins, on the processors of the load.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn begin(
        front: &Arc<Front>,
        abuse: fn(Arc<Front>) -> Doing,
        scene: &Scene<'_>,
    ) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (front, cores) = (Arc::clone(front), scene.load_cores.to_vec());
        let thread = std::thread::Builder::new()
            .name("abuse".to_owned())
            .spawn(move || {
                let mut set = CpuSet::new();
                for core in cores {
                    set.set(core);
                }
                // Where that is not allowed it runs anywhere.
                let _ = sched_setaffinity(None, &set);
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                runtime.block_on(async {
                    tokio::select! {
                        ended = abuse(front) => ended.and_then(|()| bail!("it ended by itself")),
                        _ = stopped => Ok(()),
                    }
                })
            })?;
        Ok(Self {
            thread: Some(thread),
            stop: Some(stop),
        })
    }

    /// Waits until it is in full flow and gives the most anonymous memory that the server took meanwhile.
    ///
    /// # Errors
    /// When it does not come to that.
    pub(super) fn stands(&mut self, front: &Front, peer: &Peer) -> Result<u64> {
        let deadline = Instant::now() + STANDS_WITHIN;
        let mut most = 0;
        while !front.stands.load(Ordering::Acquire) {
            if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
                self.end()?;
            }
            if Instant::now() > deadline {
                bail!("it does not come about: {} acts", front.acts());
            }
            most = most.max(peer.uses().anonymous);
            std::thread::sleep(LOOK);
        }
        Ok(most)
    }

    /// Stops it.
    ///
    /// # Errors
    /// When it could not be done.
    pub(super) fn end(&mut self) -> Result<()> {
        self.stop.take();
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let ended = thread
            .join()
            .map_err(|_| anyhow!("the abusing thread panicked"))?;
        ended.context("the abuse cannot be done")
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
