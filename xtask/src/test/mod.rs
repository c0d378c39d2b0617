//! `cargo xtask test`: every check and every test in one order, which is also CI's.
//!
//! What needs nothing comes first. What needs outside programs comes last and uses those it finds; meanwhile a thread of low priority
//! builds the pinned ones while cargo compiles. A step that cannot run is skipped with its reason, and in CI a skipped requirement is
//! a failure. Nothing waits for ever: each step has a limit, and so has the whole run.

mod cargo;
mod outside;
mod provision;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::process;
use crate::workspace::{Workspace, in_ci};
use provision::Provision;

/// Below the 90 minutes after which a CI run is given up from outside, so that ours still ends in a summary.
const WHOLE_RUN: Duration = Duration::from_mins(80);

/// `cargo xtask test`
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Only this step; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// List the steps and end.
    #[arg(long)]
    list: bool,
    /// Install missing Debian packages too; needs root. CI=true implies it.
    #[arg(long)]
    install: bool,
}

/// What one step found.
#[derive(Debug, Default)]
struct Outcome {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// What the summary says beside the counts: reasons above all.
    notes: Vec<String>,
}

impl Outcome {
    fn pass() -> Self {
        Self {
            passed: 1,
            ..Self::default()
        }
    }

    fn fail(why: impl Into<String>) -> Self {
        Self {
            failed: 1,
            notes: vec![why.into()],
            ..Self::default()
        }
    }

    fn skip(why: impl Into<String>) -> Self {
        Self {
            skipped: 1,
            notes: vec![why.into()],
            ..Self::default()
        }
    }

    /// A skip of what CI must have is a failure there.
    fn skip_required(why: impl Into<String>) -> Self {
        if in_ci() {
            Self::fail(why)
        } else {
            Self::skip(why)
        }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.notes.extend(other.notes);
    }

    fn word(&self) -> &'static str {
        match (self.failed, self.passed) {
            (0, 0) => "skipped",
            (0, _) => "ok",
            _ => "FAILED",
        }
    }
}

/// One part of the run.
struct Step {
    name: &'static str,
    about: &'static str,
    limit: Duration,
    /// Uses what the provision thread brings.
    outside: bool,
    run: fn(&Session<'_>) -> Result<Outcome>,
}

const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "formatting",
        limit: Duration::from_mins(2),
        outside: false,
        run: cargo::fmt,
    },
    Step {
        name: "tidy",
        about: "what the compiler cannot check",
        limit: Duration::from_mins(2),
        outside: false,
        run: cargo::tidy,
    },
    Step {
        name: "clippy",
        about: "lints on all targets",
        limit: Duration::from_mins(30),
        outside: false,
        run: cargo::clippy,
    },
    Step {
        name: "doc",
        about: "documentation, private items included",
        limit: Duration::from_mins(20),
        outside: false,
        run: cargo::doc,
    },
    Step {
        name: "deny",
        about: "duplicates, licences and sources of dependencies",
        // On a new machine it builds its program first.
        limit: Duration::from_mins(20),
        outside: false,
        run: cargo::deny,
    },
    Step {
        name: "unit",
        about: "unit, integration and documentation tests",
        limit: Duration::from_mins(40),
        outside: false,
        run: cargo::test,
    },
    Step {
        name: "crash",
        about: "a few minutes of the proof: kills, power cuts, full disks, simulated lives",
        limit: Duration::from_mins(30),
        outside: false,
        run: cargo::crash,
    },
    Step {
        name: "tools",
        about: "outside programs: found, built, installed",
        limit: Duration::from_mins(40),
        outside: true,
        run: outside::tools,
    },
    Step {
        name: "images",
        about: "realistic images, made without a network registry",
        limit: Duration::from_mins(20),
        outside: true,
        run: outside::images,
    },
    Step {
        name: "clients",
        about: "real clients against a fresh registry",
        limit: Duration::from_mins(40),
        outside: true,
        run: outside::clients,
    },
    Step {
        name: "takeover",
        about: "trees that real Distribution registries wrote, taken over and given back",
        limit: Duration::from_mins(15),
        outside: true,
        run: outside::takeover,
    },
    Step {
        name: "people",
        about: "real directories and login providers, and hostile ones",
        limit: Duration::from_mins(15),
        outside: true,
        run: outside::people,
    },
    Step {
        name: "matrix",
        about: "each endpoint as each role, about what is theirs, not theirs and not there",
        limit: Duration::from_mins(10),
        outside: false,
        run: outside::matrix,
    },
    Step {
        name: "api",
        about: "schemathesis against the JSON API, with every role",
        limit: Duration::from_mins(15),
        outside: true,
        run: outside::api,
    },
    Step {
        name: "trust",
        about: "registries of others trust our index",
        limit: Duration::from_mins(5),
        outside: true,
        run: outside::trust,
    },
    Step {
        name: "bench",
        about: "the short benchmark beside Debian's peers; reports, and fails on errors only",
        limit: Duration::from_mins(25),
        outside: true,
        run: outside::bench,
    },
    Step {
        name: "conformance",
        about: "the specification's own program, when CONFORMANCE_PROGRAM names it",
        limit: Duration::from_mins(10),
        outside: false,
        run: outside::conformance,
    },
];

/// What every step may look at.
struct Session<'a> {
    workspace: &'a Workspace,
    provision: &'a Provision,
    /// How long the running step may take.
    limit: Duration,
    step: &'static str,
}

impl Session<'_> {
    /// Runs a command within the step's limit, its output shown and kept in `target/xtask/log/STEP.log`.
    fn shown(&self, command: &std::process::Command) -> Result<process::Ended> {
        process::run(command, self.limit, &self.log()?, true)
    }

    fn log(&self) -> Result<std::path::PathBuf> {
        Ok(self
            .workspace
            .scratch("log")?
            .join(format!("{}.log", self.step)))
    }
}

/// Runs the chosen steps and prints the summary.
///
/// # Errors
/// When a step's name is unknown or the run cannot be prepared; what a step finds is in the exit code.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    if options.list {
        for step in STEPS {
            println!(
                "{:<12} {} (at most {} min)",
                step.name,
                step.about,
                step.limit.as_secs() / 60
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = choose(&options.only)?;
    process::adopt_strays();
    let outside = chosen.iter().any(|step| step.outside);
    let provision = Provision::start(workspace, outside, options.install || in_ci())?;
    let (begun, mut total, mut lines) = (Instant::now(), Outcome::default(), Vec::new());
    for step in chosen {
        println!("\n=== {}: {}", step.name, step.about);
        let start = Instant::now();
        let limit = step.limit.min(WHOLE_RUN.saturating_sub(begun.elapsed()));
        process::allow(limit);
        let session = Session {
            workspace,
            provision: &provision,
            limit,
            step: step.name,
        };
        let outcome =
            (step.run)(&session).unwrap_or_else(|error| Outcome::fail(format!("{error:#}")));
        lines.push(line(step.name, &outcome, start.elapsed()));
        total.add(outcome);
    }
    println!("\n=== summary, {} s", begun.elapsed().as_secs());
    for line in lines {
        println!("{line}");
    }
    println!(
        "\n{} passed, {} failed, {} skipped",
        total.passed, total.failed, total.skipped
    );
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn choose(only: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = only
        .iter()
        .find(|name| !STEPS.iter().any(|step| step.name == name.as_str()))
    {
        bail!("there is no step {unknown}; `cargo xtask test --list` names them");
    }
    Ok(STEPS
        .iter()
        .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
        .collect())
}

fn line(name: &str, outcome: &Outcome, took: Duration) -> String {
    let Outcome {
        passed,
        failed,
        skipped,
        notes,
    } = outcome;
    let mut line = format!(
        "{:<8} {name:<12} {:>5} s  {passed} passed, {failed} failed, {skipped} skipped.",
        outcome.word(),
        took.as_secs()
    );
    for note in notes {
        line.push_str("\n           ");
        line.push_str(note);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_refused_and_the_order_is_not_the_callers() {
        assert!(choose(&["nothing".into()]).is_err());
        let names: Vec<_> = choose(&["tidy".into(), "fmt".into()])
            .unwrap()
            .iter()
            .map(|step| step.name)
            .collect();
        assert_eq!(names, ["fmt", "tidy"]);
    }

    #[test]
    fn a_line_of_the_summary_is_not_mistaken_for_the_closing_line() {
        let line = line("fmt", &Outcome::pass(), Duration::from_secs(3));
        assert!(line.starts_with("ok") && line.ends_with("skipped."));
    }
}
