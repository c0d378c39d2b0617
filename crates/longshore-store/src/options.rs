//! What can be chosen about a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::Room;
use longshore_meta::blobs::Lease;
use longshore_meta::time::span;
use longshore_spec::manifest;

use crate::gc::GcOptions;
use crate::gone::Gone;
use crate::repo::Born;

/// When a blob's push is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When its bytes are written and verified. They survive a kill of the process; a manifest that refers to them is
    /// acknowledged only when they survive a power cut.
    Manifest,
    /// When they survive a power cut.
    Blob,
}

/// Which URLs manifests may name as places of layers kept elsewhere. They are never fetched from here.
#[derive(Clone)]
pub struct UrlRule(Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl UrlRule {
    /// The rule that `allow` decides.
    pub fn new(allow: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(allow))
    }

    pub(crate) fn allows(&self, url: &str) -> bool {
        (self.0)(url)
    }
}

impl Default for UrlRule {
    /// Any URL.
    fn default() -> Self {
        Self::new(|_| true)
    }
}

impl fmt::Debug for UrlRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UrlRule(..)")
    }
}

/// What can be chosen about a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// When a blob's push is acknowledged.
    pub durability: Durability,
    /// The largest blob, in bytes.
    pub blob_most: u64,
    /// What a manifest may look like.
    pub manifest: manifest::Limits,
    /// How many levels of indexes may lie above each other.
    pub index_depth: u64,
    /// Whether a manifest may name this URL as the place of a layer kept elsewhere.
    pub urls: UrlRule,
    /// How many manifests a repository may hold.
    pub manifests: u64,
    /// How many tags a repository may hold.
    pub tags: u64,
    /// How many open upload sessions a repository may have.
    pub sessions: usize,
    /// How many open upload sessions a named actor may have.
    pub sessions_of_one: usize,
    /// After how long without a request a session is forgotten.
    pub session_idle: Duration,
    /// After how long a session is forgotten whatever happens on it.
    pub session_age: Duration,
    /// For how long a finished session answers a repeated last request.
    pub session_memory: Duration,
    /// For how long a writer owns a session without a sign of life.
    pub session_lease: Duration,
    /// For how long a blob that was pushed or mounted is kept for the manifest that is to come.
    pub push_lease: Duration,
    /// Whether callers who may push are promised what they are told is here. Not where nobody can push.
    pub leases: bool,
    /// Collection.
    pub gc: GcOptions,
    /// Up to how many bytes a blob is kept as a row, and not as a file.
    pub row_most: u64,
    /// How many bytes of blobs that are rows are kept in memory.
    pub body_cache: u64,
    /// Whether there is room to write, as the storage and the metadata say.
    pub room: Room,
    /// How often everything is read again, to find damage; `None` for never.
    pub scrub_every: Option<Duration>,
    /// How many bytes a second are read for that.
    pub scrub_rate: u64,
    /// How many bytes of manifests are kept in memory.
    pub manifest_cache: u64,
    /// What belongs to the making of a repository. Where this is, names can be changed behind the store, which follows them: a name that
    /// was given up leads to the repository that had it, and `library/app` and `app` are one.
    pub born: Option<Born>,
    /// What belongs to a deletion that somebody asked for.
    pub gone: Option<Gone>,
    /// Whether repositories without content are listed too: where content lies elsewhere, all are.
    pub lists_empty: bool,
    /// How many facts about tags, blobs and repositories are kept in memory, each.
    pub entries: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Manifest,
            blob_most: 500 << 30,
            manifest: manifest::Limits::default(),
            index_depth: 16,
            urls: UrlRule::default(),
            manifests: 1_000_000,
            tags: 1_000_000,
            sessions: 200,
            sessions_of_one: 100,
            session_idle: Duration::from_hours(24),
            session_age: Duration::from_hours(168),
            session_memory: Duration::from_hours(1),
            session_lease: Duration::from_mins(1),
            push_lease: Duration::from_hours(6),
            leases: true,
            gc: GcOptions::default(),
            row_most: 16 << 10,
            body_cache: 64 << 20,
            room: Room::default(),
            scrub_every: Some(Duration::from_hours(30 * 24)),
            scrub_rate: 32 << 20,
            manifest_cache: 64 << 20,
            born: None,
            gone: None,
            lists_empty: false,
            entries: 100_000,
        }
    }
}

impl Options {
    /// What a push or a mount at `now` keeps a blob for.
    pub(crate) fn lease(&self, now: i64) -> Lease {
        let least = now.saturating_add(span(self.push_lease));
        Lease {
            least,
            until: least.saturating_add(span(self.push_lease / 12)),
        }
    }

    /// When a link that is made `now` is looked at: by then a manifest needs it, or nobody does.
    pub(crate) fn link_due(&self, now: i64) -> i64 {
        now.saturating_add(span(self.gc.unreferenced))
    }
}
