//! Whole small images, and pushes of what is there already.

use super::works::Works;
use super::{Line, Store, Unit};
use crate::goal::Wanted;
use crate::job::{Task, Work};
use crate::line::Figure;
use crate::peer::Program::Distribution;
use crate::seed::APP;

const SMALL: u64 = 10 << 10;

pub(super) fn lines() -> Vec<Line> {
    let mut lines: Vec<Line> = [(1, 4.0), (8, 10.0), (64, 20.0)]
        .into_iter()
        .map(|(connections, bound)| {
            let line = image(&format!("image-c{connections}"), connections, false).faster(
                "G8",
                bound,
                Distribution,
            );
            if connections == 8 { line.quick() } else { line }
        })
        .collect();
    lines.push(image("image-c8-shared", 8, true).faster("G8", 10.0, Distribution));
    // So many that each connection fills at most two repositories: a token names every repository it is good for.
    let new = mount(
        "mount-c16",
        "POST that mounts 10 KiB blobs from another repository, 16 connections",
        (16, 8192, false),
    );
    let there = mount(
        "mount-there-c64",
        "POST that mounts 10 KiB blobs that are there already, 64 connections",
        (64, u64::MAX, true),
    );
    let as_heads =
        |line: Line| line.beside_line("mount", Figure::Rate, "blob-head-c64", Wanted::Least(1.0));
    lines.push(as_heads(new).firm("0029", Wanted::Least(0.08)));
    lines.push(as_heads(there).firm("0030", Wanted::Least(0.6)));
    lines
}

fn mount(name: &str, about: &str, (connections, most, again): (usize, u64, bool)) -> Line {
    let works = Works::writes(Unit::Requests, 3.0, move |content, pass| {
        let digests = content
            .blobs(SMALL)
            .into_iter()
            .filter_map(|target| target.digest)
            .collect();
        let task = Task::Mount {
            from: APP.to_owned(),
            into: format!("bench/mount{pass}"),
            digests,
            again,
        };
        vec![Work::new("mount", connections, task).ending_after(most)]
    });
    Line::new(name, about, Unit::Requests, works).registries()
}

fn image(name: &str, connections: usize, shared: bool) -> Line {
    let works = Works::writes(Unit::Images, 5.0, move |_, pass| {
        let task = Task::Image {
            repository: format!("bench/image{pass}"),
            blobs: 3,
            size: SMALL,
            shared,
        };
        vec![Work::new("image", connections, task)]
    });
    let place = if shared {
        "one repository"
    } else {
        "a repository each"
    };
    let about = format!(
        "push of images of three 10 KiB blobs and a manifest, {connections} connections, {place}"
    );
    Line::new(name, about, Unit::Images, works)
        .registries()
        .needs(&[])
        .on(Store::Empty)
}
