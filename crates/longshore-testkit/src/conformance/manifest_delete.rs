//! Deleting manifests and tags (end-9).

use longshore_spec::reference::Reference;

use crate::wire::Ask;

use super::expect::{Held, Must};
use super::talk::{Place, Talk};

/// Deletes what is there, or what never was.
pub(super) async fn delete(talk: &mut Talk<'_>, at: &Reference, there: bool) -> Held {
    let target = talk.path(Place::Repo, &format!("manifests/{at}"));
    talk.ask(Ask::new("DELETE", target))
        .await?
        .must_be(if there { 202 } else { 404 })
}

/// It is gone at once.
pub(super) async fn gone(talk: &mut Talk<'_>, at: &Reference) -> Held {
    let target = talk.path(Place::Repo, &format!("manifests/{at}"));
    talk.ask(Ask::new("HEAD", target)).await?.must_be(404)
}
