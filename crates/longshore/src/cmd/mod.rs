//! One command a file.

pub mod admin;
pub mod backup;
pub mod config;
pub mod export;
pub mod fsck;
pub mod import;
pub mod serve;
pub mod takeover;
