//! Who is asking: from the `Authorization` header of a request to an [`Actor`](longshore_core::Actor) and its
//! [`Rights`](longshore_core::Rights).
//!
//! An edge makes one [`Authenticator`] at start, asks it to [`identify`](Authenticator::identify) each request, and
//! puts the answer into the context it hands on. There are four kinds: nobody is asked; Basic credentials against an
//! htpasswd file; Bearer tokens of an outside token server; an [`index`] in this process. All of them fail closed, and
//! all of them bound the work that a stranger can cause.
//!
//! Absent on purpose: HTTP types (header values come in as bytes, challenges go out as text), the use cases that make
//! and change accounts, and clocks. The time of a request is an argument; what is remembered here ages by that time.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod age;
mod authenticator;
mod beside;
pub mod certificate;
mod challenge;
mod checked;
pub mod directory;
pub mod failures;
#[doc(hidden)]
pub mod fuzzing;
mod hashing;
mod header;
mod htpasswd;
mod identity;
pub mod index;
pub mod issuer;
mod options;
mod outbound;
pub mod pace;
pub mod provider;
pub mod rights;
mod seat;
mod throttle;
mod token;
pub mod totp;
mod watched;

pub use authenticator::Authenticator;
pub use identity::{AuthKind, Identity, IdentityKind, Needs, Refusal};
pub use options::{
    AnonymousAccess, HtpasswdOptions, KEYS_USED_FOR, Limits, SetupError, TokenOptions,
};
pub use outbound::{install_crypto_provider, smtp};
