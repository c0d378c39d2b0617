//! A cluster that starts: hundreds of nodes pull at the same moment.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::works::Works;
use super::{Figure, LOOKS, Line, Measure, Sample, Scene, Unit};
use crate::job::{Task, Work};
use crate::peer::Program::{Longshore, Nginx};
use crate::peer::{Peer, Program};
use crate::run::files;
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
    .needs(&[Set::Storms])
    .looks(LOOKS);
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
        Warm {
            works,
            met: RefCell::default(),
        },
    )
}

/// Works that pull each thing once, so that no warm-up of seconds can bring it to memory: a machine that drops what nobody reads has some
/// of it there and some not, and not the same of each program. What a process touches for the first time, a virtual machine has to
/// be given first, which takes longer than all else; so the first storm of each program is its warm-up.
struct Warm {
    works: Works,
    met: RefCell<BTreeSet<Program>>,
}

impl Measure for Warm {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        remember(&peer.dir)?;
        if self.met.borrow_mut().insert(peer.program) {
            self.works.once(scene, peer)?;
        }
        self.works.once(scene, peer)
    }
}

/// Reads every blob under `dir`, so that it is in memory.
fn remember(dir: &Path) -> Result<()> {
    for path in files(dir, |length| length > 0) {
        let read = File::open(&path).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
        match read {
            Ok(_) => {}
            // What the server takes away meanwhile is nothing that is pulled.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        }
    }
    Ok(())
}

fn goals(line: Line) -> Line {
    line.faster("storm", 0.85, Nginx)
        .most("storm", Figure::Slowest, 2.0)
}
