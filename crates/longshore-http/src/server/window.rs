//! How much of a file may be sent now without waiting for the disk.

use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use super::resident;

/// Bytes asked for, brought in and sent at a time.
pub(super) const SIZE: u64 = 2 << 20;

/// How far the disk is kept busy ahead of what is sent of a cold file: enough for one that answers late and fast.
const AHEAD: u64 = 8 * SIZE;

/// Walks over a file in windows. A cold window is brought in on the blocking pool, and once there was one the kernel is
/// asked for what follows before it is needed, so that a fast disk is not waited for at each window.
#[derive(Debug, Default)]
pub(super) struct Windows {
    now: Option<Window>,
    /// Once the file was found cold: the first byte of it that the kernel was not asked for.
    asked: Option<u64>,
}

#[derive(Debug)]
struct Window {
    file: Arc<File>,
    range: Range<u64>,
    loading: Option<JoinHandle<io::Result<()>>>,
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
        let end = offset.saturating_add(len);
        let last = self.now.take();
        let goes_on = |last: &Window| Arc::ptr_eq(&last.file, file) && last.range.end == offset;
        let mut window = match last {
            Some(window) if window.holds(file, offset) => window,
            last => {
                let window = Window::open(file, offset..end.min(offset.saturating_add(SIZE)));
                // Not for the first: a client that wants a small part of a large blob makes the disk read that part.
                if last.as_ref().is_some_and(goes_on) {
                    self.look_ahead(file, offset, window.loading.is_some());
                } else {
                    self.asked = None;
                }
                window
            }
        };
        if let Some(loading) = &mut window.loading {
            let Poll::Ready(loaded) = Pin::new(loading).poll(cx) else {
                self.now = Some(window);
                return Poll::Pending;
            };
            window.loading = None;
            loaded.map_err(io::Error::other)??;
        }
        let room = window.range.end - offset;
        self.now = Some(window);
        Poll::Ready(Ok(room.min(len)))
    }

    /// Has the kernel begin to read what follows `offset` once the file was found cold, half of [`AHEAD`] at a time.
    /// Behind the end of the file there is nothing to read, and asking costs nothing.
    fn look_ahead(&mut self, file: &Arc<File>, offset: u64, cold: bool) {
        let Some(asked) = self.asked.or(cold.then_some(offset)) else {
            return;
        };
        self.asked = Some(asked);
        let range = asked.max(offset)..offset.saturating_add(AHEAD);
        if range.end.saturating_sub(range.start) < AHEAD / 2 {
            return;
        }
        self.asked = Some(range.end);
        let file = Arc::clone(file);
        // Nobody waits for it: what it has not brought in when it is needed is waited for then.
        drop(tokio::task::spawn_blocking(move || {
            resident::read_ahead(&file, &range);
        }));
    }
}

impl Window {
    fn open(file: &Arc<File>, range: Range<u64>) -> Self {
        let cold = !resident::is_resident(file, &range);
        let loading = cold.then(|| {
            let (file, range) = (Arc::clone(file), range.clone());
            tokio::task::spawn_blocking(move || resident::warm(&file, range))
        });
        Self {
            file: Arc::clone(file),
            range,
            loading,
        }
    }

    fn holds(&self, file: &Arc<File>, offset: u64) -> bool {
        Arc::ptr_eq(&self.file, file) && self.range.contains(&offset)
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
            match windows.asked {
                None => assert!(
                    at < SIZE || !cold,
                    "a cold file is read ahead from its second window on"
                ),
                Some(asked) => assert!(cold && at >= SIZE && asked >= at + AHEAD / 2),
            }
            assert!(resident::is_resident(&file, &(at..at + room)) || !cfg!(target_os = "linux"));
            at += room;
        }
        assert_eq!(at, len);
    }
}
