//! What cargo builds for the commands here.
//!
//! Cargo compiles a crate anew whenever it is built beside other packages, because features of dependencies are joined per command. So
//! CI, which needs it all, builds everything of one profile by one command, and whoever comes second finds it done; a developer gets
//! what was asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::guide;
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
    let mut command = shipped(workspace, profile);
    if guide::is_old(workspace)? {
        println!(
            "the counts of what runs often are of another compiler or Cargo.lock: cargo xtask pgo makes them anew"
        );
    }
    let counts = guide::path(workspace);
    flag(&mut command, &format!("-Cprofile-use={}", counts.display()));
    // What has changed since is built without, which is no news.
    flag(&mut command, "-Cllvm-args=-no-pgo-warn-mismatch");
    if profile == PROFILING {
        // perf follows stacks by their frame pointers.
        flag(&mut command, "-Cforce-frame-pointers=yes");
        command.env("CFLAGS", "-fno-omit-frame-pointer");
    }
    finish(workspace, &mut command)?;
    Ok(workspace.cargo_target().join(profile))
}

/// `cargo xtask dist`.
///
/// # Errors
/// See [`debug`].
pub(crate) fn dist(workspace: &Workspace) -> Result<ExitCode> {
    let program = longshore(workspace, "dist")?.join("longshore");
    println!("built: {}", program.display());
    Ok(ExitCode::SUCCESS)
}

/// The cargo profile that keeps symbols.
pub(crate) const PROFILING: &str = "profiling";

/// What is shipped, but such that it counts what runs and writes that into the folder `counts` when it ends; in a target folder of its own.
///
/// # Errors
/// See [`debug`].
pub(crate) fn counting(workspace: &Workspace, counts: &Path) -> Result<PathBuf> {
    let target = workspace.cargo_target().join("counting");
    let mut command = shipped(workspace, "dist");
    command.env("CARGO_TARGET_DIR", &target);
    let counts = counts.display();
    flag(&mut command, &format!("-Cprofile-generate={counts}"));
    // Rust's threads and tables of functions need more places for the values that are seen than what C does.
    flag(&mut command, "-Cllvm-args=-vp-counters-per-site=4");
    finish(workspace, &mut command)?;
    Ok(target.join("dist"))
}

/// The command that builds what is shipped, with `profile` in place of its own.
fn shipped(workspace: &Workspace, profile: &str) -> Command {
    let mut command = command(workspace);
    command.args(["build", "--package", "longshore", "--profile", profile]);
    command.args(["--config", ".cargo/dist.toml"]);
    command
}

/// Adds a flag of rustc to those of what is shipped. Paths in it must be absolute: rustc runs in each dependency's own folder.
fn flag(command: &mut Command, flag: &str) {
    let flag = format!("target.'cfg(all())'.rustflags=[{flag:?}]");
    command.args(["--config", &flag]);
}

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
