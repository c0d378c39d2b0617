//! What going through a repository gives, in parts.

use std::ops::ControlFlow;
use std::time::SystemTime;

use bytes::Bytes;
use longshore_spec::digest::Digest;
use longshore_spec::manifest::View;
use longshore_spec::name::Tag;

use super::finding::Finding;

/// A manifest to take over.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is and what it needs.
    pub view: View,
    /// Its digest; its bytes were hashed.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Bytes,
    /// How many levels of manifests lie below it, as far as they are taken over too.
    pub depth: u64,
    /// When it was pushed.
    pub pushed: SystemTime,
}

/// A blob that the repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// Whether its bytes were hashed now.
    pub verified: bool,
    /// When its bytes were written.
    pub written: SystemTime,
    /// When it was linked to the repository.
    pub linked: SystemTime,
}

/// A tag that points to a manifest that is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The tag.
    pub tag: Tag,
    /// What it points to.
    pub digest: Digest,
    /// When it was moved last.
    pub moved: SystemTime,
}

/// A part of what a repository has. Manifests come before the indexes that list them, and before all tags.
#[derive(Debug, Default)]
pub struct Batch {
    /// Manifests.
    pub manifests: Vec<Found>,
    /// Blobs.
    pub blobs: Vec<Held>,
    /// Tags.
    pub tags: Vec<Tagged>,
    /// Blobs whose bytes are not those of their digest, in whatever repository they are.
    pub damaged: Vec<Digest>,
    /// What cannot be taken over, and what is odd.
    pub findings: Vec<Finding>,
}

/// Where batches go; `Break` ends the survey.
pub type Sink<'a> = dyn FnMut(Batch) -> ControlFlow<()> + 'a;
