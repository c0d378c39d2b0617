//! Trees as they are in the world: whole, and broken in every way that is known.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod broken;
mod whole;

use std::ops::ControlFlow;

use longshore_layout::distribution::{Finding, Found, Held, Kind, Survey, Tagged, Tree};
use longshore_spec::digest::Digest;
use longshore_testkit::content::Maker;
use longshore_testkit::old_tree::OldTree;
use tempfile::TempDir;

/// A tree to write to, and what is read from it.
struct Bench {
    dir: TempDir,
    tree: OldTree,
    maker: Maker,
}

/// All that a survey of one repository gave.
#[derive(Debug, Default)]
struct Seen {
    manifests: Vec<Found>,
    blobs: Vec<Held>,
    tags: Vec<Tagged>,
    findings: Vec<Finding>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tree = OldTree::new(dir.path());
        Self {
            dir,
            tree,
            maker: Maker::new(7),
        }
    }

    fn open(&self) -> Tree {
        Tree::open(self.dir.path()).unwrap().unwrap()
    }

    fn survey(&self, repo: &str) -> Seen {
        self.survey_as(Survey::default(), repo)
    }

    fn survey_as(&self, survey: Survey, repo: &str) -> Seen {
        let mut seen = Seen::default();
        let whole = survey.repository(&self.open(), &repo.parse().unwrap(), &mut |batch| {
            seen.manifests.extend(batch.manifests);
            seen.blobs.extend(batch.blobs);
            seen.tags.extend(batch.tags);
            seen.findings.extend(batch.findings);
            ControlFlow::Continue(())
        });
        assert!(whole, "there is no repository {repo}");
        seen
    }
}

impl Seen {
    fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<_> = self.findings.iter().map(|finding| finding.kind).collect();
        kinds.sort_unstable();
        kinds
    }

    fn has_manifest(&self, digest: &Digest) -> bool {
        self.manifests.iter().any(|found| found.digest == *digest)
    }

    fn has_blob(&self, digest: &Digest) -> bool {
        self.blobs.iter().any(|held| held.digest == *digest)
    }

    fn tags(&self) -> Vec<&str> {
        self.tags.iter().map(|tagged| tagged.tag.as_str()).collect()
    }

    /// The only finding.
    fn one(&self) -> (Kind, &str, &str) {
        let [finding] = self.findings.as_slice() else {
            panic!("not one finding: {:#?}", self.findings);
        };
        (finding.kind, &finding.what, &finding.why)
    }
}
