//! The reference registry: the trait's whole meaning in maps.
//!
//! It is the fake that tests of edges and layers stand on, and the executable specification that the real store is
//! compared with ([`crate::model`]). So it is slow where that is clearer: a listing walks, a digest is computed from
//! the whole content when it is needed, every repository has its own maps and nothing is shared. One lock guards all of
//! it and is never held across an await, which makes every operation atomic.

mod manifests;
mod repo;
mod uploads;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::BytesMut;
use futures_util::TryStreamExt;
use longshore_core::{
    Blob, BlobInfo, ByteStream, Chunk, Code, Cx, Error, Expect, Listing, Manifest, ManifestPush,
    Parents, Pushed, Registry, Result, SignedUrl, Upload, Window, body,
};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;
use longshore_spec::upload::UploadId;

use repo::Repo;
use uploads::Uploads;

/// A registry in memory. What it holds ends with it.
///
/// Choices where the trait leaves one: a repository exists from the first content stored in it and stays when it is
/// empty again; content is known by the digests it was pushed under, so a blob pushed as sha512 is not found as sha256;
/// chunks may be of any length; blobs are never located elsewhere.
#[derive(Debug, Default)]
pub struct Mem {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    repos: BTreeMap<RepoName, Repo>,
    uploads: Uploads,
}

impl Mem {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere is reported there; what the maps hold is whole at every moment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A repository to read or delete from.
    fn repo(&mut self, name: &RepoName) -> Result<&mut Repo> {
        self.repos.get_mut(name).ok_or_else(|| {
            Error::new(
                Code::NameUnknown,
                format!("there is no repository `{name}`"),
            )
        })
    }

    /// A repository to write to, which a write brings into being.
    fn repo_or_new(&mut self, name: &RepoName) -> &mut Repo {
        self.repos.entry(name.clone()).or_default()
    }
}

/// The keys strictly after `window.after`, at most `window.limit` of them.
fn windowed<K: Ord + Clone, T>(
    sorted: impl Iterator<Item = (K, T)>,
    window: &Window<K>,
) -> Listing<T> {
    let mut rest =
        sorted.skip_while(|(key, _)| window.after.as_ref().is_some_and(|after| key <= after));
    let items = rest
        .by_ref()
        .take(window.limit)
        .map(|(_, item)| item)
        .collect();
    Listing {
        items,
        more: rest.next().is_some(),
    }
}

#[async_trait]
impl Registry for Mem {
    async fn stat_blob(&self, _: &Cx, repo: &RepoName, digest: &Digest) -> Result<BlobInfo> {
        let size = self.state().repo(repo)?.blob(digest)?.len() as u64;
        Ok(BlobInfo {
            digest: *digest,
            size,
        })
    }

    async fn get_blob(
        &self,
        _: &Cx,
        repo: &RepoName,
        digest: &Digest,
        range: Option<ByteRange>,
    ) -> Result<Blob> {
        let bytes = self.state().repo(repo)?.blob(digest)?.clone();
        let size = bytes.len() as u64;
        let range = match range {
            None => 0..size,
            Some(range) => range.resolve(size).ok_or_else(|| {
                Error::new(
                    Code::RangeUnsatisfiable,
                    format!("the blob has {size} bytes"),
                )
                .at_offset(size)
            })?,
        };
        let at = |offset: u64| usize::try_from(offset).map_err(Error::internal);
        let part = bytes.slice(at(range.start)?..at(range.end)?);
        Ok(Blob {
            info: BlobInfo {
                digest: *digest,
                size,
            },
            range,
            body: body::once(part),
        })
    }

    async fn locate_blob(
        &self,
        _: &Cx,
        repo: &RepoName,
        digest: &Digest,
    ) -> Result<Option<SignedUrl>> {
        self.state().repo(repo)?.blob(digest)?;
        Ok(None)
    }

    async fn stat_manifest(&self, _: &Cx, repo: &RepoName, at: &Reference) -> Result<Descriptor> {
        let mut state = self.state();
        let (digest, kept) = state.repo(repo)?.manifest(at)?;
        Ok(kept.plain_descriptor(digest))
    }

    async fn get_manifest(&self, _: &Cx, repo: &RepoName, at: &Reference) -> Result<Manifest> {
        let mut state = self.state();
        let (digest, kept) = state.repo(repo)?.manifest(at)?;
        Ok(Manifest {
            digest,
            media_type: kept.view.media_type.clone(),
            bytes: kept.bytes.clone(),
        })
    }

    async fn repositories(&self, cx: &Cx, window: &Window<RepoName>) -> Result<Listing<RepoName>> {
        let reach = cx.rights.listed();
        let state = self.state();
        let shown = state
            .repos
            .iter()
            .filter(|(name, repo)| repo.has_manifests() && reach.has(name.as_str()));
        Ok(windowed(
            shown.map(|(name, _)| (name.clone(), name.clone())),
            window,
        ))
    }

    async fn tags(&self, _: &Cx, repo: &RepoName, window: &Window<Tag>) -> Result<Listing<Tag>> {
        let mut state = self.state();
        let tags = state.repo(repo)?.tags();
        Ok(windowed(tags.map(|tag| (tag.clone(), tag.clone())), window))
    }

    async fn referrers(
        &self,
        _: &Cx,
        repo: &RepoName,
        subject: &Digest,
        kind: Option<&str>,
        window: &Window<Digest>,
    ) -> Result<Listing<Descriptor>> {
        let state = self.state();
        let found = state
            .repos
            .get(repo)
            .map(|repo| repo.referrers(subject, kind))
            .unwrap_or_default();
        Ok(windowed(found.into_iter(), window))
    }

    async fn put_blob(
        &self,
        _: &Cx,
        repo: &RepoName,
        want: &Expect,
        body: ByteStream,
    ) -> Result<BlobInfo> {
        let bytes = body
            .try_fold(BytesMut::new(), async |mut whole, piece| {
                whole.extend_from_slice(&piece);
                Ok(whole)
            })
            .await
            .map_err(|cause| {
                Error::new(Code::BodyLost, "the blob broke off before its end").because(cause)
            })?
            .freeze();
        let size = bytes.len() as u64;
        if want.size.is_some_and(|announced| announced != size) {
            return Err(Error::new(
                Code::SizeInvalid,
                "the blob has not the length that was announced",
            ));
        }
        repo::verify(&want.digest, &bytes)?;
        self.state().repo_or_new(repo).keep_blob(want.digest, bytes);
        Ok(BlobInfo {
            digest: want.digest,
            size,
        })
    }

    async fn mount_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Option<BlobInfo>> {
        let mut state = self.state();
        let found = if let Some(from) = from {
            state
                .repos
                .get(from)
                .and_then(|source| source.blob(digest).ok())
        } else {
            let reach = cx.rights.pullable();
            let mut readable = state
                .repos
                .iter()
                .filter(|(name, _)| reach.has(name.as_str()));
            readable.find_map(|(_, source)| source.blob(digest).ok())
        };
        let Some(bytes) = found.cloned() else {
            return Ok(None);
        };
        let size = bytes.len() as u64;
        state.repo_or_new(repo).keep_blob(*digest, bytes);
        Ok(Some(BlobInfo {
            digest: *digest,
            size,
        }))
    }

    async fn start_upload(&self, cx: &Cx, repo: &RepoName, _: Algorithm) -> Result<Upload> {
        let id = self.state().uploads.start(&cx.actor, repo);
        Ok(Upload {
            id,
            offset: 0,
            min_chunk: 0,
        })
    }

    async fn stat_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<Upload> {
        let offset = self.state().uploads.find(&cx.actor, repo, id)?.bytes.len() as u64;
        Ok(Upload {
            id: *id,
            offset,
            min_chunk: 0,
        })
    }

    async fn append_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<Upload> {
        let offset = self.receive(cx, repo, id, chunk).await?;
        Ok(Upload {
            id: *id,
            offset,
            min_chunk: 0,
        })
    }

    async fn finish_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        last: Chunk,
        digest: &Digest,
    ) -> Result<BlobInfo> {
        if let Some(size) = self.finished_before(cx, repo, id, digest) {
            return Ok(BlobInfo {
                digest: *digest,
                size,
            });
        }
        self.receive(cx, repo, id, last).await?;
        let mut state = self.state();
        let bytes = state.uploads.finish(cx, repo, id, digest)?;
        let size = bytes.len() as u64;
        state.repo_or_new(repo).keep_blob(*digest, bytes);
        Ok(BlobInfo {
            digest: *digest,
            size,
        })
    }

    async fn abort_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<()> {
        self.state().uploads.abort(&cx.actor, repo, id)
    }

    async fn put_manifest(&self, _: &Cx, repo: &RepoName, push: &ManifestPush) -> Result<Pushed> {
        let (digest, kept) = manifests::read(push)?;
        let subject = kept.view.subject.as_ref().map(|subject| subject.digest);
        // Judged on a copy, so that a refused push does not even bring the repository into being.
        let mut state = self.state();
        let mut after = state.repos.get(repo).cloned().unwrap_or_default();
        after.keep_manifest(digest, kept, push)?;
        state.repos.insert(repo.clone(), after);
        Ok(Pushed { digest, subject })
    }

    async fn delete_blob(&self, _: &Cx, repo: &RepoName, digest: &Digest) -> Result<()> {
        self.state().repo(repo)?.delete_blob(digest)
    }

    async fn delete_manifest(
        &self,
        _: &Cx,
        repo: &RepoName,
        digest: &Digest,
        parents: Parents,
    ) -> Result<()> {
        self.state().repo(repo)?.delete_manifest(digest, parents)
    }

    async fn delete_tag(&self, _: &Cx, repo: &RepoName, tag: &Tag) -> Result<()> {
        self.state().repo(repo)?.delete_tag(tag)
    }
}
