//! Finding damage, and what becomes of damaged files.

use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use longshore_blob::{Pace, Unpaced};
use longshore_core::Code;

use super::*;

/// Changes one byte of the file and leaves its length alone.
fn flip(path: &std::path::Path, at: u64) {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[!byte[0]], at).unwrap();
}

async fn digest(home: &Home, at: &Location) -> Option<(u64, Digest)> {
    home.files
        .digest(at, Algorithm::Sha256, &Unpaced)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_lies_on_the_disk_is_hashed_whatever_is_remembered_of_it() {
    let home = Home::new();
    let small = content(1000);
    let stored = home.push(&small).await;
    assert_eq!(home.get(&stored).await, small);
    assert_eq!(
        digest(&home, &stored.location).await,
        Some((1000, sha256(&small)))
    );
    flip(&home.path(&stored.location), 500);
    assert_eq!(home.get(&stored).await, small, "it is in memory");
    let found = digest(&home, &stored.location).await.unwrap();
    assert!(found.0 == 1000 && found.1 != sha256(&small));
    std::fs::remove_file(home.path(&stored.location)).unwrap();
    assert_eq!(digest(&home, &stored.location).await, None);
}

#[tokio::test]
async fn an_examination_goes_on_only_when_its_pace_lets_it() {
    #[derive(Default)]
    struct Count(AtomicU64, AtomicU64);
    #[async_trait]
    impl Pace for Count {
        async fn took(&self, bytes: u64) {
            self.0.fetch_add(1, Ordering::SeqCst);
            self.1.fetch_add(bytes, Ordering::SeqCst);
        }
    }
    let home = Home::new();
    let large = content(9 << 20);
    let stored = home.push(&large).await;
    let pace = Count::default();
    let found = home
        .files
        .digest(&stored.location, Algorithm::Sha512, &pace)
        .await
        .unwrap();
    assert_eq!(
        found,
        Some((9 << 20, Digest::of(Algorithm::Sha512, &large)))
    );
    let (pieces, bytes) = (pace.0.load(Ordering::SeqCst), pace.1.load(Ordering::SeqCst));
    assert_eq!((pieces, bytes), (3, 9 << 20));
}

#[tokio::test]
async fn a_small_blob_with_other_bytes_than_its_digest_is_not_given_out() {
    let home = Home::new();
    let stored = home.push(&content(1000)).await;
    flip(&home.path(&stored.location), 999);
    let home = home.again();
    for range in [0..1000, 3..5] {
        let Err(error) = home.files.read(&stored.location, 1000, range).await else {
            panic!("wrong bytes are given out");
        };
        assert_eq!(error.code(), Code::Internal);
    }
}

#[tokio::test]
async fn what_is_put_apart_is_kept_under_its_path_and_given_out_no_more() {
    let home = Home::new();
    let bytes = content(100_000);
    let mut kept = Vec::new();
    for _ in 0..2 {
        let stored = home.push(&bytes).await;
        let reading = home
            .files
            .read(&stored.location, stored.size, 0..stored.size)
            .await
            .unwrap();
        let place = stored.location.as_str();
        let to = home.files.quarantine(&stored.location).await.unwrap();
        let to = to.unwrap();
        assert_eq!(to.as_str(), format!("quarantine/{place}"));
        assert_eq!(std::fs::read(home.path(&to)).unwrap(), bytes);
        assert_eq!(home.files.size(&stored.location).await.unwrap(), None);
        let again = home
            .files
            .read(&stored.location, stored.size, 0..stored.size)
            .await;
        assert_eq!(again.err().unwrap().code(), Code::Internal);
        assert_eq!(collect(reading).await, bytes, "who reads goes on");
        kept.push(stored.location);
    }
    // A second copy that comes to lie where one was before.
    std::fs::write(home.path(&kept[0]), b"other").unwrap();
    let to = home.files.quarantine(&kept[0]).await.unwrap().unwrap();
    assert!(to.as_str().starts_with(&format!("quarantine/{}.", kept[0])));
    assert_eq!(std::fs::read(home.path(&to)).unwrap(), b"other");
    assert_eq!(home.files.quarantine(&kept[0]).await.unwrap(), None);
    assert!(
        home.files.walk(None, 99).await.unwrap().is_empty(),
        "what is apart is not among what is stored"
    );
}

#[tokio::test]
async fn what_could_not_be_sent_to_its_end_is_told_once() {
    let home = Home::new();
    let stored = home.push(&content(1 << 20)).await;
    let body = home
        .files
        .read(&stored.location, stored.size, 0..stored.size)
        .await
        .unwrap();
    let frames: Vec<Bytes> = body.try_collect().await.unwrap();
    let error = io::Error::from(io::ErrorKind::UnexpectedEof);
    longshore_region::report(&frames[0], &error);
    longshore_region::report(&frames[0], &error);
    assert_eq!(home.files.trouble().await, stored.location);
    let more = tokio::time::timeout(Duration::from_millis(20), home.files.trouble()).await;
    assert!(more.is_err(), "{more:?}");
}
