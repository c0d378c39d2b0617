//! What a server takes before it does anything: memory, time, disk.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::works::float;
use super::{Figure, Line, Measure, Sample, Scene, Size, Store, Unit};
use crate::peer::Peer;
use crate::peer::Program::Longshore;

/// After its start a server settles.
const SETTLED: Duration = Duration::from_secs(1);

pub(super) fn lines() -> Vec<Line> {
    let idle = Line::new(
        "idle",
        "start on an empty store, a second of rest; the size of the program",
        Unit::Nothing,
        Foot,
    );
    let filled = Line::new(
        "idle-many",
        "start on a store of 1,000,000 tags, manifests and blobs and 100,000 repositories, a second of rest",
        Unit::Nothing,
        Foot,
    );
    vec![
        filled
            .peers(&[Longshore])
            .needs(&[])
            .on(Store::FilledRestarted(Size::Many))
            .quick()
            .most("G11", Figure::Resident, 25.0)
            .most("G12", Figure::Start, 100.0),
        idle.needs(&[])
            .on(Store::Empty)
            .quick()
            .most("G11", Figure::Resident, 25.0)
            .most("G12", Figure::Start, 100.0)
            .most("G16", Figure::Size, 25.0),
    ]
}

struct Foot;

impl Measure for Foot {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        thread::sleep(SETTLED);
        let uses = peer.uses();
        let program = scene.ground.paths.of(peer.program)?;
        let size = std::fs::metadata(program)
            .with_context(|| format!("{} is gone", program.display()))?
            .len();
        let mut sample = Sample::default();
        sample.figures.extend([
            (Figure::Memory, float(uses.anonymous) / 1e6),
            (Figure::Resident, float(uses.resident) / 1e6),
            (Figure::Start, peer.started_in.as_secs_f64() * 1e3),
            (Figure::Size, float(size) / 1e6),
        ]);
        Ok(sample)
    }
}
