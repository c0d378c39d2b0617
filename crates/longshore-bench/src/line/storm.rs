//! A cluster that starts: hundreds of nodes pull at the same moment.

use super::works::Works;
use super::{Figure, Line, Unit};
use crate::job::{Task, Work};
use crate::peer::Program::{Longshore, Nginx};
use crate::seed::{Image, Set};

const NODES: usize = 500;

pub(super) fn lines() -> Vec<Line> {
    let same =
        line("storm-same", "the same image of 20 layers", "bench/storm").needs(&[Set::Storm]);
    let different = line(
        "storm-different",
        "an image of 20 layers of its own each",
        "bench/storms",
    )
    .needs(&[Set::Storms]);
    // 10,000 blobs take the other registries minutes to store; nginx is the one to be compared with.
    vec![goals(same), goals(different.peers(&[Longshore, Nginx]))]
}

fn line(name: &str, what: &str, repository: &'static str) -> Line {
    let works = Works::writes(Unit::Bytes, 120.0, move |content, _| {
        let images = content.of(repository).map(Image::whole).collect();
        vec![Work::new("pull", NODES, Task::Pull { images }).ending_after(NODES as u64)]
    });
    Line::new(
        name,
        format!("{NODES} connections pull {what} at once"),
        Unit::Bytes,
        works,
    )
}

fn goals(line: Line) -> Line {
    line.faster("storm", 0.85, Nginx)
        .most("storm", Figure::Slowest, 2.0)
}
