//! What came of a body and is not written yet.

use bytes::Bytes;

use super::writer::{PIECE, left_of};

/// Bytes that belong at a place in a file, as the parts in which they came.
///
/// They are taken up to where a piece of the file ends, wherever the parts end: pages that are written together, from a multiple of
/// their number on, are kept together in memory (large folios), and who sends the file later has less of them to count. Parts begin
/// somewhere in a page, since the first one came behind a head.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    parts: Vec<Bytes>,
    start: u64,
    len: usize,
}

impl Batch {
    /// An empty one that begins `start` bytes into the file.
    pub(crate) fn new(start: u64) -> Self {
        Self {
            start,
            ..Self::default()
        }
    }

    /// Adds what follows.
    pub(crate) fn push(&mut self, part: Bytes) {
        self.len += part.len();
        self.parts.push(part);
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// In how many parts they came.
    pub(crate) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// How many bytes there are up to where the first piece of the file ends, if that is here.
    pub(crate) fn first(&self) -> Option<usize> {
        let first = left_of(PIECE, self.start);
        (first <= self.len).then_some(first)
    }

    /// How many bytes there are up to the last multiple of `unit` in the file, or the end of the last whole piece if there is none;
    /// none if there is no such place either.
    pub(crate) fn whole(&self, unit: usize) -> usize {
        let up_to_last = |unit: usize| {
            let first = left_of(unit, self.start);
            (first <= self.len).then(|| self.len - (self.len - first) % unit)
        };
        up_to_last(unit).or_else(|| up_to_last(PIECE)).unwrap_or(0)
    }

    /// Takes the first `len` bytes; those behind are what is left.
    pub(crate) fn take(&mut self, len: usize) -> Vec<Bytes> {
        let (mut taken, mut left) = (Vec::new(), len);
        let mut parts = std::mem::take(&mut self.parts).into_iter();
        for mut part in parts.by_ref() {
            if part.len() <= left {
                left -= part.len();
                taken.push(part);
                continue;
            }
            if left > 0 {
                taken.push(part.split_to(left));
                left = 0;
            }
            self.parts.push(part);
            break;
        }
        self.parts.extend(parts);
        let len = len - left;
        self.len -= len;
        self.start += len as u64;
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost_and_what_is_taken_ends_where_a_piece_does(
            start in 0..3 * PIECE as u64,
            sizes in prop::collection::vec(1..PIECE * 5 / 2, 0..8),
            unit in prop_oneof![Just(None), Just(Some(PIECE)), Just(Some(4 * PIECE))],
        ) {
            let content: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
            let mut batch = Batch::new(start);
            let (mut written, mut rest) = (Vec::new(), content.as_slice());
            for size in sizes {
                let (part, behind) = rest.split_at(size);
                rest = behind;
                batch.push(Bytes::copy_from_slice(part));
                loop {
                    let len = match unit {
                        None => batch.first(),
                        Some(unit) => Some(batch.whole(unit)).filter(|len| *len > 0),
                    };
                    let Some(len) = len else { break };
                    let end = start + (written.len() + batch.len()) as u64;
                    written.extend(batch.take(len).concat());
                    let at = start + written.len() as u64;
                    prop_assert_eq!(at % PIECE as u64, 0);
                    if let Some(unit) = unit {
                        let unit = unit as u64;
                        prop_assert!(at.is_multiple_of(unit) || at / unit == end / unit, "ends at {}, there is up to {}", at, end);
                    }
                }
                prop_assert!(batch.len() < PIECE);
            }
            let left = batch.len();
            written.extend(batch.take(left).concat());
            prop_assert!(written == content);
            prop_assert_eq!((batch.len(), batch.parts(), batch.whole(PIECE), batch.first()), (0, 0, 0, None));
        }
    }

    #[test]
    fn no_more_is_taken_than_there_is() {
        let mut batch = Batch::new(5);
        batch.push(Bytes::from_static(b"abc"));
        assert_eq!(batch.take(0), Vec::<Bytes>::new());
        assert_eq!(batch.take(9), ["abc"]);
        assert_eq!(batch.len(), 0);
    }
}
