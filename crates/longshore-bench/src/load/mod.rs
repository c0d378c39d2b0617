//! The load generator: does a job, measures it, and takes as little of its core as it can.

mod answer;
mod channel;
mod client;
mod content;
mod engine;
mod histogram;
mod http2;
mod image;
mod pushes;
mod reads;
mod requests;
mod run;
#[cfg(test)]
mod tests;
mod tls;

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::job::{BEGIN, Job, Outcome, Task};
pub(crate) use tls::TlsDial;

use run::{Phase, Run, Shared, Word};

/// How long connections may take to come about, and a last unit of the warm-up to end.
const PATIENCE: Duration = Duration::from_mins(5);

/// Does the job on standard input.
///
/// # Errors
/// When the job is not understood or the server cannot be reached.
pub(crate) fn run() -> Result<ExitCode> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let job: Job = serde_json::from_str(&text).context("reading the job")?;
    pin(&job.cores)?;
    let outcome = perform(&job, || say(BEGIN))?;
    say(&serde_json::to_string(&outcome)?)?;
    // Threads may be in the middle of something; what they do from here on is nobody's measure.
    std::process::exit(0)
}

/// Keeps the process, whose threads are yet to come, on some processors.
fn pin(cores: &[usize]) -> Result<()> {
    if cores.is_empty() {
        return Ok(());
    }
    let mut set = CpuSet::new();
    for core in cores {
        ensure!(*core < CpuSet::MAX_CPU, "no processor {core}");
        set.set(*core);
    }
    sched_setaffinity(None, &set).context("keeping to the given processors")
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// Does a job, with `begin` called when its measured part begins.
fn perform(job: &Job, begin: impl FnOnce() -> Result<()>) -> Result<Outcome> {
    let run = Arc::new(Run::new());
    let (sender, words) = channel();
    let mut shared = Vec::new();
    let mut threads = 0;
    // Those that stop between warm-up and measured part.
    let mut holding = 0;
    for work in &job.works {
        ensure!(work.connections > 0, "{}: no connections", work.name);
        let one = Arc::new(Shared::new(work));
        let started = match &work.task {
            Task::Read(_) | Task::Pull { .. } => reads::start(job, work, &run, &one, &sender),
            Task::Push { .. } | Task::Image { .. } | Task::Mount { .. } => {
                pushes::start(job, work, &run, &one, &sender)
            }
        };
        let started = started.with_context(|| work.name.clone())?;
        threads += started;
        if work.units.is_some() || matches!(work.task, Task::Pull { .. }) {
            holding += started;
        }
        shared.push(one);
    }
    drop(sender);

    let mut finished = 0;
    gather(&words, threads, &mut finished)?;
    run.enter(Phase::WarmUp);
    let warm_up = Duration::try_from_secs_f64(job.warm_up).context("the length of the warm-up")?;
    std::thread::sleep(warm_up);
    run.enter(Phase::Hold);
    gather(&words, holding, &mut finished)?;
    begin()?;
    let from = run.enter(Phase::Measured);
    let before = cpu()?;
    let seconds = Duration::try_from_secs_f64(job.seconds).context("the length of the job")?;
    measure(&words, threads, finished, from + seconds)?;
    let to = run.enter(Phase::Over);
    Ok(Outcome {
        works: shared.iter().map(|one| one.done()).collect(),
        seconds: (to - from).as_secs_f64(),
        cpu: cpu()? - before,
    })
}

/// Waits for a word from so many threads. One that finished, having given up, says no more.
fn gather(words: &Receiver<Word>, threads: usize, finished: &mut usize) -> Result<()> {
    for _ in 0..threads.saturating_sub(*finished) {
        match words.recv_timeout(PATIENCE) {
            Ok(Word::Ready | Word::Holding) => {}
            Ok(Word::Finished(result)) => {
                result?;
                *finished += 1;
            }
            Err(error) => return Err(error).context("waiting for the threads of the job"),
        }
    }
    Ok(())
}

/// Waits until all threads are done or it is time.
fn measure(words: &Receiver<Word>, threads: usize, finished: usize, until: Instant) -> Result<()> {
    let mut finished = finished;
    while finished < threads {
        let left = until.saturating_duration_since(Instant::now());
        match words.recv_timeout(left) {
            Ok(Word::Finished(result)) => {
                result?;
                finished += 1;
            }
            Ok(Word::Ready | Word::Holding) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(())
}

/// Processor seconds of this process so far, to within a hundredth of a second.
fn cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name may hold anything, so counting starts behind its bracket: user and system time are the 12th and 13th words from there.
    let (_, rest) = stat.rsplit_once(')').unwrap_or_default();
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks = ticks
        .map(str::parse::<u32>)
        .sum::<Result<u32, _>>()
        .context("reading the processor time of this process")?;
    let per_second = u32::try_from(rustix::param::clock_ticks_per_second())?;
    Ok(f64::from(ticks) / f64::from(per_second))
}
