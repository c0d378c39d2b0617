//! Tags, repositories and referrers. Source: distribution-spec v1.1.1, "Content Discovery", end-8 and end-12.

use http::{HeaderValue, StatusCode, header};
use longshore_core::{Error, Named, Verb, Window};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::media::ArtifactType;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::range::link_next;
use longshore_spec::route::Request;
use serde::Serialize;

use super::enter::Visit;
use super::errors::Answer;
use super::reply::Reply;
use super::urls::value;
use super::{Edge, names};

/// How many referrers are asked for at once. Each can carry annotations of megabytes, so a page is gathered in steps
/// that bound what is held.
const STEP: usize = 32;

/// The bytes of an index around its descriptors.
const FRAME: usize = 128;

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a RepoName,
    tags: &'a [Tag],
}

#[derive(Serialize)]
struct Repositories<'a> {
    repositories: &'a [RepoName],
}

/// Which referrers are asked for.
#[derive(Debug)]
pub(super) struct Referrers<'a> {
    /// What they refer to.
    pub(super) subject: &'a Digest,
    /// Of which type they are.
    pub(super) kind: Option<&'a ArtifactType>,
    /// How many at the most.
    pub(super) n: Option<u64>,
    /// After which.
    pub(super) last: Option<&'a Digest>,
}

impl Edge {
    /// The tags of a repository.
    pub(super) async fn tags(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        n: Option<u64>,
        last: Option<&Tag>,
    ) -> Answer {
        let limit = self.page(n);
        let (tags, more) = self.seen(visit, repo, last.cloned(), limit).await?;
        let tags = tags.get(..limit.min(tags.len())).unwrap_or_default();
        let next = tags.last().filter(|_| more).map(|last| Request::Tags {
            repo: repo.clone(),
            n: Some(limit as u64),
            last: Some(last.clone()),
        });
        let json = serde_json::to_vec(&Tags { name: repo, tags }).map_err(Error::internal)?;
        Ok(self.list(json, next.as_ref()))
    }

    /// Tags after `after` that the caller may pull, `limit` or one at the most, and whether there are more. Whoever is limited to some
    /// tags sees no names of others.
    async fn seen(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        mut after: Option<Tag>,
        limit: usize,
    ) -> Result<(Vec<Tag>, bool), Error> {
        let rights = &visit.cx.rights;
        let may = |tag: &Tag| {
            let named = Named::Tags(std::slice::from_ref(tag));
            rights.allow_named(Some(repo), Verb::Pull, named)
        };
        let mut seen = Vec::new();
        loop {
            // A page of none still wants a repository that is there.
            let window = Window {
                after: after.take(),
                limit: limit.max(1),
            };
            let found = self.0.registry.tags(&visit.cx, repo, &window).await?;
            after = found.items.last().cloned();
            for tag in found.items {
                if seen.len() >= limit.max(1) {
                    return Ok((seen, true));
                }
                if may(&tag) {
                    seen.push(tag);
                }
            }
            if !found.more || after.is_none() {
                return Ok((seen, false));
            }
            if seen.len() >= limit.max(1) {
                return Ok((seen, true));
            }
        }
    }

    /// The repositories the caller may pull from.
    pub(super) async fn catalog(
        &self,
        visit: &Visit<'_>,
        n: Option<u64>,
        last: Option<&RepoName>,
    ) -> Answer {
        let limit = self.page(n);
        let window = Window {
            after: last.cloned(),
            limit: limit.max(1),
        };
        let found = self.0.registry.repositories(&visit.cx, &window).await?;
        let repositories = found
            .items
            .get(..limit.min(found.items.len()))
            .unwrap_or_default();
        let next = repositories
            .last()
            .filter(|_| found.more)
            .map(|last| Request::Catalog {
                n: Some(limit as u64),
                last: Some(last.clone()),
            });
        let json = serde_json::to_vec(&Repositories { repositories }).map_err(Error::internal)?;
        Ok(self.list(json, next.as_ref()))
    }

    /// The manifests that refer to a subject, as an image index that is no longer than a client reads. A subject nobody
    /// refers to, or that is not here, has an empty one.
    pub(super) async fn referrers(
        &self,
        visit: &Visit<'_>,
        repo: &RepoName,
        asked: Referrers<'_>,
    ) -> Answer {
        let limit = self.page(asked.n);
        let mut index = Index::new(self.0.options.pages.referrer_bytes);
        let mut after = asked.last.copied();
        let mut more = false;
        while index.count < limit {
            let window = Window {
                after,
                limit: STEP.min(limit - index.count),
            };
            let kind = asked.kind.map(ArtifactType::as_str);
            let found = self
                .0
                .registry
                .referrers(&visit.cx, repo, asked.subject, kind, &window)
                .await?;
            more = found.more;
            for descriptor in &found.items {
                if !index.push(descriptor)? {
                    more = true;
                    break;
                }
                after = Some(descriptor.digest);
            }
            if index.full || !found.more || found.items.is_empty() {
                break;
            }
        }
        let next = after
            .filter(|_| more && index.count > 0)
            .map(|last| Request::Referrers {
                repo: repo.clone(),
                digest: *asked.subject,
                artifact_type: asked.kind.cloned(),
                n: asked.n.map(|_| limit as u64),
                last: Some(last),
            });
        let filtered = asked.kind.map(|_| HeaderValue::from_static("artifactType"));
        Ok(Reply::new(StatusCode::OK)
            .json(names::OCI_INDEX, index.finish())
            .maybe(names::OCI_FILTERS_APPLIED, filtered)
            .maybe(header::LINK, next.as_ref().map(|next| self.link(next))))
    }

    /// How many entries a page has: what was asked for, up to what is allowed.
    fn page(&self, n: Option<u64>) -> usize {
        let pages = &self.0.options.pages;
        match n {
            Some(n) => usize::try_from(n).unwrap_or(usize::MAX).min(pages.most),
            None => pages.unasked,
        }
    }

    fn list(&self, json: Vec<u8>, next: Option<&Request>) -> Reply {
        Reply::new(StatusCode::OK)
            .json(names::JSON, json)
            .maybe(header::LINK, next.map(|next| self.link(next)))
    }

    fn link(&self, next: &Request) -> HeaderValue {
        value(link_next(&self.0.urls.path(next)))
    }
}

/// An image index under construction.
struct Index {
    json: Vec<u8>,
    limit: usize,
    count: usize,
    full: bool,
}

impl Index {
    fn new(limit: usize) -> Self {
        let mut json = Vec::with_capacity(1024);
        json.extend_from_slice(br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":["#);
        Self {
            json,
            limit,
            count: 0,
            full: false,
        }
    }

    /// Adds a descriptor; `false` when there is no room. The first has room always, or a page could be empty for ever.
    fn push(&mut self, descriptor: &Descriptor) -> Result<bool, Error> {
        let start = self.json.len();
        if self.count > 0 {
            self.json.push(b',');
        }
        serde_json::to_writer(&mut self.json, descriptor).map_err(Error::internal)?;
        if self.count > 0 && self.json.len() + FRAME > self.limit {
            self.json.truncate(start);
            self.full = true;
            return Ok(false);
        }
        self.count += 1;
        Ok(true)
    }

    fn finish(mut self) -> Vec<u8> {
        self.json.extend_from_slice(b"]}");
        self.json
    }
}

#[cfg(test)]
mod tests {
    use longshore_spec::media::MediaType;

    use super::*;

    fn descriptor(of: u8) -> Descriptor {
        let digest = Digest::of(longshore_spec::Algorithm::Sha256, &[of]);
        Descriptor::new(MediaType::OCI_MANIFEST, digest, 1)
    }

    #[test]
    fn an_empty_index_has_a_list_and_no_null() {
        let json: serde_json::Value = serde_json::from_slice(&Index::new(1024).finish()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [],
            })
        );
    }

    #[test]
    fn an_index_stops_before_its_limit_but_never_before_its_first_entry() {
        let mut index = Index::new(600);
        let taken = (0..10)
            .take_while(|of| index.push(&descriptor(*of)).unwrap())
            .count();
        assert!((1..10).contains(&taken), "{taken}");
        let json = index.finish();
        assert!(json.len() <= 600);
        let parsed: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(parsed["manifests"].as_array().unwrap().len(), taken);
        assert!(Index::new(1).push(&descriptor(0)).unwrap());
    }
}
