//! Manifests on their way in. Source: distribution-spec v1.1.1, "Pushing Manifests", end-7.

use http::{StatusCode, header};
use longshore_core::{ByteStream, ManifestPush};
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::reference::Reference;
use longshore_spec::route::Request;

use super::enter::Visit;
use super::errors::Answer;
use super::intake::{self, Length};
use super::reply::Reply;
use super::request;
use super::urls::value;
use super::{Edge, names};

/// How many tags stand in one `OCI-Tag` line: 16 of the longest are 2 KiB, which every client reads.
const TAGS_A_LINE: usize = 16;

impl Edge {
    /// Stores a manifest with its tags, all or nothing.
    pub(super) async fn push(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        reference: &Reference,
        more_tags: &[Tag],
        body: ByteStream,
    ) -> Answer {
        let headers = &visit.head.headers;
        intake::refuse_encoding(headers)?;
        let media_type = request::manifest_type(headers)?;
        let tag_rule = request::tag_rule(headers)?;
        let bytes =
            intake::whole(Length::of(visit.head), self.0.options.manifest_limit, body).await?;
        let (digest, tags) = match reference {
            Reference::Tag(tag) => (None, vec![tag.clone()]),
            Reference::Digest(digest) => (Some(*digest), more_tags.to_vec()),
        };
        let push = ManifestPush {
            bytes,
            media_type,
            digest,
            tags,
            tag_rule,
            children: self.0.options.children,
        };
        let pushed = self.0.registry.put_manifest(&visit.cx, repo, &push).await?;
        let manifest = Request::GetManifest {
            repo: repo.clone(),
            reference: pushed.digest.into(),
            ns: None,
        };
        let mut reply = Reply::new(StatusCode::CREATED)
            .tagged(&pushed.digest)
            .with(
                header::LOCATION,
                self.0.urls.location(visit.head, visit.sender, &manifest),
            )
            .maybe(
                names::OCI_SUBJECT,
                pushed.subject.map(|subject| value(subject.to_string())),
            )
            .sized(0);
        for line in more_tags.chunks(TAGS_A_LINE) {
            let line: Vec<_> = line.iter().map(Tag::as_str).collect();
            reply = reply.also(names::OCI_TAG, value(line.join(", ")));
        }
        Ok(reply)
    }
}
