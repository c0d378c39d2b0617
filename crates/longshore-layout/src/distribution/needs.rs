//! Whether what the manifests of a repository need is there.

use longshore_spec::digest::Digest;
use longshore_spec::manifest::View;
use longshore_spec::media::Kind as Shape;

use super::blob::Flaw;
use super::finding::Kind;
use super::survey::{Known, State};

impl State<'_> {
    /// Looks whether the blobs of a manifest are there, as long as it says.
    pub(super) fn needs(&mut self, manifest: &Digest, view: &View) {
        if view.kind == Shape::Other {
            let why = format!(
                "its media type {} is not one of OCI's or Docker's; it is taken over as it is",
                view.media_type
            );
            self.found(Kind::UnknownType, format!("manifest {manifest}"), why);
        }
        for blob in view.blobs().filter(|blob| blob.must_exist()) {
            let digest = blob.digest;
            let (kind, why) = match self.blobs.get(&digest) {
                Some(Known::Good(held)) if held.size == blob.size => continue,
                Some(Known::Good(held)) if self.told.contains(&digest) && held.verified => continue,
                Some(Known::Good(held)) => {
                    let (size, said) = (held.size, blob.size);
                    match self.tree.verify(&digest) {
                        Ok(()) => {
                            if let Some(Known::Good(held)) = self.blobs.get_mut(&digest) {
                                held.verified = true;
                            }
                            let why = format!(
                                "the manifest {manifest} says it has {said} bytes; it has {size}, and is the right one"
                            );
                            (Kind::SizeDiffers, why)
                        }
                        Err(flaw) => {
                            let why = format!(
                                "{flaw}: it has {size} bytes, and the manifest {manifest} says {said}"
                            );
                            if flaw == Flaw::Damaged {
                                self.damaged.push(digest);
                            }
                            self.blobs.insert(digest, Known::Bad(flaw.clone()));
                            (
                                kind_of(&flaw),
                                format!("{why}; the blob is not served until it is pushed again"),
                            )
                        }
                    }
                }
                Some(Known::Bad(flaw)) => {
                    let why =
                        format!("{flaw}, and the manifest {manifest} needs it; push it again");
                    (kind_of(flaw), why)
                }
                None => {
                    let why = self
                        .broken
                        .get(&digest)
                        .map_or("the repository has no link to it", |link| &link.why);
                    let why = format!(
                        "{why}, and the manifest {manifest} needs it; it could not be pulled before either"
                    );
                    (Kind::UnlinkedBlob, why)
                }
            };
            if self.told.insert(digest) {
                self.found(kind, format!("blob {digest}"), why);
            }
        }
    }

    /// What no manifest needs and is broken all the same.
    pub(super) fn rest(&mut self) {
        let bad: Vec<_> = self
            .blobs
            .iter()
            .filter(|(digest, _)| !self.told.contains(*digest))
            .filter_map(|(digest, known)| match known {
                Known::Bad(flaw) => Some((*digest, flaw.clone())),
                Known::Good(_) => None,
            })
            .collect();
        for (digest, flaw) in bad {
            let kind = if flaw == Flaw::Gone {
                Kind::LayerGone
            } else {
                kind_of(&flaw)
            };
            let why = format!("{flaw}; no manifest of the repository needs it");
            self.found(kind, format!("blob {digest}"), why);
        }
        let mut broken: Vec<_> = std::mem::take(&mut self.broken).into_iter().collect();
        broken.retain(|(digest, _)| !self.told.contains(digest));
        broken.sort_unstable_by_key(|(digest, _)| *digest);
        self.findings
            .extend(broken.into_iter().map(|(_, finding)| finding));
    }
}

fn kind_of(flaw: &Flaw) -> Kind {
    match flaw {
        Flaw::Gone => Kind::MissingBlob,
        Flaw::Empty | Flaw::Damaged => Kind::DamagedBlob,
        Flaw::Link => Kind::SymbolicLink,
        Flaw::Unreadable(_) => Kind::Unreadable,
    }
}
