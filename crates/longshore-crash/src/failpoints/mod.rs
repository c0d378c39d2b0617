//! Every operation of a disk that something the API offers needs, failing on its own.
//!
//! A deed of a client is done once to see which operations it takes: each file made, each write, sync, rename and removal, the
//! database's among them. Then it is done again from the same state for each of them and each way to fail, on a disk
//! ([`crate::disk`]) that fails there: an error, a full disk, half a write, the power gone just before or just after. What must hold:
//! whatever was acknowledged stays, nothing is there by half, reads go on, a full disk that has room again takes pushes
//! without a restart, and after the next start everything is as it was or as it was to be.

mod sites;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;
use longshore_testkit::content::Draw;
use rustix::io::Errno;

use crate::check::Depth;
use crate::client::Client;
use crate::deed::{DEEDS, Deed};
use crate::disk::Disk;
use crate::disk::image::{Image, Keep};
use crate::disk::plan::{Class, How, Plan};
use crate::kill::{fresh, fsck, runtime};
use crate::server::{Program, Server};
use crate::tally::Tally;
use crate::{Common, say};
use sites::{Act, Case, Operation, WAYS, some_of_each_run};

/// For how long a disk is quiet when a server has nothing more to do on it.
const QUIET: Duration = Duration::from_millis(25);

/// How many cases are run side by side.
const WORKERS: usize = 4;

/// Which sites are tried.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// Every site with one way to fail, instead of with each.
    #[arg(long)]
    quick: bool,
    /// How many pairs of sites are tried beside.
    #[arg(long, default_value_t = 30)]
    pairs: u64,
    /// Only this deed, such as `Image`, or `Start`.
    #[arg(long)]
    only: Option<String>,
}

/// Tries every site.
///
/// # Errors
/// When the server does not start although it should.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let dir = options.common.dir.join("failpoints");
    let program = options.common.program();
    let mut bench = Bench::new(&dir.join("0"), &program)?;
    let runtime = runtime()?;
    let scene = runtime.block_on(bench.scene(options.common.seed))?;
    let cases = runtime.block_on(bench.cases(&scene, options))?;
    let todo = Mutex::new(cases.into_iter().enumerate());
    let all = Mutex::new((Tally::default(), BTreeMap::<Class, u64>::new()));
    // Most of a case is waiting for a disk to be quiet.
    let work = |n: usize| -> Result<()> {
        let mut bench = Bench::new(&dir.join(n.to_string()), &program)?;
        let runtime = self::runtime()?;
        while let Some((number, case)) = lock(&todo).next() {
            bench.draw = Draw::new(options.common.seed.wrapping_mul(10_000) + number as u64);
            let found = runtime.block_on(bench.site(&scene, case))?;
            let mut all = lock(&all);
            all.0.add(found);
            if all.0.is_enough(options.common.first) {
                break;
            }
        }
        for (class, count) in bench.sites {
            *lock(&all).1.entry(class).or_default() += count;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (1..=WORKERS)
            .map(|n| scope.spawn(move || work(n)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            let ended = worker.join();
            ended.map_err(|_| anyhow!("a worker panicked"))?
        })
    })?;
    let (tally, sites) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&format!(
        "failpoints: seed {}, {} cases; failed operations: {sites:?}",
        options.common.seed, tally.cases
    ));
    Ok(tally)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A state to start from.
struct Scene {
    image: Image,
    client: Client,
}

/// Where cases are run.
struct Bench {
    mount: PathBuf,
    log: PathBuf,
    boot: PathBuf,
    boots: u64,
    program: Program,
    draw: Draw,
    /// How often each kind of operation was made to fail.
    sites: BTreeMap<Class, u64>,
}

impl Bench {
    fn new(dir: &Path, program: &Program) -> Result<Self> {
        let (mount, log) = fresh(dir)?;
        Ok(Self {
            mount,
            log,
            boot: dir.join("boot"),
            boots: 0,
            program: program.clone(),
            draw: Draw::new(0),
            sites: BTreeMap::new(),
        })
    }

    /// Every case, from the operations that each deed takes when nothing fails.
    async fn cases(&mut self, scene: &Scene, options: &Options) -> Result<Vec<Case>> {
        let mut said = String::new();
        let mut cases = Vec::new();
        let acts = DEEDS.map(Act::Do).into_iter().chain([Act::Start]);
        for (n, act) in acts.enumerate() {
            let name = act.name();
            if options.only.as_ref().is_some_and(|only| *only != name) || act == Act::Do(Deed::Read)
            {
                continue;
            }
            let (seen, found) = self.case(scene, act, None).await?;
            ensure!(
                found.is_clean(),
                "{name} fails without any fault: {:?}",
                found.told()
            );
            let ways = match act {
                Act::Do(_) => &WAYS[..],
                Act::Start => &[How::Fails(Errno::IO), How::Full, How::CutAfter],
            };
            let sites = if options.quick {
                some_of_each_run(&seen)
            } else {
                (0..seen.len()).collect()
            };
            let _ = write!(said, " {name} {}/{}", seen.len(), sites.len());
            for (nth, at) in sites.into_iter().enumerate() {
                let chosen = if options.quick {
                    &ways[(nth + n) % ways.len()..][..1]
                } else {
                    ways
                };
                cases.extend(chosen.iter().map(|how| Case {
                    act,
                    plan: Plan {
                        at: vec![at],
                        how: *how,
                    },
                }));
            }
        }
        let mut draw = Draw::new(options.common.seed);
        for _ in 0..options.pairs {
            let deed = *draw.pick(&DEEDS).unwrap_or(&Deed::Image);
            let how = *draw.pick(&WAYS).unwrap_or(&How::Full);
            let first = draw.below(12);
            let at = vec![first, first + 1 + draw.below(6)];
            cases.push(Case {
                act: Act::Do(deed),
                plan: Plan { at, how },
            });
        }
        say(&format!(
            "failpoints: operations, and how many of them are tried, of each deed:{said}"
        ));
        Ok(cases)
    }

    /// A registry with something of everything in it.
    async fn scene(&mut self, seed: u64) -> Result<Scene> {
        let disk = Disk::mount(Image::new(), &self.mount)?;
        let server = self.program.start(&self.mount.join("data"), &self.log)?;
        let mut client = Client::new("fp", seed);
        client.strict = true;
        let mut wire = server.client();
        for deed in [
            Deed::Image,
            Deed::Image,
            Deed::Image,
            Deed::Index,
            Deed::Referrer,
            Deed::Blob,
            Deed::Mount,
            Deed::Retag,
            Deed::Part,
            Deed::Part,
        ] {
            for repo in 0..2 {
                client.do_it(&mut wire, repo, deed).await;
            }
        }
        ensure!(
            client.tally.is_clean(),
            "the scene: {:?}",
            client.tally.told()
        );
        server.stop()?;
        let image = disk.after(Keep::Everything);
        Ok(Scene { image, client })
    }

    /// One case, with what it stands for in each finding.
    async fn site(&mut self, scene: &Scene, case: Case) -> Result<Tally> {
        let (_, mut found) = self
            .case(scene, case.act, Some(case.plan.clone()))
            .await
            .with_context(|| format!("{case:?}"))?;
        found.cases = 1;
        if !found.is_clean() {
            say(&format!("  that was {case:?}"));
        }
        Ok(found)
    }

    /// Runs one case; gives the operations that the act took, and what was found.
    async fn case(
        &mut self,
        scene: &Scene,
        act: Act,
        plan: Option<Plan>,
    ) -> Result<(Vec<Operation>, Tally)> {
        let mut client = scene.client.clone();
        client.strict = plan.is_none();
        client.hindered = plan.is_some();
        self.boots += 1;
        let program = self.program.clone().after_boot(&self.boot, self.boots)?;
        let disk = Disk::mount(scene.image.clone(), &self.mount)?;
        let data = self.mount.join("data");
        let how = plan.as_ref().map(|plan| plan.how);
        let mut server = None;
        if act == Act::Start {
            disk.plan(plan);
            // It may refuse to start on a disk that fails.
            if let Ok(started) = program.start(&data, &self.log) {
                quiet(&disk).await;
                server = Some(started);
            }
        } else {
            let started = program.start(&data, &self.log)?;
            quiet(&disk).await;
            disk.plan(plan);
            self.act(&started, &mut client, act).await;
            quiet(&disk).await;
            server = Some(started);
        }
        let (seen, fired) = disk.seen();
        for class in &fired {
            *self.sites.entry(*class).or_default() += 1;
        }
        if fired
            .iter()
            .any(|class| matches!(class, Class::Sync | Class::SyncDir))
        {
            client.syncs_failed();
        }
        let mut lost_power = disk.is_cut();
        if let Some(server) = server.filter(|_| !lost_power) {
            disk.plan(None);
            let mut wire = server.client();
            client.check(&mut wire, Depth::Some(1)).await;
            if matches!(how, Some(How::Full)) {
                again(&server, &mut client).await;
            }
            lost_power = self.draw.below(2) == 0;
            server.kill();
        }
        let keep = match (lost_power, self.draw.below(2)) {
            (false, _) => Keep::Everything,
            (true, 0) => Keep::Nothing,
            (true, _) => Keep::Some(self.draw.number()),
        };
        if lost_power {
            client.power_went(false);
        } else {
            client.restarted();
        }
        let after = disk.after(keep);
        drop(disk);
        self.after(after, &mut client).await?;
        Ok((seen, std::mem::take(&mut client.tally)))
    }

    async fn act(&self, server: &Server, client: &mut Client, act: Act) {
        let mut wire = server.client();
        if let Act::Do(deed) = act {
            client.do_it(&mut wire, 0, deed).await;
            client.gone = false;
        }
    }

    /// The next start, on a disk that is whole again.
    async fn after(&mut self, image: Image, client: &mut Client) -> Result<()> {
        self.boots += 1;
        let program = self.program.clone().after_boot(&self.boot, self.boots)?;
        let disk = Disk::mount(image, &self.mount)?;
        let server = program
            .start(&self.mount.join("data"), &self.log)
            .context("the start after it")?;
        let mut wire = server.client();
        client.strict = true;
        client.hindered = false;
        client.check(&mut wire, Depth::All).await;
        again(&server, client).await;
        server.stop()?;
        fsck(&program, &self.mount.join("data"), &mut client.tally)?;
        drop(disk);
        Ok(())
    }
}

/// A server on a disk that works takes a push.
async fn again(server: &Server, client: &mut Client) {
    let strict = std::mem::replace(&mut client.strict, true);
    let mut wire = server.client();
    for deed in [Deed::Blob, Deed::Image] {
        client.do_it(&mut wire, 1, deed).await;
    }
    client.strict = strict;
}

/// Waits until nothing happens on the disk any more.
async fn quiet(disk: &Disk) {
    let (mut count, mut since) = (disk.count(), Instant::now());
    while since.elapsed() < QUIET && !disk.is_cut() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = disk.count();
        if now != count {
            (count, since) = (now, Instant::now());
        }
    }
}
