//! Blobs and manifests, `GET` and `HEAD`. Source: distribution-spec v1.1.1, "Pull", end-2 and end-3.

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use http::{HeaderValue, Method, StatusCode, header};
use longshore_auth::IdentityKind;
use longshore_core::error::Chain;
use longshore_core::{Blob, ByteStream, Manifest};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::host::Host;
use longshore_spec::index::fallback_child;
use longshore_spec::manifest::{Limits, View};
use longshore_spec::media::{Kind, MediaType};
use longshore_spec::name::RepoName;
use longshore_spec::range::content_range;
use longshore_spec::reference::Reference;

use super::enter::Visit;
use super::errors::Answer;
use super::reply::Reply;
use super::urls::value;
use super::{Edge, accept, ids, names, request};
use crate::server::Body;

impl Edge {
    /// A blob, a part of it, where to get it, or, for `HEAD`, what `GET` would say. Bytes go out as they are stored:
    /// no encoding is ever put on, whatever the client accepts.
    pub(super) async fn blob(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        digest: &Digest,
        ns: Option<&Host>,
    ) -> Answer {
        let headers = &visit.head.headers;
        let held = request::holds(headers, digest);
        if held || visit.head.method == Method::HEAD {
            let info = self.0.registry.stat_blob(&visit.cx, repo, digest).await?;
            if held {
                return Ok(not_modified(digest).with(header::CACHE_CONTROL, lifetime(visit)));
            }
            return Ok(blob_reply(visit, StatusCode::OK, &info.digest, ns).sized(info.size));
        }
        // Not for `HEAD`: a signed URL is signed for one method.
        if self.0.options.redirects
            && let Some(url) = self.0.registry.locate_blob(&visit.cx, repo, digest).await?
            && let Ok(location) = HeaderValue::from_str(&url.0)
        {
            let reply = Reply::new(StatusCode::TEMPORARY_REDIRECT)
                .naming(digest)
                .with(header::LOCATION, location);
            return Ok(reply
                .with(header::CACHE_CONTROL, names::NO_STORE)
                .maybe(names::OCI_NAMESPACE, namespace(ns)));
        }
        let range = request::range(headers, digest);
        let blob = self
            .0
            .registry
            .get_blob(&visit.cx, repo, digest, range)
            .await?;
        let length = blob.range.end.saturating_sub(blob.range.start);
        let reply = if range.is_some() {
            let place = value(content_range(&blob.range, blob.info.size));
            blob_reply(visit, StatusCode::PARTIAL_CONTENT, &blob.info.digest, ns)
                .with(header::CONTENT_RANGE, place)
        } else {
            blob_reply(visit, StatusCode::OK, &blob.info.digest, ns)
        };
        Ok(reply.sized(length).body(body(visit, repo, blob, length)))
    }

    /// A manifest byte for byte, or, for `HEAD`, what `GET` would say.
    pub(super) async fn manifest(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        at: &Reference,
        ns: Option<&Host>,
    ) -> Answer {
        let registry = &self.0.registry;
        let headers = &visit.head.headers;
        let (found, bytes) = if visit.head.method == Method::HEAD {
            let found = registry.stat_manifest(&visit.cx, repo, at).await?;
            if is_too_much(visit, at, &found.media_type) {
                let list = registry.get_manifest(&visit.cx, repo, at).await?;
                match Box::pin(self.single(visit, repo, &list)).await {
                    Some(image) => (described(&image), None),
                    None => (found, None),
                }
            } else {
                (found, None)
            }
        } else {
            let mut manifest = registry.get_manifest(&visit.cx, repo, at).await?;
            if is_too_much(visit, at, &manifest.media_type)
                && let Some(image) = Box::pin(self.single(visit, repo, &manifest)).await
            {
                manifest = image;
            }
            (described(&manifest), Some(manifest.bytes))
        };
        let held = request::holds(headers, &found.digest);
        let reply = if held {
            not_modified(&found.digest)
        } else {
            Reply::new(StatusCode::OK)
                .tagged(&found.digest)
                .with(header::CONTENT_TYPE, type_value(&found.media_type))
                .maybe(names::OCI_NAMESPACE, namespace(ns))
                .sized(found.size)
        };
        let reply = match at {
            // Which content a tag stands for may depend on what the client reads.
            Reference::Tag(_) => reply
                .with(header::CACHE_CONTROL, names::ASK_AGAIN)
                .with(header::VARY, names::ACCEPT),
            Reference::Digest(_) => reply.with(header::CACHE_CONTROL, lifetime(visit)),
        };
        Ok(match bytes {
            Some(bytes) if !held => reply.body(bytes.into()),
            _ => reply,
        })
    }

    /// The image of `list` for a client that reads no lists. `None`: there is none, or it is not here (a sparse index);
    /// the client gets the list then, and says itself what it makes of it.
    async fn single(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        list: &Manifest,
    ) -> Option<Manifest> {
        let view = View::parse(&list.bytes, Some(&list.media_type), &Limits::default()).ok()?;
        let child = fallback_child(&view)
            .filter(|child| accept::reads(&visit.head.headers, &child.media_type))?;
        self.0
            .registry
            .get_manifest(&visit.cx, repo, &child.digest.into())
            .await
            .ok()
    }
}

/// The blob's bytes as a body of `length` bytes. What comes at once and in one piece, as most do, is no stream any more: there
/// is nothing left that could break, and a connection sends it without asking for an end.
fn body(visit: &Visit<'_>, repo: &RepoName, mut blob: Blob, length: u64) -> Body {
    match blob.body.next().now_or_never().flatten() {
        Some(Ok(piece)) if piece.len() as u64 == length => Body::from(piece),
        None => Body::stream(told_if_broken(visit, repo, blob), Some(length)),
        Some(first) => {
            blob.body = Box::pin(stream::iter([first]).chain(blob.body));
            Body::stream(told_if_broken(visit, repo, blob), Some(length))
        }
    }
}

/// The blob's bytes. The client is only cut off when they cannot all be read, and the response has long begun; so this is
/// where the cause is logged.
fn told_if_broken(visit: &Visit<'_>, repo: &RepoName, blob: Blob) -> ByteStream {
    let (request, repo, digest) = (visit.cx.request, repo.clone(), blob.info.digest);
    Box::pin(blob.body.inspect_err(move |error| {
        let request = ids::print(request);
        tracing::error!(request, %repo, %digest, error = %Chain(error), "a blob could not be read to its end");
    }))
}

/// Whether the client asked a tag and is about to get a list that it cannot read.
fn is_too_much(visit: &Visit<'_>, at: &Reference, media_type: &MediaType) -> bool {
    media_type.kind() == Kind::Index
        && at.tag().is_some()
        && accept::wants_single(&visit.head.headers)
}

/// The headers of a blob's every answer.
fn blob_reply(visit: &Visit<'_>, status: StatusCode, digest: &Digest, ns: Option<&Host>) -> Reply {
    Reply::new(status)
        .tagged(digest)
        .with(header::CONTENT_TYPE, names::OCTET_STREAM)
        .with(header::ACCEPT_RANGES, names::BYTES)
        .with(header::CACHE_CONTROL, lifetime(visit))
        .with(header::CONTENT_DISPOSITION, names::ATTACHMENT)
        .with(header::CONTENT_SECURITY_POLICY, names::NOTHING_RUNS)
        .maybe(names::OCI_NAMESPACE, namespace(ns))
}

/// How long, and by whom, content that never changes may be kept.
fn lifetime(visit: &Visit<'_>) -> HeaderValue {
    match visit.kind {
        IdentityKind::Anonymous => names::FOR_EVER,
        IdentityKind::Password | IdentityKind::Token | IdentityKind::Certificate => {
            names::FOR_EVER_YOURS
        }
    }
}

fn not_modified(digest: &Digest) -> Reply {
    Reply::new(StatusCode::NOT_MODIFIED).tagged(digest)
}

fn namespace(ns: Option<&Host>) -> Option<HeaderValue> {
    HeaderValue::from_str(ns?.as_str()).ok()
}

fn described(manifest: &Manifest) -> Descriptor {
    Descriptor::new(
        manifest.media_type.clone(),
        manifest.digest,
        manifest.bytes.len() as u64,
    )
}

/// `Content-Type`; the types of nearly all manifests are there already.
fn type_value(media_type: &MediaType) -> HeaderValue {
    match media_type.as_str() {
        "application/vnd.oci.image.manifest.v1+json" => {
            HeaderValue::from_static("application/vnd.oci.image.manifest.v1+json")
        }
        "application/vnd.oci.image.index.v1+json" => names::OCI_INDEX,
        "application/vnd.docker.distribution.manifest.v2+json" => {
            HeaderValue::from_static("application/vnd.docker.distribution.manifest.v2+json")
        }
        "application/vnd.docker.distribution.manifest.list.v2+json" => {
            HeaderValue::from_static("application/vnd.docker.distribution.manifest.list.v2+json")
        }
        other => value(other.to_owned()),
    }
}
