//! The command line.

use clap::{Parser, Subcommand};

use crate::cmd::admin::AdminCommand;
use crate::cmd::config::ConfigCommand;
use crate::cmd::serve::Serve;

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
    /// Serve the registry.
    ///
    /// Without a configuration it needs nothing: data under ./longshore-data, listening on 127.0.0.1:5000.
    Serve(Serve),
    /// Check, show and convert configurations.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running server, by the socket in its data directory.
    #[command(subcommand)]
    Admin(AdminCommand),
}
