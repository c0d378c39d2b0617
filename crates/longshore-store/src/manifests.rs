//! Reading manifests.

use std::sync::Arc;

use bytes::Bytes;
use longshore_core::{Code, Error, Manifest, Result};
use longshore_meta::{blobs, manifests, tags};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::media::MediaType;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::reference::Reference;

use crate::cache::{Repo, Seen};
use crate::store::Inner;

/// How many of a manifest's blobs are looked up along with it: whoever pulls it asks for them next, and one look for all
/// costs about as much as two looks for one.
const WITH_IT: u64 = 200;

impl Inner {
    pub(crate) async fn get_manifest(&self, repo: &RepoName, at: &Reference) -> Result<Manifest> {
        let repo = self.repo(repo).await?;
        Ok(Manifest::clone(&*self.manifest(&repo, at).await?))
    }

    pub(crate) async fn stat_manifest(
        &self,
        repo: &RepoName,
        at: &Reference,
    ) -> Result<Descriptor> {
        let repo = self.repo(repo).await?;
        // What is asked for with HEAD is mostly asked for with GET next, so the whole is read and kept.
        let manifest = self.manifest(&repo, at).await?;
        Ok(Descriptor::new(
            manifest.media_type.clone(),
            manifest.digest,
            manifest.bytes.len() as u64,
        ))
    }

    async fn manifest(&self, repo: &Repo, at: &Reference) -> Result<Arc<Manifest>> {
        match (self.manifest_by_steps(repo, at).await, at) {
            // The tag may have been moved, and what it pointed to deleted, between two looks.
            (Err(error), Reference::Tag(tag)) if error.code() == Code::ManifestUnknown => {
                self.manifest_at_once(repo, tag).await
            }
            (answer, _) => answer,
        }
    }

    /// The manifest a tag points to, in one look at the database.
    async fn manifest_at_once(&self, repo: &Repo, tag: &Tag) -> Result<Arc<Manifest>> {
        let (digest, media_type, bytes) = self
            .db
            .read(&(repo.id, tag), |tx, (repo, tag)| {
                Box::pin(async move {
                    let Some(digest) = tags::tag_get(tx, *repo, tag).await? else {
                        return Ok(None);
                    };
                    let found = manifests::manifest_get(tx, *repo, &digest).await?;
                    Ok(found.map(|(media_type, bytes)| (digest, media_type, bytes)))
                })
            })
            .await?
            .ok_or_else(|| unknown(&Reference::Tag(tag.clone())))?;
        Ok(Arc::new(Manifest {
            digest,
            media_type: media_type_of(&media_type)?,
            bytes: self.whole(&digest, bytes)?,
        }))
    }

    async fn manifest_by_steps(&self, repo: &Repo, at: &Reference) -> Result<Arc<Manifest>> {
        let digest = match at {
            Reference::Digest(digest) => *digest,
            Reference::Tag(tag) => {
                if let Some(digest) = self.cache.tag(repo, tag) {
                    digest
                } else {
                    let epoch = repo.tags.now();
                    let digest = self
                        .db
                        .read(&(repo.id, tag), |tx, (repo, tag)| {
                            Box::pin(tags::tag_get(tx, *repo, tag))
                        })
                        .await?
                        .ok_or_else(|| unknown(at))?;
                    self.cache.tag_is(repo, epoch, tag, digest);
                    digest
                }
            }
        };
        if let Some(manifest) = self.cache.manifest(repo, &digest) {
            return Ok(manifest);
        }
        let epoch = repo.content.now();
        let (media_type, bytes, blobs) = self
            .db
            .read(&(repo.id, digest), |tx, (repo, digest)| {
                Box::pin(async move {
                    let Some((media_type, bytes)) =
                        manifests::manifest_get(tx, *repo, digest).await?
                    else {
                        return Ok(None);
                    };
                    let blobs = blobs::blobs_needed(tx, *repo, digest, WITH_IT).await?;
                    Ok(Some((media_type, bytes, blobs)))
                })
            })
            .await?
            .ok_or_else(|| unknown(at))?;
        for (blob, row, lease) in blobs {
            if let Ok(seen) = Seen::of(&row, lease) {
                self.cache.blob_is(repo, epoch, &blob, seen);
            }
        }
        let manifest = Arc::new(Manifest {
            digest,
            media_type: media_type_of(&media_type)?,
            bytes: self.whole(&digest, bytes)?,
        });
        self.cache
            .manifest_is(repo, epoch, &digest, manifest.clone());
        Ok(manifest)
    }
}

impl Inner {
    /// The bytes, if they are those of the digest. To hash them costs little beside having read them, and what is kept in
    /// memory was found whole.
    fn whole(&self, digest: &Digest, bytes: Vec<u8>) -> Result<Bytes> {
        if Digest::of(digest.algorithm(), &bytes) == *digest {
            return Ok(bytes.into());
        }
        self.integrity.damaged();
        tracing::error!(%digest, "the bytes of a manifest are not those of its digest; push it again, or take it out with `longshore fsck --repair`");
        Err(Error::new(
            Code::Internal,
            "the registry has lost content it should have",
        ))
    }
}

/// A media type as it was stored.
fn media_type_of(text: &str) -> Result<MediaType> {
    text.parse().map_err(Error::internal)
}

/// The answer when there is no such manifest.
pub(crate) fn unknown(at: &Reference) -> Error {
    let what = match at {
        Reference::Tag(tag) => format!("the tag {tag} does not exist in this repository"),
        Reference::Digest(digest) => unknown_digest(digest),
    };
    Error::new(Code::ManifestUnknown, what)
}

pub(crate) fn unknown_digest(digest: &Digest) -> String {
    format!("the manifest {digest} is not in this repository")
}
