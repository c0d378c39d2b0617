//! What collection does to pulls.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use super::works::{Speak, drive, get};
use super::{Figure, Line, Measure, Sample, Scene, Store, Unit};
use crate::job::{Task, Way, Work};
use crate::peer::Peer;
use crate::peer::Program::Longshore;
use crate::seed::{APP, Content, Image, Set};

/// Blobs that nobody needs: more than are removed while it is measured.
const LITTER: u64 = 12_000;
/// The bytes of each, enough to be a file.
const SIZE: u64 = 40 << 10;
/// How long pushing them may take.
const PATIENCE: f64 = 120.0;
/// Warm-up and measured seconds.
const TIMES: (f64, f64) = (0.5, 4.0);

pub(super) fn lines() -> Vec<Line> {
    let about = "GET of a manifest on 1 connection while thousands of blobs are collected";
    let line = Line::new(
        "manifest-beside-gc",
        about,
        Unit::Requests,
        BesideCollection,
    );
    vec![
        line.peers(&[Longshore])
            .needs(&[])
            .on(Store::Littered)
            .most("G13b", Figure::Rise, 1.1),
    ]
}

struct BesideCollection;

impl Measure for BesideCollection {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        let content = Content::new(&[Set::Image]);
        content.store(scene.ground, peer)?;
        let task = Task::Push {
            repository: "bench/litter".to_owned(),
            size: SIZE,
            way: Way::PostPut,
        };
        let litter = Work::new("litter", 8, task).ending_after(LITTER);
        drive(scene, peer, Speak::Http1, vec![litter], (0.0, PATIENCE))?;
        // What is pushed would still be written while the first part is measured.
        rustix::fs::sync();
        let pulls = || {
            let targets = content.of(APP).map(Image::by_tag).collect();
            drive(scene, peer, Speak::Http1, vec![get(1, targets)], TIMES)
        };
        let alone = pulls()?.sample(Unit::Requests, scene);
        let mut collection = peer
            .command(scene.ground, &["gc", "--now", "--json"])?
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("collection cannot be asked for")?;
        let beside = pulls();
        let ended = collection.try_wait()?;
        if ended.is_none() {
            // The server goes too.
            collection.kill()?;
            collection.wait()?;
        }
        ensure!(
            ended.is_none(),
            "collection had ended before it was measured: {ended:?}"
        );
        let mut sample = beside?.sample(Unit::Requests, scene);
        let p99 = |sample: &Sample| sample.figures.get(&Figure::P99).copied();
        if let (Some(alone), Some(beside)) = (p99(&alone), p99(&sample)) {
            sample.figures.insert(Figure::Rise, beside / alone);
        }
        sample.errors += alone.errors;
        sample.error = sample.error.or(alone.error);
        Ok(sample)
    }
}
