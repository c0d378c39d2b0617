//! The words of the kernel's FUSE protocol, as far as they are needed: fixed structures of little numbers.
//!
//! Written by hand because it is short, and because no dependency of the whole project is wanted for it.

use rustix::io::Errno;

use super::image::About;

/// What the kernel asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) opcode: u32,
    pub(crate) unique: u64,
    pub(crate) node: u64,
}

/// Reads numbers off a request, in the order of their structure.
pub(crate) struct Args<'a>(pub(crate) &'a [u8]);

impl<'a> Args<'a> {
    pub(crate) fn u32(&mut self) -> u32 {
        self.take().map_or(0, u32::from_ne_bytes)
    }

    pub(crate) fn u64(&mut self) -> u64 {
        self.take().map_or(0, u64::from_ne_bytes)
    }

    /// A name, which ends in a zero.
    pub(crate) fn name(&mut self) -> &'a str {
        let end = self
            .0
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(self.0.len());
        let name = std::str::from_utf8(&self.0[..end]).unwrap_or_default();
        self.0 = self.0.get(end + 1..).unwrap_or_default();
        name
    }

    pub(crate) fn skip(&mut self, bytes: usize) {
        self.0 = self.0.get(bytes..).unwrap_or_default();
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

/// Reads the head of a request and gives its arguments.
pub(crate) fn request(bytes: &[u8]) -> (Head, Args<'_>) {
    let mut args = Args(bytes);
    args.skip(4);
    let head = Head {
        opcode: args.u32(),
        unique: args.u64(),
        node: args.u64(),
    };
    args.skip(16);
    (head, args)
}

/// Builds an answer, in the order of its structure.
#[derive(Default)]
pub(crate) struct Reply(pub(crate) Vec<u8>);

impl Reply {
    #[must_use]
    pub(crate) fn u16(mut self, number: u16) -> Self {
        self.0.extend(number.to_ne_bytes());
        self
    }

    #[must_use]
    pub(crate) fn u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_ne_bytes());
        self
    }

    #[must_use]
    pub(crate) fn u64(mut self, number: u64) -> Self {
        self.0.extend(number.to_ne_bytes());
        self
    }

    #[must_use]
    pub(crate) fn zeros(mut self, bytes: usize) -> Self {
        self.0.resize(self.0.len() + bytes, 0);
        self
    }

    /// `struct fuse_attr`. Times are those of the epoch: nothing asks for them.
    #[must_use]
    pub(crate) fn attr(self, about: &About) -> Self {
        let kind: u32 = if about.is_dir { 0o040_000 } else { 0o100_000 };
        self.u64(about.ino)
            .u64(about.size)
            .u64(about.size.div_ceil(512))
            .zeros(24 + 12)
            .u32(kind | about.mode)
            .u32(1)
            .zeros(4 + 4 + 4)
            .u32(4096)
            .zeros(4)
    }

    /// `struct fuse_entry_out`: what a name leads to. All changes come through the kernel, so it may remember.
    #[must_use]
    pub(crate) fn entry(self, about: &About) -> Self {
        self.u64(about.ino)
            .u64(0)
            .u64(3600)
            .u64(3600)
            .zeros(8)
            .attr(about)
    }

    /// `struct fuse_open_out`; the file's pages may stay in memory.
    #[must_use]
    pub(crate) fn open(self) -> Self {
        const KEEP_CACHE: u32 = 1 << 1;
        self.u64(0).u32(KEEP_CACHE).zeros(4)
    }

    /// The whole answer to the request `unique`.
    pub(crate) fn to(self, unique: u64) -> Vec<u8> {
        frame(unique, 0, &self.0)
    }
}

/// An answer that is a failure.
pub(crate) fn failure(unique: u64, errno: Errno) -> Vec<u8> {
    frame(unique, -errno.raw_os_error(), &[])
}

fn frame(unique: u64, error: i32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(16 + body.len());
    out.extend(len.to_ne_bytes());
    out.extend(error.to_ne_bytes());
    out.extend(unique.to_ne_bytes());
    out.extend(body);
    out
}
