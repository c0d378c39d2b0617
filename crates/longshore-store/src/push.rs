//! Pushing a manifest: wait for the bytes of its blobs, then one transaction with everything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use longshore_core::{Children, Code, Cx, Error, ManifestPush, Pushed, Result, TagRule};
use longshore_meta::blobs::{self, BlobState};
use longshore_meta::history::Cause;
use longshore_meta::manifests::{self, ManifestPut, ManifestRow};
use longshore_meta::time::micros;
use longshore_meta::untagged::{self, Why};
use longshore_meta::{Durability, Tx, repos, tags, trash};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::manifest::{Limits, ManifestError, View};
use longshore_spec::name::{RepoName, Tag};

use crate::history::point;
use crate::options::UrlRule;
use crate::repo::Opening;
use crate::row::edges_put;
use crate::store::Inner;
use crate::trash::bring_back;

/// Manifests longer than this are read on a thread that may take its time.
const LONG: usize = 128 << 10;
/// How often a push looks again for a blob that is being published just now.
const TRIES: u32 = 50;

impl Inner {
    pub(crate) async fn put_manifest(
        this: &Arc<Self>,
        cx: &Cx,
        repo: &RepoName,
        push: &ManifestPush,
    ) -> Result<Pushed> {
        let tasks = this.tasks.clone();
        let (this, name, actor, now) = (this.clone(), repo.clone(), cx.actor.to_string(), cx.now);
        let opening = this.opening(repo, cx);
        let mut push = push.clone();
        push.tags.sort();
        push.tags.dedup();
        tasks
            .joined(async move {
                let (row, view) = read(&push, &this.options.manifest).await?;
                let pushed = Pushed {
                    digest: row.digest,
                    subject: row.subject,
                };
                check_urls(&view, &this.options.urls)?;
                let blobs = sizes(view.blobs().filter(|blob| blob.must_exist()))?;
                let children = view.children.iter().map(|child| child.digest).collect();
                let now = micros(now);
                let tagged = !push.tags.is_empty();
                let mut args = Push {
                    opening,
                    actor,
                    row,
                    bytes: push.bytes,
                    blobs,
                    children,
                    tags: push.tags,
                    tag_rule: push.tag_rule,
                    rule: push.children,
                    safe: BTreeMap::new(),
                    most: Most {
                        depth: this.options.index_depth,
                        manifests: this.options.manifests,
                        tags: this.options.tags,
                    },
                    now,
                };
                let needed: Vec<_> = args.blobs.keys().copied().collect();
                for _ in 0..TRIES {
                    args.safe = this.unsettled.wait(&needed).await?;
                    let args = args.clone();
                    match this
                        .db
                        .write(Durability::Power, args, |tx, args| Box::pin(put(tx, args)))
                        .await?
                    {
                        Put::Done { retyped, settled } => {
                            this.unsettled.settled(settled);
                            if tagged {
                                this.cache.tags_moved(&name);
                            }
                            if retyped {
                                this.cache.content_left(&name);
                            }
                            return Ok(pushed);
                        }
                        // Published between the wait and the transaction: its sync is known in a moment.
                        Put::Unsettled => tokio::time::sleep(Duration::from_millis(2)).await,
                    }
                }
                Err(Error::new(
                    Code::Unavailable,
                    "a blob of this manifest is still on its way to the disk; try again shortly",
                )
                .retry_after(Duration::from_secs(1)))
            })
            .await
    }
}

/// Reads what was pushed, and refuses what its bytes alone show to be wrong.
async fn read(push: &ManifestPush, limits: &Limits) -> Result<(ManifestRow, View)> {
    let (push, limits) = (push.clone(), limits.clone());
    if push.bytes.len() <= LONG {
        return read_now(&push, &limits);
    }
    tokio::task::spawn_blocking(move || read_now(&push, &limits))
        .await
        .map_err(Error::internal)?
}

fn read_now(push: &ManifestPush, limits: &Limits) -> Result<(ManifestRow, View)> {
    let view = View::parse(&push.bytes, push.media_type.as_ref(), limits)
        .map_err(|error| refused(&error))?;
    let digest = Digest::of(
        push.digest
            .map_or(Algorithm::Sha256, |want| want.algorithm()),
        &push.bytes,
    );
    if let Some(want) = push.digest.filter(|want| *want != digest) {
        return Err(Error::new(
            Code::DigestInvalid,
            format!("the manifest's digest is {digest}, not {want} as the request says"),
        ));
    }
    let mut row = ManifestRow::of(&view, digest, push.bytes.len() as u64)?;
    row.tagged = !push.tags.is_empty();
    Ok((row, view))
}

fn refused(error: &ManifestError) -> Error {
    let code = match error {
        ManifestError::TooLarge { .. } => Code::TooLarge,
        _ => Code::ManifestInvalid,
    };
    Error::new(code, error.to_string())
}

/// The size that the manifest says each of these blobs has.
fn sizes<'a>(blobs: impl Iterator<Item = &'a Descriptor>) -> Result<BTreeMap<Digest, u64>> {
    let mut sizes = BTreeMap::new();
    for blob in blobs {
        if sizes
            .insert(blob.digest, blob.size)
            .is_some_and(|before| before != blob.size)
        {
            return Err(Error::new(
                Code::SizeInvalid,
                format!(
                    "the manifest gives the blob {} two different sizes",
                    blob.digest
                ),
            ));
        }
    }
    Ok(sizes)
}

#[derive(Clone)]
struct Push {
    opening: Opening,
    actor: String,
    row: ManifestRow,
    bytes: Bytes,
    /// In the order of their digests, as concurrent pushes must lock them.
    blobs: BTreeMap<Digest, u64>,
    children: Vec<Digest>,
    tags: Vec<Tag>,
    tag_rule: TagRule,
    rule: Children,
    /// The generations of staged blobs that are known to be safe.
    safe: BTreeMap<Digest, i64>,
    most: Most,
    now: i64,
}

/// How much a repository may hold.
#[derive(Clone, Copy)]
struct Most {
    depth: u64,
    manifests: u64,
    tags: u64,
}

enum Put {
    Done {
        /// The repository had it, as another media type.
        retyped: bool,
        /// The blobs whose safety is recorded now.
        settled: Vec<(Digest, i64)>,
    },
    /// A blob is staged and its sync not known yet; nothing was written.
    Unsettled,
}

async fn put(tx: &mut Tx<'_>, args: &Push) -> Result<Put> {
    let repo = args.opening.open(tx).await?;
    tx.lock(repo).await?;
    let Some(settled) = settle_blobs(tx, repo, args).await? else {
        return Ok(Put::Unsettled);
    };
    let mut row = args.row.clone();
    row.depth = depth(tx, repo, args).await?;
    let before = check_tags(tx, repo, args).await?;
    let new_tags = before.iter().filter(|old| old.is_none()).count();
    let new_tags = i64::try_from(new_tags).unwrap_or(i64::MAX);

    let digest = &row.digest;
    let put = manifests::manifest_put(tx, repo, &row, &args.bytes, &args.actor, args.now).await?;
    if put == ManifestPut::New {
        // It is here again: nothing of it is to be restored or to expire.
        trash::trash_overtaken(tx, repo, digest).await?;
        if args.tags.is_empty() {
            untagged::untagged_put(tx, repo, digest, Why::Pushed, args.now).await?;
        }
        edges_put(tx, repo, digest, args.blobs.keys(), &args.children).await?;
    }
    let counts = (i64::from(put == ManifestPut::New), new_tags);
    if counts != (0, 0) {
        let (manifests, tags) = repos::repo_count(tx, repo, counts.0, counts.1).await?;
        check_room("manifests", manifests, args.most.manifests, counts.0)?;
        check_room("tags", tags, args.most.tags, counts.1)?;
    }
    for (tag, old) in args.tags.iter().zip(before) {
        if old != Some(*digest) {
            point(
                tx,
                repo,
                tag,
                old,
                digest,
                &args.actor,
                args.now,
                Cause::Pushed,
            )
            .await?;
        }
    }
    Ok(Put::Done {
        retyped: put == ManifestPut::Retyped,
        settled,
    })
}

/// Checks that the repository holds each blob, unless it may be absent, in the size the manifest says, and that its bytes
/// are safe, and records that they are; `None` when that is not known of one of them.
async fn settle_blobs(
    tx: &mut Tx<'_>,
    repo: i64,
    args: &Push,
) -> Result<Option<Vec<(Digest, i64)>>> {
    let mut settle = Vec::new();
    for (digest, size) in &args.blobs {
        // Collection decides in a transaction too: it has seen this manifest's edges, or this sees no blob.
        let blob = match blobs::blob_seen(tx, repo, digest).await? {
            Some((blob, _)) => blob,
            None if args.rule == Children::MayBeAbsent => continue,
            None => {
                return Err(Error::new(
                    Code::ManifestBlobUnknown,
                    format!(
                        "the manifest needs the blob {digest}, which is not in this repository; push it first"
                    ),
                ));
            }
        };
        if blob.size != *size {
            return Err(Error::new(
                Code::SizeInvalid,
                format!(
                    "the manifest says the blob {digest} has {size} bytes; it has {}",
                    blob.size
                ),
            ));
        }
        if blob.state == BlobState::Staged {
            if args.safe.get(digest) != Some(&blob.generation) {
                return Ok(None);
            }
            settle.push((*digest, blob.generation));
        }
    }
    for (digest, generation) in &settle {
        blobs::blob_settle(tx, digest, *generation).await?;
    }
    Ok(Some(settle))
}

/// Checks that the listed manifests are there, where they must be, and counts the levels below.
async fn depth(tx: &mut Tx<'_>, repo: i64, args: &Push) -> Result<u64> {
    let mut below = 0;
    for child in &args.children {
        let mut known = manifests::manifest_depth(tx, repo, child).await?;
        // Whoever pushes an index may have been told that this one is here, before it was collected; that was no deletion
        // that anybody asked for, so it is undone.
        if known.is_none()
            && let Some(how) = trash::trash_get(tx, repo, child).await?
            && how.collected
        {
            bring_back(tx, repo, child, args.now).await?;
            known = manifests::manifest_depth(tx, repo, child).await?;
        }
        match known {
            Some(depth) => below = below.max(depth.saturating_add(1)),
            None if args.rule == Children::MustExist => {
                return Err(Error::new(
                    Code::ManifestBlobUnknown,
                    format!(
                        "the index lists the manifest {child}, which is not in this repository; push it first"
                    ),
                ));
            }
            None => {}
        }
    }
    if below > args.most.depth {
        return Err(Error::new(
            Code::ManifestInvalid,
            format!(
                "indexes may be nested {} levels deep; this one has {below} below it",
                args.most.depth
            ),
        ));
    }
    Ok(below)
}

fn check_room(what: &str, now: u64, most: u64, more: i64) -> Result<()> {
    if more > 0 && now > most {
        return Err(Error::new(
            Code::Denied,
            format!(
                "this repository holds {most} {what}, the most there may be; delete some first"
            ),
        ));
    }
    Ok(())
}

fn check_urls(view: &View, rule: &UrlRule) -> Result<()> {
    let urls = view
        .blobs()
        .chain(&view.children)
        .flat_map(|descriptor| &descriptor.urls);
    match urls.into_iter().find(|url| !rule.allows(url)) {
        Some(url) => Err(Error::new(
            Code::ManifestInvalid,
            format!(
                "this registry does not take manifests that name {url} as the place of a layer"
            ),
        )),
        None => Ok(()),
    }
}

/// Decides whether the tags may be set, and tells where each points.
async fn check_tags(tx: &mut Tx<'_>, repo: i64, args: &Push) -> Result<Vec<Option<Digest>>> {
    let mut before = Vec::with_capacity(args.tags.len());
    for tag in &args.tags {
        let there = tags::tag_get(tx, repo, tag).await?;
        let fine = match args.tag_rule {
            TagRule::Move => true,
            TagRule::CreateOnly => there.is_none_or(|digest| digest == args.row.digest),
            TagRule::MoveFrom(from) => there == Some(from),
        };
        if !fine {
            let state = there.map_or_else(
                || "does not exist".to_owned(),
                |digest| format!("points to {digest}"),
            );
            return Err(Error::new(
                Code::ConditionFailed,
                format!("the tag {tag} {state}; the request wants it otherwise"),
            ));
        }
        before.push(there);
    }
    Ok(before)
}
