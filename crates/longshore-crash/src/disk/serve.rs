//! Answers the kernel's requests from the image, as the plan allows.

use rustix::io::Errno;

use super::change::Ino;
use super::image::Image;
use super::plan::{Class, Fate, Verdict};
use super::wire::{Args, Head, Reply, failure};

/// How much one write may bring.
pub(crate) const MOST: u32 = 128 << 10;

/// The disk: what is on it and what is to happen to it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) image: Image,
    pub(crate) fate: Fate,
    /// How many bytes there is room for.
    pub(crate) room: u64,
}

mod op {
    pub(super) const LOOKUP: u32 = 1;
    pub(super) const FORGET: u32 = 2;
    pub(super) const GETATTR: u32 = 3;
    pub(super) const SETATTR: u32 = 4;
    pub(super) const MKDIR: u32 = 9;
    pub(super) const UNLINK: u32 = 10;
    pub(super) const RMDIR: u32 = 11;
    pub(super) const RENAME: u32 = 12;
    pub(super) const LINK: u32 = 13;
    pub(super) const OPEN: u32 = 14;
    pub(super) const READ: u32 = 15;
    pub(super) const WRITE: u32 = 16;
    pub(super) const STATFS: u32 = 17;
    pub(super) const RELEASE: u32 = 18;
    pub(super) const FSYNC: u32 = 20;
    pub(super) const FLUSH: u32 = 25;
    pub(super) const INIT: u32 = 26;
    pub(super) const OPENDIR: u32 = 27;
    pub(super) const READDIR: u32 = 28;
    pub(super) const RELEASEDIR: u32 = 29;
    pub(super) const FSYNCDIR: u32 = 30;
    pub(super) const ACCESS: u32 = 34;
    pub(super) const CREATE: u32 = 35;
    pub(super) const INTERRUPT: u32 = 36;
    pub(super) const DESTROY: u32 = 38;
    pub(super) const BATCH_FORGET: u32 = 42;
    pub(super) const RENAME2: u32 = 45;
}

type Done = Result<Reply, Errno>;

impl State {
    /// Answers one request; `None` where the kernel waits for nothing.
    pub(crate) fn answer(&mut self, head: &Head, args: &mut Args<'_>) -> Option<Vec<u8>> {
        let node = head.node;
        let done = match head.opcode {
            op::FORGET | op::BATCH_FORGET | op::INTERRUPT => return None,
            op::INIT => Ok(init()),
            op::LOOKUP => self.lookup(node, args.name()),
            op::GETATTR => self.attr(node),
            op::SETATTR => self.setattr(node, args),
            op::MKDIR => {
                let (mode, _umask) = (args.u32(), args.u32());
                self.make(node, args.name(), mode, Class::MakeDir)
            }
            op::CREATE => {
                let (_flags, mode, _rest) = (args.u32(), args.u32(), args.u64());
                self.make(node, args.name(), mode, Class::Create)
                    .map(Reply::open)
            }
            op::UNLINK => self.remove(node, args.name(), false),
            op::RMDIR => self.remove(node, args.name(), true),
            op::RENAME => {
                let to = args.u64();
                self.rename(node, to, true, args)
            }
            op::RENAME2 => {
                let (to, flags, _) = (args.u64(), args.u32(), args.u32());
                self.rename(node, to, flags & 1 == 0, args)
            }
            op::LINK => {
                let from = args.u64();
                let name = args.name();
                self.change(Class::Create, name, |image| image.link(from, node, name))
                    .and_then(|()| self.lookup(node, name))
            }
            op::OPEN | op::OPENDIR => self.image.about(node).map(|_| Reply::default().open()),
            op::READ => {
                let (_, at, size) = (args.u64(), args.u64(), args.u32());
                let read = self.image.read(node, at, size as usize);
                read.map(|bytes| Reply(bytes.to_vec()))
            }
            op::READDIR => {
                let (_, from, size) = (args.u64(), args.u64(), args.u32());
                self.list(node, from, size as usize)
            }
            op::WRITE => self.write(node, args),
            op::STATFS => Ok(self.statfs()),
            op::FSYNC => self.sync(node, Class::Sync),
            op::FSYNCDIR => self.sync(node, Class::SyncDir),
            op::RELEASE | op::RELEASEDIR | op::FLUSH | op::ACCESS | op::DESTROY => {
                Ok(Reply::default())
            }
            _ => Err(Errno::NOSYS),
        };
        Some(match done {
            Ok(reply) => reply.to(head.unique),
            Err(errno) => failure(head.unique, errno),
        })
    }

    fn lookup(&self, dir: Ino, name: &str) -> Done {
        let about = self.image.about(self.image.lookup(dir, name)?)?;
        Ok(Reply::default().entry(&about))
    }

    fn attr(&self, node: Ino) -> Done {
        let about = self.image.about(node)?;
        Ok(Reply::default().u64(3600).zeros(8).attr(&about))
    }

    /// Does something to the disk if the plan lets it.
    fn change(
        &mut self,
        class: Class,
        name: &str,
        work: impl FnOnce(&mut Image) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        match self.fate.judge(class, name) {
            Verdict::Go => work(&mut self.image),
            Verdict::GoAndCut => {
                work(&mut self.image)?;
                Err(Errno::IO)
            }
            Verdict::Fail(errno) | Verdict::Half(errno) => Err(errno),
        }
    }

    fn make(&mut self, dir: Ino, name: &str, mode: u32, class: Class) -> Done {
        self.change(class, name, |image| {
            image
                .make(dir, name, mode, class == Class::MakeDir)
                .map(drop)
        })?;
        self.lookup(dir, name)
    }

    fn remove(&mut self, dir: Ino, name: &str, is_dir: bool) -> Done {
        self.change(Class::Unlink, name, |image| image.remove(dir, name, is_dir))?;
        Ok(Reply::default())
    }

    fn rename(&mut self, from: Ino, to: Ino, replace: bool, args: &mut Args<'_>) -> Done {
        let (old, new) = (args.name(), args.name());
        self.change(Class::Rename, new, |image| {
            image.rename((from, old), (to, new), replace)
        })?;
        Ok(Reply::default())
    }

    fn setattr(&mut self, node: Ino, args: &mut Args<'_>) -> Done {
        const MODE: u32 = 1;
        const SIZE: u32 = 1 << 3;
        let (valid, _, _, size) = (args.u32(), args.u32(), args.u64(), args.u64());
        args.skip(8 * 4 + 4 * 3);
        let mode = args.u32();
        if valid & MODE != 0 {
            self.image.set_mode(node, mode)?;
        }
        if valid & SIZE != 0 {
            let name = self.name(node);
            self.change(Class::Length, &name, |image| image.set_length(node, size))?;
        }
        self.attr(node)
    }

    fn write(&mut self, node: Ino, args: &mut Args<'_>) -> Done {
        let (_, at, size) = (args.u64(), args.u64(), args.u32());
        args.skip(4 + 8 + 4 + 4);
        let bytes = args.0.get(..size as usize).ok_or(Errno::INVAL)?;
        let name = self.name(node);
        if self.image.bytes() + u64::from(size) > self.room && !self.fate.cut {
            return Err(Errno::NOSPC);
        }
        match self.fate.judge(Class::Write, &name) {
            Verdict::Go => self.image.write(node, at, bytes)?,
            Verdict::GoAndCut => {
                self.image.write(node, at, bytes)?;
                return Err(Errno::IO);
            }
            Verdict::Half(errno) => {
                self.image.write(node, at, &bytes[..bytes.len() / 2])?;
                return Err(errno);
            }
            Verdict::Fail(errno) => return Err(errno),
        }
        Ok(Reply::default().u32(size).zeros(4))
    }

    fn sync(&mut self, node: Ino, class: Class) -> Done {
        let name = self.name(node);
        self.change(class, &name, |image| image.sync(node))?;
        Ok(Reply::default())
    }

    fn list(&self, node: Ino, from: u64, size: usize) -> Done {
        let mut reply = Reply::default();
        let entries = self.image.list(node)?.into_iter().enumerate();
        for (at, (name, ino)) in entries.skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            let kind = if self.image.about(ino)?.is_dir { 4 } else { 8 };
            let len = u32::try_from(name.len()).unwrap_or(0);
            let mut entry = Reply::default()
                .u64(ino)
                .u64(at as u64 + 1)
                .u32(len)
                .u32(kind);
            entry.0.extend(name.as_bytes());
            let padded = entry.0.len().next_multiple_of(8);
            entry.0.resize(padded, 0);
            if reply.0.len() + entry.0.len() > size {
                break;
            }
            reply.0.extend(entry.0);
        }
        Ok(reply)
    }

    fn statfs(&self) -> Reply {
        let (blocks, free) = (
            self.room / 4096,
            self.room.saturating_sub(self.image.bytes()) / 4096,
        );
        Reply::default()
            .u64(blocks)
            .u64(free)
            .u64(free)
            .u64(1 << 20)
            .u64(1 << 20)
            .u32(4096)
            .u32(255)
            .u32(4096)
            .zeros(4 + 24)
    }

    /// Some name of the file, for telling what went wrong.
    fn name(&self, node: Ino) -> String {
        self.image.name(node)
    }
}

/// `struct fuse_init_out`: no lock of ours, no cache that writes later.
fn init() -> Reply {
    const BIG_WRITES: u32 = 1 << 5;
    const MAX_PAGES: u32 = 1 << 22;
    Reply::default()
        .u32(7)
        .u32(31)
        .u32(MOST)
        .u32(BIG_WRITES | MAX_PAGES)
        .u16(16)
        .u16(12)
        .u32(MOST)
        .u32(1)
        .u16(32)
        .zeros(2 + 4 + 28)
}
