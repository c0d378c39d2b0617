//! `longshore-bench abuse`: what good clients, memory and disk have to bear from bad ones.
//!
//! For each kind of abuse a server is started on a small store. Eight good clients get a manifest, first alone, then beside the abuse.
//! Afterwards the server is stopped and its data directory searched for what the abusers left behind, before and after the sessions of
//! their uploads expired. All of it runs on this machine's loopback and for seconds.

mod attack;
mod bombs;
mod floods;
mod front;
mod left;
mod report;
mod slow;
mod streams;
mod trial;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::line::works::float;
use crate::peer::{Certificate, Ground, Issuer, Paths, Program};
use crate::report::Machine;
use crate::run::{Scratch, say};
use front::Doing;
use report::Results;
use trial::Trials;

/// Idle connections, where the system allows so many open files.
const IDLE: usize = 10_000;
/// Open files beside connections, of either process.
const OTHER_FILES: u64 = 500;

/// What is tried, and where the program is.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The program that is built here.
    #[arg(long)]
    longshore: PathBuf,
    /// Where stores are made, and removed again. On a disk, not in memory.
    #[arg(long)]
    dir: PathBuf,
    /// A second of each; what is short is reported and does not fail.
    #[arg(long)]
    quick: bool,
    /// Only abuses whose names begin so; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How often each is tried; 3, with --quick 1.
    #[arg(long)]
    rounds: Option<u32>,
    /// Print the names of the abuses and end.
    #[arg(long)]
    list: bool,
    /// The page whose part about abuse is written.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// The most anonymous memory that the server may take: what it takes anyway, and so much for each thing that abusers hold.
#[derive(Debug, Clone, Copy)]
struct Bound {
    of: usize,
    what: &'static str,
    kib: u32,
}

/// MB that the server takes anyway, good clients included.
const ANYWAY: f64 = 16.0;

impl Bound {
    fn megabytes(self) -> f64 {
        ANYWAY + float(self.of as u64) * f64::from(self.kib) * 1024.0 / 1e6
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, what, kib } = self;
        write!(
            f,
            "{:.0} MB: {ANYWAY:.0} MB, and {kib} KiB for each of {of} {what}",
            self.megabytes()
        )
    }
}

/// One kind of abuse.
pub(crate) struct Abuse {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    tls: bool,
    /// What the server's configuration says for it.
    own: Value,
    memory: Bound,
    what: fn(std::sync::Arc<front::Front>) -> Doing,
}

/// All of them. Good and bad clients share one address and one name here, so the limits for each address and each user are off: what is
/// tried is what the rest of the server bears.
fn all(idle: usize) -> Vec<Abuse> {
    let one = |name, about, what: fn(_) -> _, (of, kind, kib)| Abuse {
        name,
        about,
        tls: false,
        own: Value::Null,
        memory: Bound {
            of,
            what: kind,
            kib,
        },
        what,
    };
    vec![
        one(
            "slow-readers",
            "64 connections read a blob of 100 MiB at 1 KiB a second",
            slow::readers,
            (64, "connections", 64),
        ),
        one(
            "slow-writers",
            "64 connections push a blob at 1 KiB a second, 64 send a head byte by byte",
            slow::writers,
            (128, "connections", 64),
        ),
        Abuse {
            own: json!({"limits": {"blob": "32 MiB"}}),
            ..one(
                "endless-bodies",
                "8 uploads in chunks without end, 128 MiB a second together, against a limit of 32 MiB for a blob",
                slow::endless,
                (8, "uploads", 4096),
            )
        },
        Abuse {
            own: json!({"limits": {"connections": idle + 1_000}}),
            ..one(
                "idle-connections",
                "10,000 connections asked for something once and are silent",
                slow::idle,
                (idle, "connections", 32),
            )
        },
        one(
            "header-floods",
            "500 requests a second with a header of 1 MiB, 10,000 headers or a path of 64 KiB",
            floods::headers,
            (16, "connections", 256),
        ),
        Abuse {
            own: json!({"limits": {"uploads_per_user": 1_000_000, "uploads_per_repository": 1_000_000}}),
            ..one(
                "aborted-uploads",
                "1,000 uploads a second break off in the middle; half are ended by DELETE, the others forgotten",
                floods::uploads,
                (64, "uploads at a time", 512),
            )
        },
        Abuse {
            tls: true,
            ..one(
                "http2-streams",
                "8 connections reset 5,000 streams a second together, 8 open as many as they may for a blob of 100 MiB and read nothing",
                streams::both,
                (1024, "open streams", 128),
            )
        },
        one(
            "json-bombs",
            "20 manifests of 4 MiB a second: deep nesting, millions of lists, a million layers, annotations without end",
            bombs::manifests,
            (8, "manifests", 12 << 10),
        ),
    ]
}

/// Tries, prints, judges.
///
/// # Errors
/// When a server cannot be started or an abuse cannot be done.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let idle = connections()?;
    let named = |abuse: &Abuse| {
        let mut only = options.only.iter();
        options.only.is_empty() || only.any(|name| abuse.name.starts_with(name.as_str()))
    };
    let abuses: Vec<Abuse> = all(idle).into_iter().filter(named).collect();
    ensure!(
        !abuses.is_empty(),
        "there is no such abuse; `--list` names them"
    );
    if options.list {
        for abuse in &abuses {
            say(&format!("{:<18} {}", abuse.name, abuse.about))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if idle < IDLE {
        say(&format!(
            "the limit of open files allows {idle} idle connections instead of {IDLE}"
        ))?;
    }
    let dir = Scratch::new(&options.dir)?;
    let ground = Ground {
        paths: Paths::new([(Program::Longshore, Some(options.longshore.clone()))]),
        dir: dir.0.clone(),
        issuer: Issuer::new()?,
        certificate: Certificate::new(&dir.0)?,
    };
    let rounds = options
        .rounds
        .unwrap_or(if options.quick { 1 } else { 3 })
        .max(1);
    let trials = Trials::new(&ground, idle, options.quick)?;
    let mut results = Results::new(Machine::here(&ground.paths), rounds);
    for _ in 0..rounds {
        for abuse in &abuses {
            let trial = trials
                .one(abuse)
                .with_context(|| format!("the abuse {}", abuse.name))?;
            say(&format!("{:<18} {trial}", abuse.name))?;
            results.add(abuse.name, trial);
        }
    }
    drop(trials);
    drop(dir);
    let goals = results.judge(&abuses);
    for goal in &goals {
        say(&goal.to_string())?;
    }
    let short = goals.iter().filter(|goal| !goal.verdict.is_ok()).count();
    let errors = results.errors();
    say(&format!(
        "\n{} goals, {short} short, {} errors",
        goals.len(),
        errors.len()
    ))?;
    for error in &errors {
        say(&format!("error: {error}"))?;
    }
    if let Some(page) = &options.page {
        results.write(page, &abuses, &goals)?;
        say(&format!("written: {}", page.display()))?;
    }
    Ok(if !errors.is_empty() || (short > 0 && !options.quick) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Raises the limit of open files, which servers inherit, as far as it may be, and says how many connections that allows.
fn connections() -> Result<usize> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("the limit of open files cannot be raised")?;
    let files = limit.maximum.unwrap_or(u64::MAX);
    Ok(usize::try_from(files.saturating_sub(OTHER_FILES))
        .unwrap_or(IDLE)
        .min(IDLE))
}
