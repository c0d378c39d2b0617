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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_reference_is_a_digest_when_an_algorithm_stands_before_a_colon() {
        assert!(matches!(DIGEST.parse(), Ok(Reference::Digest(_))));
        assert!(matches!("latest".parse(), Ok(Reference::Tag(_))));
        assert!(matches!("sha256-abc".parse(), Ok(Reference::Tag(_))));
        assert_eq!(
            "sha256:zz".parse::<Reference>(),
            Err(DigestError::Malformed.into())
        );
        assert_eq!(
            "md5:00".parse::<Reference>(),
            Err(DigestError::Unsupported.into())
        );
        assert_eq!(
            "foo+bar:abc".parse::<Reference>(),
            Err(DigestError::Unregistered.into())
        );
        assert_eq!(
            format!("tag@{DIGEST}").parse::<Reference>(),
            Err(TagError::Character.into())
        );
        assert_eq!("-bad".parse::<Reference>(), Err(TagError::Start.into()));
    }

    #[test]
    fn an_image_is_read_as_docker_writes_it() {
        let parts = |text: &str| {
            let image: ImageReference = text.parse().unwrap();
            assert_eq!(image.to_string(), text);
            (
                image.host.map(|host| host.to_string()),
                image.repo.to_string(),
                image.tag.map(|tag| tag.to_string()),
                image.digest.is_some(),
            )
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("alpine"), (None, "alpine".into(), None, false));
        assert_eq!(
            parts("acme/app:1"),
            (None, "acme/app".into(), some("1"), false)
        );
        assert_eq!(
            parts("localhost/app"),
            (some("localhost"), "app".into(), None, false)
        );
        assert_eq!(
            parts("r.example:5000/a/b:1"),
            (some("r.example:5000"), "a/b".into(), some("1"), false)
        );
        assert_eq!(
            parts(&format!("[::1]:5000/a:1@{DIGEST}")),
            (some("[::1]:5000"), "a".into(), some("1"), true)
        );
        assert_eq!(
            parts(&format!("acme/app@{DIGEST}")),
            (None, "acme/app".into(), None, true)
        );
    }

    #[test]
    fn the_digest_of_an_image_decides_over_its_tag() {
        let image: ImageReference = format!("app:1@{DIGEST}").parse().unwrap();
        assert_eq!(image.reference(), DIGEST.parse().ok());
        let image: ImageReference = "app:1".parse().unwrap();
        assert_eq!(image.reference(), "1".parse().ok());
        let image: ImageReference = "app".parse().unwrap();
        assert_eq!(image.reference(), None);
    }

    #[test]
    fn the_wrong_part_of_an_image_is_named() {
        use ImageReferenceError::{Digest, Host, Name, Tag};
        assert!(matches!(
            "r.example:/a".parse::<ImageReference>(),
            Err(Host(_))
        ));
        assert!(matches!("acme/App".parse::<ImageReference>(), Err(Name(_))));
        assert!(matches!("acme/app:".parse::<ImageReference>(), Err(Tag(_))));
        assert!(matches!(
            "acme/app@1".parse::<ImageReference>(),
            Err(Digest(_))
        ));
        assert!(matches!("".parse::<ImageReference>(), Err(Name(_))));
        assert!(matches!(
            "r.example/".parse::<ImageReference>(),
            Err(Name(_))
        ));
    }

    proptest! {
        #[test]
        fn a_reference_is_printed_as_it_was_read(text in "([a-zA-Z0-9.:-]{1,9}/)?[a-z0-9/]{0,9}(:[a-z0-9.]{0,5})?(@sha256:[0-9a-f]{64})?|\\PC{0,20}") {
            crate::fuzzing::references(text.as_bytes());
        }
    }
}
