//! One command a file.

pub mod config;
