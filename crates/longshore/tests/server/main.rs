//! The binary itself, from outside: started, used over sockets, killed, started again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod admin;
mod apart;
mod api;
mod audit;
mod backup;
mod calls;
mod certificates;
#[path = "../allocations/client.rs"]
mod client;
mod collect;
mod company;
mod conformance;
mod control;
mod crash;
mod damage;
mod disk;
mod drain;
mod fsck;
mod harness;
mod index;
mod issuer;
mod keyless;
mod limits;
mod login;
mod memory;
mod names;
mod revoked;
mod robots;
mod search;
mod start;
mod takeover;
mod tls;
mod traces;
mod transfer;
mod walks;
mod what_if;
mod words;
