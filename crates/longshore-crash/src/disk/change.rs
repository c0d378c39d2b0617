//! Changes to files and directories, which a power cut may keep, lose or tear.

use std::collections::BTreeMap;

/// The number of a file or a directory.
pub(crate) type Ino = u64;

/// A change to a file.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// A change to a directory.
#[derive(Debug, Clone)]
pub(crate) enum Move {
    Put(String, Ino),
    Drop(String),
    Rename(String, String, Ino),
}

/// What is in a directory.
pub(crate) type Names = BTreeMap<String, Ino>;

/// Writes `new` at `at`.
pub(crate) fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// Makes a change to a file, of a write only the first `most` bytes. The length of a file and its bytes are different
/// things on a disk: a write of which nothing came through may still have made the file longer.
pub(crate) fn apply(bytes: &mut Vec<u8>, change: &Change, most: usize) {
    match change {
        Change::Write(at, new) if most > 0 => {
            let reached = bytes.len().max(at + new.len());
            put(bytes, *at, &new[..new.len().min(most)]);
            bytes.resize(reached, 0);
        }
        Change::Length(length) if most > 0 => bytes.resize(*length, 0),
        _ => {}
    }
}

/// Makes a change to a directory.
pub(crate) fn enter(names: &mut Names, entry: Move) {
    match entry {
        Move::Put(name, ino) => {
            names.insert(name, ino);
        }
        Move::Drop(name) => {
            names.remove(&name);
        }
        Move::Rename(from, to, ino) => {
            names.remove(&from);
            names.insert(to, ino);
        }
    }
}
