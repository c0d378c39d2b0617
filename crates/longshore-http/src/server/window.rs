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

/// Walks over a file in windows. A cold window is brought in on the blocking pool, and the one after it while the first
/// goes out, so that a fast disk is never waited for twice.
#[derive(Debug, Default)]
pub(super) struct Windows {
    now: Option<Window>,
    ahead: Option<Window>,
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
        let mut window = match self.now.take() {
            Some(window) if window.holds(file, offset) => window,
            _ => match self.ahead.take() {
                Some(window) if window.holds(file, offset) => window,
                _ => Window::open(file, offset..end.min(offset.saturating_add(SIZE))),
            },
        };
        if let Some(loading) = &mut window.loading {
            let Poll::Ready(loaded) = Pin::new(loading).poll(cx) else {
                self.now = Some(window);
                return Poll::Pending;
            };
            window.loading = None;
            loaded.map_err(io::Error::other)??;
            let next = window.range.end..end.min(window.range.end.saturating_add(SIZE));
            if !next.is_empty() {
                self.ahead = Some(Window::open(file, next));
            }
        }
        let room = window.range.end - offset;
        self.now = Some(window);
        Poll::Ready(Ok(room.min(len)))
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
    async fn every_byte_is_ready_in_the_end_and_windows_follow_each_other() {
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
        let mut first = true;
        while at < len {
            let room = poll_fn(|cx| windows.poll_ready(cx, &file, at, len - at))
                .await
                .unwrap();
            assert!(room > 0 && room <= SIZE);
            if std::mem::take(&mut first) {
                assert_eq!(
                    windows.ahead.is_some(),
                    cold,
                    "only what is cold is worth a look ahead"
                );
            }
            assert!(resident::is_resident(&file, &(at..at + room)) || !cfg!(target_os = "linux"));
            at += room;
        }
        assert_eq!(at, len);
    }
}
