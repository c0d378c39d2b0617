//! Longshore's binary as a library, so that tests and fuzz targets reach what it is made of.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

pub mod assemble;
pub mod banner;
pub mod cli;
pub mod cmd;
pub mod config;
pub mod control;
pub mod distribution;
pub mod out;
pub mod sources;
pub mod takeover;
pub mod telemetry;
pub mod transfer;
pub mod upkeep;
