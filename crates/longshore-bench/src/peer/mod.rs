//! The programs that are measured: each started on this machine, by itself, on a store of its own.
//!
//! A new peer is a variant of [`Program`] and a text in [`config`]; everything else treats them alike.

mod certificate;
mod config;
mod token;

use std::fmt;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;

use serde_json::Value;

use crate::plain::Way;
use crate::port;
use crate::probe::{Probe, Use};
use crate::process::{self, Server, tied};
pub(crate) use certificate::Certificate;
pub(crate) use token::{Issuer, SERVICE};

const READY_WITHIN: Duration = Duration::from_secs(30);
/// A request whose connection waits for the server to begin is answered when it has.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Longshore's file.
const CONFIG: &str = "longshore.toml";

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Program {
    Longshore,
    /// Distribution, version 3.
    Distribution,
    /// Debian's docker-registry, which is Distribution, version 2.
    Debian,
    /// Serving the same bytes as files: the practical limit of reading.
    Nginx,
    Zot,
    /// A server of this program's own that only sends files: what the machine can do at all.
    Plain(Way),
}

impl Program {
    /// In the order of the tables.
    pub(crate) const ALL: [Self; 8] = [
        Self::Longshore,
        Self::Distribution,
        Self::Debian,
        Self::Nginx,
        Self::Zot,
        Self::Plain(Way::Sendfile),
        Self::Plain(Way::Splice),
        Self::Plain(Way::Copy),
    ];

    /// Whether it takes pushes; the others are given files.
    pub(crate) fn is_registry(self) -> bool {
        !matches!(self, Self::Nginx | Self::Plain(_))
    }

    /// The folder of what is stored before anything is measured, within the run's.
    pub(crate) fn seeded(self) -> String {
        format!("store-{self}")
    }

    fn version(self, path: &Path) -> String {
        match self {
            Self::Longshore | Self::Distribution | Self::Debian => {
                process::first_line(path, &["--version"])
            }
            Self::Nginx | Self::Zot => process::first_line(path, &["-v"]),
            Self::Plain(_) => "of this program's own, which does nothing else".to_owned(),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Longshore => "longshore",
            Self::Distribution => "distribution",
            Self::Debian => "docker-registry",
            Self::Nginx => "nginx",
            Self::Zot => "zot",
            Self::Plain(Way::Sendfile) => "only sendfile",
            Self::Plain(Way::Splice) => "only splice",
            Self::Plain(Way::Copy) => "only copying",
        })
    }
}

/// Where the programs are; those without a path are not measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paths(Vec<(Program, PathBuf)>);

impl Paths {
    /// Of those that have one.
    pub(crate) fn new(given: impl IntoIterator<Item = (Program, Option<PathBuf>)>) -> Self {
        let there = given
            .into_iter()
            .filter_map(|(program, path)| Some((program, path?)));
        Self(there.collect())
    }

    /// Where `program` is.
    ///
    /// # Errors
    /// When it takes no part.
    pub(crate) fn of(&self, program: Program) -> Result<&Path> {
        let found = self.0.iter().find(|(at, _)| *at == program);
        found
            .map(|(_, path)| path.as_path())
            .with_context(|| format!("there is no {program}"))
    }

    pub(crate) fn has(&self, program: Program) -> bool {
        self.of(program).is_ok()
    }

    /// What each program says of its version.
    pub(crate) fn versions(&self) -> Vec<(Program, String)> {
        self.0
            .iter()
            .map(|(program, path)| (*program, program.version(path)))
            .collect()
    }
}

/// What is the same for all servers of a run.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) paths: Paths,
    /// Holds a folder for each store; on a disk, not in memory.
    pub(crate) dir: PathBuf,
    pub(crate) issuer: Issuer,
    pub(crate) certificate: Certificate,
}

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) program: Program,
    /// The folder of its store, under the run's folder.
    pub(crate) store: String,
    pub(crate) tls: bool,
    /// The processors it may use; all when empty.
    pub(crate) cores: Vec<usize>,
    /// What Longshore's configuration says beside what it always says.
    pub(crate) own: Value,
}

/// A running server; dropped, it is stopped.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    /// Where its store is.
    pub(crate) dir: PathBuf,
    /// From its start until it took a connection.
    pub(crate) started_in: Duration,
    server: Server,
    probe: Probe,
}

impl Peer {
    /// Starts a server and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started or does not listen in time.
    pub(crate) fn start(ground: &Ground, start: &Start) -> Result<Self> {
        let Start {
            program,
            store,
            tls,
            cores,
            own: _,
        } = start;
        let dir = ground.dir.join(store);
        fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let address = port::free()?;
        let mut command = tied(ground.paths.of(*program)?, cores);
        configure(&mut command, ground, start, &dir, address)?;
        let log = dir.join("log");
        let mut server = Server::start(&mut command, &log).with_context(|| program.to_string())?;
        let answers = || answers(address, *tls);
        let started_in = server
            .wait(READY_WITHIN, answers)
            .with_context(|| format!("{program}{}", if *tls { " with TLS" } else { "" }))?;
        let probe = Probe::of(server.id());
        Ok(Self {
            program: *program,
            address,
            dir,
            started_in,
            server,
            probe,
        })
    }

    /// What it uses now.
    pub(crate) fn uses(&self) -> Use {
        self.probe.now()
    }

    /// Its process and its children.
    pub(crate) fn processes(&self) -> &[u32] {
        self.probe.processes()
    }

    /// The headers that requests to it need for `repositories`.
    ///
    /// # Errors
    /// When no token can be made.
    pub(crate) fn headers(
        &self,
        ground: &Ground,
        repositories: &[String],
    ) -> Result<Vec<(String, String)>> {
        if self.program != Program::Longshore {
            return Ok(Vec::new());
        }
        let token = ground.issuer.token(repositories)?;
        Ok(vec![(
            "Authorization".to_owned(),
            format!("Bearer {token}"),
        )])
    }

    /// A command of Longshore's that speaks to this server.
    ///
    /// # Errors
    /// When there is no Longshore.
    pub(crate) fn command(&self, ground: &Ground, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(ground.paths.of(Program::Longshore)?);
        command.args(arguments);
        command.arg("--config").arg(self.dir.join(CONFIG));
        Ok(command)
    }

    /// Fails when it has ended by itself.
    ///
    /// # Errors
    /// With its last words.
    pub(crate) fn alive(&mut self) -> Result<()> {
        if self.server.runs() {
            return Ok(());
        }
        anyhow::bail!("{} ended:\n{}", self.program, self.server.tail())
    }
}

/// Writes what the server reads and completes its command line.
fn configure(
    command: &mut Command,
    ground: &Ground,
    start: &Start,
    dir: &Path,
    address: SocketAddr,
) -> Result<()> {
    let pair = start.tls.then(|| ground.certificate.pair());
    let (name, text) = match start.program {
        Program::Longshore => {
            fs::write(dir.join("keys.json"), ground.issuer.keys().to_string())?;
            (
                CONFIG,
                config::longshore(dir, address, port::free()?, pair, &start.own)?,
            )
        }
        Program::Distribution | Program::Debian => {
            ("config.yml", config::distribution(dir, address)?)
        }
        Program::Zot => ("config.json", config::zot(dir, address)?),
        Program::Plain(way) => {
            let root = dir.join("data");
            fs::create_dir_all(&root).context("a folder cannot be made")?;
            let way = way.to_possible_value().context("a way has no name")?;
            command.args(["plain", "--by", way.get_name(), "--root"]);
            command.arg(root).args(["--listen", &address.to_string()]);
            return Ok(());
        }
        Program::Nginx => {
            let root = dir.join("data");
            fs::create_dir_all(&root).context("a folder cannot be made")?;
            let workers = match start.cores.len() {
                0 => std::thread::available_parallelism()?.get(),
                count => count,
            };
            (
                "nginx.conf",
                config::nginx(dir, &root, address, workers, pair)?,
            )
        }
    };
    let file = dir.join(name);
    fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    match start.program {
        Program::Longshore => command.arg("serve").arg("--config").arg(file),
        Program::Distribution | Program::Debian => command
            .env("OTEL_TRACES_EXPORTER", "none")
            .arg("serve")
            .arg(file),
        Program::Zot | Program::Plain(_) => command.arg("serve").arg(file),
        Program::Nginx => command
            .arg("-e")
            .arg("stderr")
            .arg("-p")
            .arg(dir)
            .arg("-c")
            .arg(file),
    };
    Ok(())
}

/// Whether a server answers at `address`, whatever it says: one that listens need not be ready. TLS is not spoken here, and a
/// port that takes connections has to do.
fn answers(address: SocketAddr, tls: bool) -> bool {
    let asked = || -> std::io::Result<usize> {
        let mut stream = TcpStream::connect(address)?;
        if tls {
            return Ok(1);
        }
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read(&mut [0; 16])
    };
    asked().is_ok_and(|read| read > 0)
}
