//! The use cases of the index.
//!
//! What is here so far: what is known of artifacts ([`artifact`]), finding repositories ([`search`]), the [`Clerk`] that keeps both
//! true behind the registry, and [`Pulls`]. Nothing of it is in the way of a push or a pull: the registry works the same when
//! all this is late. Absent on purpose: HTTP, and the store, which is a [`longshore_core::Registry`] here like any other.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod artifact;
mod clerk;
mod pulls;
pub mod search;

pub use clerk::{Clerk, ClerkOptions, stop_reading};
pub use pulls::Pulls;
pub use search::Search;
