//! One command a file.

pub mod admin;
pub mod backup;
pub mod config;
pub mod export;
pub mod fsck;
pub mod gc;
pub mod import;
pub mod serve;
pub mod tags;
pub mod takeover;
pub mod trash;
pub mod words;
