//! Buffers that are used again, so that a TLS pull neither zeroes nor allocates 256 KiB for each piece.

use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;

/// Bytes of one buffer: the size at which copying pulls were fastest.
pub(super) const SIZE: usize = 256 * 1024;

/// How many idle buffers are kept; 8 MiB in all.
const KEPT: usize = 32;

static IDLE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer of [`SIZE`] bytes that goes back to the pool when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    pub(super) fn take() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self {
            bytes: idle.unwrap_or_else(|| vec![0; SIZE]),
            filled: 0,
        }
    }

    /// At most `len` bytes to write to.
    pub(super) fn space(&mut self, len: u64) -> &mut [u8] {
        let len = usize::try_from(len).unwrap_or(SIZE).min(SIZE);
        self.bytes.get_mut(..len).unwrap_or_default()
    }

    /// The first `filled` bytes; the buffer is back in the pool when the last of them is dropped.
    pub(super) fn freeze(mut self, filled: usize) -> Bytes {
        self.filled = filled;
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}
