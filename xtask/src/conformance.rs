//! `cargo xtask conformance`: the distribution specification's own program against a fresh registry, with everything enabled.
//!
//! The program is not part of this repository and in no package registry; `CONFORMANCE_PROGRAM` says where a built one is. It is run once
//! for each way of letting clients in, and every one of its tests must pass: a skipped or disabled one is a failure too.

use std::fs;
use std::iter::Sum;
use std::ops::Add;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::process;
use crate::server::{Access, Manifests, PASSWORD, Server, USER};
use crate::token_service::TokenService;
use crate::workspace::Workspace;

const PROGRAM: &str = "CONFORMANCE_PROGRAM";
/// Where the program pushes to; it mounts blobs from one into the other.
const REPOSITORIES: [&str; 2] = ["conformance/one", "conformance/two"];
const LIMIT: Duration = Duration::from_mins(3);

/// `cargo xtask conformance`
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// How the registry lets clients in.
    #[arg(long, value_enum, default_value_t = Ways::All)]
    auth: Ways,
    /// Use the registry at this address, which lets everybody in, instead of a fresh one.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "auth")]
    against: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ways {
    /// Anonymous.
    None,
    /// Name and password.
    Basic,
    /// Tokens of a token service.
    Bearer,
    /// Each of them in turn.
    All,
}

impl Ways {
    fn each(self) -> Vec<Self> {
        match self {
            Self::All => vec![Self::None, Self::Basic, Self::Bearer],
            one => vec![one],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::All => "all",
        }
    }
}

/// How many of the program's tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pass: usize,
    /// Failures of the registry and errors of the program.
    pub(crate) fail: usize,
    pub(crate) skip: usize,
    pub(crate) disabled: usize,
}

impl Counts {
    /// Whether everything was tried and passed.
    pub(crate) fn whole(self) -> bool {
        self.pass > 0 && self.fail + self.skip + self.disabled == 0
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            pass: self.pass + other.pass,
            fail: self.fail + other.fail,
            skip: self.skip + other.skip,
            disabled: self.disabled + other.disabled,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            pass,
            fail,
            skip,
            disabled,
        } = self;
        write!(
            f,
            "conformance: pass={pass} fail={fail} skip={skip} disabled={disabled}"
        )
    }
}

/// Runs the program and prints the counts as the last line: exit code 0 when whole, 1 when not, 2 without the program.
///
/// # Errors
/// When longshore does not build or start, or the program leaves no results.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let Some(program) = program() else {
        println!(
            "{PROGRAM} does not name a built program; build directory conformance of the specification's repository"
        );
        return Ok(ExitCode::from(2));
    };
    process::adopt_strays();
    let counts = match &options.against {
        Some(address) => {
            let results = workspace.scratch("conformance")?.join("against");
            attempt(&program, address, Ways::None, &results)?
        }
        None => tried(workspace, &program, options.auth)?,
    };
    println!("{counts}");
    Ok(if counts.whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The program in the environment, if it is there.
pub(crate) fn program() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(PROGRAM)?);
    path.is_file().then_some(path)
}

/// The counts of all three ways of letting clients in, added up.
///
/// # Errors
/// See [`run`].
pub(crate) fn all(workspace: &Workspace, program: &Path) -> Result<Counts> {
    tried(workspace, program, Ways::All)
}

fn tried(workspace: &Workspace, program: &Path, ways: Ways) -> Result<Counts> {
    let longshore = Server::build(workspace)?;
    let kept = workspace.scratch("conformance")?;
    // Of this process alone: somebody else may run the program in this clone too.
    let work = std::env::temp_dir().join(format!("xtask-{}-conformance", std::process::id()));
    let each = ways.each().into_iter().map(|way| {
        let here = work.join(way.name());
        let counts = fresh(program, &longshore, way, &here);
        keep(&here, &kept.join(way.name())).and(counts)
    });
    let counts = each.sum();
    fs::remove_dir_all(&work).ok();
    counts
}

/// One run of the program against a registry of its own below `here`.
fn fresh(program: &Path, longshore: &Path, way: Ways, here: &Path) -> Result<Counts> {
    fs::create_dir_all(here).with_context(|| format!("{} cannot be made", here.display()))?;
    let jwks = here.join("keys.json");
    let access = match way {
        Ways::Basic => Access::Basic,
        Ways::Bearer => {
            let realm = TokenService::start(&jwks, &REPOSITORIES)?.realm();
            Access::Bearer { realm, jwks }
        }
        Ways::None | Ways::All => Access::Open,
    };
    let folder = here.join("registry");
    let server = Server::start(longshore, &folder, &access, Manifests::Sparse)?;
    attempt(program, server.address(), way, &here.join("results"))
}

/// Copies the reports and the registry's log to where they can be looked at after the run.
fn keep(here: &Path, kept: &Path) -> Result<()> {
    fs::create_dir_all(kept).with_context(|| format!("{} cannot be made", kept.display()))?;
    let reports = fs::read_dir(here.join("results"))
        .into_iter()
        .flatten()
        .flatten();
    for path in reports
        .map(|entry| entry.path())
        .chain([here.join("registry.log")])
    {
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, kept.join(name))
                .with_context(|| format!("{} cannot be kept", path.display()))?;
        }
    }
    Ok(())
}

/// One run of the program. What it says is shown only where something did not pass.
fn attempt(program: &Path, address: &str, way: Ways, results: &Path) -> Result<Counts> {
    fs::remove_dir_all(results).ok();
    fs::create_dir_all(results).with_context(|| format!("{} cannot be made", results.display()))?;
    let [one, two] = REPOSITORIES;
    let mut command = Command::new(program);
    command
        .current_dir(results)
        .env("OCI_RESULTS_DIR", results)
        .env("OCI_REGISTRY", address)
        .env("OCI_TLS", "disabled");
    command.env("OCI_REPO1", one).env("OCI_REPO2", two);
    // The development version asks for what the released one leaves open: cancelled uploads, digests in headers, tags in parameters.
    command
        .env("OCI_VERSION", "dev")
        .env("OCI_DATA_SPARSE", "true");
    if way != Ways::None {
        command
            .env("OCI_USERNAME", USER)
            .env("OCI_PASSWORD", PASSWORD);
    }
    let log = results.join("output.log");
    let ended = process::run(&command, LIMIT, &log, false)?;
    let report = results.join("junit.xml");
    let Ok(text) = fs::read_to_string(&report) else {
        bail!(
            "the program left no results ({ended}): {}",
            process::tail(&log, 10)
        );
    };
    let (counts, wanting) =
        counted(&text).with_context(|| format!("{} is not understood", report.display()))?;
    anyhow::ensure!(
        ended.ok() || !counts.whole(),
        "the program is not content, though every test passed ({ended})"
    );
    println!("auth {}: {counts}", way.name());
    for test in wanting {
        println!("    {test}");
    }
    Ok(counts)
}

/// The counts in the first element of a JUnit report, and the tests that did not pass.
fn counted(report: &str) -> Option<(Counts, Vec<String>)> {
    let root = report.get(report.find("<testsuites")?..)?;
    let root = root.get(..root.find('>')?)?;
    // An attribute that is not there is a zero.
    let number =
        |name: &str| attribute(root, name).map_or(Some(0), |value| value.parse::<usize>().ok());
    let (tests, skip, disabled) = (number("tests")?, number("skipped")?, number("disabled")?);
    let fail = number("failures")? + number("errors")?;
    let cases = report.split("<testcase ").skip(1).filter_map(|case| {
        let head = case.get(..case.find('>')?)?;
        let status = attribute(head, "status")?;
        (status != "passed")
            .then(|| format!("{status}: {}", attribute(head, "name").unwrap_or_default()))
    });
    let pass = tests.checked_sub(fail + skip + disabled)?;
    Some((
        Counts {
            pass,
            fail,
            skip,
            disabled,
        },
        cases.collect(),
    ))
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = element
        .split_once(&format!(" {name}=\""))
        .or_else(|| element.split_once(&format!("{name}=\"")))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_those_of_the_whole_report() {
        let report = "<testsuites time=\"4.9\" tests=\"1032\" failures=\"166\" errors=\"2\" skipped=\"61\" disabled=\"3\">\n\
                      <testsuite name=\"x\" tests=\"9\"><testcase name=\"a/b\" classname=\"a\" status=\"passed\"></testcase>\
                      <testcase name=\"a/c\" classname=\"a\" status=\"failure\"></testcase></testsuite></testsuites>";
        let (counts, wanting) = counted(report).unwrap();
        assert_eq!(
            counts,
            Counts {
                pass: 800,
                fail: 168,
                skip: 61,
                disabled: 3
            }
        );
        assert_eq!(wanting, ["failure: a/c"]);
        assert_eq!(
            counts.to_string(),
            "conformance: pass=800 fail=168 skip=61 disabled=3"
        );
    }

    #[test]
    fn only_a_run_in_which_everything_was_tried_and_passed_is_whole() {
        let whole = Counts {
            pass: 5,
            ..Counts::default()
        };
        assert!(whole.whole());
        assert!(!Counts::default().whole(), "nothing ran");
        assert!(
            !(whole
                + Counts {
                    skip: 1,
                    ..Counts::default()
                })
            .whole()
        );
        assert!(
            !(whole
                + Counts {
                    disabled: 1,
                    ..Counts::default()
                })
            .whole()
        );
    }

    #[test]
    fn what_is_not_a_report_is_not_counted() {
        assert_eq!(counted("panic: runtime error"), None);
        assert_eq!(counted("<testsuites tests=\"many\">"), None);
    }
}
