//! `impl Registry`: a switchboard. Each operation lives in the file of its family.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use longshore_blob::BlobStore;
use longshore_core::{
    Blob, BlobInfo, ByteStream, Chunk, Cx, Expect, Listing, Manifest, ManifestPush, Parents,
    Pushed, Registry, Result, SignedUrl, Upload, Window,
};
use longshore_meta::{Db, uploads};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;
use longshore_spec::upload::UploadId;

use crate::cache::Cache;
use crate::fresh::Fresh;
use crate::gc::Gc;
use crate::integrity::{Found, Integrity};
use crate::options::Options;
use crate::rows::Bodies;
use crate::tasks::Tasks;
use crate::unsettled::{Origin, Unsettled};

/// Tells the time to work that has no request: renewals, sweeps, recovery.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A registry that keeps what is pushed to it. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Store(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) cache: Cache,
    pub(crate) bodies: Bodies,
    pub(crate) unsettled: Unsettled,
    pub(crate) fresh: Arc<Fresh>,
    pub(crate) integrity: Integrity,
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) gc: Gc,
    /// Work that outlives the request that asked for it.
    pub(crate) tasks: Tasks,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("blobs", &self.0.blobs)
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a store over its metadata and its bytes, and takes up what an unclean stop left.
    ///
    /// `blobs` must be this process's alone: upload sessions of writers that are gone are freed here.
    ///
    /// # Errors
    /// `Unavailable` when the metadata cannot be read or written.
    pub async fn open(
        db: Db,
        blobs: Arc<dyn BlobStore>,
        options: Options,
        clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    ) -> Result<Self> {
        let cache = Cache::new(&options);
        let bodies = Bodies::new(options.body_cache);
        let rows = db
            .read(&(), |tx, ()| Box::pin(uploads::upload_count_all(tx)))
            .await?;
        let store = Self(Arc::new(Inner {
            db,
            blobs,
            cache,
            bodies,
            unsettled: Unsettled::default(),
            fresh: Arc::new(Fresh::new(rows)),
            integrity: Integrity::default(),
            options,
            clock,
            gc: Gc::new(),
            tasks: Tasks::default(),
        }));
        store.0.mark().await?;
        store.0.recover().await?;
        Ok(store)
    }

    /// Whether the disk is full, so that nothing can be pushed.
    pub fn is_full(&self) -> bool {
        self.0.options.room.is_out()
    }

    /// What was found of the bytes that are kept, since the store was opened.
    pub fn found(&self) -> Found {
        self.0.integrity.found()
    }

    /// Forgets what these names meant: they mean something else from now on, or nothing. To be called when that is committed, by whoever
    /// changed them.
    pub fn names_changed(&self, names: &[RepoName]) {
        self.0.cache.names_changed(names);
    }

    /// Keeps the store in order while it is used: records finished syncs, forgets sessions nobody comes back to, reads
    /// everything again from time to time. Ends
    /// when `stop` does.
    pub async fn tend(&self, stop: impl Future<Output = ()> + Send) {
        self.0.tend(stop).await;
    }

    /// Records all that is still to be recorded and closes the metadata, for an orderly stop. What an unclean stop before
    /// left to be checked is not waited for: the next start goes on with it.
    ///
    /// # Errors
    /// `Unavailable` when it could not be written; nothing that was acknowledged is lost then.
    pub async fn close(&self) -> Result<()> {
        // Work that goes on without its request: what an upload received is recorded before the metadata is closed.
        self.0.tasks.end().await;
        self.0.settle(Origin::Published).await?;
        self.0.unmark().await?;
        self.0.db.close().await
    }
}

#[async_trait]
impl Registry for Store {
    async fn stat_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<BlobInfo> {
        let repo = &*self.0.called(repo).await?;
        self.0.stat_blob(cx, repo, digest).await
    }

    async fn get_blob(
        &self,
        _cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        range: Option<ByteRange>,
    ) -> Result<Blob> {
        let repo = &*self.0.called(repo).await?;
        self.0.get_blob(repo, digest, range).await
    }

    async fn locate_blob(
        &self,
        _cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
    ) -> Result<Option<SignedUrl>> {
        let repo = &*self.0.called(repo).await?;
        self.0.locate_blob(repo, digest).await
    }

    async fn stat_manifest(&self, _cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Descriptor> {
        let repo = &*self.0.called(repo).await?;
        self.0.stat_manifest(repo, at).await
    }

    async fn get_manifest(&self, _cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Manifest> {
        let repo = &*self.0.called(repo).await?;
        self.0.get_manifest(repo, at).await
    }

    async fn repositories(&self, cx: &Cx, window: &Window<RepoName>) -> Result<Listing<RepoName>> {
        self.0.repositories(&cx.rights.listed(), window).await
    }

    async fn tags(&self, _cx: &Cx, repo: &RepoName, window: &Window<Tag>) -> Result<Listing<Tag>> {
        let repo = &*self.0.called(repo).await?;
        self.0.tags(repo, window).await
    }

    async fn referrers(
        &self,
        _cx: &Cx,
        repo: &RepoName,
        subject: &Digest,
        kind: Option<&str>,
        window: &Window<Digest>,
    ) -> Result<Listing<Descriptor>> {
        let repo = &*self.0.called(repo).await?;
        self.0.referrers(repo, subject, kind, window).await
    }

    async fn put_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        want: &Expect,
        body: ByteStream,
    ) -> Result<BlobInfo> {
        self.0.admit()?;
        let repo = &*self.0.called(repo).await?;
        Inner::put_blob(&self.0, cx, repo, want, body).await
    }

    async fn mount_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Option<BlobInfo>> {
        self.0.admit()?;
        let from = match from {
            Some(from) => Some(self.0.called(from).await?),
            None => None,
        };
        let repo = &*self.0.called(repo).await?;
        Inner::mount_blob(&self.0, cx, repo, digest, from.as_deref()).await
    }

    async fn start_upload(&self, cx: &Cx, repo: &RepoName, algorithm: Algorithm) -> Result<Upload> {
        self.0.admit()?;
        let repo = &*self.0.called(repo).await?;
        self.0.start_upload(cx, repo, algorithm).await
    }

    async fn stat_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<Upload> {
        let repo = &*self.0.called(repo).await?;
        self.0.stat_upload(cx, repo, id).await
    }

    async fn append_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<Upload> {
        self.0.admit()?;
        let repo = &*self.0.called(repo).await?;
        Inner::append_upload(&self.0, cx, repo, id, chunk).await
    }

    async fn finish_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        last: Chunk,
        digest: &Digest,
    ) -> Result<BlobInfo> {
        self.0.admit()?;
        let repo = &*self.0.called(repo).await?;
        Inner::finish_upload(&self.0, cx, repo, id, last, digest).await
    }

    async fn abort_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<()> {
        let repo = &*self.0.called(repo).await?;
        Inner::abort_upload(&self.0, cx, repo, id).await
    }

    async fn put_manifest(&self, cx: &Cx, repo: &RepoName, push: &ManifestPush) -> Result<Pushed> {
        self.0.admit()?;
        let repo = &*self.0.called(repo).await?;
        Inner::put_manifest(&self.0, cx, repo, push).await
    }

    async fn delete_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<()> {
        let repo = &*self.0.called(repo).await?;
        Inner::delete_blob(&self.0, cx, repo, digest).await
    }

    async fn delete_manifest(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        parents: Parents,
    ) -> Result<()> {
        let repo = &*self.0.called(repo).await?;
        Inner::delete_manifest(&self.0, cx, repo, digest, parents).await
    }

    async fn delete_tag(&self, cx: &Cx, repo: &RepoName, tag: &Tag) -> Result<()> {
        let repo = &*self.0.called(repo).await?;
        Inner::delete_tag(&self.0, cx, repo, tag).await
    }
}
