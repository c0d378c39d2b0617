//! One command a file.

pub mod admin;
pub mod audit;
pub mod backup;
pub mod certificates;
pub mod config;
pub mod explain;
pub mod export;
pub mod fsck;
pub mod gc;
pub mod identities;
pub mod import;
pub mod invitations;
pub mod keys;
pub mod login;
pub mod mail;
pub mod orgs;
pub mod places;
pub mod repos;
pub mod resting;
pub mod rights;
pub mod robots;
mod secret_input;
pub mod serve;
pub mod settings;
#[cfg(test)]
mod table;
pub mod tags;
pub mod takeover;
pub mod tokens;
mod told;
pub mod trash;
pub mod trust;
pub mod users;
pub mod what_if;
pub mod words;
