//! What a manifest needs, written down: said once, for manifests that are pushed and for those that are taken over.

use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::manifests::{self, EdgeKind};
use longshore_spec::digest::Digest;

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
