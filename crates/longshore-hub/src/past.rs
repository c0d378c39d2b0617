//! Undoing: a tag points again to where it pointed, a manifest comes back from the trash.
//!
//! Whoever may push may do both, as they could push the same again; who is limited to some tags brings back what those tags had and
//! nothing else, since what they name would be theirs to pull then.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use longshore_auth::rights::{Action, Object};
use longshore_core::past::{Outlook, Restored, TagRestored};
use longshore_core::{Code, Collector, Error, Result};
use longshore_meta::Tx;
use longshore_meta::history::history_list;
use longshore_meta::trash::trash_get;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use serde_json::json;

use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::permit::Permit;
use crate::repositories::of;
use crate::views::{limit_to, shows};

const PUSH: u8 = Action::RepositoryPush as u8;
/// How many changes of a tag are looked through for a digest.
const CHANGES: usize = 1000;

/// What a registry can undo, as part of a transaction of its metadata: a port, as the use cases know no store. `by` is who, and when
/// in microseconds; `repo` the id of a repository.
pub trait Undo: fmt::Debug + Send + Sync {
    /// Points a tag to `to`, or to where it pointed before its last change; the manifest comes out of the trash if it is there.
    fn tag_restore<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        tag: &'t Tag,
        to: Option<Digest>,
        by: (&'t str, i64),
    ) -> BoxFuture<'t, Result<TagRestored>>;

    /// Brings a manifest back from the trash, with what it lists and the tags it lost, as far as they are free.
    fn manifest_restore<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        digest: &'t Digest,
        by: (&'t str, i64),
    ) -> BoxFuture<'t, Result<Restored>>;

    /// What becomes of the blobs of a manifest in the trash when it leaves it.
    fn outlook<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        digest: &'t Digest,
    ) -> BoxFuture<'t, Result<Outlook>>;

    /// Something of a repository was restored: what is remembered of it is void.
    fn restored(&self, repo: &RepoName);
}

/// The past of the registry beside the index. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct Past {
    /// What can be undone.
    pub undo: Arc<dyn Undo>,
    /// What collects.
    pub collector: Arc<dyn Collector>,
}

struct TagUndo {
    undo: Arc<dyn Undo>,
    tag: Tag,
    to: Option<Digest>,
}

struct TrashUndo {
    undo: Arc<dyn Undo>,
    digest: Digest,
}

impl Hub {
    /// Points a tag to `to`, or to where it pointed before its last change. In its history that is the caller's change.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ManifestUnknown` when nothing is known of where it pointed or that is gone for good, `Unsupported` where
    /// nothing can be changed, or `Unavailable`.
    pub async fn tag_restore(
        &self,
        caller: &Caller,
        name: &RepoName,
        tag: &Tag,
        to: Option<Digest>,
    ) -> Result<TagRestored> {
        let object = Object::Tag(name.clone(), tag.clone());
        self.ask::<PUSH>(caller, &object).await?;
        let undo = self.past()?.undo.clone();
        let args = TagUndo {
            undo: undo.clone(),
            tag: tag.clone(),
            to,
        };
        let (name, restored) = self
            .act(caller, object, args, |tx, permit, args| {
                Box::pin(tag_restore(tx, permit, args))
            })
            .await?;
        undo.restored(&name);
        Ok(restored)
    }

    /// Brings a manifest back from the trash of a repository, with what it lists, and with the tags it lost as far as they are free.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `ManifestUnknown` when it is not in the trash, `Unsupported` where nothing can be changed, or
    /// `Unavailable`.
    pub async fn trash_restore(
        &self,
        caller: &Caller,
        name: &RepoName,
        digest: &Digest,
    ) -> Result<Restored> {
        let object = Object::Repository(name.clone());
        self.ask::<PUSH>(caller, &object).await?;
        let undo = self.past()?.undo.clone();
        let args = TrashUndo {
            undo: undo.clone(),
            digest: *digest,
        };
        let (name, restored) = self
            .act(caller, object, args, |tx, permit, args| {
                Box::pin(trash_restore(tx, permit, args))
            })
            .await?;
        undo.restored(&name);
        Ok(restored)
    }
}

pub(crate) fn not_in_trash(digest: &Digest) -> Error {
    Error::new(
        Code::ManifestUnknown,
        format!("the manifest {digest} is not in the trash of this repository"),
    )
}

async fn tag_restore(
    tx: &mut Tx<'_>,
    permit: &Permit<PUSH>,
    args: &TagUndo,
) -> Result<Done<(RepoName, TagRestored)>> {
    let (id, name, namespace) = of(tx, permit).await?;
    let TagUndo { undo, tag, to } = args;
    if let Some(to) = to {
        had(tx, permit, (id, &name), tag, to).await?;
    }
    let by = (permit.caller().name.as_str(), permit.micros());
    let restored = undo.tag_restore(tx, id, tag, *to, by).await?;
    let said = |digest: &Digest| digest.to_string();
    Ok(Done {
        object: format!("{name}:{tag}"),
        namespace,
        detail: json!({
            "restored": "tag", "to": said(&restored.to), "from": restored.from.as_ref().map(said),
            "manifests": restored.manifests,
        }),
        value: (name, restored),
    })
}

/// Checks of a digest that a tag had it, for whoever is limited to some tags.
async fn had(
    tx: &mut Tx<'_>,
    permit: &Permit<PUSH>,
    (id, name): (i64, &RepoName),
    tag: &Tag,
    to: &Digest,
) -> Result<()> {
    let (caller, object) = (permit.caller(), Object::Repository(name.clone()));
    let only = limit_to(tx, caller, Action::RepositoryPush, &object).await?;
    if only.is_none() && is_for_all(tx, caller, &object).await? {
        return Ok(());
    }
    let changes = history_list(tx, id, tag.as_str(), i64::MAX, CHANGES).await?;
    if changes
        .iter()
        .any(|change| change.old.as_ref() == Some(to) || change.new.as_ref() == Some(to))
    {
        return Ok(());
    }
    Err(Error::new(
        Code::ManifestUnknown,
        format!("the tag {tag} never pointed to {to}, and your right is limited to some tags"),
    ))
}

/// Whether somebody may push to the repository whatever the tag.
async fn is_for_all(tx: &mut Tx<'_>, caller: &Caller, object: &Object) -> Result<bool> {
    longshore_auth::rights::judge::allows(
        tx,
        &caller.who,
        Action::RepositoryPush,
        object,
        caller.now,
    )
    .await
}

async fn trash_restore(
    tx: &mut Tx<'_>,
    permit: &Permit<PUSH>,
    args: &TrashUndo,
) -> Result<Done<(RepoName, Restored)>> {
    let (id, name, namespace) = of(tx, permit).await?;
    let TrashUndo { undo, digest } = args;
    let how = trash_get(tx, id, digest).await?;
    let how = how.ok_or_else(|| not_in_trash(digest))?;
    let object = Object::Repository(name.clone());
    let only = limit_to(tx, permit.caller(), Action::RepositoryPush, &object).await?;
    let mut tags = how.tags.lines().peekable();
    if only.is_some() && (tags.peek().is_none() || !tags.all(|tag| shows(only.as_ref(), tag))) {
        return Err(not_in_trash(digest));
    }
    let by = (permit.caller().name.as_str(), permit.micros());
    let restored = undo.manifest_restore(tx, id, digest, by).await?;
    Ok(Done {
        object: name.to_string(),
        namespace,
        detail: json!({
            "restored": "manifest", "digest": digest.to_string(), "manifests": restored.manifests, "tags": restored.tags,
        }),
        value: (name, restored),
    })
}
