//! What the server owes one client: everything it acknowledged, and what may be true of everything else that was asked.
//!
//! A repository belongs to one client that sends one request at a time, so that what was acknowledged is a state and not a
//! history. Content is shared on purpose: several clients push the same bytes to their own repositories.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use longshore_spec::digest::Digest;

use crate::cell::Cell;

/// A manifest that was asked for once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    /// Whether it is there.
    pub(crate) there: Cell<()>,
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
    /// The blobs it needs.
    pub(crate) blobs: Vec<Digest>,
    /// The manifests it lists.
    pub(crate) children: Vec<Digest>,
    pub(crate) subject: Option<Digest>,
}

/// A blob that was asked for once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Blob {
    /// Whether it is there.
    pub(crate) there: Cell<()>,
    pub(crate) bytes: Bytes,
}

/// An upload session: the bytes it will have in the end, and between which offsets it stands.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    /// Path and query of its URL.
    pub(crate) at: String,
    pub(crate) bytes: Bytes,
    /// The last acknowledged offset.
    pub(crate) least: usize,
    /// What was sent at the most.
    pub(crate) most: usize,
    /// Whether the power went since: then it may be gone, and must not be wrong.
    pub(crate) doubtful: bool,
    /// Whether its end was asked for: then it is there as it was, or not at all.
    pub(crate) ending: bool,
}

/// A repository, as its client knows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repo {
    pub(crate) name: String,
    pub(crate) blobs: BTreeMap<Digest, Blob>,
    pub(crate) manifests: BTreeMap<Digest, Made>,
    pub(crate) tags: BTreeMap<String, Cell<Digest>>,
    pub(crate) uploads: Vec<Open>,
    /// A manifest that was new and the tag it was to get, when the answer to that is missing: both came, or neither.
    pub(crate) together: Option<(String, Digest)>,
}

impl Repo {
    /// An empty one.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The blobs that are there for sure.
    pub(crate) fn sure_blobs(&self) -> Vec<Digest> {
        let sure = self
            .blobs
            .iter()
            .filter(|(_, b)| b.there.surely().is_some());
        sure.map(|(digest, _)| *digest).collect()
    }

    /// The manifests that are there for sure.
    pub(crate) fn sure_manifests(&self) -> Vec<Digest> {
        let sure = self
            .manifests
            .iter()
            .filter(|(_, made)| made.there.surely().is_some());
        sure.map(|(digest, _)| *digest).collect()
    }

    /// The blobs that manifests which are there for sure need.
    pub(crate) fn needed(&self) -> impl Iterator<Item = Digest> {
        let sure = self
            .manifests
            .values()
            .filter(|made| made.there.surely().is_some());
        sure.flat_map(|made| made.blobs.iter().copied())
    }

    /// Whether a manifest that may be there needs this blob.
    pub(crate) fn needs(&self, blob: &Digest) -> bool {
        self.manifests
            .values()
            .any(|made| made.blobs.contains(blob) && made.there.allows(Some(&())))
    }

    /// Whether a manifest that is there for sure needs this blob.
    pub(crate) fn surely_needs(&self, blob: &Digest) -> bool {
        self.manifests
            .values()
            .any(|made| made.blobs.contains(blob) && made.there.surely().is_some())
    }

    /// Whether an index that may be there lists this manifest.
    pub(crate) fn lists(&self, manifest: &Digest) -> bool {
        self.manifests
            .values()
            .any(|made| made.children.contains(manifest) && made.there.allows(Some(&())))
    }

    /// Blobs that nothing acknowledged needs may be gone.
    pub(crate) fn unneeded_may_go(&mut self) {
        let needed: BTreeSet<Digest> = self.needed().collect();
        for (digest, blob) in &mut self.blobs {
            if !needed.contains(digest) {
                blob.there.asked(None);
            }
        }
    }

    /// Blobs that were acknowledged and that nothing acknowledged needs are only promised for as long as the process and
    /// the machine run: a power cut may take them.
    ///
    /// Where blobs are promised on their own (`by_blob`) they stay.
    pub(crate) fn power_went(&mut self, by_blob: bool) {
        self.restarted();
        if !by_blob {
            self.unneeded_may_go();
        }
        // Sessions and their offsets are promised across a kill, not across a power cut.
        for open in &mut self.uploads {
            open.least = 0;
            open.doubtful = true;
        }
    }

    /// The server was started anew: what was seen and never acknowledged may be there or not.
    pub(crate) fn restarted(&mut self) {
        self.manifests
            .values_mut()
            .for_each(|made| made.there.restarted());
        self.blobs
            .values_mut()
            .for_each(|blob| blob.there.restarted());
        self.tags.values_mut().for_each(Cell::restarted);
    }

    /// A change was acknowledged, and with it the log up to there is safe: what was seen before is too.
    pub(crate) fn stays(&mut self) {
        self.manifests
            .values_mut()
            .for_each(|made| made.there.stays());
        self.blobs.values_mut().for_each(|blob| blob.there.stays());
        self.tags.values_mut().for_each(Cell::stays);
    }

    /// Everything about tags that point to `manifest`, and itself, may be gone now.
    pub(crate) fn deletion_asked(&mut self, manifest: &Digest) {
        if let Some(made) = self.manifests.get_mut(manifest) {
            made.there.asked(None);
        }
        for tag in self.tags.values_mut() {
            if tag.allows(Some(manifest)) {
                tag.asked(None);
            }
        }
    }

    /// `manifest` was deleted, and with it every tag that pointed there.
    pub(crate) fn deleted(&mut self, manifest: &Digest) {
        if let Some(made) = self.manifests.get_mut(manifest) {
            made.there.is(None);
        }
        for tag in self.tags.values_mut() {
            if tag.surely() == Some(manifest) {
                tag.is(None);
            }
        }
    }
}
