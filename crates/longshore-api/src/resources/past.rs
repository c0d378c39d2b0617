//! What was, and having it again: changes of tags, and the trash.

use longshore_auth::rights::Action;
use longshore_core::past;
use longshore_hub::views;
use longshore_meta::history::Cause;
use longshore_meta::trash::TrashKey;
use longshore_spec::digest::Digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::time;

const PULL: Needs = Needs::Right(Action::RepositoryPull, On::Repository);
const PUSH: Needs = Needs::Right(Action::RepositoryPush, On::Repository);
const REMOVE: Needs = Needs::Right(Action::RepositoryRemove, On::Repository);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "tag-history",
        (
            Way::Get,
            "/repositories/{repository}/-/tags/{tag}/history",
        ),
        "List where a tag pointed, the latest change first",
        PULL,
        Gives::Page(shape::<TagChange>()),
        |api, ask| Box::pin(tag_history(api, ask)),
    ),
    line(
        "tag-restore",
        (
            Way::Post,
            "/repositories/{repository}/-/tags/{tag}/restore",
        ),
        "Point a tag to where it pointed before its last change, or to a digest, which comes out of the trash for that",
        PUSH,
        Gives::One(shape::<TagRestored>()),
        |api, ask| Box::pin(tag_restore(api, ask)),
    )
    .takes(shape::<TagRestore>()),
    line(
        "repository-history",
        (Way::Get, "/repositories/{repository}/-/history"),
        "List the changes of all tags of a repository: tag by tag, the earliest first",
        PULL,
        Gives::Page(shape::<TagChange>()),
        |api, ask| Box::pin(history(api, ask)),
    ),
    line(
        "repository-trash-list",
        (Way::Get, "/repositories/{repository}/-/trash"),
        "List what was deleted from a repository and can be restored",
        PULL,
        Gives::Page(shape::<InTrash>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "repository-trash-empty",
        (Way::Delete, "/repositories/{repository}/-/trash"),
        "Have what was deleted from a repository removed for good",
        REMOVE,
        Gives::Begun(shape::<Emptying>()),
        |api, ask| Box::pin(empty(api, ask)),
    ),
    line(
        "repository-trash-restore",
        (
            Way::Post,
            "/repositories/{repository}/-/trash/{digest}/restore",
        ),
        "Bring a manifest back, with what it lists, and with the tags it lost as far as they are free",
        PUSH,
        Gives::One(shape::<Restored>()),
        |api, ask| Box::pin(restore(api, ask)),
    ),
    line(
        "repository-trash-delete",
        (Way::Delete, "/repositories/{repository}/-/trash/{digest}"),
        "Have a manifest that was deleted removed for good",
        REMOVE,
        Gives::Begun(shape::<Emptying>()),
        |api, ask| Box::pin(empty(api, ask)),
    ),
    line(
        "trash-list",
        (Way::Get, "/trash"),
        "List what was deleted from all repositories, what is removed first first",
        Needs::Right(Action::SystemRead, On::System),
        Gives::Page(shape::<InTrash>()),
        |api, ask| Box::pin(all(api, ask)),
    ),
    line(
        "trash-empty",
        (Way::Delete, "/trash"),
        "Have all that was deleted removed for good",
        Needs::Right(Action::SystemOperate, On::System),
        Gives::Begun(shape::<Emptying>()),
        |api, ask| Box::pin(empty_all(api, ask)),
    ),
];

/// A change of a tag.
#[derive(Serialize, ToSchema)]
struct TagChange {
    /// The tag.
    tag: String,
    /// When.
    at: String,
    /// Who; nothing to strangers.
    actor: Option<String>,
    /// By what: `push`, `tag deleted`, `manifest deleted` or `restored`.
    cause: &'static str,
    /// Where it pointed before; nothing where it was not there.
    old: Option<String>,
    /// Whether that can be pulled or restored.
    old_is_here: bool,
    /// Where it pointed afterwards; nothing where it was not there.
    new: Option<String>,
}

impl From<views::TagChange> for TagChange {
    fn from(change: views::TagChange) -> Self {
        let said = |digest: Option<Digest>| digest.map(|it| it.to_string());
        Self {
            tag: change.tag,
            at: time(change.at),
            actor: change.actor,
            cause: match change.cause {
                Cause::Pushed => "push",
                Cause::Deleted => "tag deleted",
                Cause::ManifestDeleted => "manifest deleted",
                Cause::Restored => "restored",
            },
            old: said(change.old),
            old_is_here: change.old_is_here,
            new: said(change.new),
        }
    }
}

/// Where a tag is to point again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TagRestore {
    /// The digest of a manifest; left out: where it pointed before its last change. Whoever is limited to some tags names one that this
    /// tag had.
    #[serde(default)]
    #[schema(max_length = 135)]
    to: Option<String>,
}

/// Where a tag points.
#[derive(Serialize, ToSchema)]
struct TagRestored {
    /// Now.
    to: String,
    /// Until now; nothing where it was not there.
    from: Option<String>,
    /// How many manifests came out of the trash for it.
    manifests: u64,
}

/// A manifest that was deleted.
#[derive(Serialize, ToSchema)]
struct InTrash {
    /// Its repository.
    repository: String,
    /// Its digest.
    digest: String,
    /// Its length in bytes.
    size: u64,
    /// The tags it lost.
    tags: Vec<String>,
    /// When it was deleted.
    deleted: String,
    /// By whom; nothing to strangers.
    deleted_by: Option<String>,
    /// Until when it can be restored.
    expires: String,
    /// What its end frees; in the list of all repositories only.
    outlook: Option<Outlook>,
}

/// What becomes of the blobs of a manifest in the trash when it leaves it.
#[derive(Serialize, ToSchema)]
struct Outlook {
    /// How many blobs nobody else needs.
    frees_blobs: u64,
    /// How many bytes they have.
    frees_bytes: u64,
    /// How many blobs stay, because others have them.
    shared_blobs: u64,
    /// How many bytes they have.
    shared_bytes: u64,
    /// Repositories that have some of those, a few of them.
    shared_with: Vec<String>,
}

impl From<past::Outlook> for Outlook {
    fn from(it: past::Outlook) -> Self {
        Self {
            frees_blobs: it.freed.count,
            frees_bytes: it.freed.bytes,
            shared_blobs: it.shared.count,
            shared_bytes: it.shared.bytes,
            shared_with: it.with,
        }
    }
}

impl From<views::InTrash> for InTrash {
    fn from(it: views::InTrash) -> Self {
        Self {
            repository: it.repository.to_string(),
            digest: it.digest.to_string(),
            size: it.size,
            tags: it.tags,
            deleted: time(it.deleted),
            deleted_by: it.deleted_by,
            expires: time(it.expires),
            outlook: it.outlook.map(Outlook::from),
        }
    }
}

/// What was brought back.
#[derive(Serialize, ToSchema)]
struct Restored {
    /// How many manifests: it and what it lists.
    manifests: u64,
    /// The tags that point to it again.
    tags: Vec<String>,
    /// The tags it had that point elsewhere now, and were left so.
    taken: Vec<String>,
}

/// What is being emptied.
#[derive(Serialize, ToSchema)]
struct Emptying {
    /// `begun`, or `nothing` where there was nothing to remove.
    state: &'static str,
}

impl Emptying {
    fn reply(any: bool) -> Answer {
        Reply::begun(&Self {
            state: if any { "begun" } else { "nothing" },
        })
    }
}

async fn tag_history(api: &Api, ask: Ask) -> Answer {
    let (name, tag) = (ask.repository()?, ask.tag()?);
    let from: Option<i64> = after(&ask, |key| key.parse().ok().map(Some))?;
    let (before, limit) = (from.unwrap_or(i64::MAX), ask.query.limit());
    let hub = api.hub();
    let found = hub.tag_history(&ask.caller, &name, &tag, before, limit);
    page(&ask, found.await?, TagChange::from, ToString::to_string)
}

async fn history(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let from: Option<(String, i64)> = after(&ask, |key| {
        let (tag, at) = key.split_once(' ')?;
        Some(Some((tag.to_owned(), at.parse().ok()?)))
    })?;
    let hub = api.hub();
    let found = hub.repository_history(&ask.caller, &name, from, ask.query.limit());
    page(&ask, found.await?, TagChange::from, |(tag, at)| {
        format!("{tag} {at}")
    })
}

async fn tag_restore(api: &Api, ask: Ask) -> Answer {
    let (name, tag) = (ask.repository()?, ask.tag()?);
    let wanted: TagRestore = ask.read()?;
    let to = wanted.to.map(|to| to.parse()).transpose().map_err(
        |error: longshore_spec::digest::DigestError| Problem::invalid(format!("`to`: {error}")),
    )?;
    let hub = ask.hub(api.hub());
    let done = hub.tag_restore(&ask.caller, &name, &tag, to).await?;
    Reply::json(&TagRestored {
        to: done.to.to_string(),
        from: done.from.map(|it| it.to_string()),
        manifests: done.manifests,
    })
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let from: Option<Digest> = after(&ask, |key| key.parse().ok().map(Some))?;
    let hub = api.hub();
    let found = hub.trash_of(&ask.caller, &name, from, ask.query.limit());
    page(&ask, found.await?, InTrash::from, ToString::to_string)
}

async fn restore(api: &Api, ask: Ask) -> Answer {
    let (name, digest) = (ask.repository()?, ask.digest()?);
    let hub = ask.hub(api.hub());
    let done = hub.trash_restore(&ask.caller, &name, &digest).await?;
    Reply::json(&Restored {
        manifests: done.manifests,
        tags: done.tags,
        taken: done.taken,
    })
}

async fn empty(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let digest = match ask.value("digest") {
        "" => None,
        _ => Some(ask.digest()?),
    };
    let hub = ask.hub(api.hub());
    let any = hub.trash_empty_of(&ask.caller, &name, digest).await?;
    Emptying::reply(any)
}

async fn all(api: &Api, ask: Ask) -> Answer {
    let from: Option<TrashKey> = after(&ask, |key| {
        let (expires, rest) = key.split_once(' ')?;
        let (repo, digest) = rest.split_once(' ')?;
        Some(Some(TrashKey {
            repo: repo.parse().ok()?,
            digest: digest.parse().ok()?,
            expires: expires.parse().ok()?,
        }))
    })?;
    let found = api.hub().trash_list(&ask.caller, from, ask.query.limit());
    page(&ask, found.await?, InTrash::from, |key| {
        format!("{} {} {}", key.expires, key.repo, key.digest)
    })
}

async fn empty_all(api: &Api, ask: Ask) -> Answer {
    let any = ask.hub(api.hub()).trash_empty(&ask.caller).await?;
    Emptying::reply(any)
}
