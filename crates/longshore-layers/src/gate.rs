//! The shape of every layer that judges or watches: one look before a call, one word after it.
//!
//! It works because the futures of a [`Registry`] are lazy: [`Gated`] *builds* the inner call, asks the gate, and only
//! then polls it. A refused call has not begun, and the body it carried is dropped unread.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use longshore_core::{
    Blob, BlobInfo, ByteStream, Chunk, Code, Cx, Expect, Listing, Manifest, ManifestPush, Op,
    Parents, Pushed, Registry, Result, SignedUrl, Upload, Window,
};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;
use longshore_spec::upload::UploadId;

/// How a call that a gate let in has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It succeeded. For `get_blob` that means the body was found and begun, not that it was read to its end.
    Done,
    /// It failed, with this meaning.
    Failed(Code),
    /// Nobody waited for its end: the future was dropped, or it panicked.
    Dropped,
}

/// Judges or watches the calls of a registry.
pub trait Gate: fmt::Debug + Send + Sync + 'static {
    /// What the gate wants to remember from `enter` to `leave`, such as when the call began; `()` for most.
    type Ticket: Send;

    /// Lets a call in, or gives the error that is its answer. The inner registry has not been asked anything yet.
    fn enter(&self, cx: &Cx, op: &Op<'_>) -> impl Future<Output = Result<Self::Ticket>> + Send;

    /// Told once for each call that was let in, however it ended. Refused calls do not come here.
    fn leave(&self, cx: &Cx, op: &Op<'_>, ticket: Self::Ticket, outcome: Outcome);
}

/// A gate that somebody else looks at too.
impl<G: Gate> Gate for Arc<G> {
    type Ticket = G::Ticket;

    fn enter(&self, cx: &Cx, op: &Op<'_>) -> impl Future<Output = Result<Self::Ticket>> + Send {
        G::enter(self, cx, op)
    }

    fn leave(&self, cx: &Cx, op: &Op<'_>, ticket: Self::Ticket, outcome: Outcome) {
        G::leave(self, cx, op, ticket, outcome);
    }
}

/// A registry behind a gate.
#[derive(Debug)]
pub struct Gated<G> {
    gate: G,
    inner: Arc<dyn Registry>,
}

impl<G: Gate> Gated<G> {
    /// Puts `inner` behind `gate`.
    pub fn new(gate: G, inner: Arc<dyn Registry>) -> Self {
        Self { gate, inner }
    }

    async fn through<T>(
        &self,
        cx: &Cx,
        op: Op<'_>,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let ticket = self.gate.enter(cx, &op).await?;
        let mut leaving = Leaving {
            gate: &self.gate,
            cx,
            op: &op,
            ticket: Some(ticket),
            outcome: Outcome::Dropped,
        };
        let answer = call.await;
        leaving.outcome = match &answer {
            Ok(_) => Outcome::Done,
            Err(error) => Outcome::Failed(error.code()),
        };
        answer
    }
}

/// Tells the gate how a call ended when it goes out of scope, which also a dropped future does.
struct Leaving<'a, G: Gate> {
    gate: &'a G,
    cx: &'a Cx,
    op: &'a Op<'a>,
    ticket: Option<G::Ticket>,
    outcome: Outcome,
}

impl<G: Gate> Drop for Leaving<'_, G> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.gate.leave(self.cx, self.op, ticket, self.outcome);
        }
    }
}

/// Writes towers from the inside out: `store.behind(RightsGate).behind(meter)`, the outermost last.
pub trait Behind {
    /// This registry behind `gate`.
    fn behind<G: Gate>(self, gate: G) -> Arc<dyn Registry>;
}

impl Behind for Arc<dyn Registry> {
    fn behind<G: Gate>(self, gate: G) -> Arc<dyn Registry> {
        Arc::new(Gated::new(gate, self))
    }
}

impl<R: Registry> Behind for Arc<R> {
    fn behind<G: Gate>(self, gate: G) -> Arc<dyn Registry> {
        Arc::new(Gated::new(gate, self))
    }
}

#[async_trait]
impl<G: Gate> Registry for Gated<G> {
    async fn stat_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<BlobInfo> {
        let call = self.inner.stat_blob(cx, repo, digest);
        self.through(cx, Op::StatBlob { repo, digest }, call).await
    }

    async fn get_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        range: Option<ByteRange>,
    ) -> Result<Blob> {
        let call = self.inner.get_blob(cx, repo, digest, range);
        self.through(
            cx,
            Op::GetBlob {
                repo,
                digest,
                range,
            },
            call,
        )
        .await
    }

    async fn locate_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
    ) -> Result<Option<SignedUrl>> {
        let call = self.inner.locate_blob(cx, repo, digest);
        self.through(cx, Op::LocateBlob { repo, digest }, call)
            .await
    }

    async fn stat_manifest(&self, cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Descriptor> {
        let call = self.inner.stat_manifest(cx, repo, at);
        self.through(cx, Op::StatManifest { repo, at }, call).await
    }

    async fn get_manifest(&self, cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Manifest> {
        let call = self.inner.get_manifest(cx, repo, at);
        self.through(cx, Op::GetManifest { repo, at }, call).await
    }

    async fn repositories(&self, cx: &Cx, window: &Window<RepoName>) -> Result<Listing<RepoName>> {
        let call = self.inner.repositories(cx, window);
        self.through(cx, Op::Repositories, call).await
    }

    async fn tags(&self, cx: &Cx, repo: &RepoName, window: &Window<Tag>) -> Result<Listing<Tag>> {
        let call = self.inner.tags(cx, repo, window);
        self.through(cx, Op::Tags { repo }, call).await
    }

    async fn referrers(
        &self,
        cx: &Cx,
        repo: &RepoName,
        subject: &Digest,
        kind: Option<&str>,
        window: &Window<Digest>,
    ) -> Result<Listing<Descriptor>> {
        let call = self.inner.referrers(cx, repo, subject, kind, window);
        self.through(cx, Op::Referrers { repo, subject }, call)
            .await
    }

    async fn put_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        want: &Expect,
        body: ByteStream,
    ) -> Result<BlobInfo> {
        let call = self.inner.put_blob(cx, repo, want, body);
        self.through(cx, Op::PutBlob { repo, want }, call).await
    }

    async fn mount_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Option<BlobInfo>> {
        let call = self.inner.mount_blob(cx, repo, digest, from);
        self.through(cx, Op::MountBlob { repo, digest, from }, call)
            .await
    }

    async fn start_upload(&self, cx: &Cx, repo: &RepoName, algorithm: Algorithm) -> Result<Upload> {
        let call = self.inner.start_upload(cx, repo, algorithm);
        self.through(cx, Op::StartUpload { repo, algorithm }, call)
            .await
    }

    async fn stat_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<Upload> {
        let call = self.inner.stat_upload(cx, repo, id);
        self.through(cx, Op::StatUpload { repo, id }, call).await
    }

    async fn append_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<Upload> {
        let call = self.inner.append_upload(cx, repo, id, chunk);
        self.through(cx, Op::AppendUpload { repo, id }, call).await
    }

    async fn finish_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        last: Chunk,
        digest: &Digest,
    ) -> Result<BlobInfo> {
        let call = self.inner.finish_upload(cx, repo, id, last, digest);
        self.through(cx, Op::FinishUpload { repo, id, digest }, call)
            .await
    }

    async fn abort_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<()> {
        let call = self.inner.abort_upload(cx, repo, id);
        self.through(cx, Op::AbortUpload { repo, id }, call).await
    }

    async fn put_manifest(&self, cx: &Cx, repo: &RepoName, push: &ManifestPush) -> Result<Pushed> {
        let call = self.inner.put_manifest(cx, repo, push);
        self.through(cx, Op::PutManifest { repo, push }, call).await
    }

    async fn delete_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<()> {
        let call = self.inner.delete_blob(cx, repo, digest);
        self.through(cx, Op::DeleteBlob { repo, digest }, call)
            .await
    }

    async fn delete_manifest(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        parents: Parents,
    ) -> Result<()> {
        let call = self.inner.delete_manifest(cx, repo, digest, parents);
        self.through(
            cx,
            Op::DeleteManifest {
                repo,
                digest,
                parents,
            },
            call,
        )
        .await
    }

    async fn delete_tag(&self, cx: &Cx, repo: &RepoName, tag: &Tag) -> Result<()> {
        let call = self.inner.delete_tag(cx, repo, tag);
        self.through(cx, Op::DeleteTag { repo, tag }, call).await
    }
}
