//! What the registry does for whoever pushes and deletes, as the audit log has it.

use longshore_auth::index::keep;
use longshore_auth::rights::Action;
use longshore_core::{Origin, Result};
use longshore_meta::Tx;
use longshore_meta::audit::{Entry, audit_put};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::PrincipalId;
use longshore_spec::name::RepoName;
use serde_json::json;

use crate::beginning::inmost;

/// Who asks the registry for a change, and how it is known who they are.
#[derive(Debug, Clone)]
pub struct By {
    /// The name they logged in with.
    pub actor: String,
    /// How, and from where.
    pub origin: Origin,
    /// The id of the request.
    pub request: u128,
    /// When it came in, in microseconds.
    pub now: i64,
}

/// What was deleted.
#[derive(Debug, Clone, Copy)]
pub enum Deleted<'a> {
    /// A tag, and the digest it pointed to.
    Tag(&'a str, &'a str),
    /// A manifest, the first tags that went with it, and how many those were.
    Manifest(&'a str, &'a [String], usize),
    /// A blob.
    Blob(&'a str),
}

/// The row about what somebody did in a namespace, by whom where that is somebody here.
pub(crate) async fn row(
    tx: &mut Tx<'_>,
    by: &By,
    action: Action,
    (object, namespace): (String, NamespaceId),
    detail: serde_json::Value,
) -> Result<Entry> {
    let actor = keep::named(tx, &by.actor).await?;
    let address = by.origin.address;
    Ok(Entry {
        at: by.now,
        actor: PrincipalId(actor.map_or(0, |login| login.id)),
        actor_name: by.actor.clone(),
        via: by.origin.way.to_string(),
        origin: address.map_or_else(String::new, |it| it.to_string()),
        action: action.name().to_owned(),
        object,
        namespace,
        result: "done".to_owned(),
        detail: detail.to_string(),
        request: format!("{:032x}", by.request),
    })
}

/// What belongs to a deletion by the distribution API, in its transaction: a row of the audit log. The right was looked at by whoever
/// let it in.
///
/// # Errors
/// `Unavailable`.
pub async fn deleted(tx: &mut Tx<'_>, repo: &RepoName, what: Deleted<'_>, by: &By) -> Result<()> {
    let (action, object, detail) = match what {
        Deleted::Tag(tag, digest) => (
            Action::TagDelete,
            format!("{repo}:{tag}"),
            json!({ "deleted": "tag", "digest": digest }),
        ),
        Deleted::Manifest(digest, tags, count) => (
            Action::RepositoryDelete,
            format!("{repo}@{digest}"),
            json!({ "deleted": "manifest", "tags": tags, "tags_count": count }),
        ),
        Deleted::Blob(digest) => (
            Action::RepositoryDelete,
            format!("{repo}@{digest}"),
            json!({ "deleted": "blob" }),
        ),
    };
    let namespace = inmost(tx, repo).await?;
    let entry = row(tx, by, action, (object, namespace), detail).await?;
    audit_put(tx, &entry).await.map(drop)
}
