//! What is seen from outside: logs, metrics, health, traces.
//!
//! Nothing of it is on the way of a request: access lines are handed to a thread, counters are atomics, traces are off
//! unless configured.

pub mod access;
pub mod admin;
pub mod health;
pub mod log;
pub mod metrics;
pub mod page;
pub mod requests;
pub mod traces;
