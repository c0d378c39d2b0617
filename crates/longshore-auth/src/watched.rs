//! Files that are read again when they change.
//!
//! Nothing watches in the background: a request looks, at most once a second, whether the file is still the one that was
//! read. So there is no thread to stop, no limit on watches, and it works on any file system. A file that cannot be used
//! any more (gone, half written, malformed) leaves the last good content in force; an empty but readable file is an
//! answer like any other.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use aws_lc_rs::digest;
use futures_util::future::BoxFuture;

use crate::age::apart;
use crate::options::SetupError;

/// How long what was seen of a file stands.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// File systems keep times in steps of up to two seconds. A file written within the last step may be written again
/// without a new time, so its time proves nothing yet.
const COARSE_TIME: Duration = Duration::from_secs(2);
/// How often a problem that lasts is logged.
const REPEAT_LOG: Duration = Duration::from_mins(1);
/// The largest file that is read.
const MAX_BYTES: u64 = 16 << 20;

/// What a file's bytes mean.
pub(crate) trait Parsed: Sized + Send + Sync + 'static {
    /// Reads the file; the error says what is wrong where, and what to do.
    fn parse(bytes: &[u8]) -> Result<Self, String>;

    /// What the operator should know although the file can be used.
    fn warnings(&self) -> &[String];
}

/// A file's meaning, and which reading of the file it comes from.
#[derive(Debug)]
pub(crate) struct Loaded<T> {
    pub(crate) value: T,
    /// Grows by one with each new content.
    pub(crate) generation: u64,
}

/// A file, the meaning it had when it last had one, and what it looked like then.
pub(crate) struct WatchedFile<T> {
    path: PathBuf,
    current: ArcSwap<Loaded<T>>,
    /// Whether somebody is looking at this moment.
    busy: AtomicBool,
    look: Mutex<Look>,
}

/// Ends a look however it ends.
struct Looking<'a>(&'a AtomicBool);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

struct Look {
    at: SystemTime,
    /// None where the file must be read again whatever it looks like.
    stamp: Option<Stamp>,
    content: digest::Digest,
    trouble: Option<(String, SystemTime)>,
}

/// Everything by which a changed file can be told without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

struct Reading {
    bytes: Vec<u8>,
    stamp: Option<Stamp>,
}

fn stamp(metadata: &std::fs::Metadata) -> Stamp {
    Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

fn read(path: &Path, now: SystemTime) -> io::Result<Reading> {
    let file = File::open(path)?;
    // Before reading: what is written while we read gives another stamp at the next look.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 16 MiB"));
    }
    let settled = apart(now, metadata.modified()?) > COARSE_TIME;
    Ok(Reading {
        bytes,
        stamp: settled.then(|| stamp(&metadata)),
    })
}

fn log_warnings<T: Parsed>(path: &Path, value: &T) {
    for warning in value.warnings() {
        tracing::warn!(file = %path.display(), "{warning}");
    }
}

impl<T: Parsed> WatchedFile<T> {
    /// Reads the file for the first time; `hint` is what to do when it is not there.
    ///
    /// # Errors
    /// The file cannot be read, or means nothing.
    pub(crate) async fn open(
        path: PathBuf,
        hint: &'static str,
        now: SystemTime,
    ) -> Result<Self, SetupError> {
        let at = path.clone();
        let reading = tokio::task::spawn_blocking(move || read(&at, now))
            .await
            .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
            .map_err(|source| SetupError::Unreadable {
                path: path.clone(),
                hint,
                source,
            })?;
        let value = T::parse(&reading.bytes).map_err(|problem| SetupError::Broken {
            path: path.clone(),
            problem,
        })?;
        log_warnings(&path, &value);
        Ok(WatchedFile {
            path,
            current: ArcSwap::from_pointee(Loaded {
                value,
                generation: 0,
            }),
            busy: AtomicBool::new(false),
            look: Mutex::new(Look {
                at: now,
                stamp: reading.stamp,
                content: digest::digest(&digest::SHA256, &reading.bytes),
                trouble: None,
            }),
        })
    }

    /// What the file meant when it could last be used.
    pub(crate) fn current(&self) -> Arc<Loaded<T>> {
        self.current.load_full()
    }

    /// Looks whether the file changed, unless somebody did within the last second, and takes over what is new.
    pub(crate) async fn refresh(self: &Arc<Self>, now: SystemTime) {
        if let Some(under_way) = self.refreshing(now) {
            under_way.await;
        }
    }

    /// The same, where there is something to wait for.
    pub(crate) fn refreshing(self: &Arc<Self>, now: SystemTime) -> Option<BoxFuture<'_, ()>> {
        {
            let mut look = self.lock();
            if apart(now, look.at) < LOOK_EVERY || self.busy.swap(true, Ordering::Acquire) {
                return None;
            }
            look.at = now;
        }
        let file = Arc::clone(self);
        // The look goes on by itself, also when the request that caused it is gone.
        let looked = tokio::task::spawn_blocking(move || {
            let _looking = Looking(&file.busy);
            file.look(now);
        });
        Some(Box::pin(async move {
            if let Err(stopped) = looked.await {
                tracing::error!(file = %self.path.display(), "looking at the file failed: {stopped}");
            }
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Look> {
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, now: SystemTime) {
        let known = self.lock().stamp;
        let same = known.is_some_and(|known| {
            std::fs::metadata(&self.path).is_ok_and(|now| stamp(&now) == known)
        });
        if same {
            let mut look = self.lock();
            self.note(&mut look, None, now);
            return;
        }
        let reading = read(&self.path, now);
        let mut look = self.lock();
        let reading = match reading {
            Ok(reading) => reading,
            Err(problem) => {
                look.stamp = None;
                self.note(
                    &mut look,
                    Some(format!("it cannot be read: {problem}")),
                    now,
                );
                return;
            }
        };
        let content = digest::digest(&digest::SHA256, &reading.bytes);
        if content.as_ref() == look.content.as_ref() {
            look.stamp = reading.stamp;
            self.note(&mut look, None, now);
            return;
        }
        match T::parse(&reading.bytes) {
            Ok(value) => {
                log_warnings(&self.path, &value);
                let generation = self.current.load().generation + 1;
                self.current.store(Arc::new(Loaded { value, generation }));
                look.stamp = reading.stamp;
                look.content = content;
                self.note(&mut look, None, now);
                tracing::info!(file = %self.path.display(), "the changed file is in force");
            }
            Err(problem) => {
                // Without a stamp the next look reads again, so a file that is still being written is soon complete.
                look.stamp = None;
                self.note(&mut look, Some(problem), now);
            }
        }
    }

    /// Logs a problem when it is new and from time to time while it lasts.
    fn note(&self, look: &mut Look, trouble: Option<String>, now: SystemTime) {
        let Some(problem) = trouble else {
            if look.trouble.take().is_some() {
                tracing::info!(file = %self.path.display(), "the file can be used again");
            }
            return;
        };
        let known = look
            .trouble
            .as_ref()
            .is_some_and(|(before, logged)| *before == problem && apart(now, *logged) < REPEAT_LOG);
        if !known {
            tracing::error!(
                file = %self.path.display(),
                "the file changed and cannot be used, what was read before stays in force: {problem}"
            );
            look.trouble = Some((problem, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Number(u32);

    impl Parsed for Number {
        fn parse(bytes: &[u8]) -> Result<Self, String> {
            let text = std::str::from_utf8(bytes).map_err(|_| "not text".to_owned())?;
            text.trim()
                .parse()
                .map(Number)
                .map_err(|_| format!("{text:?} is not a number"))
        }

        fn warnings(&self) -> &[String] {
            &[]
        }
    }

    async fn opened(path: &Path, now: SystemTime) -> Arc<WatchedFile<Number>> {
        Arc::new(
            WatchedFile::open(path.to_owned(), "make it", now)
                .await
                .unwrap(),
        )
    }

    #[tokio::test]
    async fn a_changed_file_is_in_force_after_a_second_and_a_broken_one_never() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n");
        std::fs::write(&path, "1").unwrap();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
        let at = |seconds| start + Duration::from_secs(seconds);
        let file = opened(&path, start).await;

        std::fs::write(&path, "2").unwrap();
        file.refresh(start).await;
        assert_eq!(file.current().value.0, 1, "looked too early");
        file.refresh(at(1)).await;
        assert_eq!((file.current().value.0, file.current().generation), (2, 1));

        std::fs::write(&path, "broken").unwrap();
        file.refresh(at(2)).await;
        assert_eq!(file.current().value.0, 2);
        std::fs::remove_file(&path).unwrap();
        file.refresh(at(3)).await;
        assert_eq!(file.current().value.0, 2);

        std::fs::write(&path, "3").unwrap();
        file.refresh(at(4)).await;
        assert_eq!((file.current().value.0, file.current().generation), (3, 2));
    }

    #[tokio::test]
    async fn a_second_write_within_the_step_of_the_file_times_is_not_missed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n");
        std::fs::write(&path, "1").unwrap();
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        let file = opened(&path, written).await;
        assert!(file.lock().stamp.is_none());

        // Same size, same time, same inode: only the content tells.
        std::fs::write(&path, "2").unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(written)
            .unwrap();
        file.refresh(written + Duration::from_secs(1)).await;
        assert_eq!(file.current().value.0, 2);
        file.refresh(written + Duration::from_secs(4)).await;
        assert!(
            file.lock().stamp.is_some(),
            "once the time has passed the stamp is trusted"
        );
        assert_eq!(
            file.current().generation,
            1,
            "reading the same content again is no change"
        );
    }

    #[tokio::test]
    async fn a_file_that_is_missing_at_the_start_is_an_error_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let Err(error) =
            WatchedFile::<Number>::open(dir.path().join("none"), "make it", SystemTime::UNIX_EPOCH)
                .await
        else {
            panic!("there is no such file")
        };
        assert!(
            error.to_string().ends_with("none cannot be read; make it"),
            "{error}"
        );
    }
}
