//! Buffers that are used again, so that a pull over TLS neither zeroes nor allocates one for each piece.

use std::sync::Mutex;
use std::sync::PoisonError;

use bytes::Bytes;

/// How large the pieces are in which a connection reads files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// 256 KiB, the size at which copying was fastest.
    Large,
    /// 64 KiB, where there are many readers to a connection: each stream of HTTP/2 holds two while its client takes nothing.
    Small,
}

impl Piece {
    /// Its length in bytes.
    pub(super) const fn size(self) -> usize {
        match self {
            Piece::Large => 256 * 1024,
            Piece::Small => 64 * 1024,
        }
    }

    /// The buffers of this size that are kept: 8 MiB at most.
    fn idle(self) -> (&'static Mutex<Vec<Vec<u8>>>, usize) {
        static LARGE: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
        static SMALL: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
        match self {
            Piece::Large => (&LARGE, 32),
            Piece::Small => (&SMALL, 128),
        }
    }
}

/// A buffer of a piece's size that goes back to the pool when it is dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    piece: Piece,
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    pub(super) fn take(piece: Piece) -> Self {
        let (idle, _) = piece.idle();
        let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self {
            piece,
            bytes: kept.unwrap_or_else(|| vec![0; piece.size()]),
            filled: 0,
        }
    }

    /// At most `len` bytes to write to.
    pub(super) fn space(&mut self, len: u64) -> &mut [u8] {
        let size = self.piece.size();
        let len = usize::try_from(len).unwrap_or(size).min(size);
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
        let (idle, most) = self.piece.idle();
        let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < most {
            idle.push(std::mem::take(&mut self.bytes));
        }
    }
}
