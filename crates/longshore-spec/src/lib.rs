//! The words of the OCI distribution and image specifications.
//!
//! This crate is the one place where text from outside becomes a repository name, a tag, a digest, a media type, a
//! request or a token scope; everything above it handles parsed values only. It is also the one place that reads
//! manifests, as a view on bytes that are stored and returned unchanged.
//!
//! Absent on purpose: input and output, a runtime, HTTP types. A server and a client can both stand on it.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

#[macro_use]
mod text;

pub mod descriptor;
pub mod digest;
#[doc(hidden)]
pub mod fuzzing;
pub mod host;
pub mod index;
pub mod manifest;
pub mod media;
pub mod name;
pub mod pattern;
pub mod range;
pub mod reference;
pub mod route;
pub mod scope;
pub mod upload;

pub use descriptor::{Annotations, Descriptor, Platform};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use host::Host;
pub use media::{ArtifactType, MediaType};
pub use name::{RepoName, Tag};
pub use pattern::{PatternError, RepoPattern, RepoPatterns, TagPattern, TagPatterns};
pub use range::{ByteRange, ContentRange};
pub use reference::{ImageReference, Reference};
pub use upload::UploadId;
