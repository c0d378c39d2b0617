//! The measured loop for reads: one thread, many connections, one request in flight on each.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::event::{Timespec, epoll};

use super::answer::Answer;
use super::channel::{Channel, Scratch};
use super::requests::{Places, Prepared};
use super::run::{Phase, Run, Shared, Tally, Word, lock};

/// How long the loop sleeps at most, so that it sees the end of the job on a server that hangs.
const NAP: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};
/// Answers looked at between two looks at the queue.
const BATCH: usize = 64;
/// How long a connection that could not be opened waits.
const PAUSE: Duration = Duration::from_millis(10);

/// How a connection goes through its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Round and round; each request is a unit.
    Round,
    /// Once; all of them are the unit.
    Once,
}

/// What one connection asks for.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) requests: Arc<Vec<Prepared>>,
    /// The first of them.
    pub(super) from: usize,
    /// The connection's number, from which its places in ranges follow.
    pub(super) number: u64,
}

/// The work of one thread.
#[derive(Debug)]
pub(super) struct Plan<D> {
    pub(super) dial: D,
    pub(super) routes: Vec<Route>,
    pub(super) walk: Walk,
    pub(super) copy: bool,
}

/// Opens the connections and does the work until it is done or the job is over.
///
/// # Errors
/// When the connections cannot be opened; later trouble is counted instead.
pub(super) fn drive<C: Channel>(
    plan: Plan<C::Dial>,
    run: &Run,
    shared: &Shared,
    words: &Sender<Word>,
) -> Result<()> {
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut slots = Vec::new();
    for (at, route) in plan.routes.into_iter().enumerate() {
        let channel = C::open(&plan.dial)?;
        watch(&epoll, &channel, at)?;
        slots.push(Slot {
            channel: Some(channel),
            answer: Answer::new(),
            next: route.from,
            places: Places::new(route.number),
            route,
            sent: 0,
            body: 0,
            busy: false,
            started: Instant::now(),
        });
    }
    let tally = shared.tally();
    let mut engine = Engine {
        epoll,
        slots,
        busy: 0,
        scratch: Scratch::new(plan.copy),
        message: Vec::new(),
        dial: plan.dial,
        walk: plan.walk,
        stage: Phase::WarmUp,
        run,
        shared,
        tally,
    };
    // The receiver is gone only when the process ends.
    let _ = words.send(Word::Ready);
    run.wait(Phase::WarmUp);
    if shared.limited() || plan.walk == Walk::Once {
        if plan.walk == Walk::Round {
            engine.pump()?;
        }
        let _ = words.send(Word::Holding);
        run.wait(Phase::Measured);
        engine.stage = Phase::Measured;
    }
    engine.pump()
}

fn watch<C: Channel>(epoll: impl std::os::fd::AsFd, channel: &C, at: usize) -> Result<()> {
    let data = epoll::EventData::new_u64(at as u64);
    epoll::add(epoll, channel.fd(), data, epoll::EventFlags::IN).context("watching a socket")
}

/// One connection.
struct Slot<C> {
    /// None while it is broken.
    channel: Option<C>,
    answer: Answer,
    route: Route,
    /// The request that is in flight, or the next one.
    next: usize,
    places: Places,
    /// Requests sent so far.
    sent: u64,
    /// Bytes of the current answer that were counted.
    body: u64,
    busy: bool,
    /// When the unit began.
    started: Instant,
}

struct Engine<'a, C: Channel> {
    epoll: rustix::fd::OwnedFd,
    slots: Vec<Slot<C>>,
    /// Connections with a request in flight.
    busy: usize,
    scratch: Scratch,
    message: Vec<u8>,
    dial: C::Dial,
    walk: Walk,
    /// What a work with a number of units is doing: warming up, or counting.
    stage: Phase,
    run: &'a Run,
    shared: &'a Shared,
    tally: Arc<Mutex<Tally>>,
}

impl<C: Channel> Engine<'_, C> {
    /// Starts all connections and serves them until none has anything to do.
    fn pump(&mut self) -> Result<()> {
        for at in 0..self.slots.len() {
            self.begin(at, Instant::now());
        }
        let mut events = Vec::with_capacity(BATCH);
        while self.busy > 0 && self.run.phase() != Phase::Over && !self.shared.given_up() {
            events.clear();
            let room = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.epoll, room, Some(&NAP)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).context("waiting for answers"),
            }
            for event in &events {
                let data = event.data;
                self.hear(usize::try_from(data.u64()).unwrap_or(usize::MAX));
            }
        }
        Ok(())
    }

    /// Begins the next unit of a connection, if there is one.
    fn begin(&mut self, at: usize, now: Instant) {
        let allowed = match (self.stage, self.walk) {
            (Phase::Measured, Walk::Round) => self.shared.claim(),
            (_, Walk::Round) if self.shared.limited() => self.run.phase() == Phase::WarmUp,
            _ => true,
        };
        if let Some(slot) = self.slots.get_mut(at)
            && allowed
        {
            slot.started = now;
            self.ask(at);
        }
    }

    /// Sends the connection's next request, reconnecting as often as it takes.
    fn ask(&mut self, at: usize) {
        let warming_up = self.run.phase() < Phase::Measured;
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let Some(request) = slot.route.requests.get(slot.next) else {
            return;
        };
        while !self.shared.given_up() {
            request.write(&mut slot.places, &mut self.message);
            let sent = match &mut slot.channel {
                Some(channel) => channel.send(&self.message),
                None => C::open(&self.dial).and_then(|channel| {
                    watch(&self.epoll, &channel, at)?;
                    slot.channel.insert(channel).send(&self.message)
                }),
            };
            match sent {
                Ok(()) => {
                    let hashed = request.sampled(slot.sent, warming_up);
                    slot.answer.expect(request.bodyless, hashed);
                    slot.sent += 1;
                    slot.body = 0;
                    slot.busy = true;
                    self.busy += 1;
                    return;
                }
                Err(error) => {
                    slot.channel = None;
                    self.shared.error(&error);
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Takes what a connection has to say.
    fn hear(&mut self, at: usize) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        let Some(channel) = &mut slot.channel else {
            return;
        };
        if !slot.busy {
            // Idle connections have nothing to say but their end; one that is needed again is opened again.
            slot.channel = None;
            return;
        }
        let heard = channel.receive(&mut slot.answer, &mut self.scratch);
        let measured = self.run.measured();
        if measured && slot.answer.body > slot.body {
            lock(&self.tally).bytes += slot.answer.body - slot.body;
        }
        slot.body = slot.answer.body;
        if let Err(error) = heard {
            self.shared.error(&error);
            slot.channel = None;
            slot.busy = false;
            self.busy -= 1;
            // The same request again: an image is pulled when all of it was.
            self.ask(at);
        } else if slot.answer.complete() {
            self.complete(at, measured);
        }
    }

    /// Judges a complete answer and goes on.
    fn complete(&mut self, at: usize, measured: bool) {
        let Some(slot) = self.slots.get_mut(at) else {
            return;
        };
        slot.busy = false;
        self.busy -= 1;
        if slot.answer.close {
            slot.channel = None;
        }
        let requests = &slot.route.requests;
        let Some(request) = requests.get(slot.next) else {
            return;
        };
        let checked = request.check(&mut slot.answer);
        slot.next += 1;
        let last = slot.next >= requests.len();
        let unit = match self.walk {
            Walk::Round => true,
            Walk::Once => last,
        };
        if last && self.walk == Walk::Round {
            slot.next = 0;
        }
        let now = Instant::now();
        match checked {
            Err(error) => self.shared.error(&error),
            Ok(verified) => {
                let mut tally = lock(&self.tally);
                tally.verified += u64::from(verified);
                if measured && unit {
                    tally.units += 1;
                    tally.latency.record(now - slot.started);
                    if self.walk == Walk::Once {
                        let after = self.run.since_begin().as_secs_f64();
                        tally.finished.push(after);
                    }
                }
            }
        }
        match self.walk {
            Walk::Round => self.begin(at, now),
            Walk::Once if !last => self.ask(at),
            Walk::Once => {}
        }
    }
}
