//! Regions of files turned into bytes that may be touched, for connections without sendfile.

use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use longshore_core::ByteStream;
use tokio::task::JoinHandle;

use super::buffers::{Buffer, Piece};
use super::resident;

/// Bytes after which the other connections of the worker get a turn: what was read is encrypted on the same thread, and
/// a socket that takes everything never makes it pause.
const TURN: u64 = 1 << 20;

/// A stream whose regions are replaced by what is read from their files: in line when it is in memory, on the blocking
/// pool when it is not. A file that is shorter than its region is an error, never an early end.
pub(super) struct Copied {
    inner: ByteStream,
    piece: Piece,
    rest: Option<Rest>,
    turn: u64,
}

/// What is still to be read of a region.
struct Rest {
    file: Arc<File>,
    range: Range<u64>,
    /// Keeps the region's owner alive: what holds the blob against deletion may hang on it.
    region: Bytes,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Copied {
    pub(super) fn new(inner: ByteStream, piece: Piece) -> Self {
        Self {
            inner,
            piece,
            rest: None,
            turn: 0,
        }
    }
}

impl Stream for Copied {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(rest) = &mut this.rest {
                if !rest.range.is_empty() {
                    if this.turn >= TURN {
                        this.turn = 0;
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    let piece = ready!(rest.poll_read(cx, this.piece));
                    match &piece {
                        Ok(bytes) => this.turn += bytes.len() as u64,
                        Err(error) => {
                            longshore_region::report(&rest.region, error);
                            this.rest = None;
                        }
                    }
                    return Poll::Ready(Some(piece));
                }
                this.rest = None;
            }
            match ready!(this.inner.as_mut().poll_next(cx)) {
                Some(Ok(bytes)) => match longshore_region::find(&bytes) {
                    Some(part) => {
                        let range = part.offset..part.offset.saturating_add(bytes.len() as u64);
                        this.rest = Some(Rest {
                            file: part.file,
                            range,
                            region: bytes,
                            reading: None,
                        });
                    }
                    None => return Poll::Ready(Some(Ok(bytes))),
                },
                other => return Poll::Ready(other),
            }
        }
    }
}

impl Rest {
    fn poll_read(&mut self, cx: &mut Context<'_>, piece: Piece) -> Poll<io::Result<Bytes>> {
        let piece = ready!(self.poll_piece(cx, piece))?;
        if piece.is_empty() {
            let error = io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file of a blob is shorter than the blob",
            );
            return Poll::Ready(Err(error));
        }
        self.range.start += piece.len() as u64;
        Poll::Ready(Ok(piece))
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>, piece: Piece) -> Poll<io::Result<Bytes>> {
        let reading = if let Some(reading) = &mut self.reading {
            reading
        } else {
            let mut buffer = Buffer::take(piece);
            let space = buffer.space(self.range.end - self.range.start);
            if let Some(read) = resident::read_resident(&self.file, space, self.range.start)? {
                return Poll::Ready(Ok(buffer.freeze(read)));
            }
            let (file, range) = (Arc::clone(&self.file), self.range.clone());
            let read = move || read_cold(&file, &range, buffer);
            self.reading.insert(tokio::task::spawn_blocking(read))
        };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(read.map_err(io::Error::other)?)
    }
}

/// Reads one piece. The kernel reads ahead of whoever reads in order.
fn read_cold(file: &File, range: &Range<u64>, mut buffer: Buffer) -> io::Result<Bytes> {
    let space = buffer.space(range.end - range.start);
    let mut filled = 0;
    while let Some(rest) = space.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, range.start + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer.freeze(filled))
}
