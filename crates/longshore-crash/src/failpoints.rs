//! Every operation of a disk that something the API offers needs, failing on its own.
//!
//! A deed of a client is done once to see which operations it takes: each file made, each write, sync, rename and removal, the
//! database's among them. Then it is done again from the same state for each of them and each way to fail, on a disk
//! ([`crate::disk`]) that fails there: an error, a full disk, half a write, the power gone just before or just after. What must hold:
//! whatever was acknowledged stays, nothing is there by half, reads go on, a full disk that has room again takes pushes
//! without a restart, and after the next start everything is as it was or as it was to be.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use longshore_testkit::content::Draw;
use rustix::io::Errno;

use crate::check::Depth;
use crate::client::Client;
use crate::deed::{DEEDS, Deed};
use crate::disk::Disk;
use crate::disk::image::{Image, Keep};
use crate::disk::plan::{Class, How, Plan};
use crate::kill::{fresh, runtime};
use crate::server::{Program, Server};
use crate::tally::Tally;
use crate::{Common, say};

/// The ways to fail.
const WAYS: [How; 5] = [
    How::Fails(Errno::IO),
    How::Full,
    How::Torn(Errno::IO),
    How::CutBefore,
    How::CutAfter,
];

/// For how long a disk is quiet when a server has nothing more to do on it.
const QUIET: Duration = Duration::from_millis(25);

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
    /// Only this deed, such as `Image`.
    #[arg(long)]
    only: Option<String>,
}

/// Tries every site.
///
/// # Errors
/// When the server does not start although it should.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let dir = options.common.dir.join("failpoints");
    let (mount, log) = fresh(&dir)?;
    let program = options.common.program();
    let mut bench = Bench {
        mount,
        log,
        boot: dir.join("boot"),
        boots: 0,
        program,
        draw: Draw::new(options.common.seed),
        sites: BTreeMap::new(),
    };
    runtime()?.block_on(bench.all(options))
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
    async fn all(&mut self, options: &Options) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut said = String::new();
        let scene = self.scene(options.common.seed).await?;
        for deed in DEEDS {
            let name = format!("{deed:?}");
            if options.only.as_ref().is_some_and(|only| *only != name) || deed == Deed::Read {
                continue;
            }
            // Done without a fault, to see which operations it takes.
            let (count, found) = self.case(&scene, Act::Do(deed), None).await?;
            ensure!(
                found.is_clean(),
                "{name} fails without any fault: {:?}",
                found.told()
            );
            let mut sites = 0;
            for at in 0..count {
                for (n, how) in WAYS.into_iter().enumerate() {
                    if options.quick && (at + deed as usize) % WAYS.len() != n {
                        continue;
                    }
                    tally.add(self.site(&scene, Act::Do(deed), vec![at], how).await?);
                    sites += 1;
                }
            }
            let _ = write!(said, " {name} {count}/{sites}");
        }
        if options.only.is_none() {
            let (count, _) = self.case(&scene, Act::Start, None).await?;
            for at in 0..count {
                let ways = [How::Fails(Errno::IO), How::Full, How::CutAfter];
                let chosen = if options.quick {
                    &ways[at % 3..][..1]
                } else {
                    &ways[..]
                };
                for how in chosen {
                    tally.add(self.site(&scene, Act::Start, vec![at], *how).await?);
                }
            }
            let _ = write!(said, " start {count}");
        }
        for _ in 0..options.pairs {
            let deed = *self.draw.pick(&DEEDS).unwrap_or(&Deed::Image);
            let how = *self.draw.pick(&WAYS).unwrap_or(&How::Full);
            let first = self.draw.below(12);
            let at = vec![first, first + 1 + self.draw.below(6)];
            tally.add(self.site(&scene, Act::Do(deed), at, how).await?);
        }
        say(&format!("failpoints: operations/cases of each deed:{said}"));
        say(&format!(
            "failpoints: seed {}, {} cases; failed operations: {:?}",
            options.common.seed, tally.cases, self.sites
        ));
        Ok(tally)
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
    async fn site(&mut self, scene: &Scene, act: Act, at: Vec<usize>, how: How) -> Result<Tally> {
        let plan = Plan {
            at: at.clone(),
            how,
        };
        let began = self.boots;
        let (_, mut found) = self
            .case(scene, act, Some(plan))
            .await
            .with_context(|| format!("{act:?}, operation {at:?}, {how:?}"))?;
        found.cases = 1;
        if !found.is_clean() {
            say(&format!(
                "  that was {act:?}, operation {at:?}, {how:?} (boot {began})"
            ));
        }
        Ok(found)
    }

    /// Runs one case; gives how many operations the act took, and what was found.
    async fn case(
        &mut self,
        scene: &Scene,
        act: Act,
        plan: Option<Plan>,
    ) -> Result<(usize, Tally)> {
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
        if fired > 0
            && let Some((class, _)) = seen.last()
        {
            *self.sites.entry(*class).or_default() += fired;
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
        }
        let after = disk.after(keep);
        drop(disk);
        self.after(after, &mut client).await?;
        Ok((seen.len(), std::mem::take(&mut client.tally)))
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
        drop(disk);
        Ok(())
    }
}

/// What is done while the disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Do(Deed),
    Start,
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
