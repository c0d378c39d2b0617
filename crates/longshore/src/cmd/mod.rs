//! One command a file.

pub mod admin;
pub mod backup;
pub mod config;
pub mod fsck;
pub mod serve;
pub mod takeover;
