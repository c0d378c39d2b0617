//! The one idea of Longshore: everything that can hold images is a [`Registry`], and a `Registry` is the only thing the
//! protocol server can serve.
//!
//! This crate has the trait, the context of a call ([`Cx`]), an operation as a value ([`Op`]), the one error type
//! ([`Error`]) with the only table from meaning to wire, the stream of bytes that bodies are ([`ByteStream`]), the port of
//! search ([`Finder`]), and that of collection ([`Collector`]).
//! Absent on purpose: HTTP, SQL, files, clocks. Time enters through [`Cx::now`].
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod body;
#[cfg(feature = "broken")]
pub mod broken;
pub mod cx;
pub mod error;
pub mod finder;
pub mod limit;
pub mod op;
pub mod past;
pub mod reach;
pub mod registry;
pub mod room;

pub use body::ByteStream;
pub use cx::{Actor, Cx, Grant, On, Origin, Rights, Verb, Verbs, Way};
pub use error::{Code, Error, Result};
pub use finder::{Find, Finder, Finds, Seek};
pub use limit::{Named, TagLimit};
pub use op::Op;
pub use past::Collector;
pub use reach::Reach;
pub use registry::{
    Blob, BlobInfo, Children, Chunk, Expect, Listing, Manifest, ManifestPush, Parents, Pushed,
    Registry, SignedUrl, TagRule, Upload, Window,
};
pub use room::Room;
