//! What pushes do to their neighbours.

use super::works::{Works, get};
use super::{Figure, Line, Unit, Wanted};
use crate::job::{Task, Way, Work};
use crate::peer::Program::Distribution;
use crate::seed::{APP, Image};

pub(super) fn lines() -> Vec<Line> {
    let works = Works::writes(Unit::Requests, 6.0, |content, pass| {
        let task = Task::Push {
            repository: format!("bench/beside{pass}"),
            size: 100 << 20,
            way: Way::PostPatchPut,
        };
        let pushes = Work::new("push", 8, task);
        vec![get(1, content.of(APP).map(Image::by_tag).collect()), pushes]
    });
    let about = "GET of a manifest on 1 connection while 8 others push layers of 100 MiB";
    let line = Line::new("manifest-beside-pushes", about, Unit::Requests, works).registries();
    vec![
        line.most("G13", Figure::P99, 10_000.0)
            .faster("G13", 3.0, Distribution)
            .higher("G13", Figure::Beside, 0.9, Distribution)
            .firm("0032", Wanted::Least(0.75)),
    ]
}
