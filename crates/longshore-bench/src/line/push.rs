//! Pushes of big layers, each on an empty store.

use super::works::Works;
use super::{Figure, Line, Stage, Store, Unit};
use crate::job::{Task, Way, Work};
use crate::peer::Program::{Debian, Distribution};

const MIB: u64 = 1 << 20;

pub(super) fn lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (stage, suffix) in [(Stage::Pinned, ""), (Stage::Free, "-free")] {
        for connections in [1, 4, 16] {
            let name = format!("push-100m-c{connections}{suffix}");
            // A push that is still going on at the end counts for nothing, so the work is bounded by layers, not by time.
            let layers = (3 * connections).max(8);
            let line = line(&name, 100 * MIB, connections, layers, Way::PostPatchPut).at(stage);
            let line = line
                .faster("G7", 1.2, Distribution)
                .faster("G7", 2.0, Debian);
            let line = line.lower("G7", Figure::Cpu, 0.9, Distribution);
            lines.push(if name == "push-100m-c4" {
                line.quick()
            } else {
                line
            });
        }
    }
    lines.push(line("push-100m-c4-put", 100 * MIB, 4, 12, Way::PostPut));
    lines.push(line(
        "push-100m-c4-chunks",
        100 * MIB,
        4,
        12,
        Way::Chunked(10 * MIB),
    ));
    lines.push(
        line("push-20m-c64", 20 * MIB, 64, 128, Way::PostPatchPut).most(
            "G11",
            Figure::Memory,
            96.0,
        ),
    );
    lines
}

fn line(name: &str, size: u64, connections: usize, layers: usize, way: Way) -> Line {
    let works = Works::writes(Unit::Bytes, 120.0, move |_, pass| {
        let task = Task::Push {
            repository: format!("bench/push{pass}"),
            size,
            way,
        };
        vec![Work::new("push", connections, task).ending_after(layers as u64)]
    });
    let how = match way {
        Way::PostPut => "POST, PUT".to_owned(),
        Way::PostPatchPut => "POST, PATCH, PUT".to_owned(),
        Way::Chunked(bytes) => format!("POST, PATCHes of {} MiB, PUT", bytes / MIB),
    };
    let about = format!(
        "push of {layers} layers of {} MiB ({how}), {connections} connections",
        size / MIB
    );
    Line::new(name, about, Unit::Bytes, works)
        .registries()
        .needs(&[])
        .on(Store::Empty)
        .storing(layers as u64 * size)
}
