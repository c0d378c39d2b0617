//! What cargo builds for the commands here.
//!
//! Cargo compiles a crate anew whenever it is built beside other packages, because features of dependencies are joined per command. So
//! CI, which needs it all, builds everything of one profile by one command, and whoever comes second finds it done; a developer gets
//! what was asked for.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::process;
use crate::workspace::{Workspace, in_ci};

const LIMIT: Duration = Duration::from_mins(40);
/// The packages with programs that are run optimised.
const PROGRAMS: [&str; 3] = ["longshore", "longshore-bench", "longshore-crash"];

/// The folder with `longshore` as developers build it, with its assertions.
///
/// # Errors
/// When it does not compile in time.
pub(crate) fn debug(workspace: &Workspace) -> Result<PathBuf> {
    let what: &[&str] = if in_ci() {
        // What the tests have built, the program among it: nothing is left to be done.
        &["test", "--no-run", "--workspace"]
    } else {
        &["build", "--package", "longshore"]
    };
    cargo(workspace, what)?;
    Ok(workspace.cargo_target().join("debug"))
}

/// The folder with the program of `package`, optimised, but not for as long as what is shipped.
///
/// # Errors
/// See [`debug`].
pub(crate) fn release(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    let wanted = PROGRAMS.iter().filter(|name| in_ci() || **name == package);
    let packages = wanted.flat_map(|name| ["--package", name]);
    let what: Vec<_> = ["build", "--release"].into_iter().chain(packages).collect();
    cargo(workspace, &what)?;
    Ok(workspace.cargo_target().join("release"))
}

/// The folder with `longshore` alone, built with `profile`: what is measured must be what is shipped.
///
/// # Errors
/// See [`debug`].
pub(crate) fn longshore(workspace: &Workspace, profile: &str) -> Result<PathBuf> {
    let mut command = command(workspace);
    command.args(["build", "--package", "longshore", "--profile", profile]);
    command.args(["--config", ".cargo/dist.toml"]);
    if profile == PROFILING {
        // perf follows stacks by their frame pointers.
        command.args(["--config", FRAME_POINTERS]);
        command.env("CFLAGS", "-fno-omit-frame-pointer");
    }
    finish(workspace, &mut command)?;
    Ok(workspace.cargo_target().join(profile))
}

/// What is added to the flags of what is shipped, so that perf sees who called.
const FRAME_POINTERS: &str = "target.'cfg(all())'.rustflags=[\"-Cforce-frame-pointers=yes\"]";
/// The cargo profile that keeps symbols.
pub(crate) const PROFILING: &str = "profiling";

/// Builds `longshore` and `longshore-crash` with mistakes on purpose; each becomes `NAME-broken` beside the one without, in the debug
/// and in the release folder.
///
/// # Errors
/// See [`debug`]; or when the target folder cannot be written.
pub(crate) fn broken(workspace: &Workspace) -> Result<()> {
    let target = workspace.cargo_target();
    let features = "longshore/broken,longshore-crash/broken";
    let what = ["build", "--package", "longshore", "--package"];
    let what: Vec<_> = what
        .into_iter()
        .chain(["longshore-crash", "--features", features])
        .collect();
    cargo(workspace, &what)?;
    for (package, to) in [("longshore", "debug"), ("longshore-crash", "release")] {
        // The same place in the target folder as the program itself, so it is copied before that one is built.
        let (from, to) = (target.join("debug").join(package), target.join(to));
        fs::create_dir_all(&to).context("the target folder cannot be written")?;
        let to = to.join(format!("{package}-broken"));
        fs::remove_file(&to).ok();
        fs::copy(from, &to).context("the broken build cannot be copied")?;
    }
    Ok(())
}

fn cargo(workspace: &Workspace, what: &[&str]) -> Result<()> {
    finish(workspace, command(workspace).args(what))
}

fn command(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace.root());
    command
}

fn finish(workspace: &Workspace, command: &mut Command) -> Result<()> {
    command.arg("--locked");
    let what: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy())
        .collect();
    let what = what.join(" ");
    println!("cargo {what}");
    let log = workspace.scratch("log")?.join("build.log");
    let ended = process::run(command, LIMIT, &log, false)?;
    if !ended.ok() {
        bail!(
            "cargo {what} failed ({ended}):\n{}",
            process::tail(&log, 30)
        );
    }
    Ok(())
}
