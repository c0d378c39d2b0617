//! What is known without asking the database.
//!
//! Only what *is* gets remembered, never that something is absent: a push changes absence at any time, and a HEAD that
//! says 404 must be true. A fact carries the [`Epoch`] it was read in and counts only while that is its repository's
//! epoch. The reader takes the epoch *before* it reads; a writer moves it on after its commit and before its answer. So
//! a fact that was read before a write it does not know of can be stored late, but is never believed. Epochs are drawn
//! from one counter, so that a repository's state that was dropped and made again shares none with its former self.
//!
//! Nothing here is needed to read what was acknowledged (I-5): dropping it all costs time only.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use longshore_core::{Manifest, Result};
use longshore_meta::blobs::BlobRow;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use quick_cache::sync::Cache as Kept;
use quick_cache::{Equivalent, Weighter};

use crate::options::Options;
use crate::place::Place;

static EPOCHS: AtomicU64 = AtomicU64::new(1);

/// A span of time in which nothing was taken away or moved.
#[derive(Debug)]
pub(crate) struct Epoch(AtomicU64);

impl Epoch {
    fn new() -> Self {
        Self(AtomicU64::new(EPOCHS.fetch_add(1, Ordering::Relaxed)))
    }

    /// The epoch now.
    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Begins the next one.
    pub(crate) fn next(&self) {
        self.0
            .store(EPOCHS.fetch_add(1, Ordering::Relaxed), Ordering::Release);
    }
}

/// What is known of a repository that exists.
#[derive(Debug)]
pub(crate) struct Repo {
    /// Its id.
    pub(crate) id: i64,
    /// Moves on when a tag is moved or deleted.
    pub(crate) tags: Epoch,
    /// Moves on when a manifest or blob leaves the repository or changes its place.
    pub(crate) content: Epoch,
}

/// A blob that a repository holds.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) size: u64,
    pub(crate) generation: i64,
    pub(crate) place: Place,
    /// Until when it is kept for a manifest that is to come, in microseconds: what the database says, or less.
    pub(crate) lease: Arc<AtomicI64>,
}

impl Seen {
    /// What a row says.
    ///
    /// # Errors
    /// `Internal` when the place of the bytes is not understood.
    pub(crate) fn of(row: &BlobRow, lease: i64) -> Result<Self> {
        Ok(Self {
            size: row.size,
            generation: row.generation,
            place: Place::of(&row.location)?,
            lease: Arc::new(AtomicI64::new(lease)),
        })
    }
}

/// What is known.
#[derive(Debug)]
pub(crate) struct Cache {
    /// How often names came to mean something else.
    names: AtomicU64,
    repos: Kept<RepoName, Arc<Repo>>,
    tags: Kept<(i64, Tag), (u64, Digest)>,
    blobs: Kept<(i64, Digest), (u64, Seen)>,
    manifests: Kept<(i64, Digest), (u64, Arc<Manifest>), Size>,
}

/// About how many bytes a manifest takes: its own, and about as much as the entry itself.
#[derive(Debug, Clone)]
struct Size;

impl Weighter<(i64, Digest), (u64, Arc<Manifest>)> for Size {
    fn weight(&self, _: &(i64, Digest), (_, manifest): &(u64, Arc<Manifest>)) -> u64 {
        manifest.bytes.len() as u64 + 400
    }
}

/// The key of a tag, for who only looks. It hashes as the tuple does.
#[derive(Hash)]
struct TagKey<'a>(i64, &'a Tag);

impl Equivalent<(i64, Tag)> for TagKey<'_> {
    fn equivalent(&self, (repo, tag): &(i64, Tag)) -> bool {
        self.0 == *repo && self.1 == tag
    }
}

impl Cache {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            names: AtomicU64::new(0),
            repos: Kept::new(options.entries),
            tags: Kept::new(options.entries),
            blobs: Kept::new(options.entries),
            manifests: Kept::with_weighter(options.entries, options.manifest_cache, Size),
        }
    }

    pub(crate) fn repo(&self, name: &RepoName) -> Option<Arc<Repo>> {
        self.repos.get(name)
    }

    /// Remembers a repository; all who do so at once get the same state.
    pub(crate) fn repo_is(&self, name: &RepoName, id: i64) -> Arc<Repo> {
        let made: std::result::Result<_, Infallible> = self.repos.get_or_insert_with(name, || {
            Ok(Arc::new(Repo {
                id,
                tags: Epoch::new(),
                content: Epoch::new(),
            }))
        });
        let Ok(repo) = made;
        repo
    }

    /// How often names came to mean something else: to be taken before a name is looked up.
    pub(crate) fn names(&self) -> u64 {
        self.names.load(Ordering::Acquire)
    }

    /// [`Cache::repo_is`] by what was looked up when `names` was taken. Where names have changed since, it is not remembered: two states
    /// of one repository would not hear of each other's changes.
    pub(crate) fn repo_as_of(&self, names: u64, name: &RepoName, id: i64) -> Arc<Repo> {
        let repo = self.repo_is(name, id);
        if self.names() != names {
            self.repos.remove(name);
        }
        repo
    }

    /// Forgets what these names meant: that is committed.
    pub(crate) fn names_changed(&self, names: &[RepoName]) {
        // In this order: whoever looked a name up before either sees this number or is forgotten here.
        self.names.fetch_add(1, Ordering::AcqRel);
        for name in names {
            self.repos.remove(name);
        }
    }

    /// Begins a new epoch for the repository's tags: one was moved or deleted, and that is committed.
    ///
    /// By name, not by a state its caller holds: that one may have been dropped and made again meanwhile.
    pub(crate) fn tags_moved(&self, name: &RepoName) {
        self.on(name, |repo| repo.tags.next());
    }

    /// Begins a new epoch for the repository's content: some of it left or changed its place, and that is committed.
    pub(crate) fn content_left(&self, name: &RepoName) {
        self.on(name, |repo| repo.content.next());
    }

    fn on(&self, name: &RepoName, next: impl Fn(&Repo)) {
        match self.repos.get(name) {
            Some(repo) => next(&repo),
            None if self.names() == 0 => {}
            // It may have got another name since its caller looked it up.
            None => self.repos.iter().for_each(|(_, repo)| next(&repo)),
        }
    }

    /// Begins a new epoch for the content of every repository: a blob was lost, whoever holds it.
    pub(crate) fn content_lost(&self) {
        for (_, repo) in self.repos.iter() {
            repo.content.next();
        }
    }

    /// Begins a new epoch for everything: something was changed that nobody tells the particulars of.
    pub(crate) fn changed_behind(&self) {
        for (_, repo) in self.repos.iter() {
            repo.tags.next();
            repo.content.next();
        }
    }

    pub(crate) fn tag(&self, repo: &Repo, tag: &Tag) -> Option<Digest> {
        let (epoch, digest) = self.tags.get(&TagKey(repo.id, tag))?;
        (epoch == repo.tags.now()).then_some(digest)
    }

    pub(crate) fn tag_is(&self, repo: &Repo, epoch: u64, tag: &Tag, digest: Digest) {
        self.tags.insert((repo.id, tag.clone()), (epoch, digest));
    }

    pub(crate) fn blob(&self, repo: &Repo, digest: &Digest) -> Option<Seen> {
        let (epoch, seen) = self.blobs.get(&(repo.id, *digest))?;
        (epoch == repo.content.now()).then_some(seen)
    }

    pub(crate) fn blob_is(&self, repo: &Repo, epoch: u64, digest: &Digest, seen: Seen) {
        self.blobs.insert((repo.id, *digest), (epoch, seen));
    }

    pub(crate) fn manifest(&self, repo: &Repo, digest: &Digest) -> Option<Arc<Manifest>> {
        let (epoch, manifest) = self.manifests.get(&(repo.id, *digest))?;
        (epoch == repo.content.now()).then_some(manifest)
    }

    pub(crate) fn manifest_is(
        &self,
        repo: &Repo,
        epoch: u64,
        digest: &Digest,
        manifest: Arc<Manifest>,
    ) {
        self.manifests.insert((repo.id, *digest), (epoch, manifest));
    }
}
