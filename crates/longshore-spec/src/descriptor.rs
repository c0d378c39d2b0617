//! Descriptors: how one piece of content points to another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::media::{ArtifactType, MediaType};

/// Names with values that someone attached to content; both are free text, also control characters and markup.
pub type Annotations = BTreeMap<String, String>;

/// A pointer to content: its type, digest and size, and what is told about it.
///
/// As JSON it has the specification's field names and leaves empty fields out.
/// Source: image-spec v1.1, "OCI Content Descriptors".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: MediaType,
    /// What the content is called.
    pub digest: Digest,
    /// The content's length, in bytes; at most `i64::MAX`, as in the specification.
    pub size: u64,
    /// What the artifact is, if the content is a manifest that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<ArtifactType>,
    /// The annotations; for a referrer those of its manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
    /// Places to get the content from; `http` or `https`, never fetched by a registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The content itself, for small content.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_text")]
    pub data: Option<Vec<u8>>,
    /// What the image runs on, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl Descriptor {
    /// A descriptor with the three required fields alone. `size` counts bytes.
    pub const fn new(media_type: MediaType, digest: Digest, size: u64) -> Self {
        Self {
            media_type,
            digest,
            size,
            artifact_type: None,
            annotations: BTreeMap::new(),
            urls: Vec::new(),
            data: None,
            platform: None,
        }
    }

    /// Whether a registry that accepts a manifest with this descriptor must hold the content: everything but layers
    /// whose type says that they are not distributed.
    pub fn must_exist(&self) -> bool {
        !self.media_type.is_foreign_layer()
    }
}

/// What an image runs on. Source: image-spec v1.1, "Image Index".
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// The processor in Go's words: `amd64`, `arm64`. Empty if it was left away.
    #[serde(default)]
    pub architecture: String,
    /// The operating system in Go's words: `linux`, `windows`. Empty if it was left away.
    #[serde(default)]
    pub os: String,
    /// The operating system's version, for Windows.
    #[serde(
        default,
        rename = "os.version",
        skip_serializing_if = "Option::is_none"
    )]
    pub os_version: Option<String>,
    /// What the operating system must offer, for Windows.
    #[serde(default, rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
    /// The processor's variant, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// `data` as standard base64 with padding, which is how the specification embeds it.
mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde's `with` calls")]
    pub(super) fn serialize<S: Serializer>(
        data: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match data {
            Some(bytes) => {
                serializer.collect_str(&base64::display::Base64Display::new(bytes, &STANDARD))
            }
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|text| {
            STANDARD
                .decode(text.as_ref())
                .map_err(serde::de::Error::custom)
        })
        .transpose()
    }
}
