//! Whether bytes of a file are in memory, and getting them there without holding a worker.
//!
//! sendfile and pread of a cold page block the thread until the disk answers, and every connection of that worker with
//! it: beside one cold pull from a slow disk the small requests fell from tens of thousands a second to two. Asking
//! first costs two system calls a window.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// What one page at least holds; a touch per this many bytes reads them all, given the kernel's readahead.
const STRIDE: u64 = 128 * 1024;

/// Whether `range` is in the page cache, as its two ends tell. A file system that cannot tell says no.
#[cfg(target_os = "linux")]
pub(super) fn is_resident(file: &File, range: &Range<u64>) -> bool {
    let there = |at: u64| {
        let mut byte = [0];
        let mut bufs = [io::IoSliceMut::new(&mut byte)];
        // A read of nothing is the end of the file: not cold, and the one who reads will see.
        rustix::io::preadv2(file, &mut bufs, at, rustix::io::ReadWriteFlags::NOWAIT).is_ok()
    };
    // The beginning of a file that is no longer than one readahead was read in one piece: its last byte speaks for it.
    let one_piece = range.start == 0 && range.end <= STRIDE;
    range.is_empty() || ((one_piece || there(range.start)) && there(range.end - 1))
}

/// Elsewhere nobody can tell, so everything is read on the blocking pool.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_resident(_: &File, range: &Range<u64>) -> bool {
    range.is_empty()
}

/// Reads what is in memory of the file at `offset` into `buf` without waiting for the disk; `None` if none of it is.
#[cfg(target_os = "linux")]
pub(super) fn read_resident(file: &File, buf: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
    use rustix::io::{Errno, ReadWriteFlags};
    let mut bufs = [io::IoSliceMut::new(buf)];
    loop {
        return match rustix::io::preadv2(file, &mut bufs, offset, ReadWriteFlags::NOWAIT) {
            Ok(read) => Ok(Some(read)),
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(None),
            Err(Errno::INTR) => continue,
            Err(error) => Err(error.into()),
        };
    }
}

/// Elsewhere nobody can tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn read_resident(_: &File, _: &mut [u8], _: u64) -> io::Result<Option<usize>> {
    Ok(None)
}

/// Brings `range` into the page cache. Blocks: for the blocking pool only.
///
/// # Errors
/// Those of reading. The end of the file is none here; whoever reads the bytes finds it.
pub(super) fn warm(file: &File, range: Range<u64>) -> io::Result<()> {
    read_ahead(file, &range);
    let mut byte = [0];
    let mut at = range.start;
    while at < range.end {
        file.read_at(&mut byte, at)?;
        at = at.saturating_add(STRIDE);
    }
    if let Some(last) = range.end.checked_sub(1) {
        file.read_at(&mut byte, last)?;
    }
    Ok(())
}

/// Asks the kernel to start reading `range`.
pub(super) fn read_ahead(file: &File, range: &Range<u64>) {
    #[cfg(target_os = "linux")]
    {
        let len = std::num::NonZeroU64::new(range.end.saturating_sub(range.start));
        // Only a hint: where it is not taken, the touches that follow read the same bytes.
        let _ = rustix::fs::fadvise(file, range.start, len, rustix::fs::Advice::WillNeed);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, range);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_was_just_written_is_read_without_waiting() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 300_000]).unwrap();
        warm(&file, 0..300_000).unwrap();
        let mut buf = vec![0; 256 * 1024];
        // A file system that cannot tell answers None, and is served from the blocking pool.
        if let Some(read) = read_resident(&file, &mut buf, 0).unwrap() {
            assert!(is_resident(&file, &(0..300_000)));
            assert!(read > 0 && buf[..read].iter().all(|byte| *byte == 7));
        }
        assert_ne!(
            read_resident(&file, &mut buf, 300_000).unwrap_or(Some(0)),
            Some(1)
        );
    }

    #[test]
    fn warming_beyond_the_end_of_a_file_is_no_failure() {
        let file = tempfile::tempfile().unwrap();
        warm(&file, 0..10_000_000).unwrap();
    }
}
