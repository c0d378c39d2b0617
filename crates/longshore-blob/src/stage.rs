//! An upload under way, as far as the bytes are concerned: a value that a database row can hold.

use std::fmt;

use longshore_core::{Code, Error, Result};
use longshore_spec::{Algorithm, Hasher};

use crate::location::Location;

/// An upload under way: where its bytes are, how many are kept, and the hash over them, frozen.
///
/// [`Stage::encode`] makes it a column of the session's row, so that the next chunk can be taken by another process.
/// A stage that is older than what [`extend`](crate::BlobStore::extend) last returned is good too: what lies behind its
/// offset is cut off.
#[derive(Clone, PartialEq, Eq)]
pub struct Stage {
    key: Location,
    offset: u64,
    algorithm: Algorithm,
    hash: Vec<u8>,
    witness: u128,
    parts: Vec<Part>,
}

/// A piece of a stage that is an object of its own, in a store that cannot append to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where the piece is.
    pub key: Location,
    /// How long it is, in bytes.
    pub size: u64,
    /// What the store calls this state of it (an ETag); empty when it has no such name.
    pub tag: String,
}

impl Stage {
    /// A stage with nothing in it. `witness` names the running system that holds the bytes in its memory until they are
    /// synced; see [`Stage::witness`].
    pub fn new(key: Location, algorithm: Algorithm, witness: u128) -> Self {
        let hash = Hasher::new(algorithm).freeze();
        Self {
            key,
            offset: 0,
            algorithm,
            hash,
            witness,
            parts: Vec::new(),
        }
    }

    /// Where the bytes are staged.
    pub fn key(&self) -> &Location {
        &self.key
    }

    /// How many bytes are kept.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The algorithm the bytes are hashed with while they come.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The pieces, in order, in a store that cannot append; otherwise empty.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Which run of which machine wrote the bytes. When it is not the present one, the machine has been down since, bytes
    /// that were not synced may be gone, and the frozen hash proves nothing until they have been read again.
    pub fn witness(&self) -> u128 {
        self.witness
    }

    /// The hash over the bytes kept.
    ///
    /// # Errors
    /// `Internal` when its frozen form cannot be read.
    pub fn hasher(&self) -> Result<Hasher> {
        Hasher::thaw(self.algorithm, &self.hash).map_err(Error::internal)
    }

    /// Records that `offset` bytes are kept now and what their hash is.
    pub fn keep(&mut self, offset: u64, hasher: &Hasher, witness: u128) {
        self.offset = offset;
        self.hash = hasher.freeze();
        self.witness = witness;
    }

    /// The stage as bytes for a database row, about 200 of them.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, code(self.algorithm)];
        out.extend(self.offset.to_be_bytes());
        out.extend(self.witness.to_be_bytes());
        put(&mut out, self.key.as_str().as_bytes());
        put(&mut out, &self.hash);
        for part in &self.parts {
            out.extend(part.size.to_be_bytes());
            put(&mut out, part.key.as_str().as_bytes());
            put(&mut out, part.tag.as_bytes());
        }
        out
    }

    /// Reads what [`Stage::encode`] wrote, in this version of the program or an older one.
    ///
    /// # Errors
    /// `Internal` for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let unreadable = || Error::internal("the saved state of an upload cannot be read");
        Self::read(bytes)
            .filter(|stage| stage.hasher().is_ok())
            .ok_or_else(unreadable)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = bytes;
        let [VERSION, algorithm] = take(&mut bytes)? else {
            return None;
        };
        let algorithm = [Algorithm::Sha256, Algorithm::Sha512]
            .into_iter()
            .find(|known| code(*known) == algorithm)?;
        let offset = u64::from_be_bytes(take(&mut bytes)?);
        let witness = u128::from_be_bytes(take(&mut bytes)?);
        let key = text(&mut bytes)?.parse().ok()?;
        let hash = get(&mut bytes)?.to_vec();
        let mut parts = Vec::new();
        while !bytes.is_empty() {
            let size = u64::from_be_bytes(take(&mut bytes)?);
            parts.push(Part {
                key: text(&mut bytes)?.parse().ok()?,
                size,
                tag: text(&mut bytes)?.to_owned(),
            });
        }
        Some(Self {
            key,
            offset,
            algorithm,
            hash,
            witness,
            parts,
        })
    }
}

/// The first byte of an encoded stage. Rows outlive programs: a changed form gets the next number, and the old one is
/// still read.
const VERSION: u8 = 1;

/// The byte that stands for an algorithm. Stored: never reassign one.
const fn code(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha256 => 1,
        Algorithm::Sha512 => 2,
    }
}

/// Writes a length of two bytes and the field. Keys, tags and hash states are far shorter than 64 KiB; a longer field is
/// cut, and the stage then refused when it is read.
fn put(out: &mut Vec<u8>, field: &[u8]) {
    let len = u16::try_from(field.len()).unwrap_or(u16::MAX);
    out.extend(len.to_be_bytes());
    out.extend(field.iter().take(usize::from(len)));
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

fn get<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u16::from_be_bytes(take(bytes)?);
    let (field, rest) = bytes.split_at_checked(usize::from(len))?;
    *bytes = rest;
    Some(field)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(get(bytes)?).ok()
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("key", &self.key)
            .field("offset", &self.offset)
            .field("algorithm", &self.algorithm)
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

/// What a frozen hash or an offset that do not fit the bytes mean for the client: the session is of no more use.
pub(crate) fn lost(cause: &'static str) -> Error {
    Error::new(
        Code::BlobUploadUnknown,
        "the bytes of this upload were lost; start it again",
    )
    .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage() -> Stage {
        let mut stage = Stage::new(
            "blobs/2026-11-21/10/0a.part".parse().unwrap(),
            Algorithm::Sha512,
            77,
        );
        let mut hasher = stage.hasher().unwrap();
        hasher.update(&[9; 300]);
        stage.keep(300, &hasher, 78);
        stage
    }

    #[test]
    fn a_stage_comes_back_from_its_row_and_its_hash_goes_on() {
        let mut stage = stage();
        for size in [0, u64::MAX] {
            stage.parts.push(Part {
                key: "segments/1".parse().unwrap(),
                size,
                tag: "\"e\"".to_owned(),
            });
        }
        let back = Stage::decode(&stage.encode()).unwrap();
        assert_eq!(back, stage);
        let mut hasher = back.hasher().unwrap();
        hasher.update(b"more");
        let whole = [&[9; 300][..], b"more"].concat();
        assert_eq!(
            hasher.finish(),
            longshore_spec::Digest::of(Algorithm::Sha512, &whole)
        );
    }

    #[test]
    fn a_row_that_was_cut_or_changed_is_refused() {
        let row = stage().encode();
        for len in 0..row.len() {
            assert!(
                Stage::decode(&row[..len]).is_err(),
                "{len} bytes of {}",
                row.len()
            );
        }
        for (at, byte) in [(0, 0), (0, 2), (1, 0), (1, 1), (1, 9)] {
            let mut row = row.clone();
            row[at] = byte;
            assert!(Stage::decode(&row).is_err(), "byte {at} = {byte}");
        }
        let escape = String::from_utf8_lossy(&row).replace("blobs/2026", "../../2026");
        assert!(Stage::decode(escape.as_bytes()).is_err());
    }
}
