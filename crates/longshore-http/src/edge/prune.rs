//! Deletes. Source: distribution-spec v1.1.1, "Content Management", end-9 and end-10.
//!
//! Whether anything may be deleted at all is a layer's business; its refusal becomes a 405 like any other.

use http::StatusCode;
use longshore_core::Parents;
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;

use super::Edge;
use super::enter::Visit;
use super::errors::Answer;
use super::reply::Reply;

impl Edge {
    /// Takes a tag away, or a manifest with all its tags.
    pub(super) async fn delete_manifest(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        at: &Reference,
    ) -> Answer {
        match at {
            Reference::Tag(tag) => self.0.registry.delete_tag(&visit.cx, repo, tag).await?,
            Reference::Digest(digest) => {
                let parents = if is_forced(visit.head.uri.query()) {
                    Parents::MayRemain
                } else {
                    Parents::MustBeGone
                };
                self.0
                    .registry
                    .delete_manifest(&visit.cx, repo, digest, parents)
                    .await?;
            }
        }
        Ok(Reply::new(StatusCode::ACCEPTED).sized(0))
    }

    /// Takes a blob out of a repository.
    pub(super) async fn delete_blob(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        digest: &Digest,
    ) -> Answer {
        self.0.registry.delete_blob(&visit.cx, repo, digest).await?;
        Ok(Reply::new(StatusCode::ACCEPTED).sized(0))
    }
}

/// `force=true`: delete a manifest although an index still lists it. Ours; no specification has it.
fn is_forced(query: Option<&str>) -> bool {
    query
        .unwrap_or_default()
        .split('&')
        .any(|pair| pair == "force=true")
}
