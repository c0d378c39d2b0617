//! Putting files apart that must not be served and must not be lost either.

use std::sync::Arc;

use longshore_core::{Error, Result};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::Files;
use super::fault;
use super::root::{DIR_MODE, Root};
use crate::location::Location;

/// The directory they are put into, under the path they had.
const QUARANTINE: &str = "quarantine";

impl Files {
    /// Moves the file at `at` to `quarantine/<at>`, or beside what lies there already.
    ///
    /// Nothing is synced: a power cut may bring the file back to its place, where it is a file without a row.
    pub(crate) async fn set_apart(&self, at: &Location) -> Result<Option<Location>> {
        let (root, from) = (Arc::clone(&self.maker.root), at.clone());
        let moved = tokio::task::spawn_blocking(move || set_apart(&root, &from));
        let moved = match moved.await.map_err(Error::internal)? {
            Ok(to) => Some(to),
            Err(Errno::NOENT | Errno::NOTDIR) => None,
            Err(error) => return Err(fault::storage(error)),
        };
        self.reads.forget(at);
        self.maker.syncs.forget(at);
        moved
            .map(|to| to.parse().map_err(Error::internal))
            .transpose()
    }
}

fn set_apart(root: &Root, at: &Location) -> Result<String, Errno> {
    let from = root.open_dir(at.parent())?;
    // Looked at first, so that no directories are made for what is not there.
    rustix::fs::statat(&from, at.name(), AtFlags::SYMLINK_NOFOLLOW)?;
    let dir = match at.parent() {
        "" => QUARANTINE.to_owned(),
        parent => format!("{QUARANTINE}/{parent}"),
    };
    let to = make(root, &dir)?;
    let mut name = at.name().to_owned();
    if rustix::fs::statat(&to, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
        name = format!("{name}.{}", uuid::Uuid::new_v4().simple());
    }
    rustix::fs::renameat(&from, at.name(), &to, &name)?;
    Ok(format!("{dir}/{name}"))
}

/// The directory `path`, with what is missing of it made.
fn make(root: &Root, path: &str) -> Result<std::os::fd::OwnedFd, Errno> {
    let mut made = String::new();
    let mut dir = root.open_dir("")?;
    for part in path.split('/') {
        match rustix::fs::mkdirat(&dir, part, DIR_MODE) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        if !made.is_empty() {
            made.push('/');
        }
        made.push_str(part);
        dir = root.open_dir(&made)?;
    }
    Ok(dir)
}
