//! Bytes at rest: the [`BlobStore`] trait, and [`Files`], the store on a local disk.
//!
//! A blob store holds bytes under [`Location`]s and knows nothing of who may see them; a row in the database says that a
//! blob exists, where it lies and how long it is. Bytes come in through a [`Stage`] (append, resume, publish) and are
//! immutable afterwards.
//!
//! Absent on purpose: repositories, rights, leases, SQL, HTTP. What is in a store and has no row is found by
//! [`BlobStore::walk`] and is nobody's.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

#[cfg(feature = "broken")]
pub mod broken;
mod files;
mod location;
mod stage;
mod store;

pub use files::{Files, FilesOptions, OpenError, arrivals};
pub use location::{Location, LocationError};
pub use stage::{Part, Stage};
pub use store::{BlobStore, Pace, Stored, Unpaced};
