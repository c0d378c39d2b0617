//! Parts of immutable files that travel as ordinary [`Bytes`](bytes::Bytes).
//!
//! A blob leaves the registry without being copied: the body of the answer is a [`Region`]'s bytes, mapped and never
//! touched, which every layer between passes on knowing nothing of it. The connection's own IO asks [`find`] whether a
//! slice it is about to write lies in a file, and if so hands file and offset to `sendfile(2)`. Whoever does not ask
//! reads the mapping and is right too, only slower.
//!
//! Unsafe code of mapping a file, and of asking the kernel to begin writing one back, is here and nowhere else, and all
//! of it in `sys.rs`.
//!
//! Absent on purpose: what is in the files, where they lie, and waiting. Touching a mapping whose pages are not in
//! memory blocks the thread, and a disk error while doing so is a `SIGBUS`; so whoever copies (TLS, HTTP/2) does better
//! to ask [`find`] as well and to read the part with `pread(2)`, which can fail like anything else.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod map;
mod region;
mod sys;

pub use map::{Part, Watch, find, report};
pub use region::Region;
pub use sys::start_writeback;
