//! Keeps the guest's free memory, while something is measured.
//!
//! A virtual machine gives free memory back to its host in blocks of 2 MiB and more (free page reporting, `Documentation/mm/free_page_reporting.rst`),
//! and each page that comes from there again costs more than all else that a push does: whoever pushed first in a round paid for all (decision
//! 0032). Free memory that lies in smaller blocks is kept. So one page of each block is taken, and the rest can never be
//! joined to one. No setting of the machine is touched, and all programs are measured with the same memory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};

/// The smallest block that is given back: an order of 9 pages of 4 KiB.
const BLOCK: u64 = 2 << 20;
const PAGE: u64 = 4 << 10;
/// What is left alone of what is free, in bytes: to take it would make the kernel look for more.
const LEFT: u64 = 1 << 30;
/// Where it is said from which order on blocks are given back; the file is there where they are.
const REPORTING: &str = "/sys/module/page_reporting/parameters/page_reporting_order";
/// What a container may use at most, in bytes (`cgroups(7)`, version 2 and version 1).
const LIMITS: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// As long as it lives, free memory has no block that the host could take.
#[derive(Debug)]
pub(crate) struct Scattered {
    /// It lies in no folder; what it holds is in memory alone.
    pages: File,
}

impl Scattered {
    /// Takes the pages, which fetches all free memory from the host: some seconds. Nothing where none is given back.
    pub(crate) fn hold() -> Option<Self> {
        let given_back = Path::new(REPORTING).exists();
        Self::over(free().filter(|_| given_back)?.checked_sub(LEFT)?).ok()
    }

    fn over(bytes: u64) -> io::Result<Self> {
        let pages = memfd_create("longshore-bench", MemfdFlags::CLOEXEC)?;
        let blocks = bytes / BLOCK;
        let pages = File::from(pages);
        // `fallocate(2)` would take pages without touching them, and it is the first touch that the host has to answer.
        let zeros = vec![0; 2 << 20];
        for block in 0..blocks {
            pages.write_all_at(&zeros, block * BLOCK)?;
        }
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        for block in 0..blocks {
            fallocate(&pages, hole, block * BLOCK + PAGE, BLOCK - PAGE)?;
        }
        Ok(Self { pages })
    }

    /// Over how much, in bytes.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        Ok(self.pages.metadata()?.len())
    }
}

/// How much is free and may be used, in bytes (`proc_meminfo(5)`); what only could be freed is not.
fn free() -> Option<u64> {
    let told = fs::read_to_string("/proc/meminfo").ok()?;
    let line = told
        .lines()
        .find_map(|line| line.strip_prefix("MemFree:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    let limits = LIMITS.iter().filter_map(|limit| {
        let limit = fs::read_to_string(limit).ok()?;
        limit.trim().parse().ok()
    });
    Some(limits.fold(kib << 10, u64::min))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_page_of_each_block_is_kept() {
        let held = Scattered::over(8 * BLOCK + PAGE).unwrap();
        assert_eq!(held.bytes().unwrap(), 8 * BLOCK);
        let taken = held.pages.metadata().unwrap().blocks() * 512;
        assert_eq!(taken, 8 * PAGE);
        assert!(free().unwrap() > 0);
    }
}
