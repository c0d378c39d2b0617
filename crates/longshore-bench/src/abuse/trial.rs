//! One abuse, tried once: the good clients alone, the good clients beside it, and what is left when all have gone.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::Abuse;
use super::attack::Attack;
use super::front::Front;
use super::left::Left;
use crate::line::works::{Speak, drive, float, get};
use crate::line::{Figure, Sample, Scene, Stage, Unit};
use crate::load::TlsDial;
use crate::peer::{Ground, Peer, Program, Start};
use crate::run::{LOAD, SERVER};
use crate::seed::{APP, Content, Image, Set};

/// The good clients.
const GOOD: usize = 8;
/// Warm-up and measured seconds.
const TIMES: (f64, f64) = (0.3, 3.0);
/// What these are multiplied by with `--quick`.
const QUICK: f64 = 0.3;
/// How long the server may take to see that everybody has gone.
const SETTLED: Duration = Duration::from_millis(500);
/// After so long without a request sessions expire; a server that starts then ends them within as long.
const EXPIRED: Duration = Duration::from_secs(1);
/// Where the abusers push.
const ABUSED: &str = "bench/abused";
const STORE: &str = "store-abuse";

/// What a trial gave.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// Microseconds in which 99 of 100 good requests are answered: alone, and beside the abuse.
    pub(super) alone: f64,
    pub(super) beside: f64,
    /// Requests a second of the good clients: alone, and beside the abuse.
    pub(super) rates: (f64, f64),
    /// Abusive acts a second.
    pub(super) acts: f64,
    /// The most anonymous memory of the server, in MB.
    pub(super) memory: f64,
    /// What was left when all had gone.
    pub(super) left: Left,
    /// What was left when the sessions had expired.
    pub(super) expired: Left,
    pub(super) error: Option<String>,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "p99 {:.0} us alone, {:.0} beside; {:.0} requests/s alone, {:.0} beside; {:.0} acts/s; {:.1} MB; \
             left {} files of {} sessions, then {} of {}",
            self.alone,
            self.beside,
            self.rates.0,
            self.rates.1,
            self.acts,
            self.memory,
            self.left.files,
            self.left.sessions,
            self.expired.files,
            self.expired.sessions,
        )?;
        if let Some(error) = &self.error {
            write!(f, "; {error}")?;
        }
        Ok(())
    }
}

/// What all trials share.
pub(super) struct Trials<'a> {
    ground: &'a Ground,
    content: Content,
    idle: usize,
    scale: f64,
}

impl<'a> Trials<'a> {
    /// Stores what the good clients ask for.
    ///
    /// # Errors
    /// When the server does not take it.
    pub(super) fn new(ground: &'a Ground, idle: usize, quick: bool) -> Result<Self> {
        let this = Self {
            ground,
            content: Content::new(&[Set::Abused]),
            idle,
            scale: if quick { QUICK } else { 1.0 },
        };
        let peer = this.start(false, Value::Null)?;
        this.content.store(ground, &peer)?;
        Ok(this)
    }

    fn start(&self, tls: bool, own: Value) -> Result<Peer> {
        let start = Start {
            program: Program::Longshore,
            store: STORE.to_owned(),
            tls,
            cores: vec![SERVER],
            own,
        };
        Peer::start(self.ground, &start)
    }

    /// Tries one.
    ///
    /// # Errors
    /// When it cannot be done.
    pub(super) fn one(&self, abuse: &Abuse) -> Result<Trial> {
        let mut peer = self.start(abuse.tls, abuse.own.clone())?;
        let data = peer.dir.join("data");
        let scene = Scene {
            ground: self.ground,
            content: &self.content,
            shape: None,
            stage: if abuse.tls { Stage::Tls } else { Stage::Pinned },
            pass: 0,
            scale: self.scale,
            server_cores: &[SERVER],
            load_cores: &[LOAD],
            crowded: true,
        };
        let front = Arc::new(self.front(abuse, &peer)?);
        let alone = self.good(&scene, &peer)?;
        let mut attack = Attack::begin(&front, abuse.what, &scene)?;
        let risen = attack.stands(&front, &peer)?;
        let before = front.acts();
        let beside = self.good(&scene, &peer)?;
        let acts = front.acts() - before;
        attack.end()?;
        thread::sleep(SETTLED);
        peer.alive()?;
        drop(peer);
        let left = Left::of(&data)?;
        let expired = if left == Left::default() {
            left
        } else {
            // Sessions are looked through at every start, and once a minute.
            thread::sleep(EXPIRED);
            let own = json!({"limits": {"upload_idle": "1s"}});
            let mut again = self.start(false, own)?;
            thread::sleep(EXPIRED);
            again.alive()?;
            drop(again);
            Left::of(&data)?
        };
        let figure = |sample: &Sample, figure| sample.figures.get(&figure).copied();
        let p99 = |sample| figure(sample, Figure::P99).context("nothing was measured");
        let rate = |sample| figure(sample, Figure::Rate).unwrap_or_default();
        let memory = figure(&beside, Figure::Memory).unwrap_or_default();
        Ok(Trial {
            alone: p99(&alone)?,
            beside: p99(&beside)?,
            rates: (rate(&alone), rate(&beside)),
            acts: float(acts) / ((TIMES.0 + TIMES.1) * self.scale),
            memory: memory.max(float(risen) / 1e6),
            left,
            expired,
            error: beside
                .error
                .or(alone.error)
                .map(|error| format!("a good client: {error}"))
                .or(front.first_wrong().map(str::to_owned)),
        })
    }

    fn good(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        let targets: Vec<_> = self.content.of(APP).map(Image::by_tag).collect();
        ensure!(!targets.is_empty(), "nothing to ask for");
        let speak = if scene.stage == Stage::Tls {
            Speak::Tls1
        } else {
            Speak::Http1
        };
        let ran = drive(scene, peer, speak, vec![get(GOOD, targets)], TIMES)?;
        Ok(ran.sample(Unit::Requests, scene))
    }

    fn front(&self, abuse: &Abuse, peer: &Peer) -> Result<Front> {
        let path = |target: Option<crate::job::Target>| target.map(|target| target.path);
        let image = self.content.of(APP).next().map(Image::by_tag);
        let blob = self.content.blobs(100 << 20).into_iter().next();
        let certificate = self.ground.certificate.path();
        let dial = || TlsDial::new(peer.address, certificate, b"h2");
        Ok(Front {
            tls: abuse.tls.then(dial).transpose()?,
            headers: peer.headers(self.ground, &[APP.to_owned(), ABUSED.to_owned()])?,
            repository: ABUSED.to_owned(),
            manifest: path(image).context("there is no manifest")?,
            blob: path(blob).context("there is no blob")?,
            connections: self.idle,
            ..Front::new(peer.address)
        })
    }
}
