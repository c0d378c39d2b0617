//! The whole registry but its sockets in one thread, with a clock, storage and a database that do what a seed says (T1).
//!
//! Edge, tower and store are the product's; so are the SQL and SQLite. Storage is in memory ([`blobs`]), the database runs its
//! writes where they are asked for, and after a crash its log is cut back to any commit at or behind the last sync. Every step of
//! either may fail, take its time, or be the last one ([`world`]). A seed is one course of several lives; a finding is told
//! with the command that repeats it.

mod blobs;
mod inside;
mod life;
mod platter;
mod world;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::say;
use crate::soak::duration;
use crate::tally::Tally;

/// Which seeds.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The program under test; not needed here, where its parts are linked in.
    #[arg(long)]
    longshore: Option<PathBuf>,
    /// Where databases are made; in memory if it can be had.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// Ends after this time, whatever is left, such as `5m`.
    #[arg(long = "for", value_parser = duration)]
    time: Option<Duration>,
    /// On how many threads.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Ends with the first finding.
    #[arg(long)]
    first: bool,
    /// Runs each seed twice and demands the same course.
    #[arg(long)]
    twice: bool,
}

/// Runs the seeds.
///
/// # Errors
/// When no database can be made.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let (next, steps, injected) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (all, began) = (Mutex::new(Tally::default()), Instant::now());
    let threads = if options.seeds == 1 {
        1
    } else {
        options.threads
    };
    let errors: Vec<_> = std::thread::scope(|scope| {
        let worker = |n: u64| {
            let (next, all, steps, injected) = (&next, &all, &steps, &injected);
            scope.spawn(move || -> Result<()> {
                let place = life::Place::new(options.dir.as_deref(), n)?;
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let late = options.time.is_some_and(|time| began.elapsed() > time);
                    if at >= options.seeds || late {
                        return Ok(());
                    }
                    let seed = options.seed + at;
                    let course = life::course(&place, seed)
                        .with_context(|| format!("seed {seed}"))?;
                    let mut found = course.tally;
                    if options.twice {
                        let again = life::course(&place, seed)?;
                        if again.trace != course.trace {
                            found.lose(format!("seed {seed} took another course the second time"));
                        }
                    }
                    if !found.is_clean() {
                        say(&format!(
                            "  repeat it: cargo xtask crash sim --seed {seed} --seeds 1\n  last steps: {}",
                            course.told
                        ));
                    }
                    found.cases = 1;
                    steps.fetch_add(course.steps, Ordering::Relaxed);
                    injected.fetch_add(course.injected, Ordering::Relaxed);
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.add(found);
                    if all.cases.is_multiple_of(1000) {
                        let so_far = began.elapsed().as_secs();
                        say(&format!("sim: {} seeds, {so_far} s, {} lost", all.cases, all.lost));
                    }
                    if all.is_enough(options.first) {
                        return Ok(());
                    }
                }
            })
        };
        let workers: Vec<_> = (0..threads).map(worker).collect();
        workers
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect()
    });
    for error in errors {
        error.map_err(|_| anyhow::anyhow!("a thread of the simulation panicked"))??;
    }
    let tally = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&format!(
        "sim: seeds from {}, {} of them, {} steps, {} failures injected, {} s",
        options.seed,
        tally.cases,
        steps.into_inner(),
        injected.into_inner(),
        began.elapsed().as_secs()
    ));
    Ok(tally)
}
