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
/// The kernel reads as for anybody who reads in order, with its own readahead and in large folios, because it is asked to
/// send the stretch to nowhere. Advice (`POSIX_FADV_WILLNEED`) and a touch here and there fill the cache page by page: on
/// the same disk that took eight times the processor's time and gave half of the rate.
///
/// # Errors
/// Those of reading. The end of the file is none here; whoever reads the bytes finds it.
#[cfg(target_os = "linux")]
pub(super) fn warm(file: &File, range: Range<u64>) -> io::Result<()> {
    let Some(nowhere) = nowhere() else {
        return touch(file, range);
    };
    let mut at = range.start;
    while at < range.end {
        let left = usize::try_from(range.end - at).unwrap_or(usize::MAX);
        match rustix::fs::sendfile(nowhere, file, Some(&mut at), left) {
            Ok(0) => return Ok(()),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::INVAL) => return touch(file, at..range.end),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Elsewhere it is touched.
#[cfg(not(target_os = "linux"))]
pub(super) fn warm(file: &File, range: Range<u64>) -> io::Result<()> {
    touch(file, range)
}

/// The null device, where there is one.
#[cfg(target_os = "linux")]
fn nowhere() -> Option<&'static File> {
    static NOWHERE: std::sync::OnceLock<Option<File>> = std::sync::OnceLock::new();
    NOWHERE
        .get_or_init(|| File::options().write(true).open("/dev/null").ok())
        .as_ref()
}

/// Reads a byte here and there, which brings in what lies between.
fn touch(file: &File, range: Range<u64>) -> io::Result<()> {
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
        touch(&file, 0..10_000_000).unwrap();
    }

    #[test]
    fn what_was_warmed_is_read_without_waiting() {
        // Where the tests are built there is a disk; the directory for temporary files may be memory.
        let folder = std::env::current_exe().unwrap();
        let mut file = tempfile::tempfile_in(folder.parent().unwrap()).unwrap();
        file.write_all(&vec![7; 3_000_000]).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        warm(&file, 100..2_999_000).unwrap();
        let mut buf = vec![0; 2_998_900];
        // A file system that cannot tell answers None.
        if let Some(read) = read_resident(&file, &mut buf, 100).unwrap() {
            assert_eq!(read, buf.len());
        }
    }
}
