//! One command a file.

pub mod admin;
pub mod config;
pub mod fsck;
pub mod serve;
pub mod takeover;
