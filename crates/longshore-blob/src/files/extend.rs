//! Bodies into stages, by one of two lanes.
//!
//! A small body is hashed and written on the task that receives it, with a pause every 128 KiB so that others get their
//! turn. A large one, and one that has turned out to be large, goes in batches to the hashing crew's threads, which run at
//! a lower priority than those that serve requests: hashing alone would otherwise take a core from everybody else for
//! seconds. While a batch is away the next one is received.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use longshore_core::{ByteStream, Code, Error, Result};
use tokio::sync::oneshot;

use super::crew::Crew;
use super::fault;
use super::writer::{PIECE, Writer};

/// Up to how many bytes a body is small.
const SMALL: u64 = 1 << 20;

/// When a batch goes to the crew: so many bytes, or so many frames (a frame may pin a buffer larger than itself). Two
/// batches are all an upload holds of memory.
const BATCH_BYTES: usize = 1 << 20;
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
    batch: Vec<Bytes>,
    batch_bytes: usize,
    since_pause: usize,
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
            place: Place::Here(Box::new(writer)),
            lanes,
            large: is_large.then(|| lanes.enter()),
            batch: Vec::new(),
            batch_bytes: 0,
            since_pause: 0,
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
            if self.large.is_some() {
                self.put(frame).await?;
            } else {
                self.write(&frame).await?;
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
        let mut result = self.send().await;
        let back = self.back().await;
        if result.is_ok() {
            result = back;
        }
        match self.place {
            Place::Here(writer) => (Some(writer), result),
            Place::Away(_) | Place::Lost => (None, result),
        }
    }

    /// The lane of small bodies.
    async fn write(&mut self, frame: &[u8]) -> Result<()> {
        for piece in frame.chunks(PIECE) {
            let Place::Here(writer) = &mut self.place else {
                return Err(work_lost());
            };
            writer.write(piece).map_err(fault::storage)?;
            self.since_pause += piece.len();
            if self.since_pause >= PIECE {
                self.since_pause = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// The lane of large bodies.
    async fn put(&mut self, frame: Bytes) -> Result<()> {
        self.batch_bytes += frame.len();
        self.batch.push(frame);
        let most = self.large.as_ref().map_or(BATCH_BYTES, Large::batch);
        if self.batch_bytes >= most || self.batch.len() >= BATCH_FRAMES {
            self.send().await
        } else {
            Ok(())
        }
    }

    /// Sends the batch away, after the one before has come back.
    async fn send(&mut self) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        // The batch is dropped when the one before has failed.
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        self.back().await?;
        match std::mem::replace(&mut self.place, Place::Lost) {
            Place::Here(mut writer) => {
                self.place = Place::Away(self.crew.start(move || {
                    let result = write(&mut writer, &batch);
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
        result.map_err(fault::storage)
    }
}

/// Writes a batch on a thread of the crew, which steps back after each piece if its core has something else to do: woken beside a thread
/// that answers requests it would keep them waiting for all of a batch, since the system looks again at who runs only at its next tick.
fn write(writer: &mut Writer, batch: &[Bytes]) -> std::io::Result<()> {
    let mut since_pause = 0;
    for piece in batch.iter().flat_map(|frame| frame.chunks(PIECE)) {
        writer.write(piece)?;
        since_pause += piece.len();
        if since_pause >= PIECE {
            since_pause = 0;
            std::thread::yield_now();
        }
    }
    Ok(())
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
    use super::*;

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
}
