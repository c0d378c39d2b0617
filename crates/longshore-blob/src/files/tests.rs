//! What cannot be brought about from outside: syncs that fail, counted syncs, and a machine that was down in between.

use std::fs::File;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::join_all;
use longshore_core::{Code, body};
use longshore_spec::{Algorithm, Digest};
use rustix::io::Errno;
use tempfile::TempDir;

use super::syncs::Barrier;
use super::{Files, FilesOptions};
use crate::{BlobStore as _, Stage, Stored};

const CONTENT: &[u8] = b"some content";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(500_000)
}

fn open(dir: &Path, barrier: Barrier) -> Files {
    Files::open_with(
        &FilesOptions {
            unsafe_storage: true,
            ..FilesOptions::new(dir)
        },
        barrier,
    )
    .unwrap()
}

async fn staged(files: &Files, content: &'static [u8]) -> Stage {
    let mut stage = files.stage(Algorithm::Sha256, now()).await.unwrap();
    files
        .extend(
            &mut stage,
            body::once(Bytes::from_static(content)),
            None,
            u64::MAX,
        )
        .await
        .unwrap();
    stage
}

async fn push(files: &Files, content: &'static [u8]) -> Stored {
    let stage = staged(files, content).await;
    files
        .publish(&stage, &Digest::of(Algorithm::Sha256, content))
        .await
        .unwrap()
}

/// Syncs that fail as long as they are told to, and are counted.
#[derive(Clone, Default)]
struct Disk {
    files: Arc<AtomicUsize>,
    dirs: Arc<AtomicUsize>,
    bad_files: Arc<AtomicUsize>,
    bad_dirs: Arc<AtomicUsize>,
    /// As long as a test wants the syncs of files to take.
    slow: Arc<AtomicBool>,
}

impl Disk {
    fn barrier(&self) -> Barrier {
        let call =
            |count: &Arc<AtomicUsize>, bad: &Arc<AtomicUsize>, slow: Option<Arc<AtomicBool>>| {
                let (count, bad) = (Arc::clone(count), Arc::clone(bad));
                Box::new(move |file: &File| -> io::Result<()> {
                    while slow
                        .as_ref()
                        .is_some_and(|slow| slow.load(Ordering::SeqCst))
                    {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    if bad.load(Ordering::SeqCst) > 0 {
                        Err(Errno::IO.into())
                    } else {
                        file.sync_all()
                    }
                })
            };
        Barrier {
            file: call(&self.files, &self.bad_files, Some(Arc::clone(&self.slow))),
            dir: call(&self.dirs, &self.bad_dirs, None),
        }
    }
}

fn home() -> (TempDir, Disk, Files) {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Disk::default());
    let files = open(dir.path(), disk.barrier());
    (dir, disk, files)
}

/// Sees to it that nothing is left to be synced ahead of use, and counts from here. The hour before comes first, because it
/// brings the present hour's directory with it, which then brings none.
async fn warm(disk: &Disk, files: &Files) {
    for at in [now() - Duration::from_hours(1), now()] {
        let stage = files.stage(Algorithm::Sha256, at).await.unwrap();
        let stored = files
            .publish(&stage, &Digest::of(Algorithm::Sha256, b""))
            .await
            .unwrap();
        files.sync(&stored.location).await.unwrap();
    }
    disk.files.store(0, Ordering::SeqCst);
    disk.dirs.store(0, Ordering::SeqCst);
}

#[tokio::test]
async fn content_that_is_here_as_a_whole_takes_one_sync_of_its_file_and_is_lost_when_that_fails() {
    let (_dir, disk, files) = home();
    warm(&disk, &files).await;
    let digest = Digest::of(Algorithm::Sha256, CONTENT);
    let content = [Bytes::from_static(CONTENT)];
    let put = || files.put(&content, &digest, now());
    let stored = put().await.unwrap();
    files.sync(&stored.location).await.unwrap();
    let syncs = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    assert_eq!((syncs(&disk.files), syncs(&disk.dirs)), (1, 1));
    disk.bad_files.store(1, Ordering::SeqCst);
    let lost = put().await.unwrap();
    let error = files.sync(&lost.location).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_file_that_cannot_be_synced_is_lost_for_good_and_the_store_goes_on() {
    let (_dir, disk, files) = home();
    disk.bad_files.store(1, Ordering::SeqCst);
    let lost = push(&files, CONTENT).await;
    let error = files.sync(&lost.location).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.wait().is_some());

    // The disk would say yes now, without the bytes.
    disk.bad_files.store(0, Ordering::SeqCst);
    let tried = disk.files.load(Ordering::SeqCst);
    for _ in 0..3 {
        files.sync(&lost.location).await.unwrap_err();
    }
    assert_eq!(
        disk.files.load(Ordering::SeqCst),
        tried,
        "a failed sync was tried again"
    );

    let healed = push(&files, CONTENT).await;
    files.sync(&healed.location).await.unwrap();
    files.remove(&lost.location).await.unwrap();
    assert_eq!(
        files.sync(&lost.location).await.unwrap_err().code(),
        Code::Internal,
        "it is not there"
    );
}

#[tokio::test]
async fn publishing_a_lost_blob_again_does_not_make_it_safe() {
    let (_dir, disk, files) = home();
    disk.bad_files.store(1, Ordering::SeqCst);
    let stage = staged(&files, CONTENT).await;
    let digest = Digest::of(Algorithm::Sha256, CONTENT);
    let lost = files.publish(&stage, &digest).await.unwrap();
    files.sync(&lost.location).await.unwrap_err();
    disk.bad_files.store(0, Ordering::SeqCst);
    assert_eq!(files.publish(&stage, &digest).await.unwrap(), lost);
    files.sync(&lost.location).await.unwrap_err();
}

#[tokio::test]
async fn a_directory_that_cannot_be_synced_makes_the_store_read_only_until_it_is_opened_again() {
    let (dir, disk, files) = home();
    warm(&disk, &files).await;
    let old = push(&files, b"old").await;
    files.sync(&old.location).await.unwrap();

    disk.bad_dirs.store(1, Ordering::SeqCst);
    let mut stage = staged(&files, b"never published").await;
    let lost = push(&files, CONTENT).await;
    assert_eq!(
        files.sync(&lost.location).await.unwrap_err().code(),
        Code::Unavailable
    );
    disk.bad_dirs.store(0, Ordering::SeqCst);

    let refused = [
        files.stage(Algorithm::Sha256, now()).await.err(),
        files.extend(&mut stage, body::empty(), None, 9).await.err(),
        files
            .publish(&stage, &Digest::of(Algorithm::Sha256, b"never published"))
            .await
            .err(),
        files.sync(&lost.location).await.err(),
    ];
    for error in refused {
        assert_eq!(error.unwrap().code(), Code::Unavailable);
    }
    assert!(
        files.read(&old.location, 3, 0..3).await.is_ok(),
        "reading goes on"
    );
    files.sync(&old.location).await.unwrap();
    files.discard(&stage).await.unwrap();
    files.remove(&lost.location).await.unwrap();

    drop(files);
    let files = open(dir.path(), disk.barrier());
    let new = push(&files, CONTENT).await;
    files.sync(&new.location).await.unwrap();
}

#[tokio::test]
async fn many_names_share_the_syncs_of_their_directory() {
    let (_dir, disk, files) = home();
    warm(&disk, &files).await;

    disk.slow.store(true, Ordering::SeqCst);
    let mut blobs = Vec::new();
    for _ in 0..20 {
        blobs.push(push(&files, CONTENT).await);
    }
    disk.slow.store(false, Ordering::SeqCst);
    for outcome in join_all(
        blobs
            .iter()
            .flat_map(|blob| [files.sync(&blob.location), files.sync(&blob.location)]),
    )
    .await
    {
        outcome.unwrap();
    }
    assert_eq!(
        disk.files.load(Ordering::SeqCst),
        20,
        "one for each file, whoever asks"
    );
    let dirs = disk.dirs.load(Ordering::SeqCst);
    assert!(
        (1..20).contains(&dirs),
        "{dirs} syncs of the directory for 20 names"
    );
    for blob in &blobs {
        files.sync(&blob.location).await.unwrap();
    }
    assert_eq!(
        disk.files.load(Ordering::SeqCst),
        20,
        "what is durable is not synced again"
    );
}

#[tokio::test]
async fn an_image_of_three_blobs_takes_one_sync_each_and_one_for_all_their_names() {
    let (_dir, disk, files) = home();
    warm(&disk, &files).await;
    let mut blobs = Vec::new();
    for _ in 0..3 {
        blobs.push(push(&files, CONTENT).await);
    }
    while files.maker.syncs.unnamed() < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let synced = join_all(blobs.iter().map(|blob| files.sync(&blob.location))).await;
    assert!(synced.iter().all(Result::is_ok), "{synced:?}");
    let (of_files, of_dirs) = (
        disk.files.load(Ordering::SeqCst),
        disk.dirs.load(Ordering::SeqCst),
    );
    assert_eq!((of_files, of_dirs), (3, 1));
}

#[tokio::test]
async fn a_caller_who_stops_waiting_for_a_sync_takes_nothing_from_the_others() {
    let (_dir, disk, files) = home();
    disk.slow.store(true, Ordering::SeqCst);
    let blob = push(&files, CONTENT).await;
    tokio::time::timeout(Duration::from_millis(10), files.sync(&blob.location))
        .await
        .unwrap_err();
    disk.slow.store(false, Ordering::SeqCst);
    files.sync(&blob.location).await.unwrap();
    assert_eq!(disk.files.load(Ordering::SeqCst), 1);
}

/// The same stage as if another run of the machine had written it.
fn from_before(files: &Files, stage: &Stage) -> Stage {
    let mut before = stage.clone();
    before.keep(
        stage.offset(),
        &stage.hasher().unwrap(),
        files.witness.wrapping_add(1),
    );
    before
}

#[tokio::test]
async fn after_the_machine_was_down_staged_bytes_are_read_again_before_they_are_trusted() {
    let (dir, _disk, files) = home();
    let digest = Digest::of(Algorithm::Sha256, CONTENT);
    let path = |stage: &Stage| dir.path().join(stage.key().as_str());
    let zeros = vec![0; CONTENT.len()];

    // Nothing was lost: the upload goes on and is trusted again from then.
    let mut whole = from_before(&files, &staged(&files, b"some ").await);
    files
        .extend(
            &mut whole,
            body::once(Bytes::from_static(b"content")),
            None,
            99,
        )
        .await
        .unwrap();
    assert_eq!(whole.witness(), files.witness);
    files.publish(&whole, &digest).await.unwrap();

    // Nothing was lost, and the client names another digest.
    let sound = from_before(&files, &staged(&files, b"other").await);
    assert_eq!(
        files.publish(&sound, &digest).await.unwrap_err().code(),
        Code::DigestInvalid
    );

    // The length came back and the bytes did not, as it happens with files that were never synced.
    let mut torn = from_before(&files, &staged(&files, CONTENT).await);
    std::fs::write(path(&torn), &zeros).unwrap();
    assert_eq!(
        files.publish(&torn, &digest).await.unwrap_err().code(),
        Code::BlobUploadUnknown
    );
    let error = files
        .extend(&mut torn, body::empty(), None, 99)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), torn.offset()),
        (Code::BlobUploadUnknown, CONTENT.len() as u64)
    );

    // The same after publishing, before the row was written.
    let stage = staged(&files, CONTENT).await;
    let stored = files.publish(&stage, &digest).await.unwrap();
    std::fs::write(dir.path().join(stored.location.as_str()), &zeros).unwrap();
    let again = files.publish(&from_before(&files, &stage), &digest).await;
    assert_eq!(again.unwrap_err().code(), Code::BlobUploadUnknown);
}

#[test]
fn what_is_taken_away_while_it_is_opened_does_not_stay_open() {
    // One thread that may wait for the disk, which does one thing after the other.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (_dir, _disk, files) = home();
        files.maker.root.walk_only();
        let content: &'static [u8] = Vec::leak(vec![7; 20_000]);
        for apart in [false, true] {
            let at = push(&files, content).await.location;
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || wait.recv());
            // That thread is to open it, and it is kept when this one is asked again.
            let mut read = files.read(&at, 20_000, 0..1);
            let waits = poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_pending())).await;
            assert!(waits);
            go.send(()).unwrap();
            if apart {
                files.set_apart(&at).await.unwrap();
            } else {
                files.remove(&at).await.unwrap();
            }
            assert!(read.await.is_ok(), "it was open before");
            assert_eq!(files.reads.open_files(), 0);
            busy.await.unwrap().unwrap();
        }
    });
}
