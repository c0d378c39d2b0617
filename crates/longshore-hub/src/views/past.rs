//! What was: changes of tags, and what is in the trash.
//!
//! Whoever may pull sees both: what is named there could be pulled until lately, and a digest is what pulling it needs. Who changed
//! something is not told to strangers, nor who else has a blob but to those who see the whole system.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_core::past::Outlook;
use longshore_meta::Tx;
use longshore_meta::history::{Cause, Change, history_list, history_list_all};
use longshore_meta::repos::repo_name;
use longshore_meta::trash::{TrashKey, manifest_is_here, trash_expired, trash_get, trash_list};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

use super::Listed;
use super::repositories::{limit_to, shows};
use crate::caller::Caller;
use crate::hub::{Hub, no_registry};
use crate::permit::Permit;
use crate::repositories::of;

const PULL: u8 = Action::RepositoryPull as u8;
const SYSTEM: u8 = Action::SystemRead as u8;

/// A change of a tag, and what is left of where it pointed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagChange {
    /// The tag.
    pub tag: String,
    /// When, in microseconds.
    pub at: i64,
    /// Who; none to strangers.
    pub actor: Option<String>,
    /// By what.
    pub cause: Cause,
    /// Where it pointed before, if it was there.
    pub old: Option<Digest>,
    /// Whether that can be pulled or restored.
    pub old_is_here: bool,
    /// Where it pointed afterwards, if it was there.
    pub new: Option<Digest>,
}

/// A manifest in the trash. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTrash {
    /// Its repository.
    pub repository: RepoName,
    /// It.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The tags it lost.
    pub tags: Vec<String>,
    /// When it was deleted.
    pub deleted: i64,
    /// By whom; none to strangers.
    pub deleted_by: Option<String>,
    /// Until when it can be restored.
    pub expires: i64,
    /// What its end will free; none but to those who see the whole system.
    pub outlook: Option<Outlook>,
}

impl Hub {
    /// The changes of a tag before `before`, the latest first.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn tag_history(
        &self,
        caller: &Caller,
        name: &RepoName,
        tag: &Tag,
        before: i64,
        limit: usize,
    ) -> Result<Listed<TagChange, i64>> {
        let object = Object::Tag(name.clone(), tag.clone());
        let args = (tag, before, limit);
        self.see::<PULL, _, _>(caller, &object, args, |tx, permit, (tag, before, limit)| {
            Box::pin(async move {
                let (id, ..) = of(tx, permit).await?;
                let rows = history_list(tx, id, tag.as_str(), *before, limit + 1).await?;
                let page = Listed::of(rows, *limit, |row| row.at);
                let mut items = Vec::with_capacity(page.items.len());
                for row in page.items {
                    items.push(changed(tx, permit.caller(), id, tag.to_string(), row).await?);
                }
                Ok(Listed {
                    items,
                    next: page.next,
                })
            })
        })
        .await
    }

    /// The changes of all tags of a repository after the one of the tag and the time in `after`: tag by tag, the earliest first.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn repository_history(
        &self,
        caller: &Caller,
        name: &RepoName,
        after: Option<(String, i64)>,
        limit: usize,
    ) -> Result<Listed<TagChange, (String, i64)>> {
        let object = Object::Repository(name.clone());
        self.see::<PULL, _, _>(
            caller,
            &object,
            (after, limit),
            |tx, permit, (after, limit)| {
                Box::pin(async move {
                    let (id, ..) = of(tx, permit).await?;
                    let only = limited(tx, permit).await?;
                    let rows = history_list_all(tx, id, after.as_ref(), limit + 1).await?;
                    let page = Listed::of(rows, *limit, |row| (row.0.clone(), row.1.at));
                    let mut items = Vec::with_capacity(page.items.len());
                    for (tag, row) in page.items {
                        if shows(only.as_ref(), &tag) {
                            items.push(changed(tx, permit.caller(), id, tag, row).await?);
                        }
                    }
                    Ok(Listed {
                        items,
                        next: page.next,
                    })
                })
            },
        )
        .await
    }

    /// What a repository has in the trash, in the order of digests.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn trash_of(
        &self,
        caller: &Caller,
        name: &RepoName,
        after: Option<Digest>,
        limit: usize,
    ) -> Result<Listed<InTrash, Digest>> {
        let object = Object::Repository(name.clone());
        self.see::<PULL, _, _>(
            caller,
            &object,
            (after, limit),
            |tx, permit, (after, limit)| {
                Box::pin(async move {
                    let (id, name, _) = of(tx, permit).await?;
                    let only = limited(tx, permit).await?;
                    let rows = trash_list(tx, id, after.as_ref(), limit + 1).await?;
                    let page = Listed::of(rows, *limit, |row| row.digest);
                    let mut items = Vec::with_capacity(page.items.len());
                    for key in page.items {
                        let found = lying(tx, permit.caller(), &key, name.clone()).await?;
                        let visible = |it: &InTrash| {
                            only.is_none() || it.tags.iter().any(|tag| shows(only.as_ref(), tag))
                        };
                        items.extend(found.filter(visible).map(|mut it| {
                            it.tags.retain(|tag| shows(only.as_ref(), tag));
                            it
                        }));
                    }
                    Ok(Listed {
                        items,
                        next: page.next,
                    })
                })
            },
        )
        .await
    }

    /// What all repositories have in the trash, what leaves it first first.
    ///
    /// # Errors
    /// `Denied`, `Unsupported` where there is no registry, or `Unavailable`.
    pub async fn trash_list(
        &self,
        caller: &Caller,
        after: Option<TrashKey>,
        limit: usize,
    ) -> Result<Listed<InTrash, TrashKey>> {
        let undo = self.past().ok().map(|past| past.undo.clone());
        let args = (after, limit, undo);
        self.see::<SYSTEM, _, _>(
            caller,
            &Object::System,
            args,
            |tx, permit, (after, limit, undo)| {
                Box::pin(async move {
                    let undo = undo.as_ref().ok_or_else(no_registry)?;
                    let rows = trash_expired(tx, after.as_ref(), i64::MAX, limit + 1).await?;
                    let page = Listed::of(rows, *limit, |row| *row);
                    let mut items = Vec::with_capacity(page.items.len());
                    for key in page.items {
                        let Some(name) = repo_name(tx, key.repo).await? else {
                            continue;
                        };
                        let found = lying(tx, permit.caller(), &key, name).await?;
                        let Some(mut found) = found else { continue };
                        found.outlook = Some(undo.outlook(tx, key.repo, &key.digest).await?);
                        items.push(found);
                    }
                    Ok(Listed {
                        items,
                        next: page.next,
                    })
                })
            },
        )
        .await
    }
}

async fn limited(
    tx: &mut Tx<'_>,
    permit: &Permit<PULL>,
) -> Result<Option<longshore_core::TagLimit>> {
    let (caller, object) = (permit.caller(), permit.object());
    limit_to(tx, caller, Action::RepositoryPull, object).await
}

/// Whether somebody may know what others are called.
fn knows_names(caller: &Caller) -> bool {
    caller.who.principal.is_some()
}

async fn changed(
    tx: &mut Tx<'_>,
    caller: &Caller,
    repo: i64,
    tag: String,
    change: Change,
) -> Result<TagChange> {
    let old_is_here = match &change.old {
        Some(old) => manifest_is_here(tx, repo, old).await?,
        None => false,
    };
    Ok(TagChange {
        tag,
        at: change.at,
        actor: knows_names(caller).then_some(change.actor),
        cause: change.cause,
        old: change.old,
        old_is_here,
        new: change.new,
    })
}

async fn lying(
    tx: &mut Tx<'_>,
    caller: &Caller,
    key: &TrashKey,
    repository: RepoName,
) -> Result<Option<InTrash>> {
    let how = trash_get(tx, key.repo, &key.digest).await?;
    Ok(how.map(|how| InTrash {
        repository,
        digest: key.digest,
        size: how.size,
        tags: how.tags.lines().map(str::to_owned).collect(),
        deleted: how.deleted,
        deleted_by: knows_names(caller).then_some(how.deleted_by),
        expires: how.expires,
        outlook: None,
    }))
}
