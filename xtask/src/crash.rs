//! `cargo xtask crash`: builds the program and what tries to break it, and lets `longshore-crash` do the rest.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::process::{self, Ended};
use crate::workspace::Workspace;

const BUILD_LIMIT: Duration = Duration::from_mins(40);
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
    let target = workspace.cargo_target();
    let (debug, release) = (target.join("debug"), target.join("release"));
    if matches!(options.mode.as_str(), "all" | "brief" | "controls") {
        for (package, to) in [("longshore", &debug), ("longshore-crash", &release)] {
            // The same place in the target folder as the program itself, so it is copied before that one is built.
            build(workspace, &["--package", package, "--features", "broken"])?;
            std::fs::create_dir_all(to).context("the target folder cannot be written")?;
            let to = to.join(format!("{package}-broken"));
            std::fs::remove_file(&to).ok();
            std::fs::copy(debug.join(package), &to).context("the broken build cannot be copied")?;
        }
    }
    build(workspace, &["--package", "longshore"])?;
    build(workspace, &["--package", "longshore-crash", "--release"])?;
    let mut command = Command::new(release.join("longshore-crash"));
    command.arg(&options.mode);
    if options.mode != "help" {
        command.arg("--longshore").arg(debug.join("longshore"));
        command.arg("--dir").arg(workspace.scratch("crash")?);
    }
    command.args(&options.rest);
    Ok(command)
}

fn build(workspace: &Workspace, what: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace.root())
        .args(["build", "--locked"])
        .args(what);
    let log = workspace.scratch("log")?.join("build-crash.log");
    let ended = process::run(&command, BUILD_LIMIT, &log, false)?;
    if !ended.ok() {
        bail!(
            "{} does not build ({ended}):\n{}",
            what.join(" "),
            process::tail(&log, 30)
        );
    }
    Ok(())
}
