//! Where bytes lie in a blob store.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use longshore_spec::{Algorithm, Digest};

/// Where bytes lie in a [`BlobStore`](crate::BlobStore): a relative path with `/` between its parts, or the key of an
/// object. A column of the blob's row, and never derived from the digest, so that two copies of the same content can
/// lie side by side and content that another registry wrote can stay where it is.
///
/// Never absolute, never empty, no part of it is empty, `.` or `..`, and it has no control characters; so it leads
/// nowhere outside of the store. It does not begin with `:` either, which is left to whoever keeps bytes elsewhere. Ordered as text, which is the order of [`walk`](crate::BlobStore::walk).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location(Arc<str>);

/// A text that is no [`Location`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the place of a blob: a relative path without empty parts, '.', '..', control characters and a ':' before all else is needed"
)]
pub struct LocationError;

impl Location {
    /// The longest location, in bytes: what S3 allows for a key.
    pub const MAX_BYTES: usize = 1024;

    /// The location as text, for the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digest that the name says, for rebuilding a database from the store: the last part is
    /// `<algorithm>-<hex>.<upload id>`, or in a tree of Distribution's the last are `<algorithm>/<xx>/<hex>/data`. `None` for
    /// bytes that are only staged, and for other names.
    pub fn digest(&self) -> Option<Digest> {
        self.own_digest().or_else(|| self.tree_digest())
    }

    fn tree_digest(&self) -> Option<Digest> {
        let mut parts = self.0.rsplit('/');
        let ("data", hex, first, algorithm) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?)
        else {
            return None;
        };
        hex.starts_with(first)
            .then(|| format!("{algorithm}:{hex}").parse().ok())?
    }

    fn own_digest(&self) -> Option<Digest> {
        let (stem, id) = self.name().split_once('.')?;
        let (algorithm, hex) = stem.split_once('-')?;
        let algorithm: Algorithm = algorithm.parse().ok()?;
        if id.is_empty() {
            return None;
        }
        format!("{algorithm}:{hex}").parse().ok()
    }

    /// What stands before the last `/`; empty when there is none.
    pub(crate) fn parent(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    /// What stands after the last `/`.
    pub(crate) fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// The location of something else in the same directory.
    pub(crate) fn sibling(&self, name: &str) -> Result<Self, LocationError> {
        match self.parent() {
            "" => name.parse(),
            parent => format!("{parent}/{name}").parse(),
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let part = |part: &str| !matches!(part, "" | "." | "..");
        if text.len() <= Self::MAX_BYTES
            && !text.starts_with(':')
            && text.split('/').all(part)
            && !text.chars().any(char::is_control)
        {
            Ok(Self(text.into()))
        } else {
            Err(LocationError)
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_lead_out_of_the_store_is_no_location() {
        for text in [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "a/./b",
            "..",
            "a/../b",
            "../a",
            "a\0b",
            "a\nb",
            ":7",
        ] {
            assert_eq!(text.parse::<Location>(), Err(LocationError), "{text:?}");
        }
        assert!("x".repeat(1025).parse::<Location>().is_err());
        for text in [
            "a",
            "a/b",
            "docker/registry/v2/blobs/sha256/ab/abcd/data",
            "..a/b..",
            "blobs/2026-11-21/10/x.part",
        ] {
            assert_eq!(text.parse::<Location>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn the_name_of_a_blob_says_its_digest_and_the_name_of_a_stage_says_none() {
        let digest = Digest::of(Algorithm::Sha512, b"x");
        let location: Location = format!("blobs/2026-11-21/10/sha512-{}.01", digest.hex())
            .parse()
            .unwrap();
        assert_eq!(location.digest(), Some(digest));
        assert_eq!(
            location.sibling("y").unwrap().as_str(),
            "blobs/2026-11-21/10/y"
        );
        let hex = Digest::of(Algorithm::Sha256, b"x").hex();
        let tree: Location = format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2])
            .parse()
            .unwrap();
        assert_eq!(tree.digest(), Some(Digest::of(Algorithm::Sha256, b"x")));
        for name in [
            format!("sha256/zz/{hex}/data"),
            format!("sha256/{}/{hex}/link", &hex[..2]),
            "01.part".to_owned(),
            hex.clone(),
            format!("sha256-{hex}"),
            format!("sha256-{hex}."),
            format!("md5-{hex}.1"),
        ] {
            assert_eq!(
                format!("blobs/{name}")
                    .parse::<Location>()
                    .unwrap()
                    .digest(),
                None,
                "{name}"
            );
        }
    }
}
