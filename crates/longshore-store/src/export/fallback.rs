//! Tags that stand for the Referrers API where there is none: an index of the referrers of each subject under
//! `<algorithm>-<hex>`. Clients look there when a registry answers 404 to the API, and kept those tags themselves while they
//! pushed to such a registry.
//!
//! Source: distribution-spec v1.1.1, "Referrers Tag Schema".

use std::collections::{BTreeMap, HashSet};

use longshore_core::{Error, Result};
use longshore_layout::distribution::judge;
use longshore_meta::manifests;
use longshore_meta::walks::WalkedManifest;
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::index::ImageIndex;
use longshore_spec::media::{Kind, MediaType};
use longshore_spec::name::Tag;

use crate::store::Inner;

/// The most characters of a digest's value in a tag.
const VALUE: usize = 64;

/// The referrers in a repository, by their subjects.
#[derive(Debug, Default)]
pub(super) struct Referrers(BTreeMap<Digest, Vec<Descriptor>>);

impl Referrers {
    /// Looks at a manifest of the repository.
    pub(super) fn see(&mut self, manifest: &WalkedManifest) -> Result<()> {
        if let Some((subject, json)) = &manifest.about {
            let descriptor = serde_json::from_str(json).map_err(Error::internal)?;
            self.0.entry(*subject).or_default().push(descriptor);
        }
        Ok(())
    }

    /// The tags to set, with the indexes they point to. A tag that lists all referrers already is left as it is; what it lists
    /// beside them stays listed.
    pub(super) async fn tags(
        self,
        store: &Inner,
        repo: i64,
        tags: &BTreeMap<Tag, Digest>,
    ) -> Result<Vec<(Tag, WalkedManifest)>> {
        let mut made = Vec::new();
        for (subject, referrers) in self.0 {
            let tag = name(&subject)?;
            let mut listed = match tags.get(&tag) {
                Some(digest) => listed(store, repo, digest).await?,
                None => Vec::new(),
            };
            let known = listed.len();
            let there: HashSet<_> = listed.iter().map(|referrer| referrer.digest).collect();
            let missing = |referrer: &Descriptor| !there.contains(&referrer.digest);
            listed.extend(referrers.into_iter().filter(missing));
            if listed.len() > known {
                let bytes =
                    serde_json::to_vec(&ImageIndex::new(&listed)).map_err(Error::internal)?;
                let index = WalkedManifest {
                    digest: Digest::of(Algorithm::Sha256, &bytes),
                    media_type: MediaType::OCI_INDEX.as_str().to_owned(),
                    about: None,
                    bytes,
                };
                made.push((tag, index));
            }
        }
        Ok(made)
    }
}

/// What an index lists; nothing when it is none.
async fn listed(store: &Inner, repo: i64, digest: &Digest) -> Result<Vec<Descriptor>> {
    let found = store
        .db
        .read(&(repo, *digest), |tx, (repo, digest)| {
            Box::pin(manifests::manifest_get(tx, *repo, digest))
        })
        .await?;
    let view = found.and_then(|(_, bytes)| judge(&bytes).ok());
    Ok(view
        .filter(|view| view.kind == Kind::Index)
        .map(|view| view.children)
        .unwrap_or_default())
}

fn name(subject: &Digest) -> Result<Tag> {
    let hex = subject.hex();
    let value = hex.get(..VALUE).unwrap_or(&hex);
    format!("{}-{value}", subject.algorithm())
        .parse()
        .map_err(Error::internal)
}
