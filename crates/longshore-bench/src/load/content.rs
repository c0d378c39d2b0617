//! Random bytes that cost the generator next to nothing.
//!
//! All blobs of a work have one beginning, hashed once before anything is measured, and an end of their own. A blob's digest is then the
//! state after the beginning, cloned, and 64 bytes more.

use std::io::Write;

use anyhow::{Result, anyhow, ensure};
use aws_lc_rs::digest::{Context, SHA256};

/// Bytes of the block that a blob repeats, with a number in each; also the size of a write.
const BLOCK: usize = 256 << 10;
/// Bytes at the start of each block that hold its number, so that no two blocks are equal.
const STAMP: usize = 8;
/// Bytes at the end that no other blob has.
pub(super) const TAIL: usize = 64;

/// What makes the blobs of one work different from those of any other work or run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nonce(u128);

impl Nonce {
    pub(super) fn new() -> Result<Self> {
        let mut bytes = [0; 16];
        fill(&mut bytes)?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }

    /// The 64 digits that end blob `n` of a connection.
    pub(super) fn tail(self, connection: u64, n: u64) -> String {
        format!("{:032x}{connection:016x}{n:016x}", self.0)
    }

    /// A few digits of it, for names.
    pub(super) fn short(self) -> String {
        format!("{:08x}", self.0 >> 96)
    }
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| anyhow!("the system gives no random bytes"))
}

/// The digest of what `state` has seen and `more`, as a registry writes it.
pub(super) fn digest(state: &Context, more: &[u8]) -> String {
    let mut state = state.clone();
    state.update(more);
    let mut text = String::from("sha256:");
    for byte in state.finish().as_ref() {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}

/// The digest of a few bytes.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    digest(&Context::new(&SHA256), bytes)
}

/// The blobs of one work; each thread has a clone.
#[derive(Clone)]
pub(super) struct Content {
    block: Vec<u8>,
    size: u64,
    /// After all but the tail.
    state: Context,
}

impl Content {
    /// Blobs of `size` bytes.
    ///
    /// # Errors
    /// When that is too few to tell them apart.
    pub(super) fn new(size: u64) -> Result<Self> {
        ensure!(
            size > TAIL as u64,
            "blobs of {size} bytes cannot all be different"
        );
        let mut block = vec![0; BLOCK];
        fill(&mut block)?;
        let mut content = Self {
            block,
            size,
            state: Context::new(&SHA256),
        };
        let mut at = 0;
        let mut state = Context::new(&SHA256);
        while let Some(piece) = content.piece(at, u64::MAX) {
            state.update(piece);
            at += piece.len() as u64;
        }
        content.state = state;
        Ok(content)
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The digest of the blob with this tail.
    pub(super) fn digest(&self, tail: &str) -> String {
        digest(&self.state, tail.as_bytes())
    }

    /// Writes `len` bytes from offset `at` of the blob with this tail.
    pub(super) fn write(
        &mut self,
        tail: &str,
        at: u64,
        len: u64,
        sink: &mut dyn Write,
    ) -> std::io::Result<()> {
        let (mut at, end) = (at, at.saturating_add(len).min(self.size));
        while at < end {
            if let Some(piece) = self.piece(at, end - at) {
                at += piece.len() as u64;
                sink.write_all(piece)?;
            } else {
                let start = self.size - TAIL as u64;
                let from = usize::try_from(at - start).unwrap_or(TAIL);
                let to = usize::try_from(end - start).unwrap_or(TAIL);
                sink.write_all(tail.as_bytes().get(from..to).unwrap_or_default())?;
                at = end;
            }
        }
        Ok(())
    }

    /// What the blobs share from `at` on, up to `len` bytes; `None` where the tail begins.
    fn piece(&mut self, at: u64, len: u64) -> Option<&[u8]> {
        let left = (self.size - TAIL as u64).checked_sub(at)?.min(len);
        if left == 0 {
            return None;
        }
        let (number, within) = (at / BLOCK as u64, at % BLOCK as u64);
        if let Some(stamp) = self.block.get_mut(..STAMP) {
            stamp.copy_from_slice(&number.to_le_bytes());
        }
        let within = usize::try_from(within).ok()?;
        let left = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK - within);
        self.block.get(within..within + left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_told_beforehand_is_that_of_the_bytes() {
        for size in [65, 1_000, BLOCK as u64, 3 * BLOCK as u64 + 17] {
            let mut content = Content::new(size).unwrap();
            let nonce = Nonce::new().unwrap();
            let (one, two) = (nonce.tail(0, 1), nonce.tail(1, 0));
            let (mut first, mut second) = (Vec::new(), Vec::new());
            content.write(&one, 0, size, &mut first).unwrap();
            content.write(&two, 0, size, &mut second).unwrap();
            assert_eq!(first.len() as u64, size);
            assert_eq!(content.digest(&one), digest_of(&first));
            assert_eq!(content.digest(&two), digest_of(&second));
            assert_ne!(first, second);
        }
    }

    #[test]
    fn a_blob_written_in_pieces_is_the_same_blob() {
        let size = 2 * BLOCK as u64 + 100;
        let mut content = Content::new(size).unwrap();
        let tail = Nonce::new().unwrap().tail(7, 7);
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        content.write(&tail, 0, size, &mut whole).unwrap();
        for at in (0..size).step_by(40_009) {
            content.write(&tail, at, 40_009, &mut pieces).unwrap();
        }
        assert!(whole == pieces);
    }
}
