//! The command line.

use clap::{Parser, Subcommand};

use crate::cmd::config::ConfigCommand;

/// Longshore, a container registry.
#[derive(Debug, Parser)]
#[command(name = "longshore", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check, show and convert configurations.
    #[command(subcommand)]
    Config(ConfigCommand),
}
