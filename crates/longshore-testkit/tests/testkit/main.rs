//! What others' tests stand on, tested itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod conformance;
mod model;
mod scripted;
mod wire;

/// The reference registry against the suite: the specification must meet its own sentences.
mod mem {
    use longshore_testkit::mem::Mem;

    longshore_testkit::suite!(async { Mem::new() });
}
