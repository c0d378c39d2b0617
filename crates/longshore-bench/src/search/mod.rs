//! How long a search takes in a registry of many repositories.

mod ask;
mod content;
mod fill;
mod reader;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::port;
use crate::process::{Server, tied};
use crate::run::Scratch;
use crate::wire::{Connection, Request};

/// What the slowest of a hundred searches may take.
const WANTED: Duration = Duration::from_millis(50);

/// Measures searches in a large registry: fills a store, serves it, and searches.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The program to measure.
    #[arg(long)]
    longshore: PathBuf,
    /// A directory for the store, or one that was filled by an earlier run with `--filled`.
    #[arg(long)]
    dir: PathBuf,
    /// A tenth of it all, and a missed goal does not fail.
    #[arg(long)]
    quick: bool,
    /// The directory is filled already.
    #[arg(long)]
    filled: bool,
    /// Repositories.
    #[arg(long, default_value_t = 100_000)]
    repositories: usize,
    /// Tags of each.
    #[arg(long, default_value_t = 10)]
    tags: usize,
    /// For how long each kind of search is asked, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many ask at a time.
    #[arg(long, default_value_t = 2)]
    connections: usize,
}

/// Does it, and prints a line for each kind of search and one for the goal.
///
/// # Errors
/// When the store cannot be filled or the program does not serve it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut out = std::io::stdout();
    let part = if options.quick { 10 } else { 1 };
    let (repositories, seconds) = (
        options.repositories / part,
        options.seconds.div_ceil(part as u64),
    );
    std::fs::create_dir_all(&options.dir)?;
    let scratch = if options.filled {
        None
    } else {
        Some(Scratch::new(&options.dir)?)
    };
    if scratch.is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let took = runtime.block_on(fill::fill(&options.dir, repositories, options.tags))?;
        let each = took / u32::try_from(repositories.max(1)).unwrap_or(u32::MAX);
        writeln!(
            out,
            "fill repositories={} tags={} indexed_in={:.1}s each={:.0}us",
            repositories,
            repositories * options.tags,
            took.as_secs_f64(),
            each.as_secs_f64() * 1e6
        )?;
    }
    let mut met = true;
    for whose in [Whose::Everybody, Whose::Reader] {
        met &= whose.measured(options, repositories, Duration::from_secs(seconds))?;
    }
    Ok(if met || options.quick {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Who searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Anybody, in a registry that shows everything to everybody.
    Everybody,
    /// Somebody with an account, where there is an index: they see a tenth.
    Reader,
}

impl Whose {
    const fn name(self) -> &'static str {
        match self {
            Whose::Everybody => "everything",
            Whose::Reader => "a-tenth",
        }
    }

    /// Serves the store and searches it; prints what it took, and says whether that was within the goal.
    fn measured(self, options: &Options, repositories: usize, time: Duration) -> Result<bool> {
        let mut out = std::io::stdout();
        let at = port::free()?;
        let set = |command: &mut Command| {
            command
                .env("LONGSHORE__LISTEN", at.to_string())
                .env("LONGSHORE__PUBLIC_URL", format!("http://{at}"))
                .env("LONGSHORE__DATA", &options.dir)
                .env("LONGSHORE__SEARCH__CONTENT", "true")
                .env("LONGSHORE__METRICS__ENABLED", "false")
                .env("LONGSHORE__LOG__ACCESS", "false")
                .env("LONGSHORE__LIMITS__REQUESTS_PER_USER", "0")
                .env(
                    "LONGSHORE__INDEX__ENABLED",
                    (self == Whose::Reader).to_string(),
                );
        };
        let mut command = tied(&options.longshore, &[]);
        set(command.arg("serve"));
        let mut server = Server::start(&mut command, &options.dir.join("bench.log"))?;
        // An index takes over the names of what it finds before it answers.
        server.wait(Duration::from_mins(2), || is_up(at))?;
        let login = match self {
            Whose::Everybody => Vec::new(),
            Whose::Reader => {
                let made = reader::reader(at, || {
                    let mut command = Command::new(&options.longshore);
                    set(&mut command);
                    command
                });
                let (login, namespaces) = made.with_context(|| server.tail())?;
                writeln!(out, "reader namespaces={namespaces}")?;
                login
            }
        };
        let (mut all, name) = (ask::Times::default(), self.name());
        for kind in ask::KINDS {
            let asked = (at, &login);
            let times = ask::ask(asked, *kind, options.connections, time, repositories)
                .with_context(|| format!("{kind:?}: {}", server.tail()))?;
            writeln!(out, "search sees={name} kind={:<10} {times}", kind.name())?;
            all.and(times);
        }
        writeln!(out, "search sees={name} kind={:<10} {all}", "all")?;
        ensure!(all.found() > 0, "nothing was found");
        let met = all.quantile(99) <= WANTED;
        writeln!(
            out,
            "goal search/p99-{name} ratio={:.3} wanted=<={} {}",
            all.quantile(99).as_secs_f64() * 1e3,
            WANTED.as_millis(),
            if met { "ok" } else { "short" }
        )?;
        server.stop();
        Ok(met)
    }
}

fn is_up(at: SocketAddr) -> bool {
    let ping = Request {
        method: "GET",
        path: "/v1/_ping",
        headers: &[],
        body: &[],
    };
    Connection::open(at)
        .and_then(|mut connection| connection.send(&ping))
        .is_ok()
}
