//! Bytes into a stage's file and its hash.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use longshore_core::{Result, Room};
use longshore_spec::Hasher;
use rustix::fs::OFlags;
use rustix::io::{Errno, pwritev};

use super::crew::Crew;
use super::fault;
use super::root::Root;
use super::seats::Seat;
use crate::location::Location;
use crate::stage::{Stage, lost};

/// How much is hashed at once, and the least that is written: fits into the cache of a core, so that the second of the two finds it there.
/// What is written at once begins at a multiple of it, so that its pages are kept together in memory.
pub(crate) const PIECE: usize = 128 << 10;

/// Up to where in the file is written at once: a multiple of it. The more pages are kept together, the faster the file is sent.
pub(crate) const STRETCH: usize = 512 << 10;

/// After how much the kernel is asked to begin writing back, in bytes: what is left for the sync at the end is short then.
const WRITE_BACK: u64 = 8 << 20;

/// How much is read again in one piece of work, in bytes; some milliseconds.
const REREAD: u64 = 16 << 20;

/// The end of a stage: its file, how long it is, and the hash up to there. The three agree whenever nobody is inside.
pub(crate) struct Writer {
    file: File,
    pub(crate) offset: u64,
    pub(crate) hasher: Hasher,
    written_back: u64,
    gone: Arc<AtomicBool>,
    room: Option<Room>,
    _seat: Seat,
}

impl Writer {
    /// Goes on where `stage` stands. What lies behind that was never acknowledged and is cut off.
    pub(crate) fn new(
        root: &Root,
        stage: &Stage,
        seat: Seat,
        gone: Arc<AtomicBool>,
        room: Option<Room>,
    ) -> Result<Self> {
        let file = File::from(
            root.open(stage.key().as_str(), OFlags::RDWR)
                .map_err(absent)?,
        );
        cut(&file, stage.offset())?;
        let (offset, hasher) = (stage.offset(), stage.hasher()?);
        Ok(Self {
            file,
            offset,
            hasher,
            written_back: offset,
            gone,
            room,
            _seat: seat,
        })
    }

    /// Whether the request is gone, so that what is still to be written is for nobody.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Adds the bytes of `parts`, a stretch of the file after the other, and calls `between` after each piece. After a failure what
    /// was written is kept.
    pub(crate) fn write(&mut self, parts: &[Bytes], between: impl Fn()) -> io::Result<()> {
        let parts = parts.iter().map(Bytes::as_ref);
        let mut rest: VecDeque<&[u8]> = parts.filter(|part| !part.is_empty()).collect();
        while !rest.is_empty() && !self.is_abandoned() {
            // Somebody else found the disk full: what is left of it is not for uploads, nor is what they give back now.
            if self.room.as_ref().is_some_and(Room::is_out) {
                return Err(Errno::NOSPC.into());
            }
            let len = match pwritev(&self.file, &stretch(&rest, self.offset), self.offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => len,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            self.offset += len as u64;
            self.hash(&mut rest, len, &between);
            if self.offset - self.written_back >= WRITE_BACK {
                // It only saves time; a file system that cannot do it is none the worse.
                let _ = longshore_region::start_writeback(
                    &self.file,
                    self.written_back,
                    self.offset - self.written_back,
                );
                self.written_back = self.offset;
            }
        }
        Ok(())
    }

    /// Takes the first `len` bytes of `rest` into the hash.
    fn hash(&mut self, rest: &mut VecDeque<&[u8]>, mut len: usize, between: impl Fn()) {
        let mut piece = PIECE;
        while let Some(part) = rest.pop_front() {
            let (now, left) = part.split_at(part.len().min(len).min(piece));
            self.hasher.update(now);
            len -= now.len();
            piece -= now.len();
            if !left.is_empty() {
                rest.push_front(left);
            }
            if piece == 0 || len == 0 {
                between();
                piece = PIECE;
            }
            if len == 0 {
                break;
            }
        }
    }

    /// Gives back what was written behind `offset`; this is the writer's end.
    pub(crate) fn cut(self, offset: u64) -> Result<()> {
        cut(&self.file, offset)
    }

    /// The file, for reading what is in it.
    pub(crate) fn file(&self) -> io::Result<Arc<File>> {
        self.file.try_clone().map(Arc::new)
    }
}

/// How many bytes there are from `offset` of a file to the next multiple of `unit`: at least 1.
pub(crate) fn left_of(unit: usize, offset: u64) -> usize {
    // What is left of a division by a length is shorter than it.
    unit - usize::try_from(offset % unit as u64).unwrap_or(0)
}

/// What of `parts`, which belong at `offset` of a file, is in its stretch there.
fn stretch<'a>(parts: &VecDeque<&'a [u8]>, offset: u64) -> Vec<IoSlice<'a>> {
    let mut room = left_of(STRETCH, offset);
    let mut slices = Vec::with_capacity(parts.len().min(64));
    for part in parts {
        let part = part.get(..room).unwrap_or(part);
        room -= part.len();
        slices.push(IoSlice::new(part));
        if room == 0 {
            break;
        }
    }
    slices
}

/// Cuts off what lies behind `offset`.
///
/// # Errors
/// `BlobUploadUnknown` when the file does not reach that far.
pub(crate) fn cut(file: &File, offset: u64) -> Result<()> {
    let len = file.metadata().map_err(fault::storage)?.len();
    if len < offset {
        return Err(lost(
            "the staged file is shorter than the upload's row says",
        ));
    }
    if len > offset {
        file.set_len(offset).map_err(fault::storage)
    } else {
        Ok(())
    }
}

/// What it means that a stage's file cannot be opened.
pub(crate) fn absent(error: Errno) -> longshore_core::Error {
    match error {
        Errno::NOENT => lost("the staged file is not there"),
        error => fault::storage(error),
    }
}

/// Reads staged bytes again after the machine was down: what was not synced before may be gone, or be zeros.
///
/// # Errors
/// `BlobUploadUnknown` when they are not those that came.
pub(crate) async fn recognise(crew: &Crew, file: &Arc<File>, stage: &Stage) -> Result<()> {
    let new = Hasher::new(stage.algorithm());
    let found = reread(crew, file, stage.offset(), new, stage.key()).await?;
    if found.finish() == stage.hasher()?.finish() {
        Ok(())
    } else {
        Err(lost("the staged bytes are not those that came"))
    }
}

/// Hashes the first `len` bytes of `file` from the disk, in pieces of work that leave room for others.
///
/// # Errors
/// `BlobUploadUnknown` when there are fewer.
pub(crate) async fn reread(
    crew: &Crew,
    file: &Arc<File>,
    len: u64,
    mut hasher: Hasher,
    at: &Location,
) -> Result<Hasher> {
    tracing::debug!(%at, len, "reading staged bytes again");
    let mut offset = 0;
    while offset < len {
        let (file, end) = (Arc::clone(file), len.min(offset + REREAD));
        hasher = crew
            .run(move || hash_range(&file, offset, end, hasher))
            .await?
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    lost("the staged file ends before the upload's offset")
                }
                _ => fault::storage(error),
            })?;
        offset = end;
    }
    Ok(hasher)
}

pub(crate) fn hash_range(
    file: &File,
    mut offset: u64,
    end: u64,
    mut hasher: Hasher,
) -> io::Result<Hasher> {
    let mut buffer = vec![0; PIECE];
    while offset < end {
        let want = usize::try_from(end - offset).unwrap_or(PIECE).min(PIECE);
        let piece = buffer.get_mut(..want).unwrap_or_default();
        file.read_exact_at(piece, offset)?;
        hasher.update(piece);
        offset += piece.len() as u64;
        std::thread::yield_now();
    }
    Ok(hasher)
}
