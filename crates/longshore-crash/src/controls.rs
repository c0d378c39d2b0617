//! Builds that are broken on purpose: a proof that cannot fail proves nothing.
//!
//! One more build of the program holds all mistakes; a variable of its environment chooses one (the feature `broken`, which nothing that is
//! shipped has). Each must be caught by the mode that is there for it, in its short form; one that is not fails the run. Each is
//! a process of its own that ends with its first finding, and two run side by side: most of their time is waiting.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;

use crate::tally::{FOUND, Tally};
use crate::{Common, say};

/// The variable that chooses a mistake.
pub(crate) const VARIABLE: &str = "MISTAKE_ON_PURPOSE";

/// The mistakes, and what must catch each. What takes longest comes first.
const CONTROLS: [(&str, &[&str]); 9] = [
    ("check-before-lock", &["sim", "--seeds", "2000"]),
    ("manifest-before-blobs", &["powercut", "--images", "200"]),
    ("no-log-sync", &["powercut", "--images", "100"]),
    ("no-dir-sync", &["powercut", "--images", "100"]),
    ("no-fsync", &["powercut", "--images", "100"]),
    ("gc-without-lease", &["sim", "--seeds", "1000"]),
    ("trust-staged", &["sim", "--seeds", "1000"]),
    ("commit-before-rename", &["kill", "--cycles", "40"]),
    ("publish-before-verify", &["kill", "--cycles", "20"]),
];

/// Without a mistake they find nothing, or what the others find says nothing.
const WITHOUT: [&[&str]; 3] = [
    &["powercut", "--images", "12"],
    &["kill", "--cycles", "5"],
    &["sim", "--seeds", "50"],
];

/// How many run side by side.
const AT_ONCE: usize = 2;

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

/// The builds with mistakes in them.
struct Broken<'a> {
    /// The registry.
    program: PathBuf,
    /// This program, with the parts of the registry that it simulates.
    us: PathBuf,
    common: &'a Common,
}

/// Tries every mistake.
///
/// # Errors
/// When the build is not there, or the build that is tested has mistakes too.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let beside = || options.common.longshore.with_file_name("longshore-broken");
    let us = std::env::current_exe().context("this program cannot find itself")?;
    let broken = Broken {
        program: options.broken_build.clone().unwrap_or_else(beside),
        us: us.with_file_name("longshore-crash-broken"),
        common: &options.common,
    };
    for program in [&broken.program, &broken.us] {
        let path = program.display();
        ensure!(can_be_broken(program)?, "{path} has no mistakes in it");
    }
    ensure!(
        !can_be_broken(&options.common.longshore)?,
        "{} was built with mistakes in it",
        options.common.longshore.display()
    );
    for caught in side_by_side(&WITHOUT, |form| broken.catches(None, form))? {
        ensure!(
            caught.is_none(),
            "the build is broken without any mistake: {}",
            caught.unwrap_or_default()
        );
    }
    let chosen: Vec<_> = CONTROLS
        .into_iter()
        .filter(|(mistake, _)| options.only.as_ref().is_none_or(|only| only == mistake))
        .collect();
    ensure!(!chosen.is_empty(), "there is no such mistake");
    let caught = side_by_side(&chosen, |(mistake, form)| {
        let began = Instant::now();
        let caught = broken.catches(Some(mistake), form)?;
        if let Some(how) = &caught {
            say(&format!(
                "controls: {mistake} was caught by {} after {} s: {how}",
                form[0],
                began.elapsed().as_secs()
            ));
        }
        Ok(caught)
    })?;
    let mut all = Tally::default();
    for ((mistake, form), caught) in chosen.iter().zip(caught) {
        all.cases += 1;
        if caught.is_none() {
            all.miss(format!("{mistake} was not caught by {}", form.join(" ")));
        }
    }
    Ok(all)
}

/// Does `work` for each of `items`, a few at once; gives what came of them in their order.
fn side_by_side<T: Sync, D: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<D> + Sync,
) -> Result<Vec<D>> {
    let (todo, done) = (Mutex::new(items.iter().enumerate()), Mutex::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((at, item)) = take(&todo) {
                    let came = work(item);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    Vec::push(&mut *done, (at, came));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    ensure!(done.len() == items.len(), "a control was not tried");
    done.into_iter().map(|(_, came)| came).collect()
}

fn take<I: Iterator>(todo: &Mutex<I>) -> Option<I::Item> {
    todo.lock().unwrap_or_else(PoisonError::into_inner).next()
}

impl Broken<'_> {
    /// Runs a mode over the broken build, with this mistake in it. What it found first, if it found anything.
    fn catches(&self, mistake: Option<&str>, form: &[&str]) -> Result<Option<String>> {
        let name = mistake.unwrap_or(form[0]);
        // It ends when we do, however we end.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.us);
        command.args(form).arg("--longshore").arg(&self.program);
        command
            .arg("--dir")
            .arg(self.common.dir.join("controls").join(name));
        command.args(["--seed", &self.common.seed.to_string()]);
        if form[0] == "sim" {
            command.args(["--threads", "1"]);
        }
        if let Some(mistake) = mistake {
            command.arg("--first").env(VARIABLE, mistake);
        }
        let out = command
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} cannot be started", form[0]))?;
        if out.status.success() {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&out.stdout);
        let found = said
            .lines()
            .find_map(|line| line.strip_prefix(FOUND).or(line.strip_prefix("error: ")));
        // A run that was cut off found nothing, and one that broke off before its server ran says nothing of a mistake.
        let found = found.ok_or_else(|| anyhow!("{name}: {} and no finding:\n{said}", out.status));
        found.map(|found| Some(found.to_owned()))
    }
}

/// Whether mistakes are in the program.
fn can_be_broken(program: &Path) -> Result<bool> {
    let bytes =
        fs::read(program).with_context(|| format!("{} cannot be read", program.display()))?;
    Ok(bytes
        .windows(VARIABLE.len())
        .any(|part| part == VARIABLE.as_bytes()))
}
