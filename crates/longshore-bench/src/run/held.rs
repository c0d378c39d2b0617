//! What of the machine is held still while something is measured.

use std::time::Instant;

use anyhow::Result;

use super::say;
use crate::awake::Awake;
use crate::congestion::Usual;
use crate::line::Line;
use crate::peer::Paths;
use crate::report::Machine;
use crate::scatter::Scattered;

/// As long as it lives, the machine is the same for all programs.
pub(super) struct Held {
    tcp: Usual,
    memory: Option<Scattered>,
}

impl Held {
    /// Holds what `lines` need. To be called before any of the servers opens its socket.
    ///
    /// # Errors
    /// When nobody can be told.
    pub(super) fn new(lines: &[Line], quick: bool) -> Result<Self> {
        let begun = Instant::now();
        let tcp = Usual::hold();
        let needs_memory = !quick && lines.iter().any(|line| line.stores > 0);
        let memory = needs_memory.then(Scattered::hold).flatten();
        if let Some(memory) = &memory {
            say(&format!(
                "kept {} MiB of free memory from the host ({:.1} s)",
                memory.bytes()? >> 20,
                begun.elapsed().as_secs_f64()
            ))?;
        }
        Ok(Self { tcp, memory })
    }

    /// Whether free memory stays the machine's own.
    pub(super) fn keeps_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// The machine, as it is held.
    pub(super) fn machine(&self, paths: &Paths) -> Machine {
        Machine {
            awake: Awake::hold().is_held(),
            kept: self.keeps_memory(),
            tcp: self.tcp.now(),
            ..Machine::here(paths)
        }
    }
}
