//! One line for each request, written by a thread of its own.
//!
//! A request writes its line into a buffer in memory and goes on. The thread wakes for the first line, lets others gather for a moment and
//! writes them with one call: waking it for each line would cost more than the request. When the reader of standard error is slower than
//! the requests, lines are dropped and counted, never waited for.

mod line;

use std::cell::RefCell;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use longshore_http::edge::Observed;

use crate::config::sections::LogFormat;

/// Bytes of lines that may wait to be written.
const WAITING: usize = 2 << 20;

/// How long lines gather before they are written.
const GATHER: Duration = Duration::from_millis(10);

/// How long the end of the process waits for the last lines to be taken.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The way to the thread that writes.
#[derive(Debug, Clone)]
pub struct AccessLog {
    lines: Arc<Lines>,
    /// Ends the thread when the last handle is gone.
    writer: Arc<Writer>,
}

#[derive(Debug)]
struct Lines {
    format: LogFormat,
    waiting: Mutex<Vec<u8>>,
    dropped: AtomicU64,
    ended: AtomicBool,
}

/// The thread, as its users see it.
#[derive(Debug)]
struct Writer {
    lines: Arc<Lines>,
    thread: Thread,
    /// Closed when all is written.
    done: Mutex<mpsc::Receiver<()>>,
}

thread_local! {
    /// The line that this thread is writing: requests on other threads wait for a copy of it, not for its making.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl AccessLog {
    /// Starts the thread, which writes to standard error. It ends when the last handle is gone and all lines are written.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(format: LogFormat) -> io::Result<Self> {
        Self::to(format, io::stderr())
    }

    /// The same, writing to `out`.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn to(format: LogFormat, mut out: impl io::Write + Send + 'static) -> io::Result<Self> {
        let lines = Arc::new(Lines {
            format,
            waiting: Mutex::default(),
            dropped: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let (done, all_written) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("access-log".to_owned())
            .spawn({
                let lines = Arc::clone(&lines);
                move || {
                    lines.write(&mut out);
                    drop(done);
                }
            })?
            .thread()
            .clone();
        Ok(Self {
            writer: Arc::new(Writer {
                lines: Arc::clone(&lines),
                thread,
                done: Mutex::new(all_written),
            }),
            lines,
        })
    }

    /// Writes a request's line, to be seen a moment later.
    pub fn log(&self, observed: &Observed) {
        LINE.with_borrow_mut(|line| {
            line.clear();
            match self.lines.format {
                LogFormat::Text => line::text(line, observed),
                LogFormat::Json => line::json(line, observed),
            }
            if self.lines.add(line) {
                self.writer.thread.unpark();
            }
        });
    }

    /// How many lines were dropped.
    pub fn dropped(&self) -> u64 {
        self.lines.dropped.load(Ordering::Relaxed)
    }
}

impl Lines {
    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line, if there is room; says whether the thread must know.
    fn add(&self, line: &[u8]) -> bool {
        let mut waiting = self.waiting();
        let before = waiting.len();
        if before + line.len() > WAITING {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        waiting.extend_from_slice(line);
        // The first wakes it; and so does a crowd, for which a moment is too long.
        before == 0 || (before < WAITING / 2 && waiting.len() >= WAITING / 2)
    }

    /// Writes lines until the end.
    fn write(&self, out: &mut dyn io::Write) {
        let mut lines = Vec::new();
        loop {
            let ended = self.ended.load(Ordering::Acquire);
            mem::swap(&mut *self.waiting(), &mut lines);
            if lines.is_empty() {
                if ended {
                    return;
                }
                thread::park();
                if !self.ended.load(Ordering::Acquire) {
                    thread::park_timeout(GATHER);
                }
                continue;
            }
            // Nobody can be told that standard error is gone.
            let _ = out.write_all(&lines);
            lines.clear();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.lines.ended.store(true, Ordering::Release);
        self.thread.unpark();
        let done = self.done.get_mut().unwrap_or_else(PoisonError::into_inner);
        // A reader that has stopped reading must not keep the process from ending.
        let _ = done.recv_timeout(LAST_LINES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines {
        Lines {
            format: LogFormat::Text,
            waiting: Mutex::default(),
            dropped: AtomicU64::new(0),
            ended: AtomicBool::new(true),
        }
    }

    #[test]
    fn only_the_first_line_and_a_crowd_wake_the_writer() {
        let lines = lines();
        let line = [b'x'; 1024];
        assert!(lines.add(&line));
        let woken = (1..WAITING / line.len())
            .filter(|_| lines.add(&line))
            .count();
        assert_eq!(woken, 1);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_rest_is_written() {
        let lines = lines();
        let line = [b'x'; 1024];
        for _ in 0..WAITING / line.len() + 3 {
            lines.add(&line);
        }
        let mut out = Vec::new();
        lines.write(&mut out);
        assert_eq!(out.len(), WAITING);
        assert_eq!(lines.dropped.load(Ordering::Relaxed), 3);
        assert!(lines.add(&line), "there is room again");
    }

    #[test]
    fn the_last_handle_waits_for_the_last_line() {
        let log = AccessLog::to(LogFormat::Text, io::sink()).unwrap();
        let other = log.clone();
        log.log(&line::tests::seen());
        drop(log);
        assert!(other.log_is_open());
        let lines = Arc::clone(&other.lines);
        drop(other);
        assert!(lines.waiting().is_empty());
    }

    impl AccessLog {
        fn log_is_open(&self) -> bool {
            !self.lines.ended.load(Ordering::Acquire)
        }
    }
}
