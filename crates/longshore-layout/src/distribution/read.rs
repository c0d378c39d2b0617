//! What the bytes of a manifest in a tree are, where nothing but the bytes says so.

use longshore_spec::manifest::{Limits, ManifestError, View};
use longshore_spec::media::MediaType;

/// The longest manifest that is read, in bytes: four times what Distribution takes.
pub(super) const LONGEST: usize = 16 << 20;

/// What manifests of a tree may look like. Another registry took them, and they are to be pulled as before: the limits only
/// keep a broken file from taking all memory.
fn limits() -> Limits {
    Limits {
        bytes: LONGEST,
        depth: 256,
        values: 4_000_000,
        layers: 1_000_000,
        children: 1_000_000,
        annotations: 1_000_000,
        unknown_types: true,
    }
}

/// Reads a manifest as Distribution does: its `mediaType` decides, and without one the shape says whether it is an OCI index
/// or an OCI image.
///
/// # Errors
/// Why it is not taken.
pub fn judge(bytes: &[u8]) -> Result<View, ManifestError> {
    let limits = limits();
    match View::parse(bytes, None, &limits) {
        Err(ManifestError::TypeMissing) => {}
        read => return read,
    }
    match View::parse(bytes, Some(&MediaType::OCI_INDEX), &limits) {
        Err(ManifestError::Schema1) => Err(ManifestError::Schema1),
        Err(_) => View::parse(bytes, Some(&MediaType::OCI_MANIFEST), &limits),
        index => index,
    }
}

#[cfg(test)]
mod tests {
    use longshore_spec::digest::{Algorithm, Digest};

    use super::*;

    #[test]
    fn a_manifest_without_a_type_is_what_its_shape_says() {
        let digest = Digest::of(Algorithm::Sha256, b"x");
        let one = format!(r#"{{"mediaType":"text/plain","digest":"{digest}","size":1}}"#);
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{one}]}}"#);
        assert_eq!(
            judge(index.as_bytes()).unwrap().media_type,
            MediaType::OCI_INDEX
        );
        let image = format!(r#"{{"schemaVersion":2,"config":{one},"layers":[{one}]}}"#);
        assert_eq!(
            judge(image.as_bytes()).unwrap().media_type,
            MediaType::OCI_MANIFEST
        );
        let old = r#"{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[]}"#;
        assert_eq!(judge(old.as_bytes()), Err(ManifestError::Schema1));
        assert!(judge(b"").is_err());
        assert!(judge(b"{}").is_err());
    }

    #[test]
    fn a_manifest_of_an_unknown_type_is_taken() {
        let text = r#"{"mediaType":"application/vnd.acme.thing+json","schemaVersion":2}"#;
        assert_eq!(
            judge(text.as_bytes()).unwrap().media_type.as_str(),
            "application/vnd.acme.thing+json"
        );
    }
}
