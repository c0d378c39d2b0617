//! All that lies in a store, in order.

use std::collections::BTreeMap;
use std::io;

use rustix::fs::{AtFlags, Dir, FileType, OFlags};
use rustix::io::Errno;

use super::root::Root;
use crate::location::Location;

/// How deep the tree is: the day and the hour below `blobs`.
const DEPTH: usize = 2;

/// The files behind `after` in the order of locations, with sizes, at most `limit`. Holds no more names than that and those
/// of the directories on the way.
pub(crate) fn walk(
    root: &Root,
    after: Option<&Location>,
    limit: usize,
) -> io::Result<Vec<(Location, u64)>> {
    let mut found = Vec::new();
    descend(
        root,
        "blobs",
        DEPTH,
        after.map_or("", Location::as_str),
        limit,
        &mut found,
    )?;
    Ok(found)
}

fn descend(
    root: &Root,
    path: &str,
    depth: usize,
    after: &str,
    limit: usize,
    found: &mut Vec<(Location, u64)>,
) -> io::Result<()> {
    let dir = match root.open(path, OFlags::RDONLY | OFlags::DIRECTORY) {
        Err(Errno::NOENT) => return Ok(()),
        dir => dir?,
    };
    let room = limit.saturating_sub(found.len());
    // Directories with the slash that follows them in locations, because that is what decides their place.
    let mut names = BTreeMap::new();
    for entry in Dir::read_from(&dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if name == "." || name == ".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => kind_of(&dir, name)?,
            kind => kind,
        };
        let place = format!("{path}/{name}");
        match kind {
            // All that is in a directory begins with its name, so it may hold something behind `after` if it comes
            // behind, or is on the way to it.
            FileType::Directory if depth > 0 => {
                let place = place + "/";
                if place.as_str() > after || after.starts_with(&place) {
                    names.insert(place, FileType::Directory);
                }
            }
            FileType::RegularFile if place.as_str() > after => {
                names.insert(place, FileType::RegularFile);
                if depth == 0 && names.len() > room {
                    names.pop_last();
                }
            }
            _ => {}
        }
    }
    for (place, kind) in names {
        if found.len() >= limit {
            break;
        }
        if kind == FileType::Directory {
            descend(
                root,
                place.trim_end_matches('/'),
                depth.saturating_sub(1),
                after,
                limit,
                found,
            )?;
            continue;
        }
        let Ok(location) = place.parse::<Location>() else {
            continue;
        };
        match rustix::fs::statat(&dir, location.name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => found.push((location, u64::try_from(stat.st_size).unwrap_or_default())),
            // Removed or renamed meanwhile.
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn kind_of(dir: &std::os::fd::OwnedFd, name: &str) -> io::Result<FileType> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode)),
        Err(Errno::NOENT) => Ok(FileType::Unknown),
        Err(error) => Err(error.into()),
    }
}
