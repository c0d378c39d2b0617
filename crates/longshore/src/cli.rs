//! The command line.

use clap::{Parser, Subcommand};

use crate::cmd::admin::AdminCommand;
use crate::cmd::backup::{Backup, Restore};
use crate::cmd::config::ConfigCommand;
use crate::cmd::export::ExportCommand;
use crate::cmd::fsck::Fsck;
use crate::cmd::gc::Gc;
use crate::cmd::import::ImportCommand;
use crate::cmd::login::Login;
use crate::cmd::login::logout::Logout;
use crate::cmd::serve::Serve;
use crate::cmd::takeover::TakeoverCommand;

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
    /// Take over the images of a Distribution registry (registry:2, registry:3), where they lie.
    ///
    /// `longshore serve` does the same by itself when its data directory holds such images and nothing else. The old
    /// registry must be stopped. No blob is copied or moved. Ends with 0 when all of it can be pulled, with 3 when some of
    /// it was broken; the report says what.
    Takeover(TakeoverCommand),
    /// Write what the registry holds as a Distribution tree or an OCI image layout.
    ///
    /// Where a server runs over the data directory, it does the work, and goes on serving. Ends with 0 when everything was
    /// written, with 3 when something could not be; it is named.
    Export(ExportCommand),
    /// Push the images of an OCI image layout.
    ///
    /// Where a server runs over the data directory, it does the work, and goes on serving.
    Import(ImportCommand),
    /// Log in to a registry with a browser, and keep the login where docker keeps its own.
    ///
    /// Prints a code and a page; whoever is logged in there says whether this login is theirs. What is kept is a personal token
    /// with the name of this machine, good for 90 days: docker, podman, skopeo, crane and oras use it. It is in the list of your
    /// tokens, and ends when you revoke it there.
    Login(Login),
    /// Log out of a registry: forget the login that docker keeps, and take its token back.
    ///
    /// A personal token, such as `longshore login` gets, is good for nothing any more afterwards, here and wherever else it is; so is the
    /// refresh token of a `docker login`. A password or a robot's secret is only forgotten. Ends with 0, also where there was no login;
    /// with 3 where the login is forgotten and its token could not be taken back, because the registry could not be asked.
    Logout(Logout),
    /// Ask a running server to remove what nobody needs any more, or to say what that is.
    ///
    /// The server does so by itself; this is for who does not want to wait, or wants to know. Ends with 0, or with 1 when collection
    /// is paused or something could not be removed.
    Gc(Gc),
    /// Check, show and convert configurations.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running server, by the socket in its data directory.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Check everything that is stored, and repair it.
    ///
    /// Every tag to its manifest, to its blobs, to their bytes; every file to its record and back; all counts. Where a server runs
    /// over the data directory it is asked to do it, and goes on serving; else the command does it itself, and no server can
    /// start meanwhile.
    ///
    /// Ends with 0 when nothing is wrong, 1 when something is or was, 2 when the check could not be made. Space that nobody
    /// needs (`waste`), as an unclean stop leaves it, is told of and not counted as wrong.
    Fsck(Fsck),
    /// Copy everything that is stored into a directory, from which it can be restored.
    ///
    /// The metadata is copied as of one moment, then the files it names. Where a server runs over the data directory it is asked to
    /// do it, as the user it runs as, and goes on serving.
    ///
    /// Ends with 0 when all of it was backed up, 1 when blobs that are needed were missing or damaged, 2 when there is no backup.
    Backup(Backup),
    /// Make a registry from a backup, where there is none, and check all of it.
    ///
    /// Ends with 0 when everything is in order, 1 when it was restored and some of it is missing or damaged, 2 when nothing was
    /// restored.
    Restore(Restore),
}
