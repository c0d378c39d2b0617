//! Builds that are broken on purpose: a proof that cannot fail proves nothing.
//!
//! One more build of the program holds all mistakes; a variable of its environment chooses one (the feature `broken`, which nothing that is
//! shipped has). Each must be caught by the mode that is there for it, in its short form; one that is not fails the run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::tally::{self, Tally};
use crate::{Common, mode, run as run_mode, say};

/// The variable that chooses a mistake.
pub(crate) const VARIABLE: &str = "MISTAKE_ON_PURPOSE";

/// The mistakes, and what must catch each.
const CONTROLS: [(&str, &[&str]); 9] = [
    ("no-fsync", &["powercut", "--images", "60"]),
    ("no-dir-sync", &["powercut", "--images", "60"]),
    ("no-log-sync", &["powercut", "--images", "60"]),
    ("manifest-before-blobs", &["powercut", "--images", "120"]),
    ("trust-staged", &["sim", "--seeds", "400"]),
    ("gc-without-lease", &["sim", "--seeds", "600"]),
    ("check-before-lock", &["sim", "--seeds", "2000"]),
    ("publish-before-verify", &["kill", "--cycles", "10"]),
    ("commit-before-rename", &["kill", "--cycles", "20"]),
];

/// Where the broken build is.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// The program that was built with its mistakes; `longshore-broken` beside the program if nothing is said.
    #[arg(long)]
    broken_build: Option<PathBuf>,
    /// Only this mistake.
    #[arg(long)]
    only: Option<String>,
}

/// Tries every mistake.
///
/// # Errors
/// When the build is not there, or the build that is tested has mistakes too.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let beside = || options.common.longshore.with_file_name("longshore-broken");
    let program = options.broken_build.clone().unwrap_or_else(beside);
    ensure!(
        can_be_broken(&program)?,
        "{} has no mistakes in it",
        program.display()
    );
    ensure!(
        !can_be_broken(&options.common.longshore)?,
        "{} was built with mistakes in it",
        options.common.longshore.display()
    );
    let mut all = Tally::default();
    let common = |broken: Option<&str>| Common {
        longshore: program.clone(),
        dir: options.common.dir.join("controls"),
        seed: options.common.seed,
        broken: broken.map(str::to_owned),
    };
    // Without a mistake it is right, or what follows says nothing.
    for form in [
        &["powercut", "--images", "12"][..],
        &["kill", "--cycles", "5"],
    ] {
        let found = run_mode(mode(form, &common(None))?)?;
        ensure!(
            found.is_clean(),
            "the build is broken without any mistake: {found}"
        );
    }
    for (mistake, form) in CONTROLS {
        if options.only.as_ref().is_some_and(|only| only != mistake) {
            continue;
        }
        let began = Instant::now();
        all.cases += 1;
        if form[0] == "sim" {
            let caught = simulate(&beside_us()?, mistake, form)?;
            let seconds = began.elapsed().as_secs();
            if caught {
                say(&format!(
                    "controls: {mistake} was caught by sim after {seconds} s"
                ));
            } else {
                all.miss(format!("{mistake} was not caught by {}", form.join(" ")));
            }
            continue;
        }
        tally::quiet(true);
        let done = run_mode(mode(form, &common(Some(mistake)))?);
        tally::quiet(false);
        let seconds = began.elapsed().as_secs();
        match done {
            Ok(found) if found.is_clean() => {
                all.miss(format!(
                    "{mistake} was not caught by {} ({found})",
                    form.join(" ")
                ));
            }
            Ok(found) => say(&format!(
                "controls: {mistake} was caught by {} after {seconds} s: {}",
                form[0],
                found
                    .told()
                    .first()
                    .and_then(|told| told.lines().next())
                    .unwrap_or_default()
            )),
            Err(error) => say(&format!(
                "controls: {mistake} was caught by {} after {seconds} s: {}",
                form[0],
                format!("{error:#}").lines().next().unwrap_or_default()
            )),
        }
    }
    Ok(all)
}

/// This program, built with mistakes in the parts of the registry that it simulates.
fn beside_us() -> Result<PathBuf> {
    let us = std::env::current_exe().context("this program cannot find itself")?;
    let broken = us.with_file_name("longshore-crash-broken");
    ensure!(
        can_be_broken(&broken)?,
        "{} has no mistakes in it",
        broken.display()
    );
    Ok(broken)
}

/// Runs the simulation with a mistake in it; says whether it found something.
fn simulate(program: &Path, mistake: &str, form: &[&str]) -> Result<bool> {
    let ended = Command::new(program)
        .args(form)
        .env(VARIABLE, mistake)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("the simulation cannot be started")?;
    Ok(!ended.success())
}

/// Whether mistakes are in the program.
fn can_be_broken(program: &Path) -> Result<bool> {
    let bytes =
        fs::read(program).with_context(|| format!("{} cannot be read", program.display()))?;
    Ok(bytes
        .windows(VARIABLE.len())
        .any(|part| part == VARIABLE.as_bytes()))
}
