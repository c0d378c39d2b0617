//! What lies on the simulated disk, and what a power cut makes of it.

use std::collections::{BTreeMap, BTreeSet};

use longshore_blob::Location;
use longshore_spec::digest::Digest;
use longshore_testkit::content::Draw;

/// Something on the disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Item {
    pub(super) bytes: Vec<u8>,
    /// Whether bytes and name are safe from a power cut.
    pub(super) safe: bool,
    /// Whether a sync of it failed: it never becomes safe.
    pub(super) failed: bool,
}

/// What is on the disk. It outlives the machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Platter {
    pub(super) items: BTreeMap<String, Item>,
    /// What was removed since the last cut and was safe: a removal is not synced, so it may come back.
    pub(super) removed: BTreeMap<String, Item>,
    pub(super) names: u64,
    /// Which run of the machine this is.
    pub(crate) boot: u128,
}

impl Platter {
    /// What a power cut leaves.
    pub(crate) fn cut(&mut self, seed: u64) {
        let mut draw = Draw::new(seed);
        self.boot += 1;
        for (name, item) in std::mem::take(&mut self.removed) {
            if draw.below(4) == 0 {
                self.items.entry(name).or_insert(item);
            }
        }
        let mut gone = Vec::new();
        for (name, item) in &mut self.items {
            if item.safe {
                continue;
            }
            let length = item.bytes.len();
            match draw.below(5) {
                0 => gone.push(name.clone()),
                1 => item.bytes.truncate(draw.below(length + 1)),
                2 => {
                    let from = draw.below(length + 1);
                    item.bytes[from..].fill(0);
                }
                _ => {}
            }
            item.safe = true;
            item.failed = false;
        }
        for name in gone {
            self.items.remove(&name);
        }
    }

    /// What lies there and is neither one copy of a needed blob nor put apart for somebody to look at.
    pub(crate) fn left_behind(&self, needed: &BTreeSet<Digest>) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let names = self
            .items
            .keys()
            .filter(|name| !name.starts_with("quarantine/"));
        let useless = names.filter(|name| {
            let digest = name.parse::<Location>().ok().and_then(|at| at.digest());
            digest.is_none_or(|digest| !needed.contains(&digest) || !seen.insert(digest))
        });
        useless.cloned().collect()
    }
}
