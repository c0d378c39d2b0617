//! The store on a local disk, from outside: real files in a directory of the test's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod disk;
mod examine;
mod extend;
mod kill;
mod open;
mod publish;
mod read;
mod split;
mod walk;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use longshore_blob::{BlobStore, Files, FilesOptions, Location, OpenError, Stage, Stored};
use longshore_core::ByteStream;
use longshore_spec::{Algorithm, Digest};
use tempfile::TempDir;

/// A store and the directory it is in, which goes with it.
struct Home {
    files: Files,
    dir: TempDir,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            files: Files::open(&options(dir.path())).unwrap(),
            dir,
        }
    }

    /// The same store after a restart.
    fn again(self) -> Self {
        let Self { files, dir } = self;
        drop(files);
        // A process that another test is just starting has this one's lock too, until it becomes its program.
        let mut tries = 0..100;
        let files = loop {
            match Files::open(&options(dir.path())) {
                Err(OpenError::InUse { .. }) if tries.next().is_some() => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                opened => break opened.unwrap(),
            }
        };
        Self { files, dir }
    }

    fn path(&self, at: &Location) -> PathBuf {
        self.dir.path().join(at.as_str())
    }

    async fn stage(&self) -> Stage {
        self.files.stage(Algorithm::Sha256, now()).await.unwrap()
    }

    async fn push(&self, content: &[u8]) -> Stored {
        let mut stage = self.stage().await;
        self.files
            .extend(&mut stage, whole(content), None, u64::MAX)
            .await
            .unwrap();
        self.files.publish(&stage, &sha256(content)).await.unwrap()
    }

    async fn get(&self, stored: &Stored) -> Vec<u8> {
        collect(
            self.files
                .read(&stored.location, stored.size, 0..stored.size)
                .await
                .unwrap(),
        )
        .await
    }
}

/// Tests run wherever the directory for temporary files is, also in memory.
fn options(root: &std::path::Path) -> FilesOptions {
    FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(root)
    }
}

/// 2026-11-21, 10:26 UTC.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_256_761)
}

fn sha256(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

/// Bytes without a period that a piece, a frame or a page could have.
fn content(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(len)
    .collect()
}

/// A body in frames as a connection gives them.
fn whole(content: &[u8]) -> ByteStream {
    frames(content.chunks(60_000))
}

fn frames<'a>(frames: impl Iterator<Item = &'a [u8]>) -> ByteStream {
    let frames: Vec<_> = frames
        .map(|frame| Ok(Bytes::copy_from_slice(frame)))
        .collect();
    Box::pin(stream::iter(frames))
}

/// A body that breaks off after `content`.
fn torn(content: &[u8]) -> ByteStream {
    Box::pin(whole(content).chain(stream::iter([Err(io::ErrorKind::ConnectionReset.into())])))
}

/// A body that stops after `content` and never says more.
fn stuck(content: &[u8]) -> ByteStream {
    Box::pin(whole(content).chain(stream::pending()))
}

async fn collect(body: ByteStream) -> Vec<u8> {
    body.try_fold(Vec::new(), |mut all, frame| async move {
        all.extend_from_slice(&frame);
        Ok(all)
    })
    .await
    .unwrap()
}

/// Returns when no descriptor of this process is of a path with `place` in it. What the kernel or a thread still has to do
/// takes a moment; what is forgotten stays for ever.
async fn closed(place: &str) {
    let open = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok())
            .any(|to| to.to_string_lossy().contains(place))
    };
    for _ in 0..5000 {
        if !open() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{place} stays open");
}
