//! OCI image layouts: a directory of blobs by digest, and an `index.json` that names the images among them.
//!
//! Source: image-spec v1.1, "Image Layout".

mod read;
mod write;

pub use read::{Layout, LayoutError};
pub use write::LayoutWriter;

use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;

/// The annotation in `index.json` by which an image is called.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What `oci-layout` says.
const VERSION: &str = "1.0.0";
const MARK: &str = "oci-layout";
const INDEX: &str = "index.json";

/// Where a blob lies in a layout.
fn blob_at(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

/// What an image is called in a layout.
pub fn ref_name(image: &Descriptor) -> Option<&str> {
    image.annotations.get(REF_NAME).map(String::as_str)
}
