//! `cargo xtask crash`: builds the program and what tries to break it, and lets `longshore-crash` do the rest.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use crate::build;
use crate::process::{self, Ended};
use crate::workspace::Workspace;

const RUN_LIMIT: Duration = Duration::from_hours(12);

/// `cargo xtask crash`
#[derive(Args, Debug, Default)]
pub(crate) struct Options {
    /// model, sim, kill, powercut, diskfull, failpoints, soak or controls; all of them one after the other if nothing is said; `brief`
    /// is a few minutes of each, as in CI.
    #[arg(default_value = "all")]
    mode: String,
    /// What that mode is told, such as `--seed 7`; `--help` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Builds, runs, and passes on what was found.
///
/// # Errors
/// When something does not build; what is found is in the exit code.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let command = prepare(workspace, options)?;
    let log = workspace
        .scratch("log")?
        .join(format!("crash-{}.log", options.mode));
    match process::run(&command, RUN_LIMIT, &log, true)? {
        Ended::Exit(0) => Ok(ExitCode::SUCCESS),
        Ended::Exit(_) => Ok(ExitCode::FAILURE),
        Ended::OutOfTime => bail!("it ran out of time"),
    }
}

/// A few minutes of the modes, as CI runs them.
///
/// # Errors
/// As [`run`].
pub(crate) fn brief(workspace: &Workspace) -> Result<Command> {
    let options = Options {
        mode: "brief".to_owned(),
        ..Options::default()
    };
    prepare(workspace, &options)
}

/// The program is built as developers build it, with its assertions; what tries to break it is optimised, because a simulated life
/// costs ten times as much otherwise.
fn prepare(workspace: &Workspace, options: &Options) -> Result<Command> {
    if matches!(options.mode.as_str(), "all" | "brief" | "controls") {
        build::broken(workspace)?;
    }
    let debug = build::debug(workspace)?;
    let mut command =
        Command::new(build::release(workspace, "longshore-crash")?.join("longshore-crash"));
    command.arg(&options.mode);
    if options.mode != "help" {
        command.arg("--longshore").arg(debug.join("longshore"));
        command.arg("--dir").arg(workspace.scratch("crash")?);
    }
    command.args(&options.rest);
    Ok(command)
}
