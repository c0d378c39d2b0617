//! The life of a data set, and of what can have none.

use longshore_spec::digest::Digest;
use longshore_spec::reference::Reference;

use crate::content::{Maker, Piece};

use super::super::blob_push::Way;
use super::super::made::{Referrers, Set};
use super::super::talk::Place;
use super::super::{Api, data};
use super::{Act, Plan};

impl Plan {
    /// A data set pushed, listed, looked at, read, and deleted again: tags, then manifests from the last to the
    /// first, then blobs.
    pub(super) fn life_of(&mut self, set: &Set) {
        self.set = set.name;
        for (n, blob) in set.blobs.iter().enumerate() {
            self.push(&format!("blob {n}"), blob, Way::PostPut, Place::Repo);
        }
        for (n, manifest) in set.manifests.iter().enumerate() {
            self.push_manifest(set, n, manifest);
        }
        let manifest_of =
            |digest: &Digest| set.manifests.iter().find(|known| known.digest == *digest);
        let tags = || {
            set.tags
                .iter()
                .filter_map(|(tag, digest)| Some((tag, manifest_of(digest)?)))
        };
        if !set.by_params {
            for (tag, piece) in tags() {
                let subject = subject_of(set, piece);
                let mut apis = vec![Api::ManifestPutTag];
                apis.extend(subject.map(|_| Api::ManifestPutSubject));
                let act = Act::PutManifest {
                    piece: piece.clone(),
                    at: by_tag(tag),
                    tags: Vec::new(),
                    subject,
                };
                self.add(format!("put {tag}"), &apis, act);
            }
        }
        let names = set.tags.iter().map(|(tag, _)| tag.clone()).collect();
        self.add("list tags", &[Api::TagList], Act::Tags(names));
        for (tag, piece) in tags() {
            let (piece, at) = (piece.clone(), by_tag(tag));
            self.add(
                format!("head {tag}"),
                &[Api::ManifestHeadTag],
                Act::HeadManifest {
                    piece: piece.clone(),
                    at: at.clone(),
                },
            );
            self.add(
                format!("get {tag}"),
                &[Api::ManifestGetTag],
                Act::GetManifest { piece, at },
            );
        }
        if set.mismatched.is_none() {
            for (n, piece) in set.manifests.iter().enumerate() {
                let at = Reference::Digest(piece.digest);
                let head = Act::HeadManifest {
                    piece: piece.clone(),
                    at: at.clone(),
                };
                self.add(
                    format!("head manifest {n}"),
                    &[Api::ManifestHeadDigest],
                    head,
                );
                self.add(
                    format!("get manifest {n}"),
                    &[Api::ManifestGetDigest],
                    Act::GetManifest {
                        piece: piece.clone(),
                        at,
                    },
                );
            }
        }
        for (n, blob) in set.blobs.iter().enumerate() {
            self.read(&format!("blob {n}"), blob);
        }
        for (n, referrers) in set.referrers.iter().enumerate() {
            self.add(
                format!("referrers of subject {n}"),
                &[Api::Referrers],
                Act::Referrers(referrers.clone()),
            );
        }
        self.end_of(set);
    }

    fn push_manifest(&mut self, set: &Set, n: usize, piece: &Piece) {
        if let Some(digest) = set.mismatched {
            let act = Act::PutOtherBytes {
                digest,
                piece: piece.clone(),
            };
            return self.add(
                format!("put manifest {n} under a wrong digest"),
                &[Api::ManifestPutDigest],
                act,
            );
        }
        let subject = subject_of(set, piece);
        let mut apis = vec![Api::ManifestPutDigest];
        apis.extend(subject.map(|_| Api::ManifestPutSubject));
        let mut tags = Vec::new();
        if set.by_params {
            apis.push(Api::ManifestPutTagParam);
            tags.extend(
                set.tags
                    .iter()
                    .filter(|(_, digest)| *digest == piece.digest)
                    .map(|(tag, _)| tag.clone()),
            );
        }
        let at = Reference::Digest(piece.digest);
        self.add(
            format!("put manifest {n}"),
            &apis,
            Act::PutManifest {
                piece: piece.clone(),
                at,
                tags,
                subject,
            },
        );
    }

    fn end_of(&mut self, set: &Set) {
        for (tag, _) in &set.tags {
            let at = by_tag(tag);
            self.add(
                format!("delete {tag}"),
                &[Api::TagDelete],
                Act::DeleteManifest {
                    at: at.clone(),
                    there: true,
                },
            );
            self.add(
                format!("{tag} is gone"),
                &[Api::TagDeleteAtomic],
                Act::ManifestGone(at),
            );
        }
        for (n, manifest) in set.manifests.iter().enumerate().rev() {
            let at = Reference::Digest(set.mismatched.unwrap_or(manifest.digest));
            let delete = Act::DeleteManifest {
                at: at.clone(),
                there: set.mismatched.is_none(),
            };
            self.add(
                format!("delete manifest {n}"),
                &[Api::ManifestDelete],
                delete,
            );
            self.add(
                format!("manifest {n} is gone"),
                &[Api::ManifestDeleteAtomic],
                Act::ManifestGone(at),
            );
        }
        for (n, blob) in set.blobs.iter().enumerate() {
            self.delete_blob(&format!("blob {n}"), blob.digest, Place::Repo, true);
        }
    }

    /// Manifests that are not there, and places where none can be.
    pub(super) fn errors(&mut self) {
        self.set = "errors";
        let absent = Reference::Digest(Maker::new(1).blob(1024).digest);
        self.add(
            "get an absent digest",
            &[Api::ManifestGetDigest],
            Act::ManifestAbsent(absent),
        );
        self.add(
            "get an absent tag",
            &[Api::ManifestGetTag],
            Act::ManifestAbsent(by_tag("absent")),
        );
        let set = data::for_a_malformed_digest();
        self.set = set.name;
        for (n, blob) in set.blobs.iter().enumerate() {
            self.push(&format!("blob {n}"), blob, Way::PostPut, Place::Repo);
        }
        for manifest in &set.manifests {
            let at = Reference::Digest(manifest.digest);
            self.add(
                "put a malformed digest",
                &[Api::ManifestPutDigest],
                Act::PutMalformed(manifest.clone()),
            );
            self.add(
                "get a malformed digest",
                &[Api::ManifestGetDigest],
                Act::GetMalformed,
            );
            let delete = Act::DeleteManifest {
                at: at.clone(),
                there: false,
            };
            self.add("delete what was refused", &[Api::ManifestDelete], delete);
            self.add(
                "what was refused is not there",
                &[Api::ManifestDeleteAtomic],
                Act::ManifestGone(at),
            );
        }
        for (n, blob) in set.blobs.iter().enumerate() {
            self.delete_blob(&format!("blob {n}"), blob.digest, Place::Repo, true);
        }
    }
}

fn by_tag(name: &str) -> Reference {
    Reference::Tag(name.parse().expect("a tag"))
}

fn subject_of(set: &Set, piece: &Piece) -> Option<Digest> {
    let digest = piece.digest.to_string();
    let points = |known: &&Referrers| {
        known
            .descriptors
            .iter()
            .any(|item| item["digest"] == digest.as_str())
    };
    set.referrers.iter().find(points).map(|known| known.subject)
}
