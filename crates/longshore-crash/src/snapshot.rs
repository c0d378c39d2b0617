//! Block images of a real file system at one moment: what a power cut leaves to its journal.
//!
//! The file system under test lies in a file on an XFS that shares blocks between files, so that a copy of it is made at once and
//! atomically (`cp --reflink`). The server is stopped by a signal while that happens, and killed afterwards.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The file system under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ext4,
    /// Ext4 that writes names before it writes bytes.
    Ext4Writeback,
    Xfs,
}

impl Kind {
    fn make(self) -> &'static [&'static str] {
        match self {
            Self::Ext4 | Self::Ext4Writeback => &["mkfs.ext4", "-q", "-F"],
            Self::Xfs => &["mkfs.xfs", "-q", "-f"],
        }
    }

    fn options(self) -> &'static str {
        match self {
            Self::Ext4 => "loop",
            Self::Ext4Writeback => "loop,data=writeback",
            // A copy has the identity of what it was copied from.
            Self::Xfs => "loop,nouuid",
        }
    }
}

/// A mounted image; dropped, it is unmounted.
#[derive(Debug)]
pub(crate) struct Mounted {
    pub(crate) at: PathBuf,
}

impl Mounted {
    fn new(image: &Path, at: PathBuf, options: &str) -> Result<Self> {
        fs::create_dir_all(&at).context("a mount point cannot be made")?;
        run(
            "mount",
            [
                OsStr::new("-o"),
                options.as_ref(),
                image.as_ref(),
                at.as_ref(),
            ],
        )?;
        Ok(Self { at })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What was just killed may still be on its way out.
        if run("umount", [&self.at]).is_err() {
            let _ = run("umount", [OsStr::new("--lazy"), self.at.as_ref()]);
        }
    }
}

/// A file system under test and the one that its images lie on.
#[derive(Debug)]
pub(crate) struct Stand {
    kind: Kind,
    /// Where it is mounted; the fields are dropped in this order.
    pub(crate) inner: Mounted,
    host: Mounted,
}

impl Stand {
    /// Makes both in `dir`.
    ///
    /// # Errors
    /// Without root, loop devices or the programs that make file systems.
    pub(crate) fn new(dir: &Path, kind: Kind) -> Result<Self> {
        ensure!(
            rustix::process::geteuid().is_root(),
            "power cuts of real file systems need root"
        );
        fs::create_dir_all(dir).context("the directory cannot be made")?;
        let host_image = dir.join("host.img");
        sparse(&host_image, 12 << 30)?;
        run(
            "mkfs.xfs",
            [
                OsStr::new("-q"),
                "-m".as_ref(),
                "reflink=1".as_ref(),
                host_image.as_ref(),
            ],
        )
        .context("Debian's package is xfsprogs")?;
        let host = Mounted::new(&host_image, dir.join("host"), "loop")?;
        let image = host.at.join("inner.img");
        sparse(&image, 1 << 30)?;
        let (program, flags) = kind.make().split_first().context("no program")?;
        run(
            program,
            flags.iter().map(OsStr::new).chain([image.as_os_str()]),
        )?;
        let inner = Mounted::new(&image, dir.join("inner"), kind.options())?;
        Ok(Self { kind, inner, host })
    }

    /// Copies the disk as it is at this moment, and mounts the copy: its journal does what it does after a power cut.
    pub(crate) fn cut(&self) -> Result<Mounted> {
        let copy = self.host.at.join("after.img");
        let _ = fs::remove_file(&copy);
        let from = self.host.at.join("inner.img");
        run(
            "cp",
            [OsStr::new("--reflink=always"), from.as_ref(), copy.as_ref()],
        )?;
        Mounted::new(&copy, self.host.at.join("after"), self.kind.options())
    }
}

fn sparse(path: &Path, size: u64) -> Result<()> {
    fs::File::create(path)
        .and_then(|file| file.set_len(size))
        .with_context(|| format!("{} cannot be made", path.display()))
}

/// Runs a program of the system, which must succeed.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Result<()> {
    let out = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{program} cannot be started"))?;
    ensure!(
        out.status.success(),
        "{program} failed: {}",
        String::from_utf8_lossy(&out.stderr).trim()
    );
    Ok(())
}
