//! Proves what the registry promises: kills, power cuts, failing and full disks, long runs, and broken builds that must be
//! caught.
//!
//! Every mode compares a server with what it acknowledged ([`ledger`]) and ends with one line of figures ([`tally`]). What builds
//! the program and calls this one is `cargo xtask crash`. Nothing here is shipped.
#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "this crate is a test: a panic is one way for it to say no, and no figure is printed after one"
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cell;
mod check;
mod client;
mod controls;
mod deed;
mod disk;
mod diskfull;
mod failpoints;
mod kill;
mod ledger;
mod model;
mod powercut;
mod server;
mod sim;
mod snapshot;
mod soak;
mod tally;
mod way;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand};

pub(crate) use server::say;

/// Proves what the registry promises.
#[derive(Parser, Debug)]
#[command(name = "longshore-crash")]
struct Cli {
    #[command(subcommand)]
    mode: Mode,
}

/// What every mode that runs the real program is told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Common {
    /// The program under test.
    #[arg(long)]
    pub(crate) longshore: PathBuf,
    /// Where data, logs and file systems are made. What is left there after a failure shows what happened.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Where all choices come from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Ends with the first finding, as for a program that is known to be wrong; see `controls`.
    #[arg(long)]
    pub(crate) first: bool,
}

impl Common {
    /// The program under test.
    pub(crate) fn program(&self) -> server::Program {
        server::Program::new(&self.longshore)
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Mode {
    /// Every mode, one after the other, in half an hour or so.
    All(Common),
    /// A few minutes of the modes, as CI runs them.
    Brief(Common),
    /// Kills the server at random moments and looks what is left.
    Kill(kill::Options),
    /// Runs builds that are broken on purpose, each of which must be caught.
    Controls(controls::Options),
    /// Fills the disk up to the last bytes; needs root.
    Diskfull(diskfull::Options),
    /// Makes every operation on the disk fail that something the API offers needs; needs root.
    Failpoints(failpoints::Options),
    /// Gives each registry and the reference in memory the same random operations; they must agree.
    Model(model::Options),
    /// Takes the power away at random moments; needs root.
    Powercut(powercut::Options),
    /// Runs store and clients in one thread over storage that fails and forgets; each seed is one course, the same each time.
    Sim(sim::Options),
    /// Has many clients work for a long time, none of which may see an error.
    Soak(soak::Options),
}

fn main() -> ExitCode {
    end(run(Cli::parse().mode))
}

/// Runs a mode.
///
/// # Errors
/// When it cannot be run to its end.
pub(crate) fn run(mode: Mode) -> Result<tally::Tally> {
    match mode {
        Mode::All(common) => each(&[&ALL], &common),
        Mode::Brief(common) => each(&BRIEF, &common),
        Mode::Kill(options) => kill::run(&options),
        Mode::Controls(options) => controls::run(&options),
        Mode::Diskfull(options) => diskfull::run(&options),
        Mode::Model(options) => model::run(&options),
        Mode::Sim(options) => sim::run(&options),
        Mode::Soak(options) => soak::run(&options),
        Mode::Failpoints(options) => failpoints::run(&options),
        Mode::Powercut(options) => powercut::run(&options),
    }
}

/// A mode as it is typed.
///
/// # Errors
/// When there is no such mode, or no such option.
pub(crate) fn mode(words: &[&str], common: &Common) -> Result<Mode> {
    let named = ["longshore-crash"].into_iter().chain(words.iter().copied());
    let mut words: Vec<std::ffi::OsString> = named.map(Into::into).collect();
    words.extend([
        "--longshore".into(),
        common.longshore.clone().into_os_string(),
    ]);
    words.extend(["--dir".into(), common.dir.clone().into_os_string()]);
    words.extend(["--seed".into(), common.seed.to_string().into()]);
    Ok(Cli::try_parse_from(words)?.mode)
}

/// What `all` is made of.
const ALL: [&[&str]; 8] = [
    &["model"],
    &["sim"],
    &["kill"],
    &["powercut", "--on", "forgetful,ext4,xfs", "--images", "40"],
    &["diskfull"],
    &["failpoints", "--quick"],
    &["soak", "--for", "2m"],
    &["controls"],
];

/// What `brief` is made of: it shares twenty minutes with all other tests. The lanes run side by side: half of what is in them
/// waits for a disk, for a kill, for a time to be over.
const BRIEF: [&[&[&str]]; 3] = [
    &[&["soak", "--for", "2m"], &["controls"]],
    &[
        &["powercut", "--on", "forgetful,ext4,xfs", "--images", "14"],
        &["kill"],
        &["failpoints", "--quick"],
    ],
    &[
        &["model", "--seeds", "50"],
        &["sim", "--seeds", "2000"],
        &["diskfull", "--step", "512"],
    ],
];

/// The forms of each lane one after the other, each as it is typed. One that breaks off does not keep the others from running.
fn each(lanes: &[&[&[&str]]], common: &Common) -> Result<tally::Tally> {
    let all = Mutex::new((tally::Tally::default(), Vec::new()));
    let lane = |forms: &[&[&str]]| {
        for form in forms {
            let (began, name) = (Instant::now(), form.join(" "));
            say(&format!("--- {name}"));
            let done = mode(form, common).and_then(run);
            let seconds = began.elapsed().as_secs();
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            match done {
                Ok(found) => {
                    say(&format!("--- {name}: {found} ({seconds} s)"));
                    all.0.add(found);
                }
                Err(error) => {
                    say(&format!("--- {name}: error: {error:#} ({seconds} s)"));
                    all.1.push(name);
                }
            }
        }
    };
    thread::scope(|scope| {
        for forms in lanes {
            scope.spawn(|| lane(forms));
        }
    });
    let (tally, broken) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(
        broken.is_empty(),
        "broke off: {} ({tally})",
        broken.join(", ")
    );
    Ok(tally)
}

fn end(done: Result<tally::Tally>) -> ExitCode {
    match done {
        Ok(tally) => {
            say(&tally.to_string());
            tally.code()
        }
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
