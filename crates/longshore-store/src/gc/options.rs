//! What can be chosen about collection.

use std::time::Duration;

/// Which manifests without a tag are collected. One that an index lists, or that is about another manifest which is here, is
/// never one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untagged {
    /// None: what was pushed stays until somebody deletes it.
    Keep,
    /// Those that never had a tag and came as parts: the index that listed them, or the manifest they are about, was deleted.
    Parts,
    /// All, some time after they lost their last tag or were pushed without one.
    All,
}

/// What can be chosen about collection.
#[derive(Debug, Clone)]
pub struct GcOptions {
    /// Whether it runs by itself.
    pub enabled: bool,
    /// How often it looks whether something is due.
    pub interval: Duration,
    /// For how long a blob is kept for the manifest that is to come, at least.
    pub unreferenced: Duration,
    /// How long the bytes of a blob that nobody needs stay after it was taken out of sight.
    pub quarantine: Duration,
    /// How long deleted manifests stay in the trash, if they ever had a tag.
    pub trash: Duration,
    /// How long they stay if they never had one.
    pub trash_untagged: Duration,
    /// For how long it is remembered where tags pointed.
    pub history: Duration,
    /// Which manifests without a tag are collected.
    pub untagged: Untagged,
    /// How old a file without a row must be to be removed.
    pub orphans: Duration,
    /// The share of the time that collection may work, in thousandths; less while there are requests.
    pub pace: u32,
    /// How many things are looked at in one transaction.
    pub batch: usize,
}

impl Default for GcOptions {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self {
            enabled: true,
            interval: Duration::from_mins(1),
            unreferenced: day,
            quarantine: Duration::from_mins(10),
            trash: 14 * day,
            trash_untagged: day,
            history: 90 * day,
            untagged: Untagged::Parts,
            orphans: day,
            pace: 250,
            batch: 32,
        }
    }
}
