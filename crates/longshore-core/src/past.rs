//! What was: tags that pointed elsewhere, manifests that were deleted, blobs that nobody needs; and the port by which collection is
//! asked for, so that the use cases know no store. Times are microseconds since the Unix epoch.

use std::fmt;

use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use crate::error::Result;

/// Collects what nobody needs, when somebody asks for it.
pub trait Collector: fmt::Debug + Send + Sync + 'static {
    /// Whether a run may be asked for now.
    ///
    /// # Errors
    /// `Unsupported` where nothing may be removed, `TooManyRequests` while too many runs wait.
    fn check(&self, ask: &Ask) -> Result<()>;

    /// Has a run made after those that wait, in the name of `by`; gives what is to be known of it.
    fn ask(&self, ask: Ask, by: &str) -> Run;

    /// The runs that somebody asked for since the start, the last first; not all of them.
    fn runs(&self) -> Vec<Run>;

    /// What was done since the start, whoever asked for it.
    fn stats(&self) -> GcStats;
}

/// A run that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number since the start.
    pub id: u64,
    /// What was asked.
    pub ask: Ask,
    /// Who asked.
    pub by: String,
    /// When.
    pub asked: i64,
    /// How it is.
    pub state: RunState,
    /// When it came to its end.
    pub ended: Option<i64>,
    /// What it did so far.
    pub report: Report,
    /// Why it broke off.
    pub failure: Option<String>,
}

/// How a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It waits for others to end.
    Waiting,
    /// It is under way.
    Running,
    /// It came to its end.
    Done,
    /// It broke off; what was not done is done by a later one.
    Failed,
}

/// What is asked of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Only tell what would be done.
    pub dry_run: bool,
    /// Believe the clock as it is.
    pub accept_clock: bool,
    /// Work without rests.
    pub hurry: bool,
    /// Empty the trash first, at once.
    pub empty: Option<Emptying>,
}

/// What of the trash is emptied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emptying {
    /// Of this repository only.
    pub repo: Option<RepoName>,
    /// This manifest only.
    pub digest: Option<Digest>,
}

/// A number of blobs and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

impl Amount {
    /// One more.
    pub fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// A blob that stays because others have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The blob.
    pub digest: Digest,
    /// How long it is, in bytes.
    pub size: u64,
    /// Repositories that hold it; a few of them.
    pub with: Vec<String>,
}

/// What a run did; of a dry run, what it would do. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Why nothing was done, where that is so.
    pub paused: Option<String>,
    /// Manifests without a tag that were moved into the trash.
    pub collected: u64,
    /// Manifests that left the trash for good.
    pub expired: u64,
    /// Blobs that were looked at and are needed by a manifest of the repository.
    pub needed: u64,
    /// Blobs that left a repository.
    pub unlinked: u64,
    /// Blobs that stay for now, because somebody was told lately that they are here, or their bytes are on their way to the disk.
    pub leased: Amount,
    /// Until when the last of those is kept.
    pub leased_until: Option<i64>,
    /// Blobs that left a repository, or were to, and stay because others have them or the trash needs them.
    pub shared: Amount,
    /// Some of those.
    pub shared_with: Vec<Shared>,
    /// Blobs that nobody needs and nobody sees any more; their bytes are removed after the quarantine.
    pub taken: Amount,
    /// Blobs whose bytes were removed.
    pub freed: Amount,
    /// Blobs whose bytes wait to be removed.
    pub waiting: Amount,
    /// When the last of those is removed.
    pub waiting_until: Option<i64>,
    /// Files without a row that were removed.
    pub orphans: Amount,
    /// Manifests in the trash.
    pub trash: u64,
    /// When the first of those leaves it.
    pub trash_until: Option<i64>,
    /// Things that could not be dealt with; each is in the log, and is tried again later.
    pub failed: u64,
}

impl Report {
    /// Whether the run changed anything.
    pub fn is_idle(&self) -> bool {
        self.collected == 0
            && self.expired == 0
            && self.unlinked == 0
            && self.taken == Amount::default()
            && self.freed == Amount::default()
            && self.orphans == Amount::default()
            && self.failed == 0
    }
}

/// What collection did since the process began, and what waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GcStats {
    /// Runs that came to their end.
    pub runs: u64,
    /// Runs that broke off.
    pub broken: u64,
    /// Blobs whose bytes were removed.
    pub freed_blobs: u64,
    /// Their bytes.
    pub freed_bytes: u64,
    /// Manifests without a tag that were moved into the trash.
    pub collected: u64,
    /// Manifests that left the trash for good.
    pub expired: u64,
    /// Files without a row that were removed.
    pub orphans: u64,
    /// Things that could not be dealt with.
    pub failed: u64,
    /// Blobs that wait to be removed.
    pub waiting_blobs: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Manifests in the trash.
    pub trash: u64,
    /// Whether it does nothing because the clock is not believed.
    pub paused: bool,
}

/// What becomes of the blobs of a manifest in the trash when it leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlook {
    /// Blobs that nobody else needs.
    pub freed: Amount,
    /// Blobs that stay, because others have them.
    pub shared: Amount,
    /// Repositories that have some of those, a few of them.
    pub with: Vec<String>,
}

/// What restoring a tag did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagRestored {
    /// Where it points now.
    pub to: Digest,
    /// Where it pointed until now, if it was there.
    pub from: Option<Digest>,
    /// How many manifests were taken out of the trash for it.
    pub manifests: u64,
}

/// What restoring a manifest did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// How many manifests came back: it and those below it.
    pub manifests: u64,
    /// The tags that point to it again.
    pub tags: Vec<String>,
    /// The tags it had that point elsewhere now, and were left so.
    pub taken: Vec<String>,
}
