//! Media types of manifests and of what they point to.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// A media type such as `application/vnd.oci.image.manifest.v1+json`, with parameters if it was written with any.
///
/// The types every registry sees are constants and cost nothing to clone; any other is shared. Compared by bytes, as
/// written. Source: RFC 6838, section 4.2.
#[derive(Clone)]
pub struct MediaType(Text);

#[derive(Clone)]
enum Text {
    Known(&'static str),
    Other(Arc<str>),
}

/// The rule that a text breaks as a media type or artifact type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MediaTypeError {
    /// There is no text at all.
    #[error("a media type must not be empty")]
    Empty,
    /// More than [`MediaType::MAX_BYTES`] bytes.
    #[error("a media type has at most {} characters", MediaType::MAX_BYTES)]
    TooLong,
    /// Not `type/subtype` in the characters of RFC 6838.
    #[error("a media type is written type/subtype, in letters, digits and !#$&-^_.+")]
    Grammar,
}

/// What a registry does with a manifest of some media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A config and layers: an OCI image manifest or a Docker manifest, schema 2.
    Image,
    /// A list of manifests: an OCI image index or a Docker manifest list.
    Index,
    /// A Docker manifest, schema 1: signed inside itself, refused everywhere.
    Schema1,
    /// Anything else, also what is no manifest at all.
    Other,
}

macro_rules! known {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl MediaType {
            $($(#[$doc])* pub const $name: Self = Self(Text::Known($text));)*

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

known! {
    /// The OCI image manifest.
    OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
    /// The OCI image index.
    OCI_INDEX = "application/vnd.oci.image.index.v1+json";
    /// The OCI image config.
    OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
    /// The OCI empty descriptor, `{}`.
    OCI_EMPTY = "application/vnd.oci.empty.v1+json";
    /// An OCI layer, not compressed.
    OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";
    /// An OCI layer, gzip.
    OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
    /// An OCI layer, zstd.
    OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
    /// An OCI layer that is not distributed (deprecated), not compressed.
    OCI_FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar";
    /// An OCI layer that is not distributed (deprecated), gzip.
    OCI_FOREIGN_LAYER_GZIP = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
    /// An OCI layer that is not distributed (deprecated), zstd.
    OCI_FOREIGN_LAYER_ZSTD = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
    /// The Docker manifest, schema 2.
    DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
    /// The Docker manifest list.
    DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// The Docker image config.
    DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
    /// A Docker layer, gzip.
    DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    /// A Docker layer that is not distributed, gzip.
    DOCKER_FOREIGN_LAYER_GZIP = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    /// The Docker manifest, schema 1, not signed.
    DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json";
    /// The Docker manifest, schema 1, signed.
    DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    /// Bytes of no stated kind: how blobs are served.
    OCTET_STREAM = "application/octet-stream";
    /// JSON of no stated kind.
    JSON = "application/json";
}

impl MediaType {
    /// The longest media type, in bytes: two names of 127 as RFC 6838 has them and the slash.
    pub const MAX_BYTES: usize = 255;

    /// The media type as written.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Known(text) => text,
            Text::Other(text) => text,
        }
    }

    /// Type and subtype alone: what stands before the first `;`.
    pub fn essence(&self) -> &str {
        let text = self.as_str();
        text.split_once(';')
            .map_or(text, |(essence, _)| essence.trim_end_matches(' '))
    }

    /// The same type without parameters, as registries store and send it.
    #[must_use]
    pub fn without_params(&self) -> Self {
        let essence = self.essence();
        if essence.len() == self.as_str().len() {
            return self.clone();
        }
        Self::known(essence).unwrap_or_else(|| Self(Text::Other(essence.into())))
    }

    /// What a registry does with a manifest of this type; parameters do not matter.
    pub fn kind(&self) -> Kind {
        let essence = self.essence();
        let is = |known: &Self| known.as_str() == essence;
        if is(&Self::OCI_MANIFEST) || is(&Self::DOCKER_MANIFEST) {
            Kind::Image
        } else if is(&Self::OCI_INDEX) || is(&Self::DOCKER_LIST) {
            Kind::Index
        } else if is(&Self::DOCKER_SCHEMA1) || is(&Self::DOCKER_SCHEMA1_SIGNED) {
            Kind::Schema1
        } else {
            Kind::Other
        }
    }

    /// Whether content of this type is said to live elsewhere ("foreign", "non-distributable"), so that a registry
    /// need not hold it.
    pub fn is_foreign_layer(&self) -> bool {
        let essence = self.essence();
        [
            &Self::OCI_FOREIGN_LAYER,
            &Self::OCI_FOREIGN_LAYER_GZIP,
            &Self::OCI_FOREIGN_LAYER_ZSTD,
            &Self::DOCKER_FOREIGN_LAYER_GZIP,
        ]
        .into_iter()
        .any(|known| known.as_str() == essence)
    }
}

impl FromStr for MediaType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        if let Some(known) = Self::known(text) {
            return Ok(known);
        }
        check_length(text)?;
        let (essence, params) = match text.split_once(';') {
            Some((essence, params)) => (essence.trim_end_matches(' '), params),
            None => (text, ""),
        };
        let (kind, subtype) = essence.split_once('/').ok_or(MediaTypeError::Grammar)?;
        if !is_restricted_name(kind)
            || !is_restricted_name(subtype)
            || !params.bytes().all(is_printable)
        {
            return Err(MediaTypeError::Grammar);
        }
        Ok(Self(Text::Other(text.into())))
    }
}

fn check_length(text: &str) -> Result<(), MediaTypeError> {
    if text.is_empty() {
        return Err(MediaTypeError::Empty);
    }
    if text.len() > MediaType::MAX_BYTES {
        return Err(MediaTypeError::TooLong);
    }
    Ok(())
}

/// `restricted-name` of RFC 6838, section 4.2.
fn is_restricted_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    name.len() <= 127
        && name
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(allowed)
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

impl PartialEq for MediaType {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for MediaType {}

impl PartialOrd for MediaType {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for MediaType {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for MediaType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaType({})", self.as_str())
    }
}

serde_as_text!(MediaType, "a media type");

/// What an artifact is, as its manifest says: `artifactType`, or else the type of its config.
///
/// Any line of printable ASCII up to 255 characters: registries must not refuse types they do not know, and artifacts
/// in the wild carry words that are no media types.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactType(Arc<str>);

impl ArtifactType {
    /// The type as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ArtifactType {
    type Err = MediaTypeError;

    fn from_str(text: &str) -> Result<Self, MediaTypeError> {
        check_length(text)?;
        if !text.bytes().all(is_printable) {
            return Err(MediaTypeError::Grammar);
        }
        Ok(Self(text.into()))
    }
}

impl From<&MediaType> for ArtifactType {
    fn from(media_type: &MediaType) -> Self {
        Self(media_type.as_str().into())
    }
}

impl fmt::Display for ArtifactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ArtifactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ArtifactType({})", &self.0)
    }
}

serde_as_text!(ArtifactType, "an artifact type");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_type_is_known_with_parameters_or_without() {
        let plain: MediaType = "application/vnd.oci.image.index.v1+json".parse().unwrap();
        assert_eq!(plain, MediaType::OCI_INDEX);
        let with: MediaType = "application/vnd.oci.image.index.v1+json ; charset=utf-8"
            .parse()
            .unwrap();
        assert_ne!(with, MediaType::OCI_INDEX);
        assert_eq!(with.without_params(), MediaType::OCI_INDEX);
        assert_eq!(with.kind(), Kind::Index);
        let other: MediaType = "application/vnd.foo+json;a=b;c".parse().unwrap();
        assert_eq!(other.without_params().as_str(), "application/vnd.foo+json");
    }

    #[test]
    fn every_manifest_type_has_its_kind() {
        for (media_type, kind) in [
            (MediaType::OCI_MANIFEST, Kind::Image),
            (MediaType::DOCKER_MANIFEST, Kind::Image),
            (MediaType::OCI_INDEX, Kind::Index),
            (MediaType::DOCKER_LIST, Kind::Index),
            (MediaType::DOCKER_SCHEMA1, Kind::Schema1),
            (MediaType::DOCKER_SCHEMA1_SIGNED, Kind::Schema1),
            (MediaType::JSON, Kind::Other),
            (MediaType::OCI_CONFIG, Kind::Other),
        ] {
            assert_eq!(media_type.kind(), kind, "{media_type}");
        }
    }

    #[test]
    fn what_is_no_media_type_is_refused() {
        let too_long = format!("a/{}", "b".repeat(254));
        let long_name = format!("a/{}", "b".repeat(128));
        for (text, error) in [
            ("", MediaTypeError::Empty),
            (too_long.as_str(), MediaTypeError::TooLong),
            (&long_name, MediaTypeError::Grammar),
            ("text", MediaTypeError::Grammar),
            ("/", MediaTypeError::Grammar),
            ("a/", MediaTypeError::Grammar),
            ("/b", MediaTypeError::Grammar),
            ("*/*", MediaTypeError::Grammar),
            ("a/b/c", MediaTypeError::Grammar),
            ("a/b c", MediaTypeError::Grammar),
            ("+a/b", MediaTypeError::Grammar),
            ("a/b;x=\r\n", MediaTypeError::Grammar),
            ("a/b\t;x=y", MediaTypeError::Grammar),
            ("a/<script>", MediaTypeError::Grammar),
        ] {
            assert_eq!(text.parse::<MediaType>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn an_artifact_type_may_be_any_line_of_text() {
        assert!("signature".parse::<ArtifactType>().is_ok());
        assert!("application/x; a=\"b c\"".parse::<ArtifactType>().is_ok());
        assert_eq!("a\nb".parse::<ArtifactType>(), Err(MediaTypeError::Grammar));
        assert_eq!("".parse::<ArtifactType>(), Err(MediaTypeError::Empty));
    }

    proptest! {
        #[test]
        fn a_media_type_is_printed_as_it_was_read(text in "[a-zA-Z0-9!#$&^_.+-]{0,9}/[a-zA-Z0-9!#$&^_.+-]{0,9}( ?;[ -~]{0,9})?|\\PC{0,9}") {
            crate::fuzzing::media(text.as_bytes());
        }
    }
}
