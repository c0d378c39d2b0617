//! Collecting now, or saying what would be collected.

use longshore_store::{Amount, Ask, Report, Store};
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};

/// Collects.
#[derive(Debug)]
pub struct Gc;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Args {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Believe the clock as it is.
    pub accept_clock: bool,
    /// Work without rests.
    pub hurry: bool,
}

/// A number of blobs and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blobs {
    /// How many.
    pub blobs: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

impl From<Amount> for Blobs {
    fn from(amount: Amount) -> Self {
        Self {
            blobs: amount.count,
            bytes: amount.bytes,
        }
    }
}

/// A blob that stays because others have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The blob.
    pub digest: String,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// Repositories that have it, a few of them.
    pub with: Vec<String>,
}

/// What a run did, or would do. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Why nothing was done, where that is so.
    pub paused: Option<String>,
    /// Blobs whose bytes were removed.
    pub freed: Blobs,
    /// Blobs that nobody needs and nobody sees from now on.
    pub taken: Blobs,
    /// Blobs out of sight whose bytes wait for the end of their quarantine, those of earlier runs too.
    pub waiting: Blobs,
    /// When the last of those is removed.
    pub waiting_until: Option<i64>,
    /// Blobs that stay because somebody who may push was told lately that they are here.
    pub leased: Blobs,
    /// Until when the last of those is kept.
    pub leased_until: Option<i64>,
    /// Blobs that left a repository and stay because others have them.
    pub shared: Blobs,
    /// Some of those.
    pub shared_with: Vec<Shared>,
    /// Manifests without a tag that were moved into the trash.
    pub collected: u64,
    /// Manifests that left the trash for good.
    pub expired: u64,
    /// Files that an unclean stop left behind.
    pub orphans: Blobs,
    /// Manifests in the trash.
    pub trash: u64,
    /// When the first of those leaves it.
    pub trash_until: Option<i64>,
    /// Things that could not be dealt with; the server's log says why.
    pub failed: u64,
}

impl From<&Report> for Done {
    fn from(report: &Report) -> Self {
        Self {
            dry_run: report.dry_run,
            paused: report.paused.clone(),
            freed: report.freed.into(),
            taken: report.taken.into(),
            waiting: report.waiting.into(),
            waiting_until: report.waiting_until,
            leased: report.leased.into(),
            leased_until: report.leased_until,
            shared: report.shared.into(),
            shared_with: report
                .shared_with
                .iter()
                .map(|shared| Shared {
                    digest: shared.digest.to_string(),
                    bytes: shared.size,
                    with: shared.with.clone(),
                })
                .collect(),
            collected: report.collected,
            expired: report.expired,
            orphans: report.orphans.into(),
            trash: report.trash,
            trash_until: report.trash_until,
            failed: report.failed,
        }
    }
}

impl Operation for Gc {
    const NAME: &'static str = "gc";
    type Args = Args;
    type Step = Done;
    type Done = Done;

    async fn run(state: &State, args: Args, steps: Steps<Done>) -> anyhow::Result<Done> {
        let ask = Ask {
            dry_run: args.dry_run,
            accept_clock: args.accept_clock,
            hurry: args.hurry,
            empty: None,
        };
        collect(&state.store, &ask, steps).await
    }
}

/// Runs, and tells how far it is.
pub(super) async fn collect(store: &Store, ask: &Ask, steps: Steps<Done>) -> anyhow::Result<Done> {
    let report = store.gc(ask, &|report| steps.offer(report.into())).await?;
    Ok((&report).into())
}
