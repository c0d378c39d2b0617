//! Metadata at rest.
//!
//! SQL is written once, for SQLite and PostgreSQL alike: SQL constants on top of a file, functions below, one family of
//! tables per file. A function takes a [`Tx`] and is part of whatever transaction its caller runs. There is no `Meta`
//! trait: the engines differ in how a statement is run ([`Db`], [`Tx`]), not in what is asked.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod artifact_parts;
pub mod artifacts;
pub mod audit;
pub mod bindings;
pub mod blobs;
pub mod bodies;
pub mod candidates;
pub mod certificates;
pub mod checks;
pub mod db;
pub mod deeds;
pub mod devices;
pub mod factors;
pub mod finds;
pub mod found;
pub mod graves;
pub mod history;
pub mod identities;
pub mod ids;
pub mod invitations;
pub mod leader;
mod lite;
pub mod logins;
pub mod manifests;
pub mod members;
mod migrate;
pub mod names;
pub mod namespaces;
pub mod news;
pub mod outbox;
#[cfg(test)]
mod plans;
pub mod principals;
pub mod profiles;
pub mod pulls;
pub mod referrers;
pub mod repos;
pub mod rests;
pub mod robots;
pub mod roles;
pub mod secrets;
pub mod settings;
pub mod signing_keys;
pub mod tags;
pub mod takeovers;
pub mod time;
pub mod trash;
pub mod trusts;
mod tx;
pub mod untagged;
pub mod uploads;
mod value;
pub mod walks;

pub use db::{Body, Db, Durability, Steps};
pub use tx::Tx;
pub use value::{Columns, FromRow, FromValue, Value};
