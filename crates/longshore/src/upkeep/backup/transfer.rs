//! One file from here to there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use longshore_spec::digest::{Algorithm, Digest, Hasher};

use super::about::Copies;

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// It is there as well now.
    Done,
    /// There was nothing to be had.
    Gone,
    /// It was not of this length, or not of this digest.
    Wrong,
}

/// Makes `to` what `from` is. A copy is hashed on the way and not kept when it is another than `digest`.
pub(super) fn transfer(
    from: &Path,
    to: &Path,
    size: u64,
    digest: &Digest,
    how: Copies,
) -> io::Result<Moved> {
    let mut file = match File::open(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Moved::Gone),
        file => file?,
    };
    if file.metadata()?.len() != size {
        return Ok(Moved::Wrong);
    }
    if let Some(folder) = to.parent() {
        folders(folder)?;
    }
    match how {
        Copies::None => {}
        Copies::Link => fs::hard_link(from, to)?,
        Copies::Copy => {
            let mut copy = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(to)?;
            let (_, found) = pour_as(digest.algorithm(), &mut file, &mut copy)?;
            if found != *digest {
                drop(copy);
                fs::remove_file(to)?;
                return Ok(Moved::Wrong);
            }
        }
    }
    Ok(Moved::Done)
}

/// Makes a directory and those above it, for this user alone.
pub(super) fn folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Pours everything from one to the other, and gives its length and its sha256.
pub(super) fn pour(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<(u64, Digest)> {
    pour_as(Algorithm::Sha256, from, to)
}

fn pour_as(
    algorithm: Algorithm,
    from: &mut dyn Read,
    to: &mut dyn Write,
) -> io::Result<(u64, Digest)> {
    let mut hasher = Hasher::new(algorithm);
    let mut buffer = vec![0; PIECE];
    let mut len = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok((len, hasher.finish())),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..read).unwrap_or_default();
        hasher.update(piece);
        to.write_all(piece)?;
        len += read as u64;
    }
}

/// Puts everything on the disk that was written to the file system of `path`.
pub(super) fn settle(path: &Path) -> io::Result<()> {
    rustix::fs::syncfs(File::open(path)?)?;
    Ok(())
}
