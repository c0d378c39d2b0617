//! The tree of a Distribution registry with the file system driver, version 2 of the layout.
//!
//! Below [`ROOT`] lie `blobs/<algorithm>/<first two digits>/<hex>/data`, layers and manifests alike, and
//! `repositories/<name>/` with links, which are small files that hold a digest: `_manifests/revisions/<algorithm>/<hex>/link`
//! for each manifest, `_manifests/tags/<tag>/current/link` for each tag, `_layers/<algorithm>/<hex>/link` for each blob that
//! the repository holds. `_uploads/` has what was being sent. A manifest or blob that was deleted leaves its directory without
//! the link.
//!
//! Source: distribution/distribution, `registry/storage/paths.go`, the same in 2.0 to 3.1.

mod batch;
mod blob;
mod finding;
mod links;
mod names;
mod needs;
mod order;
mod read;
mod survey;
mod tree;
mod work;
mod write;

pub use batch::{Batch, Found, Held, Sink, Tagged};
pub use blob::{Flaw, StoredBlob};
pub use finding::{Finding, Kind, Weight};
pub use names::Names;
pub use read::judge;
pub use survey::Survey;
pub use tree::{Tree, TreeError};
pub use write::{TreeWriteError, TreeWriter};

/// Where the tree begins, below the directory that Distribution calls `rootdirectory`.
pub const ROOT: &str = "docker/registry/v2";
