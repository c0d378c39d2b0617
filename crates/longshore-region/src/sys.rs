//! The two things that safe Rust cannot ask the kernel for: to map a file, and to begin writing one back.
#![allow(
    unsafe_code,
    reason = "mmap(2), munmap(2) and sync_file_range(2) have no safe interface"
)]

use std::ffi::{c_int, c_uint, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::slice;

use rustix::mm::{MapFlags, ProtFlags};

/// The first `len` bytes of a file, mapped for reading only until this is dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<c_void>,
    len: usize,
}

// SAFETY: the mapping is read-only and belongs to this value alone: no thread can change it, and the address stays
// valid on every thread of the process until `drop`.
unsafe impl Send for Mapping {}
// SAFETY: as above; all a shared reference gives is reads.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes from the start of `file`. `len` must not be zero (the kernel refuses that).
    pub(crate) fn new(file: &File, len: usize) -> io::Result<Self> {
        // SAFETY: the kernel chooses the address, so no mapping of anybody else is replaced.
        let start = unsafe {
            rustix::mm::mmap(
                ptr::null_mut(),
                len,
                ProtFlags::READ,
                MapFlags::SHARED | MapFlags::NORESERVE,
                file,
                0,
            )
        }?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { start, len })
    }

    /// The mapped bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: `start` is the beginning of a mapping of `len` bytes that lives as long as `self`. Nobody changes them:
        // that the file is immutable is what `Region::map` asks of its caller, and the mapping itself is read-only.
        unsafe { slice::from_raw_parts(self.start.as_ptr().cast(), self.len) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `start` and `len` are those of `mmap`, and no slice of it outlives `self`. It can fail on wrong
        // arguments only.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr(), self.len) };
    }
}

/// `SYNC_FILE_RANGE_WRITE` of `<fcntl.h>`.
const WRITE: c_uint = 2;

unsafe extern "C" {
    /// In every libc of Linux; the offsets are 64 bits wide on all of them.
    fn sync_file_range(fd: c_int, offset: i64, len: i64, flags: c_uint) -> c_int;
}

/// Asks the kernel to begin writing `len` bytes of `file` from `offset` on to the disk, without waiting for it, so that
/// the sync at the end of a large upload finds little left to do. Makes nothing durable.
///
/// # Errors
/// What `sync_file_range(2)` says; file systems without it may be ignored.
pub fn start_writeback(file: &File, offset: u64, len: u64) -> io::Result<()> {
    let outside = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let (offset, len) = (
        i64::try_from(offset).map_err(outside)?,
        i64::try_from(len).map_err(outside)?,
    );
    // SAFETY: plain numbers, and a descriptor that is open for as long as `file` is borrowed.
    match unsafe { sync_file_range(file.as_raw_fd(), offset, len, WRITE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn write_back_can_be_asked_of_a_file_and_not_of_a_pipe() {
        let path = crate::region::tests::scratch(b"");
        let mut file = File::create(&path).unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        start_writeback(&file, 0, 10_000).unwrap();
        assert!(start_writeback(&file, u64::MAX, 1).is_err());
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        assert!(start_writeback(&File::from(reader), 0, 1).is_err());
        std::fs::remove_file(path).unwrap();
    }
}
