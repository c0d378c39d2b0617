//! People who are known elsewhere log in to a running server: real directories, as the tests of `longshore-auth` start them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod badmail;
#[expect(dead_code, reason = "these tests need a part of it")]
#[path = "../server/harness.rs"]
mod harness;
mod logins;
mod mail;
#[path = "../../../longshore-auth/tests/people/outside.rs"]
mod outside;
#[path = "../../../longshore-auth/tests/people/provider.rs"]
mod provider;
mod signin;
mod sink;
#[allow(dead_code, reason = "these tests need a part of it")]
#[path = "../../../longshore-auth/tests/people/slapd.rs"]
mod slapd;
