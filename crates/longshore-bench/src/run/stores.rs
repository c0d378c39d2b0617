//! Where the servers of a run keep things, and on which processors they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::fill;
use crate::line::{Line, Size, Stage, Store};
use crate::peer::{Ground, Program, Start};

/// The processor of the server and that of the load.
pub(crate) const SERVER: usize = 0;
pub(crate) const LOAD: usize = 1;

/// A folder that is removed when the run ends.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// Makes an empty folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        // What an interrupted run left.
        fs::remove_dir_all(dir).ok();
        fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        Ok(Self(dir.canonicalize()?))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// What the stores that are filled and not pushed take, when there are many things in them.
const FILLED: u64 = 6 << 30;
/// What is left for all else that is written: databases, journals, logs.
const SPARE: u64 = 4 << 30;

/// Says so before anything is stored if not all of it would fit: `seeded` bytes at first, and what the lines write meanwhile.
///
/// # Errors
/// When `dir` has not that much room.
pub(super) fn check_room(dir: &Path, lines: &[Line], quick: bool, seeded: u64) -> Result<()> {
    let filled = lines
        .iter()
        .any(|line| line.store.size() == Some(Size::Many));
    let most = lines.iter().map(|line| line.stores).max().unwrap_or(0);
    let beside = SPARE + if filled { FILLED } else { 0 };
    let needed = seeded + most + if quick { beside / 10 } else { beside };
    let there = rustix::fs::statvfs(dir).context("the disk does not say what room it has")?;
    let free = there.f_bavail * there.f_frsize;
    let gibibytes = |bytes: u64| bytes.div_ceil(1 << 30);
    ensure!(
        free >= needed,
        "{} has {} GiB free, and what is measured needs {}: make room, or measure less (`--only`)",
        dir.display(),
        gibibytes(free),
        gibibytes(needed)
    );
    Ok(())
}

/// How a server is started for a line on `store`; `pass` tells empty stores apart.
pub(super) fn start_of(program: Program, stage: Stage, store: Store, pass: u32) -> Start {
    Start {
        program,
        store: match store {
            Store::Seeded | Store::Restarted => program.seeded(),
            Store::Empty | Store::Littered => format!("empty-{program}-{pass}"),
            Store::Indexed => format!("indexed-{program}"),
            Store::Filled(size) | Store::FilledRestarted(size) => {
                format!("filled-{program}-{size:?}").to_lowercase()
            }
        },
        tls: stage == Stage::Tls,
        cores: cores(stage, SERVER),
        own: match store {
            // The catalog has what its reader may pull, and no token names 100,000 repositories.
            // Its blobs have no files, so there is nothing to read them for: each would be found lost.
            Store::Filled(_) | Store::FilledRestarted(_) => {
                json!({"auth": {"anonymous": "pull"}, "storage": {"scrub_every": "0"}})
            }
            Store::Littered => json!({"gc": {
                "enabled": false, "unreferenced": "0s", "lease": "1s", "quarantine": "0s",
            }}),
            Store::Indexed => json!({"index": {"enabled": true}}),
            Store::Seeded | Store::Restarted | Store::Empty => Value::Null,
        },
    }
}

/// Writes the stores that are too large to be pushed, and says what it did.
///
/// # Errors
/// When one cannot be written.
pub(super) fn fill(
    ground: &Ground,
    lines: &[Line],
    quick: bool,
    peers: &dyn Fn(&Line) -> Vec<Program>,
) -> Result<Vec<String>> {
    let mut stores: BTreeMap<(Size, Program), String> = BTreeMap::new();
    for line in lines {
        if let Some(size) = line.store.size() {
            stores.extend(peers(line).into_iter().map(|program| {
                let start = start_of(program, line.stage, line.store, 0);
                ((size, program), start.store)
            }));
        }
    }
    let mut told = Vec::new();
    for ((size, program), store) in stores {
        let begun = Instant::now();
        let data = ground.dir.join(store).join("data");
        fill::store(program, &data, &size.shape(program, quick))
            .with_context(|| format!("filling the store of {program}"))?;
        let seconds = begun.elapsed().as_secs_f64();
        told.push(format!("filled {size:?} for {program} ({seconds:.1} s)"));
    }
    Ok(told)
}

/// Brings a filled store into memory, from where what was measured since may have pushed it: what is asked is whether work grows with
/// what is stored, not how fast the disk is.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn warm(store: &Path) -> Result<()> {
    for path in files(store, |_| true) {
        fs::File::open(&path)
            .and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink()))
            .with_context(|| format!("{} cannot be read", path.display()))?;
    }
    Ok(())
}

/// The files below `folder` of a length that is `wanted`.
pub(crate) fn files(folder: &Path, wanted: impl Fn(u64) -> bool) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(entry.path()),
                Ok(metadata) if metadata.is_file() && wanted(metadata.len()) => {
                    found.push(entry.path());
                }
                _ => {}
            }
        }
    }
    found
}

pub(super) fn cores(stage: Stage, one: usize) -> Vec<usize> {
    if stage == Stage::Free {
        Vec::new()
    } else {
        vec![one]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_said_before_anything_is_stored() {
        let here = std::env::temp_dir();
        let error = check_room(&here, &[], true, 1 << 60)
            .unwrap_err()
            .to_string();
        assert!(error.contains("GiB free"), "{error}");
    }
}
