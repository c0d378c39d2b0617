//! What the tests of every other crate stand on.
//!
//! [`mem`] is the reference registry, [`mod@suite`] what every registry must do, [`model`] compares any registry with the
//! reference over random operations, [`conformance`] asks the distribution specification of a running server, point
//! by point, over [`wire`], a client that hides nothing. [`content`] makes what is pushed, [`faults`] breaks it on the
//! way. [`issuer`] is somebody to trust, [`telephone`] shows codes, [`provider`] the same on a port of its own, [`old_tree`] what another registry leaves. A dev-dependency everywhere: nothing here is part of the product.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "this crate is tests: a panic is how a test says no. The registry in `mem` does without"
)]

pub mod bad_input;
pub mod conformance;
pub mod content;
pub mod faults;
pub mod issuer;
pub mod mem;
pub mod model;
pub mod old_tree;
pub mod provider;
pub mod suite;
pub mod telephone;
pub mod wire;
