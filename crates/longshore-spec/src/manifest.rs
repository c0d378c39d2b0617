//! Views on manifest bytes: what a manifest is and what it points to.
//!
//! A registry stores and returns the bytes it was given; it never writes a manifest anew. [`View::parse`] reads them
//! once, refuses what two readers could understand differently, and keeps what a registry needs to know.
//! What needs more than the bytes (do the blobs exist?) is decided in the store.

mod json;
mod read;
#[cfg(test)]
mod tests;

use crate::descriptor::{Annotations, Descriptor};
use crate::digest::{Digest, DigestError};
use crate::media::{ArtifactType, Kind, MediaType, MediaTypeError};

use json::{Object, Value};
use read::At;

/// How much a manifest may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The manifest's length, in bytes.
    pub bytes: usize,
    /// How deep objects and lists may be nested.
    pub depth: usize,
    /// JSON values in all.
    pub values: usize,
    /// Layers of an image.
    pub layers: usize,
    /// Manifests of an index.
    pub children: usize,
    /// Annotations of one object.
    pub annotations: usize,
    /// Whether manifests of a media type that is neither OCI's nor Docker's are taken.
    pub unknown_types: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 4 * 1024 * 1024,
            depth: 64,
            values: 200_000,
            layers: 10_000,
            children: 10_000,
            annotations: 4_096,
            unknown_types: false,
        }
    }
}

/// Why bytes are not taken as a manifest. All are 400 `MANIFEST_INVALID` on the wire but `TooLarge`, a 413.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// More bytes than [`Limits::bytes`].
    #[error("a manifest has at most {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// No JSON, or text that is no Unicode.
    #[error("the manifest is not valid JSON in UTF-8 (line {line}, column {column})")]
    Json {
        /// Where, from 1.
        line: usize,
        /// Where in the line, from 1; 0 when the line had not begun.
        column: usize,
    },
    /// More nesting than [`Limits::depth`].
    #[error("a manifest nests at most {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// More JSON values than [`Limits::values`].
    #[error("a manifest has at most {limit} JSON values")]
    TooManyValues {
        /// The limit.
        limit: usize,
    },
    /// An object with two members of one name.
    #[error("the name {name:?} stands twice in one object")]
    DuplicateName {
        /// The name, or its first 64 characters.
        name: Box<str>,
    },
    /// JSON, and not an object.
    #[error("a manifest is a JSON object")]
    NotAnObject,
    /// Neither `Content-Type` nor `mediaType` says what this is.
    #[error(
        "the manifest's type is missing: send it as Content-Type, and as mediaType in the manifest"
    )]
    TypeMissing,
    /// `Content-Type` and `mediaType` disagree.
    #[error("the Content-Type is {header}, the manifest's mediaType is {body}")]
    TypesDiffer {
        /// The header, without parameters.
        header: MediaType,
        /// The field.
        body: MediaType,
    },
    /// A Docker manifest of schema 1.
    #[error(
        "manifests of schema 1 are not supported: push the image with a newer client, as schema 2 or OCI"
    )]
    Schema1,
    /// A media type that is not taken here.
    #[error("manifests of type {0} are not accepted by this registry")]
    UnknownType(MediaType),
    /// The fields of another kind of manifest: whoever trusts the type and whoever trusts the fields would see two
    /// different contents (CVE-2021-41190).
    #[error("{field} does not belong into a manifest of this type")]
    Confused {
        /// The field.
        field: &'static str,
    },
    /// Something is wrong with one field.
    #[error("{field}: {fault}")]
    Field {
        /// Where, as in `layers[3].digest`.
        field: Box<str>,
        /// What.
        fault: FieldFault,
    },
}

/// What is wrong with a field of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// It is required and absent.
    #[error("is missing")]
    Missing,
    /// It is something else.
    #[error("is not {0}")]
    Expected(&'static str),
    /// It is no digest that content here could have.
    #[error(transparent)]
    Digest(DigestError),
    /// It is no media type.
    #[error(transparent)]
    MediaType(MediaTypeError),
    /// It is a list or object that is too long.
    #[error("has more than {limit} entries")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// It is embedded content that has not the size or the digest beside it.
    #[error("is not the content that digest and size describe")]
    OtherContent,
    /// It is spelled in other letter case than the specification's, which some readers take for the same.
    #[error("is spelled in the wrong letter case")]
    Lookalike,
}

/// What a registry knows of a manifest. Source: image-spec v1.1, "Image Manifest" and "Image Index"; Docker's
/// "Image Manifest Version 2, Schema 2" has the same shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The manifest's type, without parameters: how it is stored and served.
    pub media_type: MediaType,
    /// What the type means: an image, an index, or something else that was let in.
    pub kind: Kind,
    /// The config; always there in an image, never in an index.
    pub config: Option<Descriptor>,
    /// The layers of an image (also the `blobs` of other manifests), in order, repeated as written.
    pub layers: Vec<Descriptor>,
    /// The manifests of an index, in order, repeated as written.
    pub children: Vec<Descriptor>,
    /// The manifest that this one is about; it need not exist.
    pub subject: Option<Descriptor>,
    /// The manifest's annotations.
    pub annotations: Annotations,
    /// `artifactType` as written, if not empty. See [`View::artifact_type`].
    declared_type: Option<ArtifactType>,
}

/// The names of a manifest that a reader of any kind looks for.
const NAMES: [&str; 11] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "blobs",
    "manifests",
    "subject",
    "annotations",
    "fsLayers",
    "signatures",
];

impl View {
    /// Reads a manifest. `content_type` is the request's header, with or without parameters; without one, the
    /// manifest's `mediaType` decides.
    ///
    /// # Errors
    /// The first reason not to take it. Takes time and memory proportional to `limits`, whatever the bytes are.
    pub fn parse(
        bytes: &[u8],
        content_type: Option<&MediaType>,
        limits: &Limits,
    ) -> Result<Self, ManifestError> {
        if bytes.len() > limits.bytes {
            return Err(ManifestError::TooLarge {
                limit: limits.bytes,
            });
        }
        // By the header alone: what schema 1 calls a manifest is not always JSON that the rest would read.
        if content_type.is_some_and(|header| header.kind() == Kind::Schema1) {
            return Err(ManifestError::Schema1);
        }
        let Value::Object(object) = json::parse(bytes, limits)? else {
            return Err(ManifestError::NotAnObject);
        };
        if let Some(name) = object.lookalike(&NAMES) {
            return Err(At::top(name).fault(FieldFault::Lookalike));
        }
        let media_type = media_type(&object, content_type)?;
        let kind = media_type.kind();
        check_shape(&object, kind)?;
        if kind == Kind::Other && !limits.unknown_types {
            return Err(ManifestError::UnknownType(media_type));
        }
        Self::read(&object, media_type, kind, limits)
    }

    fn read(
        object: &Object<'_>,
        media_type: MediaType,
        kind: Kind,
        limits: &Limits,
    ) -> Result<Self, ManifestError> {
        let one = |name: &'static str| match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read::descriptor(value, &At::top(name), limits).map(Some),
        };
        let many = |name: &'static str, most| match object.get(name) {
            None => Ok(None),
            Some(value) => read::descriptors(value, At::top(name), most, limits).map(Some),
        };
        let config = one("config")?;
        let layers = many("layers", limits.layers)?;
        let children = many("manifests", limits.children)?;
        let missing = |name| At::top(name).fault(FieldFault::Missing);
        match kind {
            Kind::Image if config.is_none() => return Err(missing("config")),
            Kind::Image if layers.is_none() => return Err(missing("layers")),
            Kind::Index if children.is_none() => return Err(missing("manifests")),
            _ => {}
        }
        let mut layers = layers.unwrap_or_default();
        if kind == Kind::Other {
            // Such as OCI's short-lived artifact manifest. What is let in keeps what it points to.
            layers.extend(many("blobs", limits.layers)?.unwrap_or_default());
        }
        let at = At::top("artifactType");
        let declared_type = read::optional_text(object.get("artifactType"), &at)?
            .map(|text| {
                text.parse()
                    .map_err(|error| at.fault(FieldFault::MediaType(error)))
            })
            .transpose()?;
        Ok(Self {
            media_type,
            kind,
            config,
            layers,
            children: children.unwrap_or_default(),
            subject: one("subject")?,
            annotations: read::annotations(
                object.get("annotations"),
                &At::top("annotations"),
                limits,
            )?,
            declared_type,
        })
    }

    /// What the artifact is: `artifactType`, or else, for an image, the type of its config.
    /// Source: distribution-spec v1.1.1, "Listing Referrers".
    pub fn artifact_type(&self) -> Option<ArtifactType> {
        self.declared_type
            .clone()
            .or_else(|| Some(ArtifactType::from(&self.config.as_ref()?.media_type)))
    }

    /// The descriptor by which this manifest, of this digest and `size` in bytes, is listed among the referrers of
    /// its subject.
    pub fn referrer_descriptor(&self, digest: Digest, size: u64) -> Descriptor {
        Descriptor {
            artifact_type: self.artifact_type(),
            annotations: self.annotations.clone(),
            ..Descriptor::new(self.media_type.clone(), digest, size)
        }
    }

    /// The blobs this manifest points to: its config, then its layers, in order.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(&self.layers)
    }
}

/// The manifest's type: the header's and the field's, which must agree.
fn media_type(
    object: &Object<'_>,
    content_type: Option<&MediaType>,
) -> Result<MediaType, ManifestError> {
    let at = At::top("mediaType");
    let body = read::optional_text(object.get("mediaType"), &at)?
        .map(|text| {
            text.parse::<MediaType>()
                .map_err(|error| at.fault(FieldFault::MediaType(error)))
        })
        .transpose()?;
    if body
        .as_ref()
        .is_some_and(|body| body.kind() == Kind::Schema1)
    {
        return Err(ManifestError::Schema1);
    }
    match (content_type.map(MediaType::without_params), body) {
        (Some(header), Some(body)) if header != body => {
            Err(ManifestError::TypesDiffer { header, body })
        }
        (Some(media_type), _) | (None, Some(media_type)) => Ok(media_type),
        (None, None) => Err(ManifestError::TypeMissing),
    }
}

/// Refuses what has the fields of another kind, and versions that are not 2.
fn check_shape(object: &Object<'_>, kind: Kind) -> Result<(), ManifestError> {
    let has = |name: &str| object.get(name).is_some();
    let version = object.get("schemaVersion");
    if has("fsLayers") && matches!(version, None | Some(Value::Int(1))) {
        return Err(ManifestError::Schema1);
    }
    let foreign: &[&'static str] = match kind {
        Kind::Image => &["manifests", "fsLayers"],
        Kind::Index => &["layers", "config", "fsLayers"],
        // An unknown type has no shape of its own, but it cannot be an image and an index.
        Kind::Other | Kind::Schema1 if has("manifests") => &["layers", "fsLayers"],
        Kind::Other | Kind::Schema1 => &["fsLayers"],
    };
    if let Some(&field) = foreign.iter().find(|name| has(name)) {
        return Err(ManifestError::Confused { field });
    }
    match version {
        Some(Value::Int(2)) => Ok(()),
        None if kind == Kind::Other => Ok(()),
        None => Err(At::top("schemaVersion").fault(FieldFault::Missing)),
        Some(_) => Err(At::top("schemaVersion").expected("the number 2")),
    }
}
