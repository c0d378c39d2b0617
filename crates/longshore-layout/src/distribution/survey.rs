//! Going through one repository: what of it can be taken over, in batches, and what cannot.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

use bytes::Bytes;
use longshore_spec::digest::Digest;
use longshore_spec::manifest::{ManifestError, View};
use longshore_spec::name::{RepoName, Tag};

use super::Tree;
use super::batch::{Batch, Found, Held, Sink, Tagged};
use super::blob::Flaw;
use super::finding::{Finding, Kind};
use super::links::{Link, Links};
use super::order::{Waiting, depths};
use super::read::{LONGEST, judge};
use super::work::each;

/// How many manifests are read at once, and come in one batch.
const MANIFESTS: usize = 256;
/// How many blobs or tags come in one batch.
const ROWS: usize = 2_000;

/// How to go through a tree.
#[derive(Debug, Clone, Copy, Default)]
pub struct Survey {
    /// Whether all blobs are hashed. Otherwise only those are whose length is not what a manifest says.
    pub verify: bool,
}

impl Survey {
    /// Goes through a repository; false when the tree has no such repository, or `sink` broke off.
    pub fn repository(self, tree: &Tree, repo: &RepoName, sink: &mut Sink<'_>) -> bool {
        let Some(links) = tree.links(repo) else {
            return false;
        };
        let mut state = State::new(tree, repo, self, links);
        state.run(sink).is_continue()
    }
}

/// What is known of a blob that the repository links to.
pub(super) enum Known {
    Good(Held),
    Bad(Flaw),
}

pub(super) struct State<'a> {
    pub(super) tree: &'a Tree,
    pub(super) repo: &'a RepoName,
    pub(super) links: Links,
    pub(super) blobs: BTreeMap<Digest, Known>,
    pub(super) broken: HashMap<Digest, Finding>,
    /// Blobs that manifests need and that were told about.
    pub(super) told: HashSet<Digest>,
    /// Manifests that are taken over, with their depth.
    pub(super) taken: HashMap<Digest, u64>,
    /// Why others are not.
    pub(super) refused: HashMap<Digest, &'static str>,
    pub(super) findings: Vec<Finding>,
    /// Blobs that were found to be damaged.
    pub(super) damaged: Vec<Digest>,
}

impl<'a> State<'a> {
    fn new(tree: &'a Tree, repo: &'a RepoName, survey: Survey, mut links: Links) -> Self {
        let looked = each(&links.layers, |link| {
            let blob = tree.blob(&link.digest)?;
            if survey.verify {
                tree.verify(&link.digest)?;
            }
            Ok(blob)
        });
        let known = links.layers.iter().zip(looked).map(|(link, looked)| {
            let known = match looked {
                Ok(blob) => Known::Good(Held {
                    digest: link.digest,
                    size: blob.size,
                    verified: survey.verify,
                    written: blob.written,
                    linked: link.made,
                }),
                Err(flaw) => Known::Bad(flaw),
            };
            (link.digest, known)
        });
        let blobs: BTreeMap<_, _> = known.collect();
        let bad = |known: &Known| matches!(known, Known::Bad(Flaw::Empty | Flaw::Damaged));
        let damaged = blobs
            .iter()
            .filter(|(_, known)| bad(known))
            .map(|(digest, _)| *digest)
            .collect();
        Self {
            tree,
            repo,
            blobs,
            broken: std::mem::take(&mut links.broken).into_iter().collect(),
            told: HashSet::new(),
            taken: HashMap::new(),
            refused: HashMap::new(),
            findings: std::mem::take(&mut links.findings),
            damaged,
            links,
        }
    }

    pub(super) fn found(&mut self, kind: Kind, what: impl Into<String>, why: impl Into<String>) {
        self.findings.push(Finding::new(kind, self.repo, what, why));
    }

    fn run(&mut self, sink: &mut Sink<'_>) -> ControlFlow<()> {
        let mut indexes = Vec::new();
        let revisions = std::mem::take(&mut self.links.revisions);
        for part in revisions.chunks(MANIFESTS) {
            let batch = self.manifests(part, &mut indexes);
            self.send(batch, sink)?;
        }
        for part in self.sorted(&indexes).chunks(MANIFESTS) {
            let batch = self.indexes(part);
            self.send(batch, sink)?;
        }
        self.rest();
        let blobs: Vec<_> = std::mem::take(&mut self.blobs)
            .into_values()
            .filter_map(|known| match known {
                Known::Good(held) => Some(held),
                Known::Bad(_) => None,
            })
            .collect();
        for part in blobs.chunks(ROWS) {
            let blobs = part.to_vec();
            self.send(
                Batch {
                    blobs,
                    ..Batch::default()
                },
                sink,
            )?;
        }
        let tags = std::mem::take(&mut self.links.tags);
        for part in tags.chunks(ROWS) {
            let tags = part.iter().filter_map(|(tag, link)| self.tag(tag, link));
            let tags = tags.collect();
            self.send(
                Batch {
                    tags,
                    ..Batch::default()
                },
                sink,
            )?;
        }
        self.send(Batch::default(), sink)
    }

    fn send(&mut self, mut batch: Batch, sink: &mut Sink<'_>) -> ControlFlow<()> {
        batch.findings = std::mem::take(&mut self.findings);
        batch.damaged = std::mem::take(&mut self.damaged);
        let empty = batch.manifests.is_empty()
            && batch.blobs.is_empty()
            && batch.tags.is_empty()
            && batch.findings.is_empty();
        if empty {
            return ControlFlow::Continue(());
        }
        sink(batch)
    }

    /// Reads manifests; those that list others wait in `indexes`.
    fn manifests(&mut self, links: &[Link], indexes: &mut Vec<Waiting>) -> Batch {
        let mut batch = Batch::default();
        for (link, read) in links.iter().zip(each(links, |link| read(self.tree, link))) {
            match read {
                Ok((view, bytes)) => {
                    self.needs(&link.digest, &view);
                    if view.children.is_empty() {
                        self.taken.insert(link.digest, 0);
                        batch.manifests.push(found(link, view, bytes, 0));
                    } else {
                        let children = view.children.iter().map(|child| child.digest).collect();
                        indexes.push(Waiting {
                            link: *link,
                            children,
                        });
                    }
                }
                Err((kind, why)) => self.refuse(link, kind, &why),
            }
        }
        batch
    }

    fn refuse(&mut self, link: &Link, kind: Kind, why: &str) {
        self.refused.insert(link.digest, kind.as_str());
        let why = format!("{why}; it is not taken over");
        self.found(kind, format!("manifest {}", link.digest), why);
    }

    /// Indexes with those they list before them, and how deep each is.
    fn sorted(&mut self, indexes: &[Waiting]) -> Vec<(Link, u64)> {
        let depths = depths(indexes, &self.taken);
        let depth = |index: &Waiting| depths.get(&index.link.digest).copied().unwrap_or_default();
        let mut sorted: Vec<_> = indexes
            .iter()
            .map(|index| (depth(index), index.link))
            .collect();
        sorted.sort_unstable();
        self.taken.extend(depths);
        for index in indexes {
            self.children(index);
        }
        sorted
            .into_iter()
            .map(|(depth, link)| (link, depth))
            .collect()
    }

    fn children(&mut self, index: &Waiting) {
        for child in &index.children {
            if self.taken.contains_key(child) {
                continue;
            }
            let why = match self.refused.get(child) {
                Some(kind) => format!("it lists {child}, which is not taken over ({kind})"),
                None => format!("it lists {child}, which is not in the repository"),
            };
            let why =
                format!("{why}; the index is taken over and that part of it cannot be pulled");
            self.found(
                Kind::MissingChild,
                format!("index {}", index.link.digest),
                why,
            );
        }
    }

    /// Reads indexes again, in their order.
    fn indexes(&mut self, links: &[(Link, u64)]) -> Batch {
        let mut batch = Batch::default();
        let all = each(links, |(link, _)| read(self.tree, link));
        for ((link, depth), read) in links.iter().zip(all) {
            match read {
                Ok((view, bytes)) => batch.manifests.push(found(link, view, bytes, *depth)),
                // It changed since it was read a moment ago.
                Err((kind, why)) => {
                    self.taken.remove(&link.digest);
                    self.refuse(link, kind, &why);
                }
            }
        }
        batch
    }

    fn tag(&mut self, tag: &Tag, link: &Link) -> Option<Tagged> {
        let digest = link.digest;
        if self.taken.contains_key(&digest) {
            return Some(Tagged {
                tag: tag.clone(),
                digest,
                moved: link.made,
            });
        }
        let why = match self.refused.get(&digest) {
            Some(kind) => format!("it points to {digest}, which is not taken over ({kind})"),
            None => format!("it points to {digest}, which is not in the repository"),
        };
        self.found(Kind::DanglingTag, format!("tag {tag}"), why);
        None
    }
}

fn found(link: &Link, view: View, bytes: Bytes, depth: u64) -> Found {
    Found {
        view,
        digest: link.digest,
        bytes,
        depth,
        pushed: link.made,
    }
}

/// A manifest's bytes, if they are those of its digest, and what they are.
fn read(tree: &Tree, link: &Link) -> Result<(View, Bytes), (Kind, String)> {
    let bytes = tree
        .small_blob(&link.digest, LONGEST as u64)
        .map_err(|flaw| match flaw {
            Flaw::Gone => (Kind::MissingManifest, flaw.to_string()),
            Flaw::Empty | Flaw::Damaged => (Kind::DamagedManifest, flaw.to_string()),
            Flaw::Link => (Kind::SymbolicLink, flaw.to_string()),
            Flaw::Unreadable(_) => (Kind::Unreadable, flaw.to_string()),
        })?;
    if bytes.is_empty() {
        return Err((Kind::DamagedManifest, Flaw::Empty.to_string()));
    }
    if bytes.len() <= LONGEST && Digest::of(link.digest.algorithm(), &bytes) != link.digest {
        return Err((Kind::DamagedManifest, Flaw::Damaged.to_string()));
    }
    match judge(&bytes) {
        Ok(view) => Ok((view, bytes.into())),
        Err(error @ ManifestError::Schema1) => Err((Kind::Schema1, error.to_string())),
        Err(error) => Err((Kind::RefusedManifest, error.to_string())),
    }
}
