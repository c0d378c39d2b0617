//! The JSON API, `/api/v1`: the use cases of the index, shown to programs.
//!
//! There is one table of endpoints ([`endpoints`]): what a path means, who may ask, what a body may say and what is answered. Requests
//! are routed by it, the OpenAPI document is made from it, and the proof that each role is answered as it should be goes through it.
//! A handler reads what was sent into types, calls one use case and shows what it gives; it decides nothing. What may be done is
//! decided in the hub, where no change can be called without a permit.
//!
//! Absent on purpose: sockets and TLS, cookies (so nothing that a browser sends by itself is believed), and content: images go over
//! the distribution API.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod account;
mod answer;
mod api;
mod ask;
mod body;
mod cursor;
mod endpoint;
mod once;
mod openapi;
mod page;
mod problem;
mod query;
mod resources;
mod route;
mod words;

pub use api::{Answered, Api, Asking};
pub use endpoint::{Endpoint, Gives, Kind, Needs, On, Parameter, Shape, Way, endpoints};
pub use openapi::document;

/// What stands before each path of this API.
pub const PREFIX: &str = "/api/v1";
