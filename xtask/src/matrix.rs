//! `cargo xtask matrix` and the CI steps `matrix` and `api`: a real server, asked from outside by everybody of every role.
//!
//! What asks are scripts in `xtask/api`, as they know the wire alone. They start the server that is built here.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;

use crate::build;
use crate::process::{self, Ended};
use crate::server::Server;
use crate::workspace::Workspace;

const LIMIT: Duration = Duration::from_mins(15);
/// What chooses a mistake in a build that has them.
const VARIABLE: &str = "MISTAKE_ON_PURPOSE";

/// The mistakes of the broken build that it must find, and the part that must find each.
const MISTAKES: &[(&str, &str)] = &[
    ("deny-is-nothing", "--rights"),
    ("narrow-is-nothing", "--rights"),
    ("read-only-is-nothing", "--rights"),
    ("refusals-write", "--rights"),
    ("says-what-is-hidden", "--rights"),
    ("search-shows-all", "--rights"),
    ("secrets-of-anybody", "--rights"),
    ("tokens-for-what-is-not-there", "--rights"),
    ("unknown-names-are-quick", "--timing"),
];

/// `cargo xtask matrix`
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Ask builds with a mistake on purpose each instead, until something is wrong: none may pass.
    #[arg(long)]
    controls: bool,
    /// Only this mistake.
    #[arg(long, value_name = "MISTAKE", requires = "controls")]
    only: Option<String>,
}

/// `cargo xtask matrix`: the last line says how many cells there were and how many were wrong; exit code 0 only with none. With
/// `--controls` it says how many mistakes there were and how many were missed.
///
/// # Errors
/// When the program does not build or the script cannot be run.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let log = workspace.scratch("log")?.join("matrix.log");
    let good = if options.controls {
        controls(workspace, options.only.as_deref(), &log)?
    } else {
        script(workspace, "matrix.py", &[], |command| {
            process::run(command, LIMIT, &log, true)
        })?
        .ok()
    };
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether each mistake is found.
fn controls(workspace: &Workspace, only: Option<&str>, log: &Path) -> Result<bool> {
    build::broken(workspace)?;
    let program = workspace.cargo_target().join("debug/longshore-broken");
    let chosen = MISTAKES
        .iter()
        .filter(|(mistake, _)| only.is_none_or(|only| only == *mistake));
    let (mut count, mut missed) = (0, 0);
    for (mistake, part) in chosen {
        let begun = Instant::now();
        let args = [Path::new(part), Path::new("--first")];
        let variable = [(VARIABLE, *mistake)];
        ask(
            workspace,
            &program,
            "matrix.py",
            &args,
            &variable,
            |command| process::run(command, LIMIT, log, false),
        )?;
        let said = fs::read_to_string(log).unwrap_or_default();
        // A run that broke off found nothing.
        let found = said.lines().find(|line| line.starts_with("wrong: "));
        count += 1;
        let took = begun.elapsed().as_secs();
        if let Some(found) = found {
            println!("{mistake}: found after {took} s: {found}");
        } else {
            missed += 1;
            println!("{mistake}: missed\n{}", process::tail(log, 5));
        }
    }
    println!("matrix: mistakes={count} missed={missed}");
    Ok(count > 0 && missed == 0)
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
    ask(workspace, &program, name, args, &[], run)
}

/// Runs a script that asks `program`, with more variables.
fn ask(
    workspace: &Workspace,
    program: &Path,
    name: &str,
    args: &[&Path],
    variables: &[(&str, &str)],
    run: impl FnOnce(&Command) -> Result<Ended>,
) -> Result<Ended> {
    let work = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
    fs::create_dir_all(&work).context("a folder cannot be made")?;
    let mut command = Command::new("python3");
    command
        .arg("-B")
        .arg(workspace.at("xtask/api").join(name))
        .args(args)
        .env("LONGSHORE", program)
        .envs(variables.iter().copied())
        .env("WORK", &work)
        // What schemathesis remembers is for this run only.
        .current_dir(&work);
    let ended = run(&command);
    fs::remove_dir_all(&work).ok();
    ended
}
