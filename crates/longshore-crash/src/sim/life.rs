//! One seed: several lives of one registry, each ended by a crash but the last.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use futures_util::future::join_all;
use longshore_auth::Authenticator;
use longshore_blob::Location;
use longshore_core::Registry;
use longshore_http::edge::{Edge, EdgeOptions};
use longshore_layers::{Behind as _, RightsGate};
use longshore_meta::Db;
use longshore_spec::digest::Digest;
use longshore_store::{Durability, GcOptions, Options, Store, Untagged};
use longshore_testkit::content::Draw;
use tokio::sync::Notify;

use super::blobs::SimBlobs;
use super::inside::Inside;
use super::platter::Platter;
use super::world::{Database, Log, World, now, set_clock, stop_clock};
use crate::check::Depth;
use crate::client::Client;
use crate::ledger::Repo;
use crate::model::in_memory;
use crate::tally::Tally;

/// How many clients there are.
const CLIENTS: u64 = 3;
/// How many deeds each does in a life at the most.
const DEEDS: usize = 12;
/// For how long a blob is promised to whoever pushed it.
const LEASE: Duration = Duration::from_secs(6);
/// The day on which every course begins, in seconds since 1970.
const BEGIN: u64 = 1_800_000_000;

/// Where a thread keeps the database of its seeds.
#[derive(Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    /// A database without anything in it, for every seed to begin with.
    template: PathBuf,
}

impl Place {
    pub(crate) fn new(dir: Option<&Path>, thread: u64) -> Result<Self> {
        let dir = in_memory(dir).join(format!("longshore-sim-{}-{thread}", std::process::id()));
        fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let template = dir.join("template.db");
        let runtime = runtime()?;
        runtime.block_on(async { Db::open_file(&template)?.close().await })?;
        Ok(Self { dir, template })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// What a seed came to.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) tally: Tally,
    pub(crate) trace: u64,
    pub(crate) steps: u64,
    pub(crate) injected: u64,
    pub(crate) told: String,
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("no runtime")
}

/// Runs a seed.
///
/// # Errors
/// When the database cannot be made, or the store does not open although nothing fails.
pub(crate) fn course(place: &Place, seed: u64) -> Result<Course> {
    let mut draw = Draw::new(seed);
    let db = place.dir.join("meta.db");
    for end in ["db-wal", "db-shm"] {
        let _ = fs::remove_file(db.with_extension(end));
    }
    fs::copy(&place.template, &db).context("a database cannot be made")?;
    let platter = Arc::new(Mutex::new(Platter::default()));
    let client = |n| Client::small(&format!("sim{n}"), seed.wrapping_mul(31) + n);
    let mut clients: Vec<Client> = (0..CLIENTS).map(client).collect();
    let mut time = SystemTime::UNIX_EPOCH + Duration::from_secs(BEGIN);
    let mut course = Course {
        tally: Tally::default(),
        trace: seed,
        steps: 0,
        injected: 0,
        told: String::new(),
    };
    let by_blob = draw.below(3) == 0;
    let row_most = [0_u64, 300, 16 << 10][draw.below(3)];
    let (lives, mut log) = (2 + draw.below(3), Log::default());
    let collects = draw.below(4) > 0;
    // Then one that nothing ends, and a day later twice one that looks what is left: a file that a session still knew is
    // found by the second.
    for life in 0..=lives + 2 {
        let (last, census) = (life >= lives, life == lives + 2);
        if life > lives {
            time += Duration::from_hours(30);
        }
        let crash_at = if last {
            u64::MAX
        } else {
            1 + draw.number() % 500
        };
        let faults = if last {
            0
        } else {
            [0, 0, 8, 40][draw.below(4)]
        };
        let world = Arc::new(World::new(draw.number(), crash_at, faults, log));
        let options = Options {
            durability: if by_blob {
                Durability::Blob
            } else {
                Durability::Manifest
            },
            row_most,
            scrub_every: None,
            push_lease: LEASE,
            gc: gc(collects),
            ..Options::default()
        };
        {
            let runtime = runtime()?;
            let shared = Life {
                world: world.clone(),
                platter: platter.clone(),
                db: &db,
                options,
                last,
                hindered: faults > 0,
                rests: life > lives && collects,
                census: census && collects,
                unpromised: collects || (faults > 0 && !by_blob && !last),
            };
            runtime.block_on(shared.live(&mut clients, time))?;
            // Everything that was under way ends here, at whatever await it stood.
        }
        time = now();
        let power = draw.below(2) == 0;
        let (steps, injected, trace) = world.figures();
        course.trace =
            course.trace.rotate_left(7) ^ trace ^ clients.iter().map(|c| c.answered).sum::<u64>();
        course.steps += steps;
        course.injected += injected;
        let how = if power { "power cut" } else { "kill" };
        let _ = write!(
            course.told,
            "\n  life {life}: blobs safe at once: {by_blob}, rows up to {row_most}, {faults} faults in 1000, ended by {}: {}",
            if last { "an orderly stop" } else { how },
            world.told()
        );
        for client in &mut clients {
            course.tally.add(std::mem::take(&mut client.tally));
        }
        log = if last || !power {
            world.log()
        } else {
            let (log, length) = world.cut_log();
            cut(&db, length)?;
            let mut platter = platter.lock().unwrap_or_else(PoisonError::into_inner);
            platter.cut(world.draw());
            for client in &mut clients {
                client.power_went(by_blob);
            }
            log
        };
        clients.iter_mut().for_each(Client::restarted);
        let _ = fs::remove_file(db.with_extension("db-shm"));
        if faults > 0 && !by_blob {
            // A sync may have failed of what was acknowledged and nothing needs.
            for client in &mut clients {
                client.power_went(false);
            }
        }
        if !course.tally.is_clean() {
            break;
        }
    }
    Ok(course)
}

/// Collection in a hurry.
fn gc(enabled: bool) -> GcOptions {
    GcOptions {
        enabled,
        interval: Duration::from_millis(400),
        // Shorter than the lease, so that only the lease keeps what is about to be needed.
        unreferenced: Duration::from_millis(20),
        quarantine: Duration::from_millis(700),
        trash: Duration::from_secs(3),
        trash_untagged: Duration::from_secs(1),
        untagged: Untagged::Keep,
        orphans: Duration::from_mins(1),
        pace: 1000,
        ..GcOptions::default()
    }
}

/// Cuts the log of the database off.
fn cut(db: &Path, length: u64) -> Result<()> {
    let log = db.with_extension("db-wal");
    if log.exists() {
        fs::File::options()
            .write(true)
            .open(&log)?
            .set_len(length)?;
    }
    Ok(())
}

/// One life.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a circumstance of its own"
)]
struct Life<'a> {
    world: Arc<World>,
    platter: Arc<Mutex<Platter>>,
    db: &'a Path,
    options: Options,
    last: bool,
    /// Whether failures are injected.
    hindered: bool,
    /// Whether there is time for collection.
    rests: bool,
    /// Whether everything that nobody needs has to be gone at the end.
    census: bool,
    /// Whether blobs which no manifest needs are not promised: they are collected, or their syncs fail.
    unpromised: bool,
}

impl Life<'_> {
    /// What the database says of something on the disk.
    async fn row(&self, name: &str) -> String {
        let read = async |db: Db, digest: Digest| {
            db.read(&digest, |tx, digest| {
                Box::pin(longshore_meta::blobs::blob_get(tx, digest))
            })
            .await
        };
        let digest = name.parse::<Location>().ok().and_then(|at| at.digest());
        let steps = Arc::new(Database(self.world.clone()));
        match (Db::open_stepped(self.db, steps), digest) {
            (Ok(db), Some(digest)) => format!("{:?}", read(db, digest).await),
            _ => "none can be found".to_owned(),
        }
    }

    async fn live(&self, clients: &mut [Client], begins: SystemTime) -> Result<()> {
        set_clock(begins + Duration::from_secs(5));
        let steps = Arc::new(Database(self.world.clone()));
        let db = Db::open_stepped(self.db, steps)?;
        let blobs = Arc::new(SimBlobs::new(self.world.clone(), self.platter.clone()));
        let opening = Store::open(db, blobs, self.options.clone(), Arc::new(now));
        let store = tokio::select! {
            biased;
            () = self.world.gone() => { stop_clock(); return Ok(()); }
            store = opening => match store {
                Ok(store) => store,
                // A failure was injected; the process ends and is started again.
                Err(_) if !self.last => { stop_clock(); return Ok(()); }
                Err(error) => return Err(error).context("the store does not open"),
            },
        };
        if self.last {
            self.world.calm();
        }
        let stop = Notify::new();
        let work = async {
            self.work(clients, &store).await;
            stop.notify_one();
        };
        let tend = store.tend(stop.notified());
        tokio::select! {
            biased;
            // Whoever waits for an answer learns of it first.
            ((), ()) = async { tokio::join!(work, tend) } => {}
        }
        stop_clock();
        Ok(())
    }

    async fn work(&self, clients: &mut [Client], store: &Store) {
        if self.rests {
            // What is due is collected, and expired sessions end, within a few rounds, when the hours since the last life
            // are believed.
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        let tower: Arc<dyn Registry> = Arc::new(store.clone());
        let options = EdgeOptions {
            now,
            ..EdgeOptions::default()
        };
        let edge = Edge::new(
            tower.behind(RightsGate),
            Authenticator::open(),
            options,
            None,
        );
        let way = || Inside {
            edge: edge.clone(),
            world: self.world.clone(),
        };
        let (last, world, unpromised, hindered) =
            (self.last, &self.world, self.unpromised, self.hindered);
        join_all(clients.iter_mut().map(|client| async move {
            let mut way = way();
            client.gone = false;
            client.collected = unpromised;
            client.hindered = hindered;
            if last {
                client.strict = true;
                client.check(&mut way, Depth::All).await;
            } else {
                let deeds = 1 + usize::try_from(world.draw() % DEEDS as u64).unwrap_or(0);
                for _ in 0..deeds {
                    // Long enough at times for leases to end.
                    if world.draw() % 8 == 0 {
                        let rest = Duration::from_millis(world.draw() % 9000);
                        tokio::select! {
                            () = tokio::time::sleep(rest) => {}
                            () = world.gone() => break,
                        }
                    }
                    if !client.act(&mut way).await {
                        break;
                    }
                }
            }
        }))
        .await;
        if self.census {
            let needed = clients.iter().flat_map(|client| &client.repos);
            let needed: BTreeSet<Digest> = needed.flat_map(Repo::needed).collect();
            let left = {
                let platter = self.platter.lock();
                let platter = platter.unwrap_or_else(PoisonError::into_inner);
                platter.left_behind(&needed)
            };
            for name in left {
                let row = self.row(&name).await;
                if let Some(client) = clients.first_mut() {
                    client
                        .tally
                        .leave(format!("{name} is needed by nobody; its row: {row}"));
                }
            }
        } else if last {
            // Everything is as it should be; so is what is pushed now.
            for client in clients {
                let mut way = way();
                for _ in 0..3 {
                    client.act(&mut way).await;
                }
                client.check(&mut way, Depth::All).await;
            }
        }
    }
}
