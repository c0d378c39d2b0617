//! What a thread that pushes speaks through: a blocking connection that is opened again when it broke, and a meter for what it sent.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::run::{Phase, Run, Shared, Tally, Word, lock};
use super::tls::TlsDial;
use crate::wire::{Connection, Request, Response};

/// How long a thread waits after an error.
const PAUSE: Duration = Duration::from_millis(10);

/// Where blocking connections go.
#[derive(Debug, Clone)]
pub(super) enum Dial {
    Plain(SocketAddr),
    Tls(TlsDial),
}

impl Dial {
    fn open(&self) -> Result<Connection> {
        match self {
            Self::Plain(address) => Connection::open(*address),
            Self::Tls(dial) => Ok(Connection::over(
                Box::new(dial.stream()?),
                dial.address.to_string(),
            )),
        }
    }
}

/// One thing that is done again and again.
pub(super) trait Unit: Send {
    /// Does it, checking every answer.
    fn perform(&mut self, client: &mut Client) -> Result<()>;
}

/// A connection and what it is counted by.
pub(super) struct Client {
    dial: Dial,
    connection: Option<Connection>,
    headers: Vec<(String, String)>,
    run: Arc<Run>,
    shared: Arc<Shared>,
    tally: Arc<Mutex<Tally>>,
}

/// A request of a push.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) kind: Option<&'a str>,
    /// `Content-Range`.
    pub(super) range: Option<&'a str>,
    /// What its answer must have.
    pub(super) status: u16,
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: &'a str, path: &'a str, status: u16) -> Self {
        Self {
            method,
            path,
            kind: None,
            range: None,
            status,
        }
    }

    pub(super) fn of(self, kind: &'a str) -> Self {
        Self {
            kind: Some(kind),
            ..self
        }
    }
}

impl Client {
    pub(super) fn new(
        dial: Dial,
        headers: Vec<(String, String)>,
        run: Arc<Run>,
        shared: Arc<Shared>,
    ) -> Self {
        let tally = shared.tally();
        Self {
            dial,
            connection: None,
            headers,
            run,
            shared,
            tally,
        }
    }

    /// Opens the connection, then does units until there are none left or the job is over.
    ///
    /// # Errors
    /// When the server cannot be reached; later trouble is counted instead.
    pub(super) fn work(mut self, unit: &mut dyn Unit, words: &Sender<Word>) -> Result<()> {
        self.connection = Some(self.dial.open()?);
        // The receiver is gone only when the process ends.
        let _ = words.send(Word::Ready);
        self.run.wait(Phase::WarmUp);
        let limited = self.shared.limited();
        if limited {
            while self.run.phase() == Phase::WarmUp && !self.shared.given_up() {
                self.attempt(unit);
            }
            let _ = words.send(Word::Holding);
            self.run.wait(Phase::Measured);
        }
        while self.run.phase() < Phase::Over
            && !self.shared.given_up()
            && (!limited || self.shared.claim())
        {
            self.attempt(unit);
        }
        Ok(())
    }

    /// Does one unit and counts how it went.
    fn attempt(&mut self, unit: &mut dyn Unit) {
        let started = Instant::now();
        match unit.perform(self) {
            Ok(()) if self.run.measured() => {
                let mut tally = lock(&self.tally);
                tally.units += 1;
                tally.latency.record(started.elapsed());
            }
            Ok(()) => {}
            Err(error) => {
                // What is left of the unit's answers is not worth finding out.
                self.connection = None;
                self.shared.error(&error);
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// A digest that the server named was the right one.
    pub(super) fn verified(&self) {
        lock(&self.tally).verified += 1;
    }

    /// Sends a request with a small body.
    pub(super) fn send(&mut self, ask: Ask<'_>, body: &[u8]) -> Result<Response> {
        let response = self.exchange(ask, |connection, request, _| {
            connection.send(&Request { body, ..*request })
        })?;
        self.meter().sent(body.len());
        Ok(response)
    }

    /// Sends a request with a body of `len` bytes that `body` writes, counted as it goes.
    pub(super) fn send_with(
        &mut self,
        ask: Ask<'_>,
        len: u64,
        body: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<Response> {
        self.exchange(ask, |connection, request, meter| {
            connection.send_with(request, len, |sink| body(&mut Metered { sink, meter }))
        })
    }

    fn exchange(
        &mut self,
        ask: Ask<'_>,
        send: impl FnOnce(&mut Connection, &Request<'_>, Meter) -> Result<Response>,
    ) -> Result<Response> {
        let meter = self.meter();
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.extend(ask.kind.map(|kind| ("Content-Type", kind)));
        headers.extend(ask.range.map(|range| ("Content-Range", range)));
        let request = Request {
            method: ask.method,
            path: ask.path,
            headers: &headers,
            body: &[],
        };
        let connection = match &mut self.connection {
            Some(connection) if !connection.closed() => connection,
            broken => broken.insert(self.dial.open()?),
        };
        let response = send(connection, &request, meter)
            .with_context(|| format!("{} {}", ask.method, ask.path))?;
        ensure!(
            response.status == ask.status,
            "{} {}: status {} where {} is right: {}",
            ask.method,
            ask.path,
            response.status,
            ask.status,
            String::from_utf8_lossy(&response.body)
        );
        Ok(response)
    }

    fn meter(&self) -> Meter {
        Meter {
            run: Arc::clone(&self.run),
            tally: Arc::clone(&self.tally),
        }
    }
}

/// Counts bytes while the job is measured.
struct Meter {
    run: Arc<Run>,
    tally: Arc<Mutex<Tally>>,
}

impl Meter {
    fn sent(&self, n: usize) {
        if self.run.measured() {
            lock(&self.tally).bytes += n as u64;
        }
    }
}

/// A sink that counts what goes through it when it has gone: a push is often longer than what is measured.
struct Metered<'a> {
    sink: &'a mut dyn Write,
    meter: Meter,
}

impl Write for Metered<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let n = self.sink.write(bytes)?;
        self.meter.sent(n);
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.sink.flush()
    }
}
