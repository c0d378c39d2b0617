//! The steps that need nothing but cargo.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use super::{Outcome, Session};
use crate::tools::{self, Pace, Pins};

pub(super) fn fmt(session: &Session<'_>) -> Result<Outcome> {
    one(session, &cargo(session, &["fmt", "--all", "--check"]))
}

pub(super) fn tidy(session: &Session<'_>) -> Result<Outcome> {
    let this = std::env::current_exe().context("this program cannot find itself")?;
    let mut command = Command::new(this);
    command.current_dir(session.workspace.root()).arg("tidy");
    one(session, &command)
}

pub(super) fn clippy(session: &Session<'_>) -> Result<Outcome> {
    one(
        session,
        &cargo(
            session,
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--keep-going",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
        ),
    )
}

pub(super) fn doc(session: &Session<'_>) -> Result<Outcome> {
    let mut command = cargo(
        session,
        &[
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--locked",
        ],
    );
    // Links to private items are wanted: nobody reads these pages without them.
    command.env(
        "RUSTDOCFLAGS",
        "-D warnings -A rustdoc::private_intra_doc_links",
    );
    one(session, &command)
}

/// Advisories are left out: their database is a repository, which a closed network does not have.
pub(super) fn deny(session: &Session<'_>) -> Result<Outcome> {
    let pins = Pins::load(session.workspace)?;
    let folder = match tools::ensure(session.workspace, &pins, "cargo-deny", Pace::Awaited) {
        Ok(folder) => folder,
        Err(error) => return Ok(Outcome::skip_required(format!("cargo-deny: {error:#}"))),
    };
    let mut command = Command::new(folder.join("cargo-deny"));
    command.current_dir(session.workspace.root());
    command.args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]);
    one(session, &command)
}

/// Counts the tests that the harness of each binary reports.
pub(super) fn test(session: &Session<'_>) -> Result<Outcome> {
    let ended = session.shown(&cargo(
        session,
        &["test", "--workspace", "--locked", "--no-fail-fast"],
    ))?;
    let log = fs::read(session.log()?).context("the log of the tests cannot be read")?;
    let mut outcome = counted(&String::from_utf8_lossy(&log));
    if !ended.ok() && outcome.failed == 0 {
        outcome.add(Outcome::fail(format!("cargo test: {ended}")));
    } else if outcome.passed == 0 {
        outcome.add(Outcome::fail("no test ran"));
    }
    Ok(outcome)
}

fn counted(log: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for line in log.lines() {
        if let Some(counts) = line.strip_prefix("test result: ") {
            outcome.passed += before(counts, " passed");
            outcome.failed += before(counts, " failed");
            outcome.skipped += before(counts, " ignored");
        } else if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            outcome.notes.push(format!("failed: {name}"));
        }
    }
    outcome
}

/// The number that stands right before `word`.
fn before(text: &str, word: &str) -> usize {
    let number = text
        .split(word)
        .next()
        .and_then(|rest| rest.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The short forms of the proof. Some of them mount file systems, which CI may: there, being unable to is a failure.
pub(super) fn crash(session: &Session<'_>) -> Result<Outcome> {
    if !rustix::process::geteuid().is_root() {
        return Ok(Outcome::skip_required(
            "power cuts and failing disks are mounted file systems, which needs root",
        ));
    }
    let mut outcome = one(session, &crate::crash::brief(session.workspace)?)?;
    if outcome.failed > 0 {
        let log = fs::read(session.log()?).context("the log of the proof cannot be read")?;
        outcome
            .notes
            .extend(findings(&String::from_utf8_lossy(&log)));
    }
    Ok(outcome)
}

/// What the proof found, what was asked and answered then, and which of its forms broke off, with the steps that repeat it: the
/// summary may be all that is kept of a run.
fn findings(log: &str) -> Vec<String> {
    const MOST: usize = 60;
    let mut found = Vec::new();
    let mut broken = None;
    for line in log.lines() {
        let error = line.starts_with("--- ") && line.contains(": error: ");
        if error || line.starts_with("error: ") {
            broken = Some(found.len() + 4);
        } else if line.starts_with("--- ") {
            broken = None;
        }
        let says = ["  found: ", "  repeat it: ", "  server: ", "> ", "< "];
        if says.iter().any(|word| line.starts_with(word))
            || broken.is_some_and(|end| found.len() < end)
        {
            found.push(line.trim().to_owned());
        }
    }
    found.truncate(MOST);
    found
}

fn one(session: &Session<'_>, command: &Command) -> Result<Outcome> {
    let ended = session.shown(command)?;
    Ok(if ended.ok() {
        Outcome::pass()
    } else {
        Outcome::fail(ended.to_string())
    })
}

fn cargo(session: &Session<'_>, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .current_dir(session.workspace.root())
        .args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_proof_found_is_in_the_summary_and_what_went_well_is_not() {
        let log = "--- kill\n  found: a tag is gone\n> GET /v2/a/manifests/t\n< 404\n  server: ERROR why\nkill: 60 cycles\n--- kill: crash: cases=60 lost=1 (9 s)\n\
                   --- controls: error: no-fsync: signal: 9 and no finding:\nits last words (3 s)\n--- sim: crash: cases=2 (4 s)\n";
        assert_eq!(
            findings(log),
            [
                "found: a tag is gone",
                "> GET /v2/a/manifests/t",
                "< 404",
                "server: ERROR why",
                "--- controls: error: no-fsync: signal: 9 and no finding:",
                "its last words (3 s)"
            ]
        );
    }

    #[test]
    fn the_counts_of_all_test_binaries_are_added_and_failures_named() {
        let log = "test a::b ... ok\ntest a::c ... FAILED\n\
                   test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
                   test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";
        let outcome = counted(log);
        assert_eq!(
            (outcome.passed, outcome.failed, outcome.skipped),
            (15, 1, 2)
        );
        assert_eq!(outcome.notes, ["failed: a::c"]);
    }
}
