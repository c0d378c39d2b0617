//! Where a run took place and what took part in it.

use std::fs;
use std::path::Path;

use crate::peer::{Paths, Program};
use crate::process::first_line;

/// The machine and the programs, as the page names them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    /// UTC, `YYYY-MM-DD`.
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    /// Whether its processors were kept from sleeping.
    pub(crate) awake: bool,
    /// Whether free memory was kept from its host.
    pub(crate) kept: bool,
    /// How TCP decides when to send, as the kernel names it.
    pub(crate) tcp: String,
    pub(crate) versions: Vec<(Program, String)>,
}

impl Machine {
    /// This one.
    pub(crate) fn here(paths: &Paths) -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        Self {
            date: first_line(Path::new("date"), &["-u", "+%Y-%m-%d"]),
            processor: value(&cpuinfo, "model name")
                .unwrap_or("unknown")
                .to_owned(),
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory: value(&meminfo, "MemTotal")
                .map(gibibytes)
                .unwrap_or_default(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            awake: false,
            kept: false,
            tcp: String::new(),
            versions: paths.versions(),
        }
    }
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = text
        .lines()
        .find_map(|line| line.split_once(':').filter(|(at, _)| at.trim() == name))?;
    Some(value.trim())
}

fn gibibytes(kilobytes: &str) -> String {
    let number: u64 = kilobytes
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    format!("{} GiB", (number + (1 << 19)) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_and_the_memory_are_read_as_the_kernel_writes_them() {
        assert_eq!(
            value("processor\t: 0\nmodel name\t: A: B\n", "model name"),
            Some("A: B")
        );
        assert_eq!(gibibytes("24665908 kB"), "24 GiB");
    }
}
