//! One command a file.

pub mod admin;
pub mod backup;
pub mod config;
pub mod explain;
pub mod export;
pub mod fsck;
pub mod gc;
pub mod identities;
pub mod import;
pub mod keys;
pub mod robots;
mod secret_input;
pub mod serve;
pub mod tags;
pub mod takeover;
pub mod tokens;
pub mod trash;
pub mod trust;
pub mod users;
pub mod words;
