//! Registries made from other registries.
//!
//! A layer is a [`longshore_core::Registry`] around another one. Whatever only judges or watches calls is a [`Gate`],
//! and [`Gated`] is the one file that spells the trait's 19 methods out for all of them: rights, read-only mode,
//! "deletion disabled", counting. Absent on purpose: anything that decides by looking at the registry first. Such rules
//! are arguments of the trait, and the store decides them where it is atomic.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod gate;
pub mod meter;
pub mod names;
pub mod prune;
pub mod readonly;
pub mod rights;

pub use gate::{Behind, Gate, Gated, Outcome};
pub use meter::Meter;
pub use names::Names;
pub use prune::NoDeletes;
pub use readonly::ReadOnly;
pub use rights::RightsGate;
