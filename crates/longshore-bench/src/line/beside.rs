//! What pushes do to their neighbours.

use anyhow::Result;

use super::works::{Works, get};
use super::{Figure, Line, Measure, Sample, Scene, Store, Unit, Wanted};
use crate::job::{Task, Way, Work};
use crate::peer::Peer;
use crate::peer::Program::Distribution;
use crate::seed::{APP, Content, Image, Set};

/// How long it is measured.
const SECONDS: f64 = 6.0;
/// More than is pushed meanwhile.
const PUSHED: u64 = 6 << 30;

pub(super) fn lines() -> Vec<Line> {
    let works = Works::writes(Unit::Requests, SECONDS, |_, pass| {
        let task = Task::Push {
            repository: format!("bench/beside{pass}"),
            size: 100 << 20,
            way: Way::PostPatchPut,
        };
        let pushes = Work::new("push", 8, task);
        let pulled = image().of(APP).map(Image::by_tag).collect();
        vec![get(1, pulled), pushes]
    });
    let about = "GET of a manifest on 1 connection while 8 others push layers of 100 MiB";
    let name = "manifest-beside-pushes";
    let line = Line::new(name, about, Unit::Requests, BesidePushes(works)).registries();
    // What is pushed goes with the store that it is pushed to.
    let line = line.needs(&[]).on(Store::Empty).storing(PUSHED);
    // One connection takes half of the processor where its client never sleeps: 22,000 GETs a second.
    let line = line.asleep();
    vec![
        line.most("G13", Figure::P99, 10_000.0)
            .faster("G13", 3.0, Distribution)
            .higher("G13", Figure::Beside, 0.9, Distribution)
            .firm("0032", Wanted::Least(0.75)),
    ]
}

/// What is pulled.
fn image() -> Content {
    Content::new(&[Set::Image])
}

struct BesidePushes(Works);

impl Measure for BesidePushes {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        image().store(scene.ground, peer)?;
        self.0.once(scene, peer)
    }
}
