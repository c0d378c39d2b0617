//! References: how a manifest is asked for inside a repository, and how people write images.

use std::fmt;
use std::str::FromStr;

use crate::digest::{Digest, DigestError, is_algorithm};
use crate::host::{Host, HostError};
use crate::name::{NameError, RepoName, Tag, TagError};

/// What names a manifest inside its repository: a tag, which moves, or a digest, which does not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// Whatever manifest the tag points to now.
    Tag(Tag),
    /// Exactly this manifest.
    Digest(Digest),
}

/// Why a text is neither a tag nor a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not the shape of a digest, and not a tag either.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The shape of a digest (an algorithm's name before a colon), and no digest we could hold.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Reference {
    /// The tag, if this is one.
    pub fn tag(&self) -> Option<&Tag> {
        match self {
            Self::Tag(tag) => Some(tag),
            Self::Digest(_) => None,
        }
    }

    /// The digest, if this is one.
    pub fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Tag(_) => None,
            Self::Digest(digest) => Some(digest),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        // No tag has a colon, so a colon after an algorithm's name can only be meant as a digest. Anything else that
        // has one (`a@sha256:…`) is told what is wrong with it as a tag.
        match text.split_once(':') {
            Some((algorithm, _)) if is_algorithm(algorithm) => Ok(Self::Digest(text.parse()?)),
            _ => Ok(Self::Tag(text.parse()?)),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

impl From<Tag> for Reference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Reference {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

serde_as_text!(Reference, "a tag or a digest");

/// An image as people write it: `registry.example:5000/acme/app:1.2@sha256:…`.
///
/// Only the repository is required. What is absent stays absent: no default host, no `latest`, no `library/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    /// The registry; `None` when the first component does not look like a host by Docker's rule.
    pub host: Option<Host>,
    /// The repository in that registry.
    pub repo: RepoName,
    /// The tag after `:`.
    pub tag: Option<Tag>,
    /// The digest after `@`. With a tag beside it, the digest decides and the tag is a note to the reader.
    pub digest: Option<Digest>,
}

/// The part of an image reference that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageReferenceError {
    /// What stands before the first slash.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The repository.
    #[error(transparent)]
    Name(#[from] NameError),
    /// What stands after the last colon.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// What stands after `@`.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl ImageReference {
    /// What to ask the registry for: the digest if there is one, else the tag; `None` when the text named neither.
    pub fn reference(&self) -> Option<Reference> {
        match (self.digest, &self.tag) {
            (Some(digest), _) => Some(Reference::Digest(digest)),
            (None, Some(tag)) => Some(Reference::Tag(tag.clone())),
            (None, None) => None,
        }
    }
}

impl FromStr for ImageReference {
    type Err = ImageReferenceError;

    fn from_str(text: &str) -> Result<Self, ImageReferenceError> {
        let (text, digest) = match text.split_once('@') {
            Some((before, digest)) => (before, Some(digest.parse()?)),
            None => (text, None),
        };
        let (host, rest) = match text.split_once('/') {
            Some((first, rest)) if Host::is_meant(first) => (Some(first.parse()?), rest),
            _ => (None, text),
        };
        let (repo, tag) = match rest.split_once(':') {
            Some((repo, tag)) => (repo, Some(tag.parse()?)),
            None => (rest, None),
        };
        Ok(Self {
            host,
            repo: repo.parse()?,
            tag,
            digest,
        })
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(host) = &self.host {
            write!(f, "{host}/")?;
        }
        write!(f, "{}", self.repo)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

serde_as_text!(ImageReference, "an image reference");
