//! Image indexes: the one that answers a referrers request, and the child that stands for a list.

use serde::Serialize;

use crate::descriptor::Descriptor;
use crate::manifest::View;
use crate::media::{Kind, MediaType};

/// An image index to be written: the body of a referrers response. Source: distribution-spec v1.1.1, "Listing
/// Referrers"; image-spec v1.1, "Image Index".
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageIndex<'a> {
    schema_version: u8,
    media_type: MediaType,
    manifests: &'a [Descriptor],
}

impl<'a> ImageIndex<'a> {
    /// An index of these manifests, which may be none.
    pub const fn new(manifests: &'a [Descriptor]) -> Self {
        Self {
            schema_version: 2,
            media_type: MediaType::OCI_INDEX,
            manifests,
        }
    }
}

/// The child that is given to a client which asks for a tag and cannot read lists: the first image for Linux on
/// amd64, as Docker's registry has always done. `None` if `view` is no index or has no such child.
pub fn fallback_child(view: &View) -> Option<&Descriptor> {
    if view.kind != Kind::Index {
        return None;
    }
    choose(&view.children, "linux", "amd64")
}

/// The first image among `children` for this operating system and processor.
pub fn choose<'a>(
    children: &'a [Descriptor],
    os: &str,
    architecture: &str,
) -> Option<&'a Descriptor> {
    children.iter().find(|child| {
        child.media_type.kind() == Kind::Image
            && child
                .platform
                .as_ref()
                .is_some_and(|platform| platform.os == os && platform.architecture == architecture)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::Platform;
    use crate::digest::{Algorithm, Digest};
    use crate::manifest::Limits;

    fn child(media_type: MediaType, os: &str, architecture: &str) -> Descriptor {
        let platform = Platform {
            os: os.to_owned(),
            architecture: architecture.to_owned(),
            ..Platform::default()
        };
        let digest = Digest::of(Algorithm::Sha256, format!("{os}/{architecture}").as_bytes());
        Descriptor {
            platform: Some(platform),
            ..Descriptor::new(media_type, digest, 5)
        }
    }

    fn view(children: &[Descriptor]) -> View {
        let bytes = serde_json::to_vec(&ImageIndex::new(children)).unwrap();
        View::parse(&bytes, None, &Limits::default()).unwrap()
    }

    #[test]
    fn an_index_that_was_written_is_read_as_one() {
        let children = [child(MediaType::OCI_MANIFEST, "linux", "arm64")];
        assert_eq!(view(&children).children, children);
        assert_eq!(
            serde_json::to_string(&ImageIndex::new(&[])).unwrap(),
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        );
    }

    #[test]
    fn linux_on_amd64_stands_for_a_list() {
        let arm = child(MediaType::OCI_MANIFEST, "linux", "arm64");
        let windows = child(MediaType::OCI_MANIFEST, "windows", "amd64");
        let nested = child(MediaType::OCI_INDEX, "linux", "amd64");
        let amd = child(MediaType::DOCKER_MANIFEST, "linux", "amd64");
        let bare = Descriptor {
            platform: None,
            ..arm.clone()
        };
        let all = view(&[bare.clone(), arm.clone(), windows, nested, amd.clone()]);
        assert_eq!(fallback_child(&all), Some(&amd));
        assert_eq!(choose(&all.children, "linux", "arm64"), Some(&arm));
        assert_eq!(fallback_child(&view(&[bare, arm])), None);
        assert_eq!(fallback_child(&view(&[])), None);
    }
}
