//! What a run of collection did, or would do.

use longshore_spec::digest::Digest;

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

/// How many shared blobs a report names.
pub(crate) const NAMED: usize = 20;

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

    pub(crate) fn stays(&mut self, shared: Shared) {
        self.shared.add(shared.size);
        if self.shared_with.len() < NAMED {
            self.shared_with.push(shared);
        }
    }
}
