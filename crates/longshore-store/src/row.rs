//! What is written of a manifest: said once, for manifests that are pushed and for those that are taken over.

use longshore_core::{Error, Result};
use longshore_meta::Tx;
use longshore_meta::manifests::{self, EdgeKind, ManifestRow};
use longshore_spec::digest::Digest;
use longshore_spec::manifest::View;

/// The row of a manifest of this digest and `size` in bytes. How deep it is depends on what is in its repository.
pub(crate) fn row_of(view: &View, digest: Digest, size: u64) -> Result<ManifestRow> {
    let descriptor = match &view.subject {
        None => None,
        Some(_) => Some(
            serde_json::to_string(&view.referrer_descriptor(digest, size))
                .map_err(Error::internal)?,
        ),
    };
    Ok(ManifestRow {
        digest,
        size,
        media_type: view.media_type.as_str().to_owned(),
        depth: 0,
        artifact_type: view.artifact_type().map(|kind| kind.as_str().to_owned()),
        subject: view.subject.as_ref().map(|subject| subject.digest),
        descriptor,
        // Unless the pusher says otherwise: what had a tag is kept longer.
        tagged: true,
    })
}

/// Records what a new manifest needs.
pub(crate) async fn edges_put(
    tx: &mut Tx<'_>,
    repo: i64,
    manifest: &Digest,
    blobs: impl IntoIterator<Item = &Digest>,
    children: impl IntoIterator<Item = &Digest>,
) -> Result<()> {
    for blob in blobs {
        manifests::edge_put(tx, repo, manifest, blob, EdgeKind::Blob).await?;
    }
    for child in children {
        manifests::edge_put(tx, repo, manifest, child, EdgeKind::Manifest).await?;
    }
    Ok(())
}
