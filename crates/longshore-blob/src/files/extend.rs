//! Bodies into stages, by one of two lanes.
//!
//! A small body is hashed and written on the task that receives it, in pieces of 128 KiB with a pause behind each so that others get
//! their turn. A large one, and one that has turned out to be large, goes in batches to the hashing crew's threads, which run at
//! a lower priority than those that serve requests: hashing alone would otherwise take a core from everybody else for
//! seconds. While a batch is away the next one is received.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_core::{ByteStream, Code, Error, Result};
use tokio::sync::oneshot;

use super::batch::Batch;
use super::crew::Crew;
use super::fault;
use super::writer::{PIECE, STRETCH, Writer};

/// Up to how many bytes a body is small.
const SMALL: u64 = 1 << 20;

/// When a batch goes to the crew: so many bytes, or so many frames (a frame may pin a buffer larger than itself). Two
/// batches are all an upload holds of memory.
const BATCH_BYTES: usize = STRETCH;
const BATCH_FRAMES: usize = 64;

/// What the batches of all uploads hold together, in bytes, until each is as small as is worth a thread's turn: many
/// uploads at once get smaller ones, because together they keep the crew as busy.
const ALL_BATCHES: usize = 24 << 20;
const LEAST_BATCH: usize = PIECE;

/// How many large bodies are being received.
#[derive(Debug, Default)]
pub(crate) struct Lanes(AtomicUsize);

impl Lanes {
    fn enter(&self) -> Large<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Large(self)
    }
}

/// One of them.
struct Large<'a>(&'a Lanes);

impl Large<'_> {
    /// After how many bytes a batch goes to the crew.
    fn batch(&self) -> usize {
        let uploads = self.0.0.load(Ordering::Relaxed).max(1);
        (ALL_BATCHES / 2 / uploads).clamp(LEAST_BATCH, BATCH_BYTES)
    }
}

impl Drop for Large<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A writer and the way bytes get to it.
pub(crate) struct Lane<'a> {
    crew: &'a Crew,
    place: Place,
    lanes: &'a Lanes,
    /// Whether bytes go through the crew.
    large: Option<Large<'a>>,
    batch: Batch,
}

enum Place {
    Here(Box<Writer>),
    Away(oneshot::Receiver<(Box<Writer>, std::io::Result<()>)>),
    /// The thread that had it panicked, or none could be started. What it wrote lies behind the stage's offset.
    Lost,
}

impl<'a> Lane<'a> {
    pub(crate) fn new(crew: &'a Crew, lanes: &'a Lanes, writer: Writer, size: Option<u64>) -> Self {
        let is_large = size.is_some_and(|size| size > SMALL);
        Self {
            crew,
            batch: Batch::new(writer.offset),
            place: Place::Here(Box::new(writer)),
            lanes,
            large: is_large.then(|| lanes.enter()),
        }
    }

    /// Adds what comes of `body`, as far as it is within `size` and `most`.
    pub(crate) async fn take(
        &mut self,
        body: &mut ByteStream,
        size: Option<u64>,
        most: u64,
    ) -> Result<()> {
        let mut taken = 0_u64;
        while let Some(frame) = poll_fn(|cx| Pin::as_mut(body).poll_next(cx)).await {
            let frame = frame.map_err(broken_off)?;
            taken = taken.saturating_add(frame.len() as u64);
            if taken > most {
                return Err(too_large());
            }
            if size.is_some_and(|size| taken > size) {
                return Err(Error::new(
                    Code::SizeInvalid,
                    "more bytes came than the request announced",
                ));
            }
            if self.large.is_none() && taken > SMALL {
                self.large = Some(self.lanes.enter());
            }
            self.batch.push(frame);
            if self.large.is_some() {
                self.put().await?;
            } else {
                self.write().await?;
            }
        }
        match size {
            Some(size) if taken < size => Err(Error::new(
                Code::SizeInvalid,
                "fewer bytes came than the request announced",
            )),
            _ => Ok(()),
        }
    }

    /// Writes the rest and gives the writer back; `None` when it was lost. A failure to write does not hide it.
    pub(crate) async fn finish(mut self) -> (Option<Box<Writer>>, Result<()>) {
        let rest = self.batch.len();
        let mut result = if self.large.is_some() {
            self.send(rest).await
        } else {
            self.write_first(rest)
        };
        let back = self.back().await;
        if result.is_ok() {
            result = back;
        }
        match self.place {
            Place::Here(writer) => (Some(writer), result),
            Place::Away(_) | Place::Lost => (None, result),
        }
    }

    /// The lane of small bodies: writes each piece that is whole.
    async fn write(&mut self) -> Result<()> {
        loop {
            let len = match self.batch.first() {
                Some(len) => len,
                None if self.batch.parts() >= BATCH_FRAMES => self.batch.len(),
                None => return Ok(()),
            };
            self.write_first(len)?;
            tokio::task::yield_now().await;
        }
    }

    /// Writes the first `len` bytes of the batch here.
    fn write_first(&mut self, len: usize) -> Result<()> {
        let Place::Here(writer) = &mut self.place else {
            return Err(work_lost());
        };
        let parts = self.batch.take(len);
        let result = writer.write(&parts, || ());
        self.written(result)
    }

    /// How it went. What comes behind bytes that could not be written is dropped: it would be written in their place.
    fn written(&mut self, result: std::io::Result<()>) -> Result<()> {
        result.map_err(|error| {
            self.batch.take(self.batch.len());
            fault::storage(error)
        })
    }

    /// The lane of large bodies.
    async fn put(&mut self) -> Result<()> {
        let most = self.large.as_ref().map_or(BATCH_BYTES, Large::batch);
        if self.batch.len() >= most || self.batch.parts() >= BATCH_FRAMES {
            // The largest unit that a batch of this length always has an end of.
            let unit = 1 << most.ilog2();
            let whole = self.batch.whole(unit);
            self.send(if whole > 0 { whole } else { self.batch.len() })
                .await
        } else {
            Ok(())
        }
    }

    /// Sends the first `len` bytes of the batch away, after those before have come back.
    async fn send(&mut self, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        // They are dropped when those before have failed.
        let batch = self.batch.take(len);
        self.back().await?;
        match std::mem::replace(&mut self.place, Place::Lost) {
            Place::Here(mut writer) => {
                self.place = Place::Away(self.crew.start(move || {
                    // It steps back after each piece if its core has something else to do: woken beside a thread that answers
                    // requests it would keep them waiting for all of a batch, since the system looks again at who runs only at its
                    // next tick.
                    let result = writer.write(&batch, std::thread::yield_now);
                    (writer, result)
                }));
                Ok(())
            }
            Place::Away(_) | Place::Lost => Err(work_lost()),
        }
    }

    /// Waits until the writer is back.
    async fn back(&mut self) -> Result<()> {
        let Place::Away(receiver) = &mut self.place else {
            return Ok(());
        };
        let answer = receiver.await;
        let Ok((writer, result)) = answer else {
            self.place = Place::Lost;
            return Err(work_lost());
        };
        self.place = Place::Here(writer);
        self.written(result)
    }
}

/// Nobody can say what was written.
fn work_lost() -> Error {
    Error::internal("the thread that wrote an upload was lost")
}

pub(crate) fn too_large() -> Error {
    Error::new(
        Code::TooLarge,
        "the content is larger than this registry takes",
    )
}

/// An item of a body that is an error: what an edge put into it, or that the sender is gone.
fn broken_off(error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => {
            Error::new(Code::BodyLost, "the body broke off; go on from the offset").because(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use bytes::Bytes;
    use futures_util::stream;
    use longshore_core::Room;
    use longshore_spec::{Algorithm, Digest};
    use tempfile::TempDir;

    use super::super::{Files, FilesOptions};
    use super::*;
    use crate::BlobStore as _;

    #[test]
    fn the_batches_of_many_uploads_together_hold_what_those_of_a_few_do() {
        let lanes = Lanes::default();
        let first = lanes.enter();
        assert_eq!(first.batch(), BATCH_BYTES);
        let mut others: Vec<_> = (1..64).map(|_| lanes.enter()).collect();
        assert!(2 * 64 * first.batch() <= ALL_BATCHES);
        others.extend((0..10_000).map(|_| lanes.enter()));
        assert_eq!(first.batch(), LEAST_BATCH);
        others.clear();
        assert_eq!(first.batch(), BATCH_BYTES);
    }

    /// A lane of `crew` into a new stage, for a body of `size` bytes, and whether there is room.
    async fn lane<'a>(files: &'a Files, crew: &'a Crew, size: u64) -> (Lane<'a>, Room) {
        let stage = files.stage(Algorithm::Sha256, SystemTime::UNIX_EPOCH);
        let stage = stage.await.unwrap();
        let (seat, hold) = files.seats.take(stage.key(), 0).await.unwrap();
        let (room, gone) = (Room::default(), hold.watch());
        // The request is not gone before it is told so.
        std::mem::forget(hold);
        let root = &files.maker.root;
        let writer = Writer::new(root, &stage, seat, gone, Some(room.clone())).unwrap();
        (Lane::new(crew, &files.lanes, writer, Some(size)), room)
    }

    fn files(dir: &TempDir) -> Files {
        Files::open(&FilesOptions {
            unsafe_storage: true,
            ..FilesOptions::new(dir.path())
        })
        .unwrap()
    }

    #[tokio::test]
    async fn what_comes_behind_bytes_that_could_not_be_written_is_not_written_in_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        for size in [SMALL, 4 * SMALL] {
            let (mut lane, room) = lane(&files, &files.hashing, size).await;
            // Parts that end behind a piece, so that something is left when the first of them cannot be written.
            let part = Bytes::from(vec![7; usize::try_from(size / 4).unwrap() + 5]);
            let mut body: ByteStream = Box::pin(stream::repeat_with(move || Ok(part.clone())));
            room.ran_out();
            assert!(lane.take(&mut body, None, u64::MAX).await.is_err());
            room.is_back();
            let (writer, _) = lane.finish().await;
            assert_eq!(writer.unwrap().offset, 0);
        }
    }

    #[tokio::test]
    async fn parts_without_bytes_are_taken_like_others() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        for (size, parts) in [(0, &[0][..]), (0, &[0, 0]), (9, &[0, 4, 0, 5, 0])] {
            for announced in [size, 4 * SMALL] {
                let (mut lane, _room) = lane(&files, &files.hashing, announced).await;
                let parts: Vec<_> = parts.iter().map(|len| Ok(vec![7; *len].into())).collect();
                let mut body: ByteStream = Box::pin(stream::iter(parts));
                lane.take(&mut body, Some(size), u64::MAX).await.unwrap();
                let (writer, written) = lane.finish().await;
                written.unwrap();
                assert_eq!(writer.unwrap().offset, size);
            }
        }
    }

    #[tokio::test]
    async fn who_writes_a_stretch_steps_back_after_each_piece_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(&dir);
        let (lane, _room) = lane(&files, &files.hashing, 2 * SMALL).await;
        let Place::Here(mut writer) = lane.place else {
            panic!("it is not away");
        };
        let parts = [PIECE / 2, STRETCH, 5].map(|len| Bytes::from(vec![7; len]));
        let steps = std::cell::Cell::new(0);
        writer.write(&parts, || steps.set(steps.get() + 1)).unwrap();
        // A stretch of the file, and what lies behind it.
        assert_eq!(steps.get(), STRETCH / PIECE + 1);
        assert_eq!(writer.offset, (PIECE / 2 + STRETCH + 5) as u64);
        let whole = parts.concat();
        assert_eq!(
            writer.hasher.finish(),
            Digest::of(Algorithm::Sha256, &whole)
        );
    }

    #[tokio::test]
    async fn a_small_body_is_written_to_its_end_without_the_crew() {
        let dir = tempfile::tempdir().unwrap();
        let (files, crew) = (files(&dir), Crew::new("nobody", 1, 0));
        let size = PIECE as u64 + 5;
        let (mut lane, _room) = lane(&files, &crew, size).await;
        let mut body = longshore_core::body::once(Bytes::from(vec![7; PIECE + 5]));
        lane.take(&mut body, Some(size), u64::MAX).await.unwrap();
        let (writer, written) = lane.finish().await;
        written.unwrap();
        assert_eq!(writer.unwrap().offset, size);
        assert_eq!(crew.threads(), 0);
    }
}
