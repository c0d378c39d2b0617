//! `cargo xtask bench`: builds what is measured and what measures, finds the peers, and lets `longshore-bench run` do the rest, or
//! `longshore-bench abuse` or `longshore-bench search`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::build;
use crate::packages;
use crate::process::{self, Ended};
use crate::tools::{self, Pace, Pins};
use crate::workspace::{Workspace, in_ci, on_path};

/// The Debian packages that hold peers.
const PACKAGES: [&str; 2] = ["docker-registry", "nginx"];
const RUN_LIMIT: Duration = Duration::from_hours(3);

/// What can be measured.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// What bad clients do to the server and to good ones.
    Abuse,
    /// How long a search takes in a registry of 100,000 repositories and 1,000,000 tags.
    Search,
}

/// `cargo xtask bench`
#[derive(Args, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct Options {
    /// What is measured; the lines beside the peers if nothing is said.
    #[arg(value_enum)]
    what: Option<What>,
    /// Only Debian's peers and the lines that CI measures, in a few minutes, or a second of each abuse; short goals are reported and do
    /// not fail.
    #[arg(long)]
    quick: bool,
    /// Only lines or abuses whose names begin so; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How often each line is measured.
    #[arg(long)]
    rounds: Option<u32>,
    /// Run one line against Longshore alone and draw where its time goes (SVG); needs perf.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["quick", "only", "write"])]
    profile: Option<String>,
    /// Print the names of the lines and end.
    #[arg(long)]
    list: bool,
    /// Write docs/performance.md also when not everything is measured.
    #[arg(long)]
    write: bool,
    /// Install missing Debian packages; needs root. CI=true implies it.
    #[arg(long)]
    install: bool,
}

impl Options {
    /// What CI measures: the lines first, then abuse and searches.
    pub(crate) fn quick() -> [Self; 3] {
        [None, Some(What::Abuse), Some(What::Search)].map(|what| Self {
            what,
            quick: true,
            ..Self::default()
        })
    }
}

/// Builds, measures, and passes on what `longshore-bench` says of the goals.
///
/// # Errors
/// When something does not build or a peer cannot be had; goals that are short are in the exit code.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let command = prepare(workspace, options)?;
    let log = workspace.scratch("log")?.join("bench-run.log");
    let ended = process::run(&command, RUN_LIMIT, &log, true)?;
    match ended {
        Ended::Exit(0) => Ok(ExitCode::SUCCESS),
        Ended::Exit(_) => Ok(ExitCode::FAILURE),
        Ended::OutOfTime => bail!("the benchmark {ended}"),
    }
}

/// The command that measures, with all it needs built and found.
///
/// # Errors
/// As [`run`].
pub(crate) fn prepare(workspace: &Workspace, options: &Options) -> Result<Command> {
    let release = build::release(workspace, "longshore-bench")?;
    let mut command = Command::new(release.join("longshore-bench"));
    ensure!(
        options.what.is_none() || options.profile.is_none(),
        "a flame graph is drawn of lines only"
    );
    command.arg(match options.what {
        Some(What::Abuse) => "abuse",
        Some(What::Search) => "search",
        None => "run",
    });
    if options.list {
        command.arg("--list");
    }
    let folder = match options {
        // CI has an hour from nothing, and this is built already.
        _ if options.list || options.quick && in_ci() => release,
        _ if options.profile.is_some() => build::longshore(workspace, build::PROFILING)?,
        _ => build::longshore(workspace, "dist")?,
    };
    command.arg("--longshore").arg(folder.join("longshore"));
    command.arg("--dir").arg(workspace.scratch("bench")?);
    if options.list {
        return Ok(command);
    }
    if let Some(line) = &options.profile {
        let svg = workspace
            .scratch("bench-profile")?
            .join(format!("{line}.svg"));
        command.args(["--profile", line]).arg("--svg").arg(svg);
    } else if options.what.is_none() {
        peers(workspace, options, &mut command)?;
    }
    if options.quick {
        command.arg("--quick");
    }
    for name in &options.only {
        command.args(["--only", name]);
    }
    if let Some(rounds) = options.rounds {
        command.args(["--rounds", &rounds.to_string()]);
    }
    let whole = options.what != Some(What::Search)
        && !options.quick
        && options.only.is_empty()
        && options.profile.is_none();
    if whole || options.write {
        command
            .arg("--page")
            .arg(workspace.at("docs/performance.md"));
    }
    Ok(command)
}

/// Names the peers on the command line: Debian's always, the others when all is measured.
fn peers(workspace: &Workspace, options: &Options, command: &mut Command) -> Result<()> {
    let missing = packages::missing(&PACKAGES.map(str::to_owned));
    if !missing.is_empty() {
        ensure!(
            options.install || in_ci(),
            "{} are missing; --install brings them",
            missing.join(", ")
        );
        packages::install(&missing, &workspace.scratch("log")?.join("debian.log"))?;
    }
    command
        .arg("--docker-registry")
        .arg(program("docker-registry")?);
    command.arg("--nginx").arg(program("nginx")?);
    if options.quick {
        return Ok(());
    }
    let pins = Pins::load(workspace)?;
    let folder = tools::ensure(workspace, &pins, "distribution", Pace::Awaited)
        .context("Distribution 3 cannot be built")?;
    command.arg("--distribution").arg(folder.join("registry"));
    if let Some(zot) = std::env::var_os("ZOT") {
        let zot = fs::canonicalize(&zot)
            .with_context(|| format!("ZOT={} is not there", zot.display()))?;
        command.arg("--zot").arg(zot);
    }
    Ok(())
}

/// Where Debian puts it; `sbin` is not on everybody's `PATH`.
fn program(name: &str) -> Result<PathBuf> {
    let system = Path::new("/usr/sbin").join(name);
    on_path(name)
        .or_else(|| system.is_file().then_some(system))
        .with_context(|| format!("there is no {name}"))
}
