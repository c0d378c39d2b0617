//! One line against Longshore alone, while `perf` looks at where it is.
//!
//! Samples are taken by the clock, not by a counter of the processor: virtual machines often have none.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::flame::Frame;
use crate::peer::Peer;

/// Samples a second.
const RATE: &str = "997";

/// `perf`, looking at one server.
#[derive(Debug)]
pub(crate) struct Look {
    perf: Child,
    data: std::path::PathBuf,
}

impl Look {
    /// Begins.
    ///
    /// # Errors
    /// When there is no perf.
    pub(crate) fn begin(peer: &Peer, dir: &Path) -> Result<Self> {
        let data = dir.join("perf.data");
        let pids: Vec<String> = peer.processes().iter().map(u32::to_string).collect();
        let perf = Command::new("perf")
            .args([
                "record",
                "--quiet",
                "-e",
                "cpu-clock",
                "-F",
                RATE,
                "-g",
                "-p",
                &pids.join(","),
                "-o",
            ])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("perf cannot be started (Debian: linux-perf)")?;
        Ok(Self { perf, data })
    }

    /// Ends, and writes the picture to `svg`.
    ///
    /// # Errors
    /// When perf saw nothing or the picture cannot be written.
    pub(crate) fn end(mut self, title: &str, svg: &Path) -> Result<()> {
        let _ = kill_process(Pid::from_child(&self.perf), Signal::INT);
        self.perf.wait()?;
        let done = Command::new("perf")
            .args(["script", "-F", "comm,ip,sym", "-i"])
            .arg(&self.data)
            .stdin(Stdio::null())
            .output()
            .context("perf cannot be started")?;
        let root = Frame::read(&String::from_utf8_lossy(&done.stdout));
        ensure!(
            root.samples() > 0,
            "perf saw nothing: {}",
            String::from_utf8_lossy(&done.stderr).trim()
        );
        fs::write(svg, root.svg(title))
            .with_context(|| format!("{} cannot be written", svg.display()))
    }
}
