//! Servers under test and generators: started tied to us, counted, and ended whatever happens.
//!
//! Each is started through the small programs of util-linux that are on every Debian: `setpriv` so that it ends when we do, `setsid` so
//! that it has a scheduling group of its own, `taskset` so that it stays on its processors. All three replace themselves by the next,
//! so the child is the program. `chrt`, of the same family, is told of it later.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(5);

/// A command for `program` that ends with us and runs on `cores` only; on all when there are none.
pub(crate) fn tied(program: &Path, cores: &[usize]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--", "setsid"]);
    if !cores.is_empty() {
        let list: Vec<String> = cores.iter().map(usize::to_string).collect();
        command.args(["taskset", "-c", &list.join(",")]);
    }
    command.arg(program);
    command
}

/// Puts the scheduling group of `process`, which [`tied`] started, before those of other work on the machine.
///
/// Without the right to do so it stays as it is, and so it does where processes are not grouped.
pub(crate) fn raise(process: u32) {
    let group = |of: u32| {
        fs::read_to_string(format!("/proc/{of}/stat"))
            .ok()
            .and_then(|stat| session(&stat))
    };
    let deadline = Instant::now() + Duration::from_secs(1);
    // Until `setsid` has run, its group is still ours.
    while group(process) != Some(process) {
        if Instant::now() > deadline {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    fs::write(format!("/proc/{process}/autogroup"), "-10").ok();
}

/// Puts `process`, which is about to start its threads, before all ordinary work on its processors.
///
/// Without the right to do so it stays as it is.
pub(crate) fn hurry(process: u32) {
    let _ = Command::new("chrt")
        .args(["--fifo", "--pid", "10", &process.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Field 6 of `/proc/PID/stat`; the command in field 2 may hold spaces and brackets.
fn session(stat: &str) -> Option<u32> {
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(3)?.parse().ok()
}

/// A running server; dropped, it is ended.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command`, which [`tied`] made, with both its outputs in `log`.
    ///
    /// # Errors
    /// When the log cannot be written or the program cannot be started.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let file =
            File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let both = file.try_clone().context("a log cannot be shared")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(both)
            .spawn()
            .context("setpriv (util-linux) cannot be started")?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// Its process; children of it are not counted in.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so and returns how long that took since the call.
    ///
    /// # Errors
    /// When the program ends before or is not ready within `limit`; the end of its log is in the text.
    pub(crate) fn wait(&mut self, limit: Duration, ready: impl Fn() -> bool) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            if ready() {
                raise(self.id());
                return Ok(begun.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended with {status}:\n{}", self.tail());
            }
            if begun.elapsed() > limit {
                bail!("it does not answer:\n{}", self.tail());
            }
            thread::sleep(TICK);
        }
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to end and waits until it has; makes it end when it does not.
    pub(crate) fn stop(&mut self) {
        let pid = Pid::from_child(&self.child);
        if !self.runs() {
            return;
        }
        let _ = kill_process(pid, Signal::TERM);
        let deadline = Instant::now() + GRACE;
        while self.runs() && Instant::now() < deadline {
            thread::sleep(TICK);
        }
        if self.runs() {
            let _ = kill_process(pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }

    /// The last lines of its output.
    pub(crate) fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut lines: Vec<&str> = text.lines().rev().take(15).collect();
        lines.reverse();
        lines.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The first line that `program` prints with `arguments`, such as its version; some print it to standard error.
pub(crate) fn first_line(program: &Path, arguments: &[&str]) -> String {
    let done = Command::new(program)
        .args(arguments.iter().map(OsStr::new))
        .stdin(Stdio::null())
        .output();
    let Ok(done) = done else {
        return "unknown".to_owned();
    };
    let text = if done.stdout.is_empty() {
        done.stderr
    } else {
        done.stdout
    };
    String::from_utf8_lossy(&text)
        .lines()
        .next()
        .unwrap_or("unknown")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("longshore-bench-{name}-{}.log", std::process::id()))
    }

    #[test]
    fn a_server_is_gone_when_it_is_dropped() {
        let log = log("dropped");
        let server = Server::start(tied(Path::new("sleep"), &[]).arg("300"), &log).unwrap();
        let at = PathBuf::from(format!("/proc/{}", server.id()));
        assert!(at.exists());
        drop(server);
        assert!(!at.exists());
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn the_session_is_found_whatever_the_program_is_called() {
        assert_eq!(session("7 (a (b) 1 2) S 1 8 9 0 -1"), Some(9));
    }

    #[test]
    fn a_server_that_ends_early_is_reported_with_what_it_said() {
        let log = log("early");
        let mut command = tied(Path::new("sh"), &[0]);
        let mut server =
            Server::start(command.args(["-c", "echo no such key; exit 3"]), &log).unwrap();
        let said = server
            .wait(Duration::from_secs(20), || false)
            .unwrap_err()
            .to_string();
        assert!(said.contains("no such key"), "{said}");
        fs::remove_file(log).unwrap();
    }
}
