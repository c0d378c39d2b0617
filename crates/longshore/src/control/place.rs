//! Where the socket is.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

/// The name of the socket in the data directory.
pub const NAME: &str = "control.sock";

/// The longest path that every system takes for a socket, in bytes; Linux takes 107.
const LONGEST: usize = 100;

/// A path by which a socket in a directory can be reached, however long the directory's own path is.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// The directory, which the path goes through by its descriptor.
    _dir: Option<File>,
}

impl Place {
    /// The place of `name` in `dir`.
    ///
    /// # Errors
    /// The directory cannot be opened.
    pub fn of(dir: &Path, name: &str) -> io::Result<Self> {
        let path = dir.join(name);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { path, _dir: None });
        }
        let dir = File::open(dir)?;
        let path = format!("/proc/self/fd/{}/{name}", dir.as_raw_fd()).into();
        Ok(Self {
            path,
            _dir: Some(dir),
        })
    }

    /// The path, good as long as this place is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
