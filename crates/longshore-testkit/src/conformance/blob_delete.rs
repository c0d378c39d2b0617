//! Deleting blobs (end-10).

use longshore_spec::digest::Digest;

use crate::wire::Ask;

use super::expect::{Held, Must};
use super::talk::{Place, Talk};

/// Deletes a blob that is there, or one that never was.
pub(super) async fn delete(talk: &mut Talk<'_>, digest: &Digest, from: Place, there: bool) -> Held {
    let blob = talk.blob(from, digest);
    talk.ask(Ask::new("DELETE", blob))
        .await?
        .must_be(if there { 202 } else { 404 })
}

/// It is gone at once.
pub(super) async fn gone(talk: &mut Talk<'_>, digest: &Digest, from: Place) -> Held {
    let blob = talk.blob(from, digest);
    talk.ask(Ask::new("HEAD", blob)).await?.must_be(404)
}
