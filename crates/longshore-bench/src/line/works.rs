//! A line that is a job for the load generator.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{Figure, Measure, Sample, Scene, Stage, Unit, repositories};
use crate::fill::Shape;
use crate::job::{BEGIN, Job, Method, Outcome, Protocol, Read, Target, Task, Work};
use crate::peer::Peer;
use crate::probe::Use;
use crate::process::{self, tied};
use crate::seed::Content;

/// How long one of several looks is: what comes first and is not measured, and what is, in seconds.
pub(crate) const SHORT: (f64, f64) = (0.3, 1.2);

/// Between two looks at the server's memory.
const LOOK: Duration = Duration::from_millis(20);
/// What preparing and ending a job may take beside its own seconds.
const PATIENCE: Duration = Duration::from_mins(3);
/// From here on a processor counts as used up.
const FULL: f64 = 0.95;

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speak {
    Http1,
    Tls1,
    Tls2,
}

type Make = Box<dyn Fn(&Scene<'_>) -> Vec<Work>>;

/// A job whose works are made from what is stored and from the number of the measurement.
pub(crate) struct Works {
    pub(crate) speak: Speak,
    pub(crate) unit: Unit,
    pub(crate) warm_up: f64,
    pub(crate) seconds: f64,
    make: Make,
}

impl Works {
    /// Reads: a warm-up, then three seconds.
    pub(crate) fn reads(unit: Unit, make: impl Fn(&Content) -> Vec<Work> + 'static) -> Self {
        let make: Make = Box::new(move |scene| make(scene.content));
        Self {
            speak: Speak::Http1,
            unit,
            warm_up: 0.5,
            seconds: 3.0,
            make,
        }
    }

    /// Writes: no warm-up, what is pushed is new in every pass.
    pub(crate) fn writes(
        unit: Unit,
        seconds: f64,
        make: impl Fn(&Content, u32) -> Vec<Work> + 'static,
    ) -> Self {
        Self {
            speak: Speak::Http1,
            unit,
            warm_up: 0.0,
            seconds,
            make: Box::new(move |scene| make(scene.content, scene.pass)),
        }
    }

    /// Reads of what a filled store holds.
    pub(crate) fn reads_of(make: impl Fn(&Shape) -> Work + 'static) -> Self {
        let mut works = Self::reads(Unit::Requests, |_| Vec::new());
        works.make = Box::new(move |scene| scene.shape.iter().map(&make).collect());
        works
    }

    /// One of several short looks at what takes long to be done once.
    pub(crate) fn short(mut self) -> Self {
        (self.warm_up, self.seconds) = SHORT;
        self
    }

    pub(crate) fn over(mut self, speak: Speak) -> Self {
        self.speak = speak;
        self
    }
}

impl Measure for Works {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        let works = (self.make)(scene);
        let ran = drive(scene, peer, self.speak, works, (self.warm_up, self.seconds))?;
        Ok(ran.sample(self.unit, scene))
    }
}

/// A number to calculate with.
pub(crate) fn float(number: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "fifteen digits are more than anything here is known by"
    )]
    let number = number as f64;
    number
}

/// Gets `targets` in a loop on `connections` connections.
pub(crate) fn get(connections: usize, targets: Vec<Target>) -> Work {
    read(connections, Method::Get, targets)
}

/// The same with a method of one's own.
pub(crate) fn read(connections: usize, method: Method, targets: Vec<Target>) -> Work {
    let read = Read {
        method,
        targets,
        range: None,
        conditional: false,
        copy: false,
    };
    Work::new("read", connections, Task::Read(read))
}

/// What a job gave, with what the server used meanwhile.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) outcome: Outcome,
    cpu: f64,
    /// The most that was seen while it was measured.
    peak: Use,
}

impl Ran {
    /// The figures of its first work.
    pub(crate) fn sample(&self, unit: Unit, scene: &Scene<'_>) -> Sample {
        let Self { outcome, cpu, peak } = self;
        let mut sample = Sample::default();
        let mut set = |figure, value: f64| sample.figures.insert(figure, value);
        let per_second = |amount: f64| amount / outcome.seconds;
        if let Some(done) = outcome.works.first() {
            let (gigabytes, units) = (float(done.bytes) / 1e9, float(done.units));
            match unit {
                Unit::Bytes => {
                    set(Figure::Rate, per_second(gigabytes));
                    set(Figure::Cpu, cpu / gigabytes);
                }
                Unit::Requests | Unit::Images => {
                    set(Figure::Rate, per_second(units));
                    set(Figure::Cpu, cpu * 1e6 / units);
                }
                Unit::Nothing => {}
            }
            set(Figure::P50, done.latency.p50);
            set(Figure::P99, done.latency.p99);
            if let (Some(last), Some(median)) = (
                done.finished.last(),
                done.finished.get(done.finished.len() / 2),
            ) {
                set(Figure::Slowest, last / median);
            }
        }
        if let Some(beside) = outcome.works.get(1) {
            set(Figure::Beside, per_second(float(beside.bytes) / 1e9));
        }
        set(Figure::Memory, float(peak.anonymous) / 1e6);
        set(Figure::Resident, float(peak.resident) / 1e6);
        sample.errors = outcome.works.iter().map(|done| done.errors).sum();
        sample.error = outcome.works.iter().find_map(|done| done.error.clone());
        if sample.errors == 0
            && outcome
                .works
                .iter()
                .any(|done| done.units == 0 && done.bytes == 0)
        {
            sample.errors = 1;
            sample.error = Some("nothing was done".to_owned());
        }
        let full = |used: f64, cores: &[usize]| {
            used >= FULL * outcome.seconds * float(cores.len().max(1) as u64)
        };
        // Where both share all processors, neither can be told to be the limit.
        if scene.stage != Stage::Free {
            sample.server_bound = full(*cpu, scene.server_cores);
            sample.generator_bound = full(outcome.cpu, scene.load_cores) && !sample.server_bound;
        }
        sample
    }
}

/// Lets the load generator do `works` against `peer` and looks at the server meanwhile.
///
/// # Errors
/// When the generator fails as a whole or hangs.
pub(crate) fn drive(
    scene: &Scene<'_>,
    peer: &Peer,
    speak: Speak,
    works: Vec<Work>,
    times: (f64, f64),
) -> Result<Ran> {
    let mut works = works;
    for work in &mut works {
        // One token for all that many connections do would be kilobytes with each request.
        for repositories in repositories::of_each(work) {
            work.headers
                .push(peer.headers(scene.ground, &repositories)?);
        }
    }
    let trusted = || scene.ground.certificate.path().to_owned();
    let job = Job {
        address: peer.address,
        protocol: match speak {
            Speak::Http1 => Protocol::Http1,
            Speak::Tls1 => Protocol::Tls1(trusted()),
            Speak::Tls2 => Protocol::Tls2(trusted()),
        },
        headers: peer.headers(scene.ground, &repositories::of_all(&works))?,
        cores: scene.load_cores.to_vec(),
        warm_up: times.0 * scene.scale,
        seconds: times.1 * scene.scale,
        works,
    };
    let this = std::env::current_exe().context("this program cannot find itself")?;
    let mut generator = tied(&this, &[])
        .arg("load")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the load generator cannot be started")?;
    process::raise(generator.id());
    if scene.crowded {
        process::hurry(generator.id());
    }
    let ran = watch(&mut generator, &job, peer);
    if ran.is_err() {
        let _ = generator.kill();
    }
    let status = generator.wait()?;
    let ran = ran?;
    if !status.success() {
        bail!("the load generator ended with {status}");
    }
    Ok(ran)
}

fn watch(generator: &mut Child, job: &Job, peer: &Peer) -> Result<Ran> {
    let mut input = generator
        .stdin
        .take()
        .context("the load generator has no input")?;
    serde_json::to_writer(&mut input, job)?;
    input.flush()?;
    drop(input);
    let output = generator
        .stdout
        .take()
        .context("the load generator has no output")?;
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            if line.is_ok_and(|line| sender.send(line).is_err()) {
                break;
            }
        }
    });
    let deadline = Instant::now() + PATIENCE + Duration::from_secs_f64(job.warm_up + job.seconds);
    let (mut begun, mut peak) = (None, Use::default());
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) if line == BEGIN => begun = Some(peer.uses()),
            Ok(line) => {
                let end = peer.uses();
                let outcome: Outcome = serde_json::from_str(&line)
                    .context("the load generator's answer is not understood")?;
                let begun: Use = begun.context("the load generator never began")?;
                return Ok(Ran {
                    outcome,
                    cpu: end.cpu - begun.cpu,
                    peak: higher(peak, end),
                });
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {
                if begun.is_some() {
                    peak = higher(peak, peer.uses());
                }
            }
            Err(RecvTimeoutError::Timeout) => bail!("the load generator hangs"),
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the load generator ended without an answer")
            }
        }
    }
}

fn higher(one: Use, two: Use) -> Use {
    Use {
        cpu: two.cpu,
        anonymous: one.anonymous.max(two.anonymous),
        resident: one.resident.max(two.resident),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_memory_of_a_round_is_kept() {
        let one = Use {
            cpu: 1.0,
            anonymous: 9,
            resident: 1,
        };
        let two = Use {
            cpu: 2.0,
            anonymous: 3,
            resident: 4,
        };
        assert_eq!(
            higher(one, two),
            Use {
                cpu: 2.0,
                anonymous: 9,
                resident: 4
            }
        );
    }
}
