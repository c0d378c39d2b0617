//! A registry whose blobs are somewhere else.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use longshore_core::{
    Blob, BlobInfo, ByteStream, Chunk, Cx, Expect, Listing, Manifest, ManifestPush, Parents,
    Pushed, Registry, Result, SignedUrl, Upload, Window,
};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::{Algorithm, ByteRange, Digest, Reference, RepoName, Tag, UploadId};

/// Says of each blob that is there where else it is, and breaks off when it is read in parts.
#[derive(Debug)]
pub(crate) struct Located(pub(crate) Arc<dyn Registry>);

#[async_trait]
impl Registry for Located {
    async fn locate_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
    ) -> Result<Option<SignedUrl>> {
        self.0.stat_blob(cx, repo, digest).await?;
        Ok(Some(SignedUrl(format!(
            "https://store.example/{digest}?signature=s3cret"
        ))))
    }

    async fn stat_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<BlobInfo> {
        self.0.stat_blob(cx, repo, digest).await
    }

    async fn get_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        range: Option<ByteRange>,
    ) -> Result<Blob> {
        let mut blob = self.0.get_blob(cx, repo, digest, range).await?;
        if range.is_some() {
            let broken = io::Error::other("the disk is gone");
            blob.body = Box::pin(blob.body.chain(stream::iter([Err(broken)])));
            blob.range.end += 1;
        }
        Ok(blob)
    }

    async fn stat_manifest(&self, cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Descriptor> {
        self.0.stat_manifest(cx, repo, at).await
    }

    async fn get_manifest(&self, cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Manifest> {
        self.0.get_manifest(cx, repo, at).await
    }

    async fn repositories(&self, cx: &Cx, window: &Window<RepoName>) -> Result<Listing<RepoName>> {
        self.0.repositories(cx, window).await
    }

    async fn tags(&self, cx: &Cx, repo: &RepoName, window: &Window<Tag>) -> Result<Listing<Tag>> {
        self.0.tags(cx, repo, window).await
    }

    async fn referrers(
        &self,
        cx: &Cx,
        repo: &RepoName,
        subject: &Digest,
        kind: Option<&str>,
        window: &Window<Digest>,
    ) -> Result<Listing<Descriptor>> {
        self.0.referrers(cx, repo, subject, kind, window).await
    }

    async fn put_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        want: &Expect,
        body: ByteStream,
    ) -> Result<BlobInfo> {
        self.0.put_blob(cx, repo, want, body).await
    }

    async fn mount_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Option<BlobInfo>> {
        self.0.mount_blob(cx, repo, digest, from).await
    }

    async fn start_upload(&self, cx: &Cx, repo: &RepoName, algorithm: Algorithm) -> Result<Upload> {
        self.0.start_upload(cx, repo, algorithm).await
    }

    async fn stat_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<Upload> {
        self.0.stat_upload(cx, repo, id).await
    }

    async fn append_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<Upload> {
        self.0.append_upload(cx, repo, id, chunk).await
    }

    async fn finish_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        last: Chunk,
        digest: &Digest,
    ) -> Result<BlobInfo> {
        self.0.finish_upload(cx, repo, id, last, digest).await
    }

    async fn abort_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<()> {
        self.0.abort_upload(cx, repo, id).await
    }

    async fn put_manifest(&self, cx: &Cx, repo: &RepoName, push: &ManifestPush) -> Result<Pushed> {
        self.0.put_manifest(cx, repo, push).await
    }

    async fn delete_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<()> {
        self.0.delete_blob(cx, repo, digest).await
    }

    async fn delete_manifest(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        parents: Parents,
    ) -> Result<()> {
        self.0.delete_manifest(cx, repo, digest, parents).await
    }

    async fn delete_tag(&self, cx: &Cx, repo: &RepoName, tag: &Tag) -> Result<()> {
        self.0.delete_tag(cx, repo, tag).await
    }
}
