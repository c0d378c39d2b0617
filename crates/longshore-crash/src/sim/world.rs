//! What decides in a simulation: when each step happens, whether it fails, and at which one the power goes.
//!
//! A step is anything that storage or database do for somebody: a write, a sync, a commit. Everything runs in one thread on a clock
//! that only moves when nobody has anything to do, so the seed decides all of it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, pending};
use longshore_core::{Code, Error, Result};
use longshore_meta::{Durability, Steps};
use longshore_testkit::content::Draw;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many steps are told of when something is found.
const TOLD: usize = 24;

thread_local! {
    /// The time at which this life of the simulated machine began, and by which clock it goes on.
    static CLOCK: Cell<(SystemTime, Option<Instant>)> = const { Cell::new((SystemTime::UNIX_EPOCH, None)) };
}

/// The time on the simulated machine.
pub(crate) fn now() -> SystemTime {
    let (base, since) = CLOCK.get();
    base + since.map_or(Duration::ZERO, |since| since.elapsed())
}

/// Sets the time, within a runtime whose clock is paused.
pub(crate) fn set_clock(to: SystemTime) {
    CLOCK.set((to, Some(Instant::now())));
}

/// Stops the time between two lives.
pub(crate) fn stop_clock() {
    CLOCK.set((now(), None));
}

/// What decides.
#[derive(Debug)]
pub(crate) struct World {
    state: Mutex<State>,
    crashed: Notify,
}

#[derive(Debug)]
struct State {
    draw: Draw,
    steps: u64,
    crash_at: u64,
    crashed: bool,
    /// Of a thousand steps, how many fail.
    faults: usize,
    /// Everything that happened, as one number: two runs of a seed must agree on it.
    trace: u64,
    told: VecDeque<String>,
    log: Log,
    injected: u64,
}

/// The database's log. It outlives the machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    /// How long it was at each commit.
    lengths: Vec<u64>,
    /// How many commits are safe from a power cut.
    safe: usize,
}

impl World {
    /// A life that ends at the step `crash_at` if nothing ends it before.
    pub(crate) fn new(seed: u64, crash_at: u64, faults: usize, log: Log) -> Self {
        Self {
            state: Mutex::new(State {
                draw: Draw::new(seed),
                steps: 0,
                crash_at,
                crashed: false,
                faults,
                trace: 0xcbf2_9ce4_8422_2325,
                told: VecDeque::new(),
                log,
                injected: 0,
            }),
            crashed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One step. It may take a while, fail, or never end because the machine is gone.
    pub(crate) async fn step(&self, what: &'static str) -> Result<()> {
        let verdict = {
            let mut state = self.state();
            state.note(what);
            if state.crashed {
                None
            } else {
                state.steps += 1;
                if state.steps >= state.crash_at {
                    state.crashed = true;
                    None
                } else {
                    let fails = state.faults > 0 && state.draw.below(1000) < state.faults;
                    state.injected += u64::from(fails);
                    let full = state.draw.below(2) == 0;
                    let pause = match state.draw.below(8) {
                        0..=2 => None,
                        3..=6 => Some(Duration::from_micros(10 + state.draw.number() % 900)),
                        _ => Some(Duration::from_micros(state.draw.number() % 40_000)),
                    };
                    Some((fails, full, pause))
                }
            }
        };
        let Some((fails, full, pause)) = verdict else {
            self.crashed.notify_waiters();
            return pending().await;
        };
        match pause {
            None => tokio::task::yield_now().await,
            Some(pause) => tokio::time::sleep(pause).await,
        }
        // The machine may have gone while this waited.
        if self.is_crashed() {
            return pending().await;
        }
        match (fails, full) {
            (false, _) => Ok(()),
            (true, false) => Err(Error::new(Code::Unavailable, "the simulated disk fails")),
            (true, true) => Err(Error::new(Code::Unavailable, "the simulated disk is full")),
        }
    }

    pub(crate) fn is_crashed(&self) -> bool {
        self.state().crashed
    }

    /// Returns when the machine is gone.
    pub(crate) async fn gone(&self) {
        loop {
            let gone = self.crashed.notified();
            if self.is_crashed() {
                return;
            }
            gone.await;
        }
    }

    /// No more faults and no more crash: what comes now must be right.
    pub(crate) fn calm(&self) {
        let mut state = self.state();
        state.faults = 0;
        state.crash_at = u64::MAX;
    }

    /// A number that the seed decides.
    pub(crate) fn draw(&self) -> u64 {
        self.state().draw.number()
    }

    /// The log as a kill leaves it.
    pub(crate) fn log(&self) -> Log {
        self.state().log.clone()
    }

    /// The log as a power cut leaves it, and its length: everything up to the last sync, and any number of commits behind it.
    pub(crate) fn cut_log(&self) -> (Log, u64) {
        let mut state = self.state();
        let (safe, all) = (state.log.safe, state.log.lengths.len());
        let kept = safe + state.draw.below(all - safe + 1);
        let mut log = state.log.clone();
        log.lengths.truncate(kept);
        log.safe = kept;
        let length = log.lengths.last().copied().unwrap_or(0);
        (log, length)
    }

    /// The steps taken, the failures injected, and everything that happened as one number.
    pub(crate) fn figures(&self) -> (u64, u64, u64) {
        let state = self.state();
        (state.steps, state.injected, state.trace)
    }

    /// The last steps, for whoever wants to know what happened.
    pub(crate) fn told(&self) -> String {
        self.state()
            .told
            .iter()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl State {
    fn note(&mut self, what: &'static str) {
        for byte in what.bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.told.len() == TOLD {
            self.told.pop_front();
        }
        self.told.push_back(format!("{}:{what}", self.steps));
    }
}

/// The database's part of a world.
#[derive(Debug)]
pub(crate) struct Database(pub(crate) std::sync::Arc<World>);

impl Steps for Database {
    fn before(&self) -> BoxFuture<'_, Result<()>> {
        self.0.step("begin").boxed()
    }

    fn committed(&self, length: u64, durability: Durability) -> BoxFuture<'_, Result<()>> {
        let mine = {
            let mut state = self.0.state();
            state.log.lengths.push(length);
            state.log.lengths.len()
        };
        async move {
            // A kill or a cut between the commit and its answer; the failure of a sync ends all writing in the product and
            // is tried on the real program.
            self.0.quiet_step("committed").await;
            if durability == Durability::Power {
                self.0.synced(mine);
                self.0.quiet_step("synced").await;
            }
            Ok(())
        }
        .boxed()
    }
}

impl World {
    /// The log is safe up to this commit.
    fn synced(&self, commits: usize) {
        let mut state = self.state();
        state.log.safe = state.log.safe.max(commits);
    }

    /// A step that does not fail: the machine may only go at it.
    async fn quiet_step(&self, what: &'static str) {
        // An injected failure here would be an answer that says less than what happened, which is what a broken connection
        // says too.
        let _ = self.step(what).await;
    }
}
