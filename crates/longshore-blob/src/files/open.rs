//! Opening a store: one process at a time, on storage that keeps its promises.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use longshore_core::Room;
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use rustix::process::Resource;

use super::root::{DIR_MODE, FILE_MODE, Root};

/// What a [`Files`](super::Files) is opened with.
#[derive(Debug, Clone)]
pub struct FilesOptions {
    /// The directory; made when it is not there.
    pub root: PathBuf,
    /// Whether to go on where a sync or a lock may mean nothing: memory, network and overlay file systems.
    pub unsafe_storage: bool,
    /// How much memory whole small blobs may take, in bytes.
    pub small_bytes: u64,
    /// How many blobs stay open after they were read. At most half of what the process may have open.
    pub open_files: u64,
    /// Is told when the disk is full, and tells when no more is to be written; somebody else says when there is room again.
    pub room: Option<Room>,
}

impl FilesOptions {
    /// The options for a store in `root`, with 64 MiB for small blobs and 16,384 open files.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            unsafe_storage: false,
            small_bytes: 64 << 20,
            open_files: 16_384,
            room: None,
        }
    }
}

/// Why a store does not open. For whoever starts the registry, so it names paths.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{} is in use by another registry ({holder}); stop that one, or give this one a directory of its own", root.display())]
    InUse {
        /// The directory.
        root: PathBuf,
        /// What the other process wrote into the lock file, such as `process 1234`.
        holder: String,
    },
    /// The file system does not keep what was synced, or does not lock.
    #[error(
        "{} is on {kind}, which may lose pushed content; put the data on a local disk, or accept the risk with storage.unsafe_storage = true",
        root.display()
    )]
    UnsafeStorage {
        /// The directory.
        root: PathBuf,
        /// The file system, such as `tmpfs`.
        kind: &'static str,
    },
    /// Something in it cannot be made or opened.
    #[error("cannot {what} {}", path.display())]
    Io {
        /// What was tried, such as `create`.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

/// Held while the store is open, and by every thread that still writes to it.
#[derive(Debug)]
pub(crate) struct Lock(
    #[expect(dead_code, reason = "the lock lives as long as the descriptor")] File,
);

/// The file systems that are refused: their number in `statfs(2)`, and what to call them.
const REFUSED: &[(u64, &str)] = &[
    (0x0102_1994, "tmpfs"),
    (0x8584_58f6, "ramfs"),
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9p"),
    (0x794c_7630, "overlayfs"),
];

/// Makes what is missing of the directory, checks what it lies on, and takes the lock.
pub(crate) fn prepare(options: &FilesOptions) -> Result<(Root, Lock), OpenError> {
    let path = options.root.as_path();
    let failed = |what, path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| OpenError::Io { what, path, source }
    };
    make(path).map_err(failed("create", path))?;
    let root = Root::new(path).map_err(failed("open", path))?;
    if !options.unsafe_storage {
        let kind = rustix::fs::fstatfs(root.fd())
            .map_err(|e| failed("look at", path)(e.into()))?
            .f_type;
        // The field's type differs between machines, the number does not: only 32 bits of it are used.
        let kind = u64::try_from(kind).unwrap_or_default() & 0xffff_ffff;
        if let Some((_, kind)) = REFUSED.iter().find(|(number, _)| *number == kind) {
            return Err(OpenError::UnsafeStorage {
                root: path.to_owned(),
                kind,
            });
        }
    }
    let lock = lock(&root, path)?;
    match rustix::fs::mkdirat(root.fd(), "blobs", DIR_MODE) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(failed("create", &path.join("blobs"))(error.into())),
    }
    Ok((root, lock))
}

/// Makes the directory and what is missing above it, durably: a store whose own name is lost is lost with all its blobs.
fn make(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let missing: Vec<_> = path.ancestors().take_while(|path| !path.exists()).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(DIR_MODE.bits())
        .create(&path)?;
    for parent in missing.iter().filter_map(|path| path.parent()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn lock(root: &Root, path: &Path) -> Result<Lock, OpenError> {
    let failed = |what| {
        let path = path.join("LOCK");
        move |source: io::Error| OpenError::Io { what, path, source }
    };
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(root.fd(), "LOCK", flags, FILE_MODE)
        .map_err(|e| failed("open")(e.into()))?;
    let mut file = File::from(file);
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let mut holder = String::new();
            // Whatever it says is for a person; a process that has just taken the lock may not have written it yet.
            let _ = file.take(64).read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() {
                "it has not said its number".to_owned()
            } else {
                holder.trim().to_owned()
            };
            return Err(OpenError::InUse {
                root: path.to_owned(),
                holder,
            });
        }
        Err(error) => return Err(failed("lock")(error.into())),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "process {}", std::process::id()))
        .map_err(failed("write"))?;
    Ok(Lock(file))
}

/// How many blobs may stay open: what was asked for, and never more than leaves connections and uploads their share.
pub(crate) fn open_files(asked: u64) -> usize {
    let limit = rustix::process::getrlimit(Resource::Nofile).current;
    let files = asked.min(limit.map_or(u64::MAX, |limit| limit / 2)).max(1);
    usize::try_from(files).unwrap_or(usize::MAX)
}

/// A number that is the same until the machine is started again: what is written and not synced is safe that long. Where
/// the kernel does not tell, a number of this process alone, which is safe and costs reading again what it need not.
pub(crate) fn witness() -> u128 {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .ok()
        .and_then(|id| uuid::Uuid::parse_str(id.trim()).ok())
        .unwrap_or_else(uuid::Uuid::new_v4)
        .as_u128()
}
