//! How much of a file may be sent now without waiting for the disk.

use std::fs::File;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use tokio::task::JoinHandle;

use super::resident;

/// Bytes asked for and sent at a time.
pub(super) const SIZE: u64 = 2 << 20;

/// How far the disk is kept busy ahead of what is sent of a cold file: enough for one that answers late and fast.
const AHEAD: u64 = 8 * SIZE;

/// After how many bytes a reader says how far it is.
const STEP: u64 = SIZE / 2;

/// Walks over a file in windows. As long as it is in memory a window costs a question; once a cold one is met, a thread that
/// may wait for the disk goes ahead of what is sent.
#[derive(Debug, Default)]
pub(super) struct Windows {
    now: Option<Window>,
    reader: Option<Reader>,
}

/// A stretch that was found in memory.
#[derive(Debug)]
struct Window {
    file: Arc<File>,
    end: u64,
}

impl Windows {
    /// How many of the `len` bytes of `file` at `offset` may be sent without waiting: at least 1.
    ///
    /// # Errors
    /// Those of the disk.
    pub(super) fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        file: &Arc<File>,
        offset: u64,
        len: u64,
    ) -> Poll<io::Result<u64>> {
        if let Some(reader) = self
            .reader
            .as_mut()
            .filter(|reader| reader.follows(file, offset))
        {
            let room = ready!(reader.poll_room(cx, offset))?;
            return Poll::Ready(Ok(room.min(SIZE).min(len)));
        }
        self.reader = None;
        let last = self.now.take().filter(|last| Arc::ptr_eq(&last.file, file));
        if let Some(window) = last
            .as_ref()
            .filter(|last| offset < last.end && last.end - offset <= SIZE)
        {
            let room = window.end - offset;
            self.now = last;
            return Poll::Ready(Ok(room.min(len)));
        }
        let end = offset.saturating_add(len.min(SIZE));
        if resident::is_resident(file, &(offset..end)) {
            self.now = Some(Window {
                file: Arc::clone(file),
                end,
            });
            return Poll::Ready(Ok(end - offset));
        }
        // Not far for the first: a client that wants a small part of a large blob makes the disk read that part.
        let goes_on = last.is_some_and(|last| last.end == offset);
        let goal = if goes_on {
            offset.saturating_add(AHEAD)
        } else {
            end
        };
        let reader = self
            .reader
            .insert(Reader::new(Arc::clone(file), offset, goal));
        let room = ready!(reader.poll_room(cx, offset))?;
        Poll::Ready(Ok(room.min(len)))
    }
}

/// Brings a file into memory in order, ahead of whoever sends it. There is one for a sender: two would make the kernel
/// believe that the file is read here and there, and have it read little at a time.
#[derive(Debug)]
struct Reader {
    file: Arc<File>,
    start: u64,
    shared: Arc<Progress>,
    reading: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Debug)]
struct Progress {
    /// Up to where the file was brought in.
    done: AtomicU64,
    /// Up to where it is to be brought in.
    goal: AtomicU64,
    sender: AtomicWaker,
}

impl Reader {
    fn new(file: Arc<File>, start: u64, goal: u64) -> Self {
        let shared = Arc::new(Progress {
            done: AtomicU64::new(start),
            goal: AtomicU64::new(goal),
            sender: AtomicWaker::new(),
        });
        Self {
            file,
            start,
            shared,
            reading: None,
        }
    }

    /// Whether what is sent now is what this one was made for.
    fn follows(&self, file: &Arc<File>, offset: u64) -> bool {
        let done = self.shared.done.load(Ordering::Acquire);
        Arc::ptr_eq(&self.file, file) && (self.start..=done).contains(&offset)
    }

    /// How many bytes behind `offset` are in memory: at least 1.
    fn poll_room(&mut self, cx: &mut Context<'_>, offset: u64) -> Poll<io::Result<u64>> {
        if offset > self.start {
            self.keep_ahead(offset);
        }
        loop {
            let room = self.room(offset);
            if room > 0 {
                return Poll::Ready(Ok(room));
            }
            let mut reading = self.reading.take().unwrap_or_else(|| self.read());
            self.shared.sender.register(cx.waker());
            if let Poll::Ready(end) = Pin::new(&mut reading).poll(cx) {
                end.map_err(io::Error::other)??;
                continue;
            }
            self.reading = Some(reading);
            // It may have gone on before the waker was there.
            if self.room(offset) == 0 {
                return Poll::Pending;
            }
        }
    }

    /// Goes on reading on a thread that may wait for the disk.
    fn read(&self) -> JoinHandle<io::Result<()>> {
        let (file, shared) = (Arc::clone(&self.file), Arc::clone(&self.shared));
        tokio::task::spawn_blocking(move || shared.read(&file))
    }

    fn room(&self, offset: u64) -> u64 {
        let done = self.shared.done.load(Ordering::Acquire);
        done.saturating_sub(offset)
    }

    /// Sets the goal further, half of [`AHEAD`] at a time. Behind the end of the file there is nothing to read, and asking
    /// costs nothing.
    fn keep_ahead(&mut self, offset: u64) {
        let goal = self.shared.goal.load(Ordering::Relaxed);
        if goal.saturating_sub(offset) >= AHEAD / 2 {
            return;
        }
        self.shared
            .goal
            .store(offset.saturating_add(AHEAD), Ordering::Release);
        // What kept the last one from its goal, if anything did, the next one meets too.
        if self.reading.as_ref().is_none_or(JoinHandle::is_finished) {
            self.reading = Some(self.read());
        }
    }
}

impl Progress {
    /// Reads up to the goal, wherever that is by then.
    fn read(&self, file: &File) -> io::Result<()> {
        loop {
            let at = self.done.load(Ordering::Relaxed);
            let goal = self.goal.load(Ordering::Acquire);
            if at >= goal {
                return Ok(());
            }
            let end = goal.min(at.saturating_add(STEP));
            resident::warm(file, at..end)?;
            self.done.store(end, Ordering::Release);
            self.sender.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn every_byte_is_ready_in_the_end_and_only_a_cold_file_is_read_ahead() {
        let mut file =
            tempfile::tempfile_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
        let len = 2 * SIZE + 10;
        file.write_all(&vec![1; usize::try_from(len).unwrap()])
            .unwrap();
        file.sync_all().unwrap();
        #[cfg(target_os = "linux")]
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        let file = Arc::new(file);
        let cold = !resident::is_resident(&file, &(0..SIZE));
        let mut windows = Windows::default();
        let mut at = 7;
        while at < len {
            let room = poll_fn(|cx| windows.poll_ready(cx, &file, at, len - at))
                .await
                .unwrap();
            assert!(room > 0 && room <= SIZE);
            match &windows.reader {
                None => assert!(!cold, "a cold file is read by somebody who may wait"),
                Some(reader) => {
                    let goal = reader.shared.goal.load(Ordering::Relaxed);
                    assert!(cold);
                    assert!(at > 7 || goal == 7 + SIZE, "no more than was asked for");
                    assert!(at == 7 || goal >= at + AHEAD / 2, "ahead of who goes on");
                }
            }
            assert!(resident::is_resident(&file, &(at..at + room)) || !cfg!(target_os = "linux"));
            at += room;
        }
        assert_eq!(at, len);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_an_error_and_not_waited_for() {
        // A directory opens and gives no bytes.
        let file = Arc::new(File::open(std::env::temp_dir()).unwrap());
        let mut windows = Windows::default();
        let room = poll_fn(|cx| windows.poll_ready(cx, &file, 0, 10)).await;
        assert!(room.is_err());
    }

    #[tokio::test]
    async fn who_jumps_about_is_followed() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![1; 1 << 20]).unwrap();
        let file = Arc::new(file);
        let mut windows = Windows::default();
        for at in [900_000, 5, 500_000, 500_100, 0] {
            let room = poll_fn(|cx| windows.poll_ready(cx, &file, at, 100))
                .await
                .unwrap();
            assert_eq!(room, 100, "at {at}");
        }
    }
}
