//! One repository: its blobs, its manifests, its tags, and the rules between them.

use std::collections::BTreeMap;

use bytes::Bytes;
use longshore_core::{Children, Code, Error, ManifestPush, Parents, Result, TagRule};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::name::Tag;
use longshore_spec::reference::Reference;

use super::manifests::Kept;

#[derive(Debug, Clone, Default)]
pub(super) struct Repo {
    blobs: BTreeMap<Digest, Bytes>,
    manifests: BTreeMap<Digest, Kept>,
    tags: BTreeMap<Tag, Digest>,
}

/// Checks content against the name it is to have.
pub(super) fn verify(digest: &Digest, bytes: &[u8]) -> Result<()> {
    if Digest::of(digest.algorithm(), bytes) == *digest {
        return Ok(());
    }
    Err(Error::new(
        Code::DigestInvalid,
        format!("the content is not that of {digest}"),
    ))
}

impl Repo {
    pub(super) fn blob(&self, digest: &Digest) -> Result<&Bytes> {
        self.blobs
            .get(digest)
            .ok_or_else(|| Error::new(Code::BlobUnknown, format!("there is no blob {digest} here")))
    }

    pub(super) fn keep_blob(&mut self, digest: Digest, bytes: Bytes) {
        self.blobs.insert(digest, bytes);
    }

    pub(super) fn manifest(&self, at: &Reference) -> Result<(Digest, &Kept)> {
        let digest = match at {
            Reference::Digest(digest) => Some(digest),
            Reference::Tag(tag) => self.tags.get(tag),
        };
        digest
            .and_then(|digest| self.manifests.get_key_value(digest))
            .map(|(digest, kept)| (*digest, kept))
            .ok_or_else(|| {
                Error::new(
                    Code::ManifestUnknown,
                    format!("there is no manifest {at} here"),
                )
            })
    }

    pub(super) fn has_manifests(&self) -> bool {
        !self.manifests.is_empty()
    }

    pub(super) fn tags(&self) -> impl Iterator<Item = &Tag> {
        self.tags.keys()
    }

    /// The manifests with this subject, and of this kind if one is given, by digest.
    pub(super) fn referrers(
        &self,
        subject: &Digest,
        kind: Option<&str>,
    ) -> Vec<(Digest, Descriptor)> {
        let is_about = |kept: &Kept| {
            kept.view
                .subject
                .as_ref()
                .is_some_and(|about| about.digest == *subject)
        };
        let is_kind = |descriptor: &Descriptor| match (kind, &descriptor.artifact_type) {
            (None, _) => true,
            (Some(kind), Some(known)) => known.as_str() == kind,
            (Some(_), None) => false,
        };
        let about = self.manifests.iter().filter(|(_, kept)| is_about(kept));
        let described = about.map(|(digest, kept)| (*digest, kept.referrer(*digest)));
        described
            .filter(|(_, descriptor)| is_kind(descriptor))
            .collect()
    }

    /// Stores a manifest and sets its tags, or does neither.
    pub(super) fn keep_manifest(
        &mut self,
        digest: Digest,
        kept: Kept,
        push: &ManifestPush,
    ) -> Result<()> {
        self.check_children(&kept, push.children)?;
        for tag in &push.tags {
            self.check_tag(tag, &digest, push.tag_rule)?;
        }
        self.manifests.insert(digest, kept);
        for tag in &push.tags {
            self.tags.insert(tag.clone(), digest);
        }
        Ok(())
    }

    fn check_children(&self, kept: &Kept, children: Children) -> Result<()> {
        let (blobs_must, manifests_must) = match children {
            Children::MustExist => (true, true),
            Children::ManifestsMayBeAbsent => (true, false),
            Children::MayBeAbsent => (false, false),
        };
        // Layers that are said to live elsewhere are nobody's business here, not even their size.
        for blob in kept.view.blobs().filter(|blob| blob.must_exist()) {
            let held = self.blobs.get(&blob.digest).map(Bytes::len);
            check_child("blob", blob, held, blobs_must)?;
        }
        for child in &kept.view.children {
            let held = self
                .manifests
                .get(&child.digest)
                .map(|child| child.bytes.len());
            check_child("manifest", child, held, manifests_must)?;
        }
        Ok(())
    }

    fn check_tag(&self, tag: &Tag, digest: &Digest, rule: TagRule) -> Result<()> {
        let now = self.tags.get(tag);
        let holds = match rule {
            TagRule::Move => true,
            TagRule::CreateOnly => now.is_none_or(|now| now == digest),
            TagRule::MoveFrom(expected) => now == Some(&expected),
        };
        if holds {
            return Ok(());
        }
        Err(Error::new(
            Code::ConditionFailed,
            format!("the tag `{tag}` is not where the request wants it to be"),
        ))
    }

    pub(super) fn delete_blob(&mut self, digest: &Digest) -> Result<()> {
        self.blob(digest)?;
        if self.manifests.values().any(|kept| kept.needs(digest)) {
            return Err(Error::new(
                Code::Denied,
                "a manifest of this repository needs the blob; delete that first",
            ));
        }
        self.blobs.remove(digest);
        Ok(())
    }

    pub(super) fn delete_manifest(&mut self, digest: &Digest, parents: Parents) -> Result<()> {
        self.manifest(&Reference::Digest(*digest))?;
        let listed = self.manifests.values().any(|kept| kept.lists(digest));
        if listed && parents == Parents::MustBeGone {
            return Err(Error::new(
                Code::Denied,
                "an index of this repository lists the manifest; delete that first",
            ));
        }
        self.manifests.remove(digest);
        self.tags.retain(|_, at| at != digest);
        Ok(())
    }

    pub(super) fn delete_tag(&mut self, tag: &Tag) -> Result<()> {
        match self.tags.remove(tag) {
            Some(_) => Ok(()),
            None => Err(Error::new(
                Code::ManifestUnknown,
                format!("there is no tag `{tag}` here"),
            )),
        }
    }
}

fn check_child(what: &str, child: &Descriptor, held: Option<usize>, must: bool) -> Result<()> {
    let Descriptor { digest, size, .. } = child;
    match held {
        Some(held) if held as u64 == *size => Ok(()),
        Some(held) => {
            let public =
                format!("the manifest says that {what} {digest} has {size} bytes; it has {held}");
            Err(Error::new(Code::SizeInvalid, public))
        }
        None if must => {
            let public =
                format!("the manifest refers to {what} {digest}, which is not in this repository");
            Err(Error::new(Code::ManifestBlobUnknown, public))
        }
        None => Ok(()),
    }
}
