//! Deletes. They take effect at once and with all their edges; space is another matter.

use std::sync::Arc;

use longshore_core::{Code, Cx, Error, Parents, Result};
use longshore_meta::candidates::{self, Candidate};
use longshore_meta::history::{self, Cause, Change};
use longshore_meta::manifests::EdgeKind;
use longshore_meta::{Durability, Tx, blobs, manifests, repos, tags};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::reference::Reference;

use crate::gone::{By, Gone, What, tell};
use crate::history::lost_tag;
use crate::store::Inner;
use crate::trash::{Bin, Times};
use crate::{blobs as blob, manifests as manifest, repo};

/// How many of the tags that go with a manifest are told of by name.
const TOLD_TAGS: usize = 20;

impl Inner {
    pub(crate) async fn delete_blob(
        this: &Arc<Self>,
        cx: &Cx,
        name: &RepoName,
        digest: &Digest,
    ) -> Result<()> {
        let tasks = this.tasks.clone();
        let (this, name, digest) = (this.clone(), name.clone(), *digest);
        let by = By::of(cx);
        tasks
            .joined(async move {
                let args = (name.clone(), digest, by.clone(), this.options.gone);
                this.db
                    .write(Durability::Power, args, |tx, (name, digest, by, gone)| {
                        Box::pin(async move {
                            drop_blob(tx, name, digest, by.now).await?;
                            tell(tx, *gone, (name, What::Blob(*digest), by)).await
                        })
                    })
                    .await?;
                this.cache.content_left(&name);
                this.tell_blob(&name, &digest, &by.actor, by.now).await;
                Ok(())
            })
            .await
    }

    pub(crate) async fn delete_manifest(
        this: &Arc<Self>,
        cx: &Cx,
        name: &RepoName,
        digest: &Digest,
        parents: Parents,
    ) -> Result<()> {
        let tasks = this.tasks.clone();
        let (this, name, digest) = (this.clone(), name.clone(), *digest);
        let by = By::of(cx);
        tasks
            .joined(async move {
                let args = Drop {
                    name: name.clone(),
                    digest,
                    parents,
                    by: by.clone(),
                    gone: this.options.gone,
                    times: this.times(),
                };
                this.db
                    .write(Durability::Power, args, |tx, args| {
                        Box::pin(drop_manifest(tx, args))
                    })
                    .await?;
                this.cache.tags_moved(&name);
                this.cache.content_left(&name);
                this.tell_manifest(&name, &digest, &by.actor).await;
                Ok(())
            })
            .await
    }

    pub(crate) async fn delete_tag(
        this: &Arc<Self>,
        cx: &Cx,
        name: &RepoName,
        tag: &Tag,
    ) -> Result<()> {
        let tasks = this.tasks.clone();
        let (this, name, tag) = (this.clone(), name.clone(), tag.clone());
        let by = By::of(cx);
        tasks
            .joined(async move {
                let args = (name.clone(), tag.clone(), by.clone(), this.options.gone);
                let was = this
                    .db
                    .write(Durability::Power, args, |tx, (name, tag, by, gone)| {
                        Box::pin(async move {
                            let was = drop_tag(tx, name, tag, &by.actor, by.now).await?;
                            tell(tx, *gone, (name, What::Tag(tag.clone(), was), by)).await?;
                            Ok(was)
                        })
                    })
                    .await?;
                this.cache.tags_moved(&name);
                this.tell_tag(&name, &tag, &was, &by.actor).await;
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

async fn drop_blob(tx: &mut Tx<'_>, name: &RepoName, digest: &Digest, now: i64) -> Result<()> {
    let id = known(tx, name).await?;
    if !blobs::link_delete(tx, id, digest).await? {
        return Err(blob::unknown(digest));
    }
    // If this was its last link, the blob goes.
    let looked_at = Candidate {
        due: now,
        repo: id,
        digest: *digest,
    };
    candidates::candidate_put(tx, &looked_at).await?;
    // Undone with the rest of the transaction.
    match manifests::edge_parent(tx, id, digest, EdgeKind::Blob).await? {
        Some(parent) => Err(Error::new(
            Code::Denied,
            format!("the blob {digest} is part of the manifest {parent}; delete that first"),
        )),
        None => Ok(()),
    }
}

struct Drop {
    name: RepoName,
    digest: Digest,
    parents: Parents,
    by: By,
    gone: Option<Gone>,
    times: Times,
}

async fn drop_manifest(tx: &mut Tx<'_>, args: &Drop) -> Result<()> {
    let (id, digest) = (known(tx, &args.name).await?, &args.digest);
    if args.parents == Parents::MustBeGone
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
    let bin = Bin {
        actor: &args.by.actor,
        collected: false,
        now: args.by.now,
        times: args.times,
    };
    let mut tags = match args.gone {
        Some(_) => tags::tag_of(tx, id, digest).await?,
        None => Vec::new(),
    };
    if !bin.take(tx, id, digest).await? {
        return Err(manifest::unknown(&Reference::Digest(*digest)));
    }
    let count = tags.len();
    tags.truncate(TOLD_TAGS);
    let what = What::Manifest(*digest, tags, count);
    tell(tx, args.gone, (&args.name, what, &args.by)).await
}

async fn drop_tag(
    tx: &mut Tx<'_>,
    name: &RepoName,
    tag: &Tag,
    actor: &str,
    now: i64,
) -> Result<Digest> {
    let id = known(tx, name).await?;
    let Some(old) = tags::tag_get(tx, id, tag).await? else {
        return Err(manifest::unknown(&Reference::Tag(tag.clone())));
    };
    tags::tag_delete(tx, id, tag, actor, now).await?;
    let change = Change {
        at: now,
        actor: actor.to_owned(),
        old: Some(old),
        new: None,
        cause: Cause::Deleted,
    };
    history::history_put(tx, id, tag.as_str(), &change).await?;
    lost_tag(tx, id, &old, now).await?;
    repos::repo_count(tx, id, 0, -1).await?;
    Ok(old)
}
