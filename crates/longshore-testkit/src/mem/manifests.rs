//! A manifest that is about to be kept: read, checked against its digest, and described.

use bytes::Bytes;
use longshore_core::{Code, Error, ManifestPush, Result};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::manifest::{Limits, ManifestError, View};

use super::repo;

/// A manifest as it was pushed, and what it says.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) bytes: Bytes,
    pub(super) view: View,
}

impl Kept {
    /// Whether it points to this blob, wherever.
    pub(super) fn needs(&self, blob: &Digest) -> bool {
        self.view
            .blobs()
            .any(|descriptor| descriptor.digest == *blob)
    }

    /// Whether it is an index that lists this manifest.
    pub(super) fn lists(&self, manifest: &Digest) -> bool {
        self.view
            .children
            .iter()
            .any(|descriptor| descriptor.digest == *manifest)
    }

    /// Type, digest and size.
    pub(super) fn plain_descriptor(&self, digest: Digest) -> Descriptor {
        Descriptor::new(
            self.view.media_type.clone(),
            digest,
            self.bytes.len() as u64,
        )
    }

    /// How it is listed among the referrers of its subject.
    pub(super) fn referrer(&self, digest: Digest) -> Descriptor {
        self.view
            .referrer_descriptor(digest, self.bytes.len() as u64)
    }
}

/// Reads a push and names what it brings: as the client does, or with sha256.
pub(super) fn read(push: &ManifestPush) -> Result<(Digest, Kept)> {
    let view = View::parse(&push.bytes, push.media_type.as_ref(), &Limits::default())
        .map_err(|error| refusal(&error))?;
    let digest = match push.digest {
        Some(digest) => {
            repo::verify(&digest, &push.bytes)?;
            digest
        }
        None => Digest::of(Algorithm::Sha256, &push.bytes),
    };
    Ok((
        digest,
        Kept {
            bytes: push.bytes.clone(),
            view,
        },
    ))
}

fn refusal(error: &ManifestError) -> Error {
    let code = match error {
        ManifestError::TooLarge { .. } => Code::TooLarge,
        _ => Code::ManifestInvalid,
    };
    Error::new(code, error.to_string())
}
