//! The small world in which operations happen: few names and few contents, so that they meet.

use longshore_core::{Code, Listing, Registry, Result, Window};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::reference::Reference;

use super::answer;
use crate::content::{Dress, Maker, Piece};
use crate::suite::bench::{alice, repo, tag};

const KIND: &str = "application/vnd.example.model.v1";

/// Everything that operations can be about.
pub(super) struct World {
    pub(super) repos: Vec<RepoName>,
    pub(super) tags: Vec<Tag>,
    pub(super) blobs: Vec<Piece>,
    pub(super) manifests: Vec<Piece>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut maker = Maker::new(0);
        let mut blobs = vec![maker.blob(0), maker.nothing(), maker.config("amd64")];
        blobs.extend((0..3).map(|_| maker.layer()));
        let mut other = Maker::new(1).naming_with(Algorithm::Sha512);
        blobs.extend([other.config("amd64"), other.layer()]);
        let plain = Dress::default();
        let image = maker.image(&blobs[2], &blobs[3..5], &plain);
        let small = maker.image(&blobs[1], &[], &plain);
        let mut lie = blobs[3].descriptor();
        lie["size"] = 1.into();
        let liar = maker.image_of(blobs[2].descriptor(), vec![lie], &plain);
        let long_named = other.image(&blobs[6], &blobs[7..8], &plain);
        let about = maker.image(
            &blobs[1],
            &blobs[5..6],
            &Dress {
                artifact_type: Some(KIND),
                ..Dress::about(&image)
            },
        );
        let also = maker.image(&blobs[2], &[], &Dress::about(&image));
        let index = maker.index(&[image.clone(), small.clone()], &plain);
        let top = maker.index(std::slice::from_ref(&index), &Dress::about(&image));
        let empty = maker.index(
            &[],
            &Dress {
                artifact_type: Some(KIND),
                ..Dress::about(&index)
            },
        );
        Self {
            repos: ["a", "a/b", "c"].map(repo).to_vec(),
            tags: ["1", "1.0", "latest"].map(tag).to_vec(),
            blobs,
            manifests: vec![
                image, small, liar, long_named, about, also, index, top, empty,
            ],
        }
    }

    /// Compares everything that can be seen.
    pub(super) async fn compare(&self, a: &dyn Registry, b: &dyn Registry) -> Result<(), String> {
        let cx = alice();
        let names = Window {
            after: None,
            limit: 100,
        };
        same(
            "repositories",
            &a.repositories(&cx, &names).await,
            &b.repositories(&cx, &names).await,
        )?;
        for repo in &self.repos {
            let window = Window {
                after: None,
                limit: 100,
            };
            let (tags_a, tags_b) = (
                a.tags(&cx, repo, &window).await,
                b.tags(&cx, repo, &window).await,
            );
            same(
                &format!("tags of {repo}"),
                &or_none(tags_a),
                &or_none(tags_b),
            )?;
            for blob in &self.blobs {
                let digest = &blob.digest;
                let (a, b) = (
                    a.stat_blob(&cx, repo, digest).await,
                    b.stat_blob(&cx, repo, digest).await,
                );
                same(&format!("blob {digest} of {repo}"), &a, &b)?;
            }
            let by_tag = self.tags.iter().cloned().map(Reference::Tag);
            let by_digest = self
                .manifests
                .iter()
                .map(|manifest| Reference::Digest(manifest.digest));
            for at in by_tag.chain(by_digest) {
                let (a, b) = (
                    a.stat_manifest(&cx, repo, &at).await,
                    b.stat_manifest(&cx, repo, &at).await,
                );
                let (a, b) = (answer::plain(&a), answer::plain(&b));
                if a != b {
                    return Err(format!(
                        "manifest {at} of {repo}: the reference says {a}, the other {b}"
                    ));
                }
            }
            for subject in &self.manifests {
                self.compare_referrers(a, b, repo, &subject.digest).await?;
            }
        }
        Ok(())
    }

    async fn compare_referrers(
        &self,
        a: &dyn Registry,
        b: &dyn Registry,
        repo: &RepoName,
        subject: &Digest,
    ) -> Result<(), String> {
        let cx = alice();
        for kind in [
            None,
            Some(KIND),
            Some("application/vnd.oci.image.config.v1+json"),
        ] {
            let window = Window {
                after: None,
                limit: 100,
            };
            let in_a = a.referrers(&cx, repo, subject, kind, &window).await;
            let in_b = b.referrers(&cx, repo, subject, kind, &window).await;
            same(
                &format!("referrers of {subject} in {repo}, of kind {kind:?}"),
                &in_a,
                &in_b,
            )?;
        }
        Ok(())
    }
}

/// A repository without content has no tags, whether it exists already or not.
pub(super) fn or_none(listing: Result<Listing<Tag>>) -> Result<Listing<Tag>> {
    match listing {
        Err(error) if error.code() == Code::NameUnknown => Ok(Listing {
            items: Vec::new(),
            more: false,
        }),
        listing => listing,
    }
}

fn same<T: std::fmt::Debug>(what: &str, a: &Result<T>, b: &Result<T>) -> Result<(), String> {
    let (a, b) = (answer::shown(a), answer::shown(b));
    if a == b {
        Ok(())
    } else {
        Err(format!("{what}: the reference says {a}, the other {b}"))
    }
}
