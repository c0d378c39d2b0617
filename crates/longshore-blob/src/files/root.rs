//! The directory everything lies in, and how it is never left.
//!
//! Every path is opened relative to the descriptor of the root with `openat2(2)`, which follows neither `..` nor symbolic
//! links. Where the kernel has no such call (before 5.6) or a sandbox forbids it, the path is walked part by part.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::location::Location;

/// Files are for the registry alone.
pub(crate) const FILE_MODE: Mode = Mode::from_raw_mode(0o600);
/// So are directories.
pub(crate) const DIR_MODE: Mode = Mode::from_raw_mode(0o700);

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

#[derive(Debug)]
pub(crate) struct Root {
    fd: OwnedFd,
    /// Whether `openat2` is to be used.
    beneath: AtomicBool,
}

impl Root {
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let fd = rustix::fs::open(path, DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self {
            fd,
            beneath: AtomicBool::new(true),
        })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Opens `path`, which is a [`Location`] or one of our own directories; `""` is the root itself.
    pub(crate) fn open(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        if self.beneath.load(Ordering::Relaxed) {
            match self.open_beneath(path, flags, ResolveFlags::empty()) {
                // Seccomp filters that do not know the call answer EPERM, which the walk then confirms or not.
                Err(Errno::NOSYS | Errno::PERM) => {}
                other => return other,
            }
            let walked = self.open_walking(path, flags);
            if walked.is_ok() {
                self.beneath.store(false, Ordering::Relaxed);
            }
            return walked;
        }
        self.open_walking(path, flags)
    }

    /// Opens a file whose path the kernel has in memory; `None` when it would have to ask the disk, or cannot tell.
    pub(crate) fn open_cached(
        &self,
        at: &Location,
        flags: OFlags,
    ) -> Option<Result<OwnedFd, Errno>> {
        if !self.beneath.load(Ordering::Relaxed) {
            return None;
        }
        match self.open_beneath(at.as_str(), flags, ResolveFlags::CACHED) {
            Err(Errno::AGAIN | Errno::INVAL | Errno::NOSYS | Errno::PERM) => None,
            other => Some(other),
        }
    }

    /// As where there is no `openat2`.
    #[cfg(test)]
    pub(crate) fn walk_only(&self) {
        self.beneath.store(false, Ordering::Relaxed);
    }

    /// The directory `path`.
    pub(crate) fn open_dir(&self, path: &str) -> Result<OwnedFd, Errno> {
        self.open(path, DIRECTORY)
    }

    /// The file at `at`, for reading.
    pub(crate) fn open_file(&self, at: &Location) -> Result<OwnedFd, Errno> {
        self.open(at.as_str(), OFlags::RDONLY)
    }

    fn open_beneath(
        &self,
        path: &str,
        flags: OFlags,
        more: ResolveFlags,
    ) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | more;
        let path = if path.is_empty() { "." } else { path };
        rustix::fs::openat2(
            &self.fd,
            path,
            flags | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
            resolve,
        )
    }

    fn open_walking(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let step = |dir: &OwnedFd, name: &str, flags: OFlags| {
            rustix::fs::openat(
                dir,
                name,
                flags | OFlags::CLOEXEC | OFlags::NOFOLLOW,
                Mode::empty(),
            )
        };
        if path.is_empty() {
            return step(&self.fd, ".", flags);
        }
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut dir: Option<OwnedFd> = None;
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            dir = Some(step(
                dir.as_ref().unwrap_or(&self.fd),
                part,
                OFlags::PATH | OFlags::DIRECTORY,
            )?);
        }
        step(dir.as_ref().unwrap_or(&self.fd), name, flags)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_symbolic_link_is_followed_nowhere_in_a_path_with_either_way_of_opening() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "s").unwrap();
        let inside = tempfile::tempdir().unwrap();
        fs::create_dir(inside.path().join("d")).unwrap();
        fs::write(inside.path().join("d/f"), "f").unwrap();
        symlink(outside.path(), inside.path().join("link")).unwrap();
        symlink(
            outside.path().join("secret"),
            inside.path().join("d/secret"),
        )
        .unwrap();
        symlink("f", inside.path().join("d/same")).unwrap();
        let root = Root::new(inside.path()).unwrap();
        for beneath in [true, false] {
            root.beneath.store(beneath, Ordering::Relaxed);
            root.open("d/f", OFlags::RDONLY).unwrap();
            root.open_dir("").unwrap();
            root.open_dir("d").unwrap();
            for path in ["link/secret", "d/secret", "d/same", "link"] {
                let error = root.open(path, OFlags::RDONLY).unwrap_err();
                assert!(
                    matches!(error, Errno::LOOP | Errno::NOTDIR),
                    "{path}: {error}"
                );
            }
            assert_eq!(
                root.open("d/none", OFlags::RDONLY).unwrap_err(),
                Errno::NOENT
            );
        }
        root.beneath.store(true, Ordering::Relaxed);
        for path in ["../x", "d/../../x", "/etc/passwd"] {
            assert_eq!(
                root.open(path, OFlags::RDONLY).unwrap_err(),
                Errno::XDEV,
                "{path}"
            );
        }
    }
}
