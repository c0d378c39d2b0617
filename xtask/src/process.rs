//! Child processes that cannot hang a run: each has a limit, a log, and a process group that is killed whole.
//!
//! Output goes to a file and is read back from there, never through a pipe: a grandchild that keeps a pipe open would keep its
//! reader waiting after the child is gone.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::workspace::on_path;

const TICK: Duration = Duration::from_millis(40);
const GRACE: Duration = Duration::from_secs(10);

/// The children this program waits for itself; every other child of ours is a stray that [`sweep`] may end.
static AWAITED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

thread_local! {
    /// When everything that this thread runs must have ended.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Gives all that this thread runs from now on `limit` together, whatever limit each child has of its own.
pub(crate) fn allow(limit: Duration) {
    DEADLINE.set(Some(Instant::now() + limit));
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It exited with this code; 128 plus the signal's number when a signal ended it.
    Exit(i32),
    /// It was killed because its limit had passed.
    OutOfTime,
}

impl Ended {
    /// Whether it exited with code 0.
    pub(crate) fn ok(self) -> bool {
        self == Self::Exit(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit code {code}"),
            Self::OutOfTime => write!(f, "ran out of time and was killed"),
        }
    }
}

/// A running child with its log; dropped, it is ended with its whole group.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Starts `command` in a process group of its own, without standard input, both outputs into `log` (written anew).
    ///
    /// # Errors
    /// When the log cannot be written or the program cannot be started.
    pub(crate) fn start(command: &Command, log: &Path) -> Result<Self> {
        if let Some(dir) = log.parent() {
            fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        }
        let file =
            File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let both = file.try_clone().context("a log could not be shared")?;
        let mut tied = tied_to_us(command);
        tied.process_group(0)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(both);
        let child = tied
            .spawn()
            .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
        if let Ok(mut awaited) = AWAITED.lock() {
            awaited.insert(child.id());
        }
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// How it ended, when it has.
    ///
    /// # Errors
    /// When the system cannot say.
    pub(crate) fn ended(&mut self) -> Result<Option<Ended>> {
        Ok(self
            .child
            .try_wait()
            .context("a child could not be waited for")?
            .map(code))
    }

    /// Waits until it ends, at most `limit`; then ends it. `show` copies its output to ours as it comes.
    ///
    /// # Errors
    /// When the system cannot say, or the log cannot be read back.
    pub(crate) fn wait(mut self, limit: Duration, show: bool) -> Result<Ended> {
        let own = Instant::now() + limit;
        let deadline = DEADLINE.get().map_or(own, |shared| shared.min(own));
        let mut tail = Tail::of(&self.log)?;
        loop {
            let ended = self.ended()?;
            if show {
                tail.copy()?;
            }
            if let Some(ended) = ended {
                return Ok(ended);
            }
            if Instant::now() >= deadline {
                self.stop();
                return Ok(Ended::OutOfTime);
            }
            thread::sleep(TICK);
        }
    }

    /// Asks the group to end, then makes it: `TERM`, ten seconds, `KILL`.
    pub(crate) fn stop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::TERM);
            let deadline = Instant::now() + GRACE;
            while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
                thread::sleep(TICK);
            }
        }
        // The group may outlive its leader, so this is sent even when the child is gone.
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        let _ = kill_process_group(Pid::from_child(&self.child), signal);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        if let Ok(mut awaited) = AWAITED.lock() {
            awaited.remove(&self.child.id());
        }
    }
}

/// Runs `command` to its end within `limit`, output into `log`, shown as it comes when `show`.
///
/// # Errors
/// When it cannot be started or watched; an exit code other than 0 is not an error.
pub(crate) fn run(command: &Command, limit: Duration, log: &Path, show: bool) -> Result<Ended> {
    Running::start(command, log)?.wait(limit, show)
}

/// The standard output of a short command that needs no limit of its own (git, `--version`).
///
/// # Errors
/// When it cannot be started or exits with another code than 0.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} cannot be started"))?;
    anyhow::ensure!(
        done.status.success(),
        "{name} failed: {}",
        String::from_utf8_lossy(&done.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The last `lines` lines of a log, for showing why something failed.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    let start = all.len().saturating_sub(lines);
    all.get(start..).unwrap_or_default().join("\n")
}

/// Makes this process the parent of whatever its children leave behind, so that [`sweep`] can find it.
pub(crate) fn adopt_strays() {
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Ends the processes that ended children left behind (a daemon's shims, say).
pub(crate) fn sweep() {
    for _ in 0..50 {
        let strays = strays();
        if strays.is_empty() {
            return;
        }
        for pid in strays {
            let _ = kill_process(pid, Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
        }
        thread::sleep(TICK);
    }
}

fn strays() -> Vec<Pid> {
    let me = std::process::id();
    let awaited = AWAITED.lock().map(|set| set.clone()).unwrap_or_default();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| !awaited.contains(pid) && parent_of(*pid) == Some(me))
        .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
        .collect()
}

/// Field 4 of `/proc/PID/stat`; the command in field 2 may hold spaces and brackets, so counting starts after its last bracket.
fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(1)?.parse().ok()
}

/// The same command, told by the kernel to end when we do (an interrupted run leaves no servers), where `setpriv` is there.
fn tied_to_us(command: &Command) -> Command {
    let mut tied = match on_path("setpriv") {
        Some(setpriv) => {
            let mut tied = Command::new(setpriv);
            tied.args(["--pdeathsig", "TERM", "--"])
                .arg(command.get_program());
            tied
        }
        None => Command::new(command.get_program()),
    };
    tied.args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(key, value),
            None => tied.env_remove(key),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        tied.current_dir(dir);
    }
    tied
}

fn code(status: ExitStatus) -> Ended {
    Ended::Exit(
        status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
    )
}

/// Follows a growing file.
struct Tail {
    file: File,
    at: u64,
}

impl Tail {
    fn of(path: &Path) -> Result<Self> {
        let file =
            File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self { file, at: 0 })
    }

    fn copy(&mut self) -> Result<()> {
        let mut fresh = Vec::new();
        self.file
            .seek(SeekFrom::Start(self.at))
            .context("a log could not be read")?;
        self.file
            .read_to_end(&mut fresh)
            .context("a log could not be read")?;
        self.at += fresh.len() as u64;
        let mut out = io::stdout().lock();
        out.write_all(&fresh)
            .and_then(|()| out.flush())
            .context("standard output is closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("xtask-process-{}-{name}", std::process::id()))
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_child_that_outlives_its_limit_is_ended_with_its_children() {
        let log = log("limit");
        let start = Instant::now();
        let ended = run(
            &shell("sleep 300 & echo $!; wait"),
            Duration::from_millis(300),
            &log,
            false,
        )
        .unwrap();
        assert_eq!(ended, Ended::OutOfTime);
        assert!(start.elapsed() < GRACE, "TERM was enough");
        let grandchild: u32 = fs::read_to_string(&log).unwrap().trim().parse().unwrap();
        // It was told to end before its parent was, and may take a moment longer on a busy machine.
        let state = || fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
        let lives = |state: &str| !state.is_empty() && !state.contains(") Z ");
        let deadline = Instant::now() + GRACE;
        while lives(&state()) {
            assert!(
                Instant::now() < deadline,
                "the grandchild lives: {}",
                state()
            );
            thread::sleep(Duration::from_millis(10));
        }
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn children_of_one_thread_share_what_it_was_allowed() {
        let ended = thread::spawn(|| {
            allow(Duration::from_millis(200));
            let log = log("shared");
            let one = run(&shell("true"), Duration::from_mins(5), &log, false).unwrap();
            let two = run(&shell("sleep 300"), Duration::from_mins(5), &log, false).unwrap();
            fs::remove_file(log).unwrap();
            (one, two)
        });
        assert_eq!(ended.join().unwrap(), (Ended::Exit(0), Ended::OutOfTime));
    }

    #[test]
    fn the_exit_code_and_the_last_lines_are_kept() {
        let log = log("code");
        let ended = run(
            &shell("echo one; echo two; exit 7"),
            Duration::from_secs(20),
            &log,
            false,
        )
        .unwrap();
        assert_eq!((ended, tail(&log, 1).as_str()), (Ended::Exit(7), "two"));
        fs::remove_file(log).unwrap();
    }
}
