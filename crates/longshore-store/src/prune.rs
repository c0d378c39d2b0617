//! Deletes. They take effect at once and with all their edges; space is another matter.

use std::sync::Arc;

use longshore_core::{Code, Error, Parents, Result};
use longshore_meta::manifests::EdgeKind;
use longshore_meta::{Durability, Tx, blobs, manifests, repos, tags};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::reference::Reference;

use crate::store::Inner;
use crate::{blobs as blob, manifests as manifest, repo};

impl Inner {
    pub(crate) async fn delete_blob(
        this: &Arc<Self>,
        name: &RepoName,
        digest: &Digest,
    ) -> Result<()> {
        let tasks = this.tasks.clone();
        let (this, name, digest) = (this.clone(), name.clone(), *digest);
        tasks
            .joined(async move {
                let args = (name.clone(), digest);
                this.db
                    .write(Durability::Power, args, |tx, (name, digest)| {
                        Box::pin(drop_blob(tx, name, digest))
                    })
                    .await?;
                this.cache.content_left(&name);
                Ok(())
            })
            .await
    }

    pub(crate) async fn delete_manifest(
        this: &Arc<Self>,
        name: &RepoName,
        digest: &Digest,
        parents: Parents,
    ) -> Result<()> {
        let tasks = this.tasks.clone();
        let (this, name, digest) = (this.clone(), name.clone(), *digest);
        tasks
            .joined(async move {
                let args = (name.clone(), digest, parents);
                this.db
                    .write(Durability::Power, args, |tx, (name, digest, parents)| {
                        Box::pin(drop_manifest(tx, name, digest, *parents))
                    })
                    .await?;
                this.cache.tags_moved(&name);
                this.cache.content_left(&name);
                Ok(())
            })
            .await
    }

    pub(crate) async fn delete_tag(this: &Arc<Self>, name: &RepoName, tag: &Tag) -> Result<()> {
        let tasks = this.tasks.clone();
        let (this, name, tag) = (this.clone(), name.clone(), tag.clone());
        tasks
            .joined(async move {
                let args = (name.clone(), tag);
                this.db
                    .write(Durability::Power, args, |tx, (name, tag)| {
                        Box::pin(drop_tag(tx, name, tag))
                    })
                    .await?;
                this.cache.tags_moved(&name);
                Ok(())
            })
            .await
    }
}

async fn known(tx: &mut Tx<'_>, name: &RepoName) -> Result<i64> {
    repos::repo_id(tx, name)
        .await?
        .ok_or_else(|| repo::unknown(name))
}

async fn drop_blob(tx: &mut Tx<'_>, name: &RepoName, digest: &Digest) -> Result<()> {
    let id = known(tx, name).await?;
    if !blobs::link_delete(tx, id, digest).await? {
        return Err(blob::unknown(digest));
    }
    // Undone with the rest of the transaction.
    match manifests::edge_parent(tx, id, digest, EdgeKind::Blob).await? {
        Some(parent) => Err(Error::new(
            Code::Denied,
            format!("the blob {digest} is part of the manifest {parent}; delete that first"),
        )),
        None => Ok(()),
    }
}

async fn drop_manifest(
    tx: &mut Tx<'_>,
    name: &RepoName,
    digest: &Digest,
    parents: Parents,
) -> Result<()> {
    let id = known(tx, name).await?;
    if parents == Parents::MustBeGone
        && let Some(parent) = manifests::edge_parent(tx, id, digest, EdgeKind::Manifest).await?
        && manifests::manifest_depth(tx, id, digest).await?.is_some()
    {
        return Err(Error::new(
            Code::Denied,
            format!(
                "the index {parent} lists the manifest {digest}; delete the index first, or ask with ?force=true"
            ),
        ));
    }
    if !manifests::manifest_delete(tx, id, digest).await? {
        return Err(manifest::unknown(&Reference::Digest(*digest)));
    }
    let tags = tags::tag_delete_of(tx, id, digest).await?;
    repos::repo_count(tx, id, -1, -i64::try_from(tags).unwrap_or(0))
        .await
        .map(drop)
}

async fn drop_tag(tx: &mut Tx<'_>, name: &RepoName, tag: &Tag) -> Result<()> {
    let id = known(tx, name).await?;
    if tags::tag_delete(tx, id, tag).await? {
        repos::repo_count(tx, id, 0, -1).await.map(drop)
    } else {
        Err(manifest::unknown(&Reference::Tag(tag.clone())))
    }
}
