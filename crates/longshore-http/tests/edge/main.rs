//! The edge, asked as clients ask it, over the reference registry.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod anew;
mod bad_input;
mod device;
mod device_page;
mod h2;
mod held_off;
mod house;
mod index;
mod issued;
mod keyless;
mod lacks;
mod limited;
mod limits;
mod lists;
mod located;
mod logins;
mod observed;
mod pull;
mod random;
mod revoked;
mod rights;
mod search;
mod second_factor;
mod seen;
mod sessions;
mod socket;
mod token_service;
mod tokens;
mod uploads;
mod wire;
