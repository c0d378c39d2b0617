//! `cargo xtask matrix` and the CI steps `matrix` and `api`: a real server, asked from outside by everybody of every role.
//!
//! What asks are scripts in `xtask/api`, as they know the wire alone. They start the server that is built here.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{self, Ended};
use crate::server::Server;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_mins(15);

/// `cargo xtask matrix`: the last line says how many cells there were and how many were wrong; exit code 0 only with none.
///
/// # Errors
/// When the program does not build or the script cannot be run.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let log = workspace.scratch("log")?.join("matrix.log");
    let ended = script(workspace, "matrix.py", &[], |command| {
        process::run(command, LIMIT, &log, true)
    })?;
    Ok(if ended.ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs a script of `xtask/api` in a folder of its own, by `run`.
///
/// # Errors
/// When the program does not build or the script cannot be run.
pub(crate) fn script(
    workspace: &Workspace,
    name: &str,
    args: &[&Path],
    run: impl FnOnce(&Command) -> Result<Ended>,
) -> Result<Ended> {
    let program = Server::build(workspace)?;
    let work = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
    fs::create_dir_all(&work).context("a folder cannot be made")?;
    let mut command = Command::new("python3");
    command
        .arg("-B")
        .arg(workspace.at("xtask/api").join(name))
        .args(args)
        .env("LONGSHORE", &program)
        .env("WORK", &work)
        // What schemathesis remembers is for this run only.
        .current_dir(&work);
    let ended = run(&command);
    fs::remove_dir_all(&work).ok();
    ended
}
