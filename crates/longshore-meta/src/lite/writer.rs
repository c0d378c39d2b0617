//! The one writer: takes what waits, runs it in one commit, and hands it to the sync.

use std::error::Error as _;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

use longshore_core::{Code, Error, Result};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::reserve::Reserve;
use super::{checkpoint, exec, run, sync};
use crate::db::{Body, Durability};

/// At most this many transactions share one commit.
const BATCH: usize = 256;
/// At most this many transactions wait; beyond it the registry is busier than its disk.
const QUEUE: usize = 4096;

/// Something to run in the writer's transaction.
trait Job: Send {
    /// Runs it; false undoes what it did.
    fn run(&mut self, conn: &mut Connection) -> bool;
    /// What was promised to who waits.
    fn durability(&self) -> Durability;
    /// Tells who waits how it went; `Err` when the transaction as a whole failed.
    fn done(self: Box<Self>, end: Result<(), Failure>);
}

/// Why a whole batch failed; every waiter gets its own [`Error`] of it.
type Failure = Arc<Error>;

fn each(failure: &Failure) -> Error {
    Error::new(failure.code(), failure.public())
        .because(Cause(failure.clone()))
        .retry_after(std::time::Duration::from_secs(5))
}

/// What lies beneath a failure that many share: its public half each of them has already.
#[derive(Debug)]
struct Cause(Failure);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.source() {
            Some(source) => fmt::Display::fmt(source, f),
            None => f.write_str("the transaction failed as a whole"),
        }
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()?.source()
    }
}

struct Work<A, T> {
    durability: Durability,
    args: A,
    body: Body<A, T>,
    answer: Option<Result<T>>,
    to: oneshot::Sender<Result<T>>,
}

impl<A: Send + Sync, T: Send> Job for Work<A, T> {
    fn run(&mut self, conn: &mut Connection) -> bool {
        let answer = run(conn, &self.args, self.body);
        let good = answer.is_ok();
        self.answer = Some(answer);
        good
    }

    fn durability(&self) -> Durability {
        self.durability
    }

    fn done(self: Box<Self>, end: Result<(), Failure>) {
        let answer = match (self.answer, end) {
            (Some(Ok(_)) | None, Err(failure)) => Err(each(&failure)),
            (Some(answer), _) => answer,
            (None, Ok(())) => Err(Error::internal(
                "a transaction was acknowledged before it ran",
            )),
        };
        // Who waited may be gone; the write stands all the same.
        let _ = self.to.send(answer);
    }
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<Result<()>>),
}

/// The handle on the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::SyncSender<Message>,
    log: Arc<sync::Log>,
}

impl Writer {
    pub(super) fn start(
        mut conn: Connection,
        log: Arc<sync::Log>,
        reserve: Arc<Reserve>,
        path: &Path,
    ) -> Result<Self> {
        let held = checkpoint::Held::default();
        held.count(&mut conn).map_err(super::failed)?;
        let gate = Arc::new(checkpoint::Gate::default());
        let (jobs, waiting) = mpsc::sync_channel(QUEUE);
        let (committed, to_sync) = mpsc::channel();
        let (asks, asked) = mpsc::sync_channel(1);
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            thread::Builder::new()
                .name(name.to_owned())
                .spawn(work)
                .map_err(Error::internal)
        };
        let for_sync = log.clone();
        spawn("meta-sync", Box::new(move || syncer(&for_sync, &to_sync)))?;
        let for_checkpoint = (log.clone(), held.clone(), gate.clone(), path.to_owned());
        spawn(
            "meta-checkpoint",
            Box::new(move || {
                let (log, held, gate, path) = &for_checkpoint;
                checkpoint::run(log, held, gate, path, &asked);
            }),
        )?;
        let for_writer = Moving {
            held,
            gate,
            asks,
            reserve,
        };
        let for_log = log.clone();
        spawn(
            "meta-writer",
            Box::new(move || writer(conn, &for_log, &waiting, &committed, &for_writer)),
        )?;
        Ok(Self { jobs, log })
    }

    pub(super) async fn write<A, T>(
        &self,
        durability: Durability,
        args: A,
        body: Body<A, T>,
    ) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        if self.log.failed() {
            return Err(sync::lost());
        }
        let (to, answer) = oneshot::channel();
        let work = Work {
            durability,
            args,
            body,
            answer: None,
            to,
        };
        self.jobs.try_send(Message::Job(Box::new(work))).map_err(|error| match error {
            mpsc::TrySendError::Full(_) => {
                Error::new(Code::Unavailable, "the registry has more writes waiting than its disk can take; try again shortly")
                    .retry_after(std::time::Duration::from_secs(1))
            }
            mpsc::TrySendError::Disconnected(_) => closed(),
        })?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn close(&self) -> Result<()> {
        let (to, done) = oneshot::channel();
        let mut message = Message::Close(to);
        loop {
            match self.jobs.try_send(message) {
                Ok(()) => return done.await.unwrap_or(Ok(())),
                Err(mpsc::TrySendError::Disconnected(_)) => return Ok(()),
                // There is no room till the writer has taken what waits.
                Err(mpsc::TrySendError::Full(back)) => message = back,
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

fn closed() -> Error {
    Error::new(Code::Unavailable, "the registry is shutting down")
        .retry_after(std::time::Duration::from_secs(5))
}

/// What the writer and the thread that moves the log have between them.
struct Moving {
    held: checkpoint::Held,
    gate: Arc<checkpoint::Gate>,
    asks: mpsc::SyncSender<checkpoint::Ask>,
    reserve: Arc<Reserve>,
}

fn writer(
    mut conn: Connection,
    log: &sync::Log,
    waiting: &mpsc::Receiver<Message>,
    committed: &mpsc::Sender<Box<dyn Job>>,
    moving: &Moving,
) {
    let mut watch = checkpoint::Watch::default();
    while let Ok(first) = waiting.recv() {
        moving.gate.pass();
        // Whoever is ready to run may have something to write too: on a busy machine that makes one commit of many.
        thread::yield_now();
        let mut batch = Vec::new();
        let mut closing = None;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) => batch.push(job),
                Message::Close(to) => closing = Some(to),
            }
            next = if batch.len() < BATCH && closing.is_none() {
                waiting.try_recv().ok()
            } else {
                None
            };
        }
        let mut done = commit(&mut conn, &mut batch);
        if done.is_err() && moving.reserve.give_up() {
            done = commit(&mut conn, &mut batch);
        }
        match done {
            Ok(()) => {
                for job in batch {
                    match job.durability() {
                        Durability::Process => job.done(Ok(())),
                        // The sync's thread ends after this one only.
                        Durability::Power => drop(committed.send(job)),
                    }
                }
            }
            Err(error) => {
                tracing::error!(error = %longshore_core::error::Chain(&error), "a metadata transaction failed");
                let failure = Arc::new(error);
                for job in batch {
                    job.done(Err(failure.clone()));
                }
            }
        }
        watch.consider(&moving.held, &moving.asks);
        if let Some(to) = closing {
            let synced = log.sync();
            let (done, ended) = mpsc::channel();
            if synced.is_ok() && moving.asks.send(checkpoint::Ask::End(done)).is_ok() {
                let _ = ended.recv();
            }
            let _ = to.send(synced);
            return;
        }
    }
}

/// Runs a batch in one transaction. A job that fails is undone alone.
fn commit(conn: &mut Connection, batch: &mut [Box<dyn Job>]) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    // Nearly all jobs succeed, or fail before they have written anything. Only when one does not, all are run once more with a
    // point each to go back to.
    match attempt(conn, batch, false) {
        Ok(true) => Ok(()),
        Ok(false) => {
            undo(conn);
            let again = attempt(conn, batch, true);
            if again.is_err() {
                undo(conn);
            }
            again.map(drop)
        }
        Err(error) => {
            undo(conn);
            Err(error)
        }
    }
}

fn undo(conn: &Connection) {
    if !conn.is_autocommit() {
        // A failed rollback leaves nothing to do: the next BEGIN will fail and say so.
        let _ = exec(conn, "ROLLBACK", &[]);
    }
}

/// Runs all jobs and commits them; false, and nothing is committed, when one of them left something behind that has to be
/// undone and there are no points to go back to.
fn attempt(conn: &mut Connection, batch: &mut [Box<dyn Job>], points: bool) -> Result<bool> {
    exec(conn, "BEGIN IMMEDIATE", &[])?;
    for job in batch {
        if points {
            exec(conn, "SAVEPOINT job", &[])?;
        }
        let before = conn.total_changes();
        let good = job.run(conn);
        if conn.is_autocommit() {
            // A full disk, for example, ends the transaction of everybody.
            return Err(Error::new(
                Code::Unavailable,
                "the registry's metadata could not be written; try again shortly",
            ));
        }
        if !good && points {
            exec(conn, "ROLLBACK TO job", &[])?;
        } else if !good && conn.total_changes() != before {
            return Ok(false);
        }
        if points {
            exec(conn, "RELEASE job", &[])?;
        }
    }
    exec(conn, "COMMIT", &[])?;
    Ok(true)
}

/// Syncs the log for all that wait, again and again.
fn syncer(log: &sync::Log, committed: &mpsc::Receiver<Box<dyn Job>>) {
    while let Ok(first) = committed.recv() {
        let mut waiters = vec![first];
        waiters.extend(committed.try_iter());
        let end = log.sync().map_err(Arc::new);
        if let Err(failure) = &end {
            tracing::error!(error = %longshore_core::error::Chain(&**failure), "the metadata log could not be synced");
        }
        for job in waiters {
            job.done(end.clone());
        }
    }
}
