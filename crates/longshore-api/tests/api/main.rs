//! The JSON API as programs see it: requests in, answers out, over a database and without a socket.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod certificates;
mod changes;
mod content;
mod credentials;
mod cursors;
mod document;
mod existence;
mod factors;
mod house;
mod keeping;
mod lists;
mod past;
mod refusals;
mod rights;
mod robots;
mod sessions;
mod setup;
mod what_if;
