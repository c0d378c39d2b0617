//! Keeps the processors awake while something is measured.
//!
//! A packet wakes whoever waits for it. Where the processor that is woken sleeps, that is an interrupt between processors, and in a
//! virtual machine the host's work: the server that sent the packet pays for each, more or less often as the load generator
//! happened to be asleep (decision 0019 has figures). Processors that wait in a loop are woken by a
//! write to memory (`Documentation/power/pm_qos_interface.rst`, `PM_QOS_CPU_DMA_LATENCY`).

use std::fs::File;
use std::io::{self, Write as _};

/// Where the kernel is told how late it may wake up. It holds as long as the file is open.
const LATENCY: &str = "/dev/cpu_dma_latency";

/// As long as it lives, processors wait in a loop and do not sleep, where we may ask for that and the kernel knows how.
#[derive(Debug)]
pub(crate) struct Awake(Option<File>);

impl Awake {
    /// Asks for it. Without the right to do so (it is root's) all stays as it is.
    pub(crate) fn hold() -> Self {
        let ask = || -> io::Result<File> {
            let mut file = File::options().write(true).open(LATENCY)?;
            file.write_all(&0_i32.to_ne_bytes())?;
            Ok(file)
        };
        Self(ask().ok())
    }

    /// Whether it was granted.
    pub(crate) fn is_held(&self) -> bool {
        self.0.is_some()
    }
}
