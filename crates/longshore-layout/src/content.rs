//! Content put into a file: by a hard link where that is possible, else by a copy that nobody sees before it is whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes that are to lie somewhere else too.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// They are a file that never changes.
    File(&'a Path),
    /// They are here.
    Bytes(&'a [u8]),
}

/// How a file comes to lie in two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placing {
    /// By a hard link, which takes no space; by a copy on another file system.
    #[default]
    Link,
    /// By a copy always, so that owner and rights of the one do not touch the other.
    Copy,
}

/// What [`place`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It was there already.
    There,
    /// It is a hard link.
    Linked,
    /// It is a copy of so many bytes.
    Copied(u64),
}

/// Makes `content` the file `path`, and the directories above it. A file of that length that is there is left: paths are of
/// digests, and nobody sees a part of one.
///
/// # Errors
/// The content cannot be read or the file not be written.
pub fn place(path: &Path, content: Content<'_>, how: Placing) -> io::Result<Placed> {
    let size = match content {
        Content::File(from) => from.metadata()?.len(),
        Content::Bytes(bytes) => bytes.len() as u64,
    };
    match path.symlink_metadata() {
        Ok(there) if there.is_file() && there.len() == size => return Ok(Placed::There),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
        }
        Err(error) => return Err(error),
    }
    if let (Content::File(from), Placing::Link) = (content, how)
        && fs::hard_link(from, path).is_ok()
    {
        return Ok(Placed::Linked);
    }
    let new = beside(path);
    let mut file = File::create(&new)?;
    match content {
        Content::File(from) => {
            io::copy(&mut File::open(from)?, &mut file)?;
        }
        Content::Bytes(bytes) => file.write_all(bytes)?,
    }
    fs::rename(&new, path)?;
    Ok(Placed::Copied(size))
}

/// Writes a file in place of one that is there, which everybody sees whole, before or after.
///
/// # Errors
/// It cannot be written.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_file_is_linked_or_copied_and_one_that_is_whole_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::write(&from, "content").unwrap();
        let (link, copy) = (dir.path().join("a/link"), dir.path().join("b/copy"));
        assert_eq!(
            place(&link, Content::File(&from), Placing::Link).unwrap(),
            Placed::Linked
        );
        assert_eq!(
            link.metadata().unwrap().ino(),
            from.metadata().unwrap().ino()
        );
        assert_eq!(
            place(&copy, Content::File(&from), Placing::Copy).unwrap(),
            Placed::Copied(7)
        );
        assert_ne!(
            copy.metadata().unwrap().ino(),
            from.metadata().unwrap().ino()
        );
        assert_eq!(fs::read_to_string(&copy).unwrap(), "content");
        assert_eq!(
            place(&copy, Content::Bytes(b"CONTENT"), Placing::Link).unwrap(),
            Placed::There
        );
        fs::write(&copy, "cut").unwrap();
        let again = place(&copy, Content::Bytes(b"content"), Placing::Link).unwrap();
        assert_eq!(again, Placed::Copied(7));
        assert_eq!(fs::read_to_string(&copy).unwrap(), "content");
        assert_eq!(fs::read_dir(dir.path().join("b")).unwrap().count(), 1);
    }
}
