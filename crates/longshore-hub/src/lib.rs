//! The use cases of the index.
//!
//! Whatever changes who there is, what belongs to whom and who may do what is a method of [`Hub`]. It asks for one action on one
//! object, in the transaction that does it: only a [`Permit`] for that action lets the change be called, and only the decision makes
//! permits. What was done, or denied, is written into the audit log in the same transaction.
//!
//! Beside that: what is known of artifacts ([`artifact`]), finding repositories ([`search`]), the [`Clerk`] that keeps both
//! true behind the registry, and [`Pulls`]. Nothing of it is in the way of a push or a pull: the registry works the same when
//! all this is late. Absent on purpose: HTTP, checking passwords and tokens (`longshore-auth`), and the store, which is a [`longshore_core::Registry`] here like
//! any other.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod accounts;
pub mod arrivals;
pub mod artifact;
pub mod audit;
pub mod beginning;
pub mod bindings;
mod brought;
pub mod caller;
mod carried;
pub mod certificates;
mod clerk;
pub mod collection;
pub mod comings;
mod deeds;
pub mod desk;
pub mod devices;
pub mod edits;
pub mod elsewhere;
pub mod factors;
pub mod given;
pub mod gives;
mod grants;
pub mod groups;
mod held;
pub mod homes;
mod hub;
pub mod identities;
pub mod keys;
pub mod leaving;
pub mod mail;
pub mod members;
pub mod moving;
pub mod names;
pub mod namespaces;
pub mod narrowing;
pub mod oneself;
pub mod own;
pub mod passwords;
pub mod past;
pub mod permit;
mod pulls;
pub mod pushes;
mod rank;
mod reads;
mod refusals;
pub mod repositories;
pub mod resting;
pub mod robots;
mod said;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod tend;
#[cfg(test)]
mod tests;
pub mod tokens;
pub mod trust;
mod turned;
pub mod views;

pub use caller::Caller;
pub use carried::Moved;
pub use clerk::{Clerk, ClerkOptions, stop_reading};
pub use desk::Desk;
pub use given::{Given, Once, Thing};
pub use hub::{Done, Hub};
pub use own::OwnPermit;
pub use passwords::NewPassword;
pub use past::{Past, Undo};
pub use permit::Permit;
pub use pulls::Pulls;
pub use reads::{Read, Reads};
pub use search::Search;
pub use turned::{Turned, TurnedAway};
