//! A pull of what is not in memory, and what it does to its neighbours on the same processor.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rustix::fs::{Advice, fadvise, major, minor, stat};

use super::works::{Speak, drive, get};
use super::{Figure, Line, Measure, Sample, Scene, Unit};
use crate::peer::Peer;
use crate::peer::Program::{Longshore, Nginx};
use crate::run::files;
use crate::seed::{APP, Image, Set};

const HUGE: u64 = 1 << 30;
/// A disk that is slow beside a network: bytes a second.
const SLOW: u64 = 200_000_000;
const CGROUP: &str = "/sys/fs/cgroup/blkio";

pub(super) fn lines() -> Vec<Line> {
    let peers = [Longshore, Nginx];
    let pull = Line::new(
        "cold-1g-c1",
        "GET of a 1 GiB blob that is not in memory",
        Unit::Bytes,
        Cold { beside: false },
    );
    let beside = Line::new(
        "manifest-beside-cold-pull",
        "GET of a manifest on 1 connection while another pulls 1 GiB that is not in memory from a disk of 200 MB/s",
        Unit::Requests,
        Cold { beside: true },
    );
    vec![
        pull.peers(&peers)
            .needs(&[Set::Huge])
            .cold()
            .looks(3)
            .faster("G14", 0.9, Nginx),
        beside
            .peers(&peers)
            .needs(&[Set::App, Set::Huge])
            .most("G14", Figure::P99, 5000.0)
            .faster("G14", 50.0, Nginx),
    ]
}

struct Cold {
    /// Small requests beside it, and a slow disk.
    beside: bool,
}

impl Measure for Cold {
    fn once(&self, scene: &Scene<'_>, peer: &Peer) -> Result<Sample> {
        let mut pull = get(1, scene.content.blobs(HUGE)).ending_after(1);
        forget(&peer.dir)?;
        if !self.beside {
            return Ok(drive(scene, peer, Speak::Http1, vec![pull], (0.0, 60.0))?
                .sample(Unit::Bytes, scene));
        }
        let slow = match Slow::new(peer) {
            Ok(slow) => slow,
            Err(error) => {
                return Ok(Sample {
                    skipped: Some(format!("the disk cannot be slowed down: {error:#}")),
                    ..Sample::default()
                });
            }
        };
        // The pull lasts longer than the job, so that it is beside every request.
        pull.units = None;
        let works = vec![
            get(1, scene.content.of(APP).map(Image::by_tag).collect()),
            pull,
        ];
        let ran = drive(scene, peer, Speak::Http1, works, (0.0, 3.0))?;
        drop(slow);
        Ok(ran.sample(Unit::Requests, scene))
    }
}

/// Drops the pages of every file of 1 GiB under `dir`.
fn forget(dir: &Path) -> Result<()> {
    let files = files(dir, |length| length == HUGE);
    anyhow::ensure!(
        !files.is_empty(),
        "no file of 1 GiB under {}",
        dir.display()
    );
    for path in files {
        let file =
            File::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        // Only what is on the disk can be dropped.
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed).context("pages cannot be dropped")?;
    }
    Ok(())
}

/// A group of processes that read from the disk slowly; dropped, they are back where they were.
struct Slow {
    group: PathBuf,
    processes: Vec<(u32, PathBuf)>,
}

impl Slow {
    fn new(peer: &Peer) -> Result<Self> {
        let device = disk_of(&peer.dir)?;
        let group = Path::new(CGROUP).join(format!("longshore-bench-{}", std::process::id()));
        fs::create_dir(&group).with_context(|| format!("{} cannot be made", group.display()))?;
        // From here on what was done is undone when this is dropped.
        let mut slow = Self {
            group,
            processes: Vec::new(),
        };
        fs::write(
            slow.group.join("blkio.throttle.read_bps_device"),
            format!("{device} {SLOW}"),
        )
        .with_context(|| format!("no limit can be set for device {device}"))?;
        for pid in peer.processes() {
            let home = home_of(*pid).context("a process has no blkio group")?;
            fs::write(slow.group.join("cgroup.procs"), pid.to_string())
                .context("a process cannot be moved")?;
            slow.processes.push((*pid, home));
        }
        Ok(slow)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        for (pid, home) in &self.processes {
            fs::write(home.join("cgroup.procs"), pid.to_string()).ok();
        }
        fs::remove_dir(&self.group).ok();
    }
}

/// The group that a process is in.
fn home_of(pid: u32) -> Option<PathBuf> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let line = text
        .lines()
        .find(|line| line.split(':').nth(1) == Some("blkio"))?;
    let path = line.splitn(3, ':').nth(2)?;
    Some(Path::new(CGROUP).join(path.trim_start_matches('/')))
}

/// `MAJOR:MINOR` of the disk that holds `dir`; limits are set on disks, not on their partitions.
fn disk_of(dir: &Path) -> Result<String> {
    let device = stat(dir).context("a folder cannot be looked at")?.st_dev;
    let device = format!("{}:{}", major(device), minor(device));
    let at = fs::canonicalize(format!("/sys/dev/block/{device}"))
        .with_context(|| format!("{} is not on a disk", dir.display()))?;
    if !at.join("partition").exists() {
        return Ok(device);
    }
    let disk = at.parent().context("a partition has no disk")?.join("dev");
    Ok(fs::read_to_string(disk)
        .context("a disk has no number")?
        .trim()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_blob_is_found_by_its_size_wherever_it_lies() {
        let dir = std::env::temp_dir().join(format!("longshore-bench-cold-{}", std::process::id()));
        fs::create_dir_all(dir.join("a/b")).unwrap();
        fs::write(dir.join("a/b/blob"), [0; 12]).unwrap();
        fs::write(dir.join("a/other"), [0; 11]).unwrap();
        assert_eq!(files(&dir, |length| length == 12), [dir.join("a/b/blob")]);
        fs::remove_dir_all(dir).unwrap();
    }
}
