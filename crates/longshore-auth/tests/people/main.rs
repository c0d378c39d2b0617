//! People who are known elsewhere: real directories and providers, and hostile ones.
//!
//! Real ones are programs that the tests start. Where one is not installed its tests say so and pass, except where
//! `LONGSHORE_OUTSIDE=required` says that it must be there, as `cargo xtask test` does in CI.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod hostile;
mod ldap;
mod oidc;
mod outside;
mod provider;
mod slapd;
