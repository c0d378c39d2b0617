//! Power cuts at random moments of a busy server.
//!
//! On `forgetful`, the disk of [`crate::disk`], each cut gives several images: nothing that was not synced, and any part of it.
//! On a real file system ([`crate::snapshot`]) an image is a copy of its block device at one moment, which its journal has
//! to bring to order.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use longshore_testkit::content::Draw;

use crate::check::Depth;
use crate::client::Client;
use crate::disk::Disk;
use crate::disk::image::{Image, Keep};
use crate::kill::{check, collect, fresh, fsck, runtime, work_until};
use crate::server::Program;
use crate::snapshot::{Kind, Stand};
use crate::tally::Tally;
use crate::{Common, say};

/// How many clients work at a time.
const CLIENTS: u64 = 4;
/// How many images a cut of the forgetful disk gives.
const VARIANTS: u64 = 4;

/// What the data lies on.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// A disk that keeps what was synced and, of the rest, whatever hurts.
    Forgetful,
    /// ext4 as Debian makes it.
    Ext4,
    /// ext4 that does not write bytes before their names.
    Ext4Writeback,
    /// XFS.
    Xfs,
}

/// What is cut off, and how often.
#[derive(Args, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    common: Common,
    /// What the data lies on; each gets the same number of images.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [On::Forgetful])]
    on: Vec<On>,
    /// How many images are looked at.
    #[arg(long, default_value_t = 40)]
    images: u64,
}

/// Cuts, starts again, and compares.
///
/// # Errors
/// When the server does not start although it should.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let runtime = runtime()?;
    let program = options.common.program();
    let mut tally = Tally::default();
    for on in &options.on {
        let dir = options
            .common
            .dir
            .join(format!("powercut-{on:?}").to_lowercase());
        let kind = match on {
            On::Forgetful => None,
            On::Ext4 => Some(Kind::Ext4),
            On::Ext4Writeback => Some(Kind::Ext4Writeback),
            On::Xfs => Some(Kind::Xfs),
        };
        tally.add(match kind {
            None => runtime.block_on(forgetful(&program, &dir, options))?,
            Some(kind) => runtime.block_on(journaled(&program, &dir, kind, options))?,
        });
    }
    Ok(tally)
}

/// The files of one run.
struct Place {
    mount: PathBuf,
    log: PathBuf,
    boot: PathBuf,
}

impl Place {
    fn new(dir: &Path) -> Result<Self> {
        let (mount, log) = fresh(dir)?;
        Ok(Self {
            mount,
            log,
            boot: dir.join("boot"),
        })
    }
}

async fn forgetful(program: &Program, dir: &Path, options: &Options) -> Result<Tally> {
    let place = Place::new(dir)?;
    let seed = options.common.seed;
    let mut draw = Draw::new(seed);
    let (mut tally, mut image, mut clients) = (Tally::default(), Image::new(), Vec::new());
    let (mut acknowledged, mut boots) = (0, 0);
    while tally.cases < options.images && !tally.is_enough(options.common.first) {
        if clients.is_empty() {
            let name = |n: u64| format!("cut{n}x{}", tally.cases);
            let with = |n: u64| Client::new(&name(n), seed * 1000 + tally.cases * 10 + n);
            clients = (0..CLIENTS).map(with).collect();
        }
        boots += 1;
        // Every other life of the server promises blobs on their own.
        let durability = if boots % 2 == 0 { "blob" } else { "manifest" };
        let program = program
            .clone()
            .set("storage.durability", durability)
            .after_boot(&place.boot, boots)?;
        let disk = Disk::mount(image, &place.mount)?;
        let server = program.start(&place.mount.join("data"), &place.log)?;
        let pause = Duration::from_millis(20 + draw.number() % 600);
        work_until(&server, &mut clients, async {
            tokio::time::sleep(pause).await;
            disk.cut();
            server.signal(rustix::process::Signal::KILL);
        })
        .await;
        server.kill();
        collect(&mut tally, &mut clients);
        acknowledged += clients
            .iter()
            .map(|client| client.acknowledged)
            .sum::<u64>();
        for client in &mut clients {
            client.acknowledged = 0;
            client.power_went(durability == "blob");
        }
        let keeps = (0..VARIANTS).map(|n| match n {
            0 => Keep::Nothing,
            _ => Keep::Some(draw.number()),
        });
        let mut next = None;
        for keep in keeps.collect::<Vec<_>>() {
            let after = disk.after(keep);
            let mut witnesses = clients.clone();
            let found = look(&program, &place, after, &mut witnesses, &mut boots).await;
            let (found, kept) = found.with_context(|| {
                format!(
                    "seed {seed}, boot {boots}: the server does not start on what {keep:?} left"
                )
            })?;
            tally.cases += 1;
            tally.add(found);
            next = Some((kept, witnesses));
        }
        let Some((kept, witnesses)) = next else { break };
        (image, clients) = (kept, witnesses);
        drop(disk);
        if boots % 10 == 0 && image.bytes() > (200 << 20) {
            (image, clients) = (Image::new(), Vec::new());
        }
    }
    ensure!(
        acknowledged > tally.cases,
        "too little happened to prove anything: {acknowledged}"
    );
    say(&format!(
        "powercut: seed {seed}, forgetful disk, {} images, {acknowledged} changes acknowledged",
        tally.cases
    ));
    Ok(tally)
}

async fn journaled(program: &Program, dir: &Path, kind: Kind, options: &Options) -> Result<Tally> {
    let place = Place::new(dir)?;
    let stand = Stand::new(dir, kind)?;
    let seed = options.common.seed;
    let mut draw = Draw::new(seed);
    let mut tally = Tally::default();
    let name = format!("{kind:?}").to_lowercase();
    let with = |n| Client::new(&format!("{name}{n}"), seed * 1000 + n);
    let mut clients: Vec<_> = (0..CLIENTS).map(with).collect();
    for cycle in 0..options.images {
        // The machine that is looked at is cut off; the one that goes on sees a kill.
        let durability = if cycle % 2 == 0 { "manifest" } else { "blob" };
        let program = program.clone().set("storage.durability", durability);
        let on = program.clone().after_boot(&place.boot, 0)?;
        let server = on.start(&stand.inner.at.join("data"), &place.log)?;
        check(&server, &mut clients, Depth::Some(20)).await;
        let pause = Duration::from_millis(20 + draw.number() % 500);
        let mut after = None;
        work_until(&server, &mut clients, async {
            tokio::time::sleep(pause).await;
            server.signal(rustix::process::Signal::STOP);
            after = Some(stand.cut());
            server.signal(rustix::process::Signal::KILL);
        })
        .await;
        server.kill();
        let after = after.context("no image was made")??;
        collect(&mut tally, &mut clients);
        let mut witnesses = clients.clone();
        for witness in &mut witnesses {
            // Blobs of lives before this one may be promised by manifests only.
            witness.power_went(false);
        }
        let again = program.clone().after_boot(&place.boot, cycle + 1)?;
        let server = again
            .start(&after.at.join("data"), &place.log)
            .with_context(|| format!("seed {seed}, image {cycle} on {name}"))?;
        check(&server, &mut witnesses, Depth::All).await;
        collect(&mut tally, &mut witnesses);
        match server.stop() {
            Ok(()) => fsck(&program, &after.at.join("data"), &mut tally)?,
            Err(error) => tally.err(format!("{error:#}")),
        }
        tally.cases += 1;
        if tally.is_enough(options.common.first) {
            break;
        }
        if cycle % 50 == 49 {
            say(&format!("powercut: {name}, {} images", cycle + 1));
        }
    }
    let told: u64 = clients.iter().map(|client| client.acknowledged).sum();
    ensure!(
        told > options.images,
        "too little happened to prove anything: {told}"
    );
    say(&format!(
        "powercut: seed {seed}, {name}, {} images, {told} changes acknowledged",
        tally.cases
    ));
    Ok(tally)
}

/// Starts the server on what a cut left, compares, and gives the image that an orderly stop leaves.
async fn look(
    program: &Program,
    place: &Place,
    image: Image,
    clients: &mut [Client],
    boots: &mut u64,
) -> Result<(Tally, Image)> {
    let at = place.mount.with_extension("after");
    *boots += 1;
    let program = program.clone().after_boot(&place.boot, *boots)?;
    let disk = Disk::mount(image, &at)?;
    let server = program.start(&at.join("data"), &place.log)?;
    check(&server, clients, Depth::All).await;
    let mut tally = Tally::default();
    collect(&mut tally, clients);
    match server.stop() {
        Ok(()) => fsck(&program, &at.join("data"), &mut tally)?,
        Err(error) => tally.err(format!("{error:#}")),
    }
    Ok((tally, disk.after(Keep::Everything)))
}
