//! What is taken as a manifest, what is not, and why.

mod bytes;
mod fields;
mod kinds;

use serde_json::{Value as Json, json};

use super::*;
use crate::digest::Algorithm;

fn digest(text: &str) -> String {
    Digest::of(Algorithm::Sha256, text.as_bytes()).to_string()
}

fn blob(media_type: &str, content: &str) -> Json {
    json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() })
}

/// An OCI image with a config and a layer.
fn image() -> Json {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("application/vnd.oci.image.config.v1+json", "config"),
        "layers": [blob("application/vnd.oci.image.layer.v1.tar+gzip", "layer")],
    })
}

/// An OCI index with one child.
fn index() -> Json {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [blob("application/vnd.oci.image.manifest.v1+json", "child")],
    })
}

/// `base` with `changes`, as `(JSON pointer's parent, member, value)`.
fn with(base: Json, changes: &[(&str, &str, Json)]) -> Json {
    let mut changed = base;
    for (at, name, value) in changes {
        changed.pointer_mut(at).unwrap()[name] = value.clone();
    }
    changed
}

fn without(base: Json, name: &str) -> Json {
    let mut changed = base;
    changed.as_object_mut().unwrap().remove(name);
    changed
}

fn parse(manifest: &Json) -> Result<View, ManifestError> {
    View::parse(manifest.to_string().as_bytes(), None, &Limits::default())
}

fn parse_as(manifest: &Json, content_type: &str) -> Result<View, ManifestError> {
    let content_type = content_type.parse().unwrap();
    View::parse(
        manifest.to_string().as_bytes(),
        Some(&content_type),
        &Limits::default(),
    )
}

/// The field and fault of an error about one field.
fn fault(manifest: &Json) -> (String, FieldFault) {
    match parse(manifest) {
        Err(ManifestError::Field { field, fault }) => (field.into(), fault),
        other => panic!("{manifest}: {other:?}"),
    }
}
