//! The shapes inside a manifest: descriptors, platforms, annotations.
//!
//! Every function names the place it reads, so that an error says `layers[3].digest` and not just "digest".

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::{Object, Value};
use super::{FieldFault, Limits, ManifestError};
use crate::descriptor::{Annotations, Descriptor, Platform};
use crate::digest::Digest;
use crate::media::MediaType;

/// The longest URL in a descriptor, in bytes.
const URL_MAX_BYTES: usize = 8 * 1024;

/// The names a descriptor's readers look for.
const DESCRIPTOR_NAMES: [&str; 8] = [
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "data",
    "platform",
    "artifactType",
];

/// A place in a document: a name, inside a place, perhaps at an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'p> {
    outer: Option<&'p At<'p>>,
    name: &'p str,
    index: Option<usize>,
}

impl<'p> At<'p> {
    /// The member `name` of the document.
    pub(super) const fn top(name: &'p str) -> Self {
        Self {
            outer: None,
            name,
            index: None,
        }
    }

    /// The member `name` of this place.
    const fn member(&'p self, name: &'p str) -> Self {
        Self {
            outer: Some(self),
            name,
            index: None,
        }
    }

    /// The element `index` of the list at this place.
    const fn element(self, index: usize) -> Self {
        Self {
            index: Some(index),
            ..self
        }
    }

    /// The error that something is wrong here.
    pub(super) fn fault(&self, fault: FieldFault) -> ManifestError {
        ManifestError::Field {
            field: self.to_string().into(),
            fault,
        }
    }

    pub(super) fn expected(&self, what: &'static str) -> ManifestError {
        self.fault(FieldFault::Expected(what))
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        f.write_str(self.name)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// A required text.
pub(super) fn text<'v>(
    value: Option<&'v Value<'_>>,
    at: &At<'_>,
) -> Result<&'v str, ManifestError> {
    match value {
        Some(Value::Text(text)) => Ok(text),
        Some(_) => Err(at.expected("a string")),
        None => Err(at.fault(FieldFault::Missing)),
    }
}

/// A text that may be absent, `null` or empty, which all mean absent.
pub(super) fn optional_text<'v>(
    value: Option<&'v Value<'_>>,
    at: &At<'_>,
) -> Result<Option<&'v str>, ManifestError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        present => text(present, at).map(|text| (!text.is_empty()).then_some(text)),
    }
}

/// A list of descriptors, at most `most`. `null` is what Go writes for an empty list.
pub(super) fn descriptors(
    value: &Value<'_>,
    at: At<'_>,
    most: usize,
    limits: &Limits,
) -> Result<Vec<Descriptor>, ManifestError> {
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::List(list) => list,
        _ => return Err(at.expected("a list of descriptors")),
    };
    if list.len() > most {
        return Err(at.fault(FieldFault::TooMany { limit: most }));
    }
    list.iter()
        .enumerate()
        .map(|(index, value)| descriptor(value, &at.element(index), limits))
        .collect()
}

/// One descriptor, fully checked.
pub(super) fn descriptor(
    value: &Value<'_>,
    at: &At<'_>,
    limits: &Limits,
) -> Result<Descriptor, ManifestError> {
    let Value::Object(object) = value else {
        return Err(at.expected("a descriptor"));
    };
    if let Some(name) = object.lookalike(&DESCRIPTOR_NAMES) {
        return Err(at.member(name).fault(FieldFault::Lookalike));
    }
    let digest = digest(object.get("digest"), &at.member("digest"))?;
    let size = size(object.get("size"), &at.member("size"))?;
    let artifact_type = {
        let at = at.member("artifactType");
        optional_text(object.get("artifactType"), &at)?
            .map(|text| {
                text.parse()
                    .map_err(|error| at.fault(FieldFault::MediaType(error)))
            })
            .transpose()?
    };
    Ok(Descriptor {
        media_type: media_type(object.get("mediaType"), &at.member("mediaType"))?,
        digest,
        size,
        artifact_type,
        annotations: annotations(object.get("annotations"), &at.member("annotations"), limits)?,
        urls: urls(object.get("urls"), at.member("urls"))?,
        data: data(object.get("data"), &at.member("data"), &digest, size)?,
        platform: platform(object.get("platform"), &at.member("platform"))?,
    })
}

fn media_type(value: Option<&Value<'_>>, at: &At<'_>) -> Result<MediaType, ManifestError> {
    text(value, at)?
        .parse()
        .map_err(|error| at.fault(FieldFault::MediaType(error)))
}

fn digest(value: Option<&Value<'_>>, at: &At<'_>) -> Result<Digest, ManifestError> {
    text(value, at)?
        .parse()
        .map_err(|error| at.fault(FieldFault::Digest(error)))
}

fn size(value: Option<&Value<'_>>, at: &At<'_>) -> Result<u64, ManifestError> {
    match value {
        Some(Value::Int(size)) => {
            u64::try_from(*size).map_err(|_| at.expected("a number of bytes"))
        }
        Some(_) => Err(at.expected("a number of bytes")),
        None => Err(at.fault(FieldFault::Missing)),
    }
}

/// Annotations: an object of strings.
pub(super) fn annotations(
    value: Option<&Value<'_>>,
    at: &At<'_>,
    limits: &Limits,
) -> Result<Annotations, ManifestError> {
    let object = match value {
        None => return Ok(Annotations::new()),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(at.expected("an object of strings")),
    };
    if object.len() > limits.annotations {
        return Err(at.fault(FieldFault::TooMany {
            limit: limits.annotations,
        }));
    }
    object
        .iter()
        .map(|(name, value)| match value {
            Value::Text(text) => Ok((name.to_owned(), text.clone().into_owned())),
            _ => Err(at.expected("an object of strings")),
        })
        .collect()
}

fn urls(value: Option<&Value<'_>>, at: At<'_>) -> Result<Vec<String>, ManifestError> {
    strings(value, at)?
        .into_iter()
        .enumerate()
        .map(|(index, url)| {
            if is_web_url(&url) {
                Ok(url)
            } else {
                Err(at.element(index).expected("an http or https URL"))
            }
        })
        .collect()
}

/// An absolute `http` or `https` URL with a host, in characters that RFC 3986 knows.
fn is_web_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
        && !host.is_empty()
        && url.len() <= URL_MAX_BYTES
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

fn strings(value: Option<&Value<'_>>, at: At<'_>) -> Result<Vec<String>, ManifestError> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::List(list)) => list,
        Some(_) => return Err(at.expected("a list of strings")),
    };
    list.iter()
        .enumerate()
        .map(|(index, value)| text(Some(value), &at.element(index)).map(str::to_owned))
        .collect()
}

/// Embedded content, which must be what the descriptor says.
fn data(
    value: Option<&Value<'_>>,
    at: &At<'_>,
    digest: &Digest,
    size: u64,
) -> Result<Option<Vec<u8>>, ManifestError> {
    if let None | Some(Value::Null) = value {
        return Ok(None);
    }
    let data = STANDARD
        .decode(text(value, at)?)
        .map_err(|_| at.expected("base64"))?;
    if data.len() as u64 == size && Digest::of(digest.algorithm(), &data) == *digest {
        Ok(Some(data))
    } else {
        Err(at.fault(FieldFault::OtherContent))
    }
}

fn platform(value: Option<&Value<'_>>, at: &At<'_>) -> Result<Option<Platform>, ManifestError> {
    let object = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(at.expected("a platform")),
    };
    let field = |name| optional(object, at, name);
    Ok(Some(Platform {
        architecture: field("architecture")?.unwrap_or_default(),
        os: field("os")?.unwrap_or_default(),
        os_version: field("os.version")?,
        os_features: strings(object.get("os.features"), at.member("os.features"))?,
        variant: field("variant")?,
    }))
}

fn optional(object: &Object<'_>, at: &At<'_>, name: &str) -> Result<Option<String>, ManifestError> {
    Ok(optional_text(object.get(name), &at.member(name))?.map(str::to_owned))
}
