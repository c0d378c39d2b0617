//! The real program, started over a directory, killed or stopped.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use longshore_testkit::wire::{Login, Wire};
use rustix::process::{Pid, Signal, kill_process};

/// How long a start may take. Most of it is for a machine that does other things too.
const READY: Duration = Duration::from_mins(1);
/// How long an orderly stop may take.
const GRACE: Duration = Duration::from_secs(40);
const TICK: Duration = Duration::from_millis(3);

/// How the program is started.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    binary: PathBuf,
    settings: Vec<(String, String)>,
    boot: Option<PathBuf>,
}

impl Program {
    /// The program in the file `binary`.
    pub(crate) fn new(binary: &Path) -> Self {
        Self {
            binary: binary.to_owned(),
            settings: Vec::new(),
            boot: None,
        }
    }

    /// With a key of the configuration set.
    #[must_use]
    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        let name = format!("LONGSHORE__{}", key.to_uppercase().replace('.', "__"));
        self.settings.push((name, value.to_owned()));
        self
    }

    /// On a machine that was started anew since: the kernel says which run it is, and the program trusts memory by it. `file` is
    /// given a number that was never used.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn after_boot(mut self, file: &Path, number: u64) -> Result<Self> {
        let id = format!(
            "{:08x}-0000-4000-8000-{:012x}\n",
            std::process::id(),
            number
        );
        fs::write(file, id).with_context(|| format!("{} cannot be written", file.display()))?;
        self.boot = Some(file.to_owned());
        Ok(self)
    }

    /// Another command of the program, without variables that would configure it.
    pub(crate) fn command(&self) -> Command {
        // It ends when we do, however we end.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .stdin(Stdio::null());
        if let Some(boot) = &self.boot {
            const SCRIPT: &str =
                "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"";
            command.args(["unshare", "--mount", "--propagation", "private", "--"]);
            command.args(["sh", "-c", SCRIPT]).arg(boot);
        }
        command.arg(&self.binary);
        for (name, _) in std::env::vars() {
            if name.starts_with("LONGSHORE") || name.starts_with("REGISTRY_") {
                command.env_remove(name);
            }
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it over `data` and waits until it is ready. What it prints goes to `log`, behind what is there.
    ///
    /// # Errors
    /// When it ends, or is not ready in time.
    pub(crate) fn start(&self, data: &Path, log: &Path) -> Result<Server> {
        let began = Instant::now();
        let banner = log.with_extension("banner");
        let errors = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("{} cannot be written", log.display()))?;
        let out = File::create(&banner).context("the banner cannot be written")?;
        let child = self
            .command()
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("LONGSHORE__METRICS__LISTEN", "127.0.0.1:0")
            .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true")
            .stdout(out)
            .stderr(errors)
            .spawn()
            .context("the program cannot be started")?;
        let mut server = Server {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            log: log.to_owned(),
            took: Duration::ZERO,
        };
        loop {
            let said = fs::read_to_string(&banner).unwrap_or_default();
            if said.contains("Next:") {
                let line = said
                    .lines()
                    .find(|line| line.trim_start().starts_with("registry"));
                let rest = line.and_then(|line| line.split_once("://")).map(|(_, r)| r);
                let address = rest.and_then(|rest| rest.split(['/', ' ']).next());
                server.address = address.unwrap_or_default().parse().context("the banner")?;
                server.took = began.elapsed();
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("it did not start ({status}):\n{}", tail(log, 12));
            }
            if began.elapsed() > READY {
                bail!("it is not ready after {READY:?}:\n{}", tail(log, 12));
            }
            thread::sleep(TICK);
        }
    }
}

/// A running server; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    /// How long it took to be ready.
    pub(crate) took: Duration,
}

impl Server {
    /// A client without credentials.
    pub(crate) fn client(&self) -> Wire {
        Wire::new(self.address, Login::Nobody)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Ends it as a power button would: no handler runs.
    pub(crate) fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop and waits.
    ///
    /// # Errors
    /// When it does not end in time, or says that something went wrong.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.signal(Signal::TERM);
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("it stopped with {status}:\n{}", tail(&self.log, 12));
            }
            if began.elapsed() > GRACE {
                bail!("it does not stop:\n{}", tail(&self.log, 12));
            }
            thread::sleep(TICK);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Writes to standard output at once; nobody is left to be told when that is closed.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
