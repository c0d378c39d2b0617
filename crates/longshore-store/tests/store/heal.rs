//! Damage that nobody's length shows: who finds it, and what a push makes of it.

use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::TryStreamExt as _;
use longshore_core::{
    Children, Code, Cx, Expect, ManifestPush, Registry, TagRule, body, error::Chain,
};
use longshore_meta::Durability as Until;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::reference::Reference;

use super::restart::{cx, files, only_blob, repo};
use longshore_store::GcOptions;

use super::*;

/// A day, in seconds.
const DAY: u64 = 24 * 3600;

/// Blobs that no manifest needs are what these tests look at, for a month.
fn kept() -> GcOptions {
    GcOptions {
        enabled: false,
        ..GcOptions::default()
    }
}

/// A store over a directory, and a clock that is put forward by hand.
struct House {
    root: tempfile::TempDir,
    ahead: Arc<AtomicU64>,
}

impl House {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
            ahead: Arc::default(),
        }
    }

    fn clock(&self) -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
        let (real, ahead) = (clock(), self.ahead.clone());
        Arc::new(move || real() + Duration::from_secs(ahead.load(Ordering::SeqCst)))
    }

    fn put_forward(&self, secs: u64) {
        self.ahead.fetch_add(secs, Ordering::SeqCst);
    }

    async fn open(&self) -> Store {
        let options = Options {
            durability: Durability::Blob,
            row_most: 0,
            gc: kept(),
            ..Options::default()
        };
        open_with(self.root.path(), options, self.clock()).await
    }

    fn cx(&self) -> Cx {
        Cx {
            now: self.clock()(),
            ..cx("alice")
        }
    }

    async fn put(&self, store: &Store, bytes: &[u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let want = Expect {
            digest,
            size: Some(bytes.len() as u64),
        };
        let body = body::once(bytes.to_vec().into());
        store
            .put_blob(&self.cx(), &repo(), &want, body)
            .await
            .unwrap();
        digest
    }

    async fn get(&self, store: &Store, digest: &Digest) -> longshore_core::Result<Vec<u8>> {
        let blob = store.get_blob(&self.cx(), &repo(), digest, None).await?;
        let parts: Vec<_> = blob.body.try_collect().await.unwrap();
        Ok(parts.concat())
    }

    fn only_file(&self) -> std::path::PathBuf {
        only_blob(&self.root.path().join("blobs"))
    }

    fn apart(&self) -> usize {
        let dir = self.root.path().join("quarantine");
        if dir.exists() { files(&dir).len() } else { 0 }
    }
}

/// Changes one byte and leaves the length alone.
fn flip(path: &Path) {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 1000).unwrap();
    file.write_all_at(&[!byte[0]], 1000).unwrap();
}

/// Larger than what is verified at each read.
fn large() -> Vec<u8> {
    (0..200_000_u32)
        .map(|at| at.to_le_bytes()[0] ^ 0x5a)
        .collect()
}

/// Long enough for whatever housekeeping begins with.
async fn tend(store: &Store) {
    store
        .tend(tokio::time::sleep(Duration::from_millis(400)))
        .await;
}

#[tokio::test]
async fn a_push_replaces_a_copy_with_wrong_bytes_when_nobody_looked_at_it_for_a_month() {
    let house = House::new();
    let store = house.open().await;
    let digest = house.put(&store, &large()).await;
    flip(&house.only_file());
    house.put_forward(31 * DAY);
    house.put(&store, &large()).await;
    assert_eq!(house.get(&store, &digest).await.unwrap(), large());
    assert_eq!(house.apart(), 1, "the damaged copy is kept to be looked at");
    let found = store.found();
    assert_eq!((found.damaged, found.healed), (1, 1));
    // The copy that took its place was seen whole just now: it is not read again and stays.
    let file = house.only_file();
    house.put(&store, &large()).await;
    assert_eq!(house.only_file(), file);
}

#[tokio::test]
async fn a_push_of_what_was_read_lately_reads_it_not_again() {
    let house = House::new();
    let store = house.open().await;
    house.put(&store, &large()).await;
    // If the push read it, it would notice.
    flip(&house.only_file());
    let file = house.only_file();
    house.put(&store, &large()).await;
    assert_eq!(house.only_file(), file);
    assert_eq!(store.found().damaged, 0);
}

#[tokio::test]
async fn a_push_after_an_unclean_stop_does_not_trust_what_was_written_last() {
    let house = House::new();
    let store = house.open().await;
    let digest = house.put(&store, &large()).await;
    drop(store);
    flip(&house.only_file());
    let store = house.open().await;
    house.put(&store, &large()).await;
    assert_eq!(house.get(&store, &digest).await.unwrap(), large());
    assert_eq!(store.found().healed, 1);
}

#[tokio::test]
async fn the_scrub_finds_wrong_bytes_and_makes_the_blob_absent_until_it_is_pushed_again() {
    let house = House::new();
    let store = house.open().await;
    // The first pass, over nothing.
    tend(&store).await;
    assert_eq!(store.found().passes, 1);
    let digest = house.put(&store, &large()).await;
    flip(&house.only_file());
    house.put_forward(29 * DAY);
    tend(&store).await;
    assert_eq!(store.found().passes, 1, "it is not time yet");
    house.put_forward(2 * DAY);
    tend(&store).await;
    let found = store.found();
    assert_eq!((found.passes, found.damaged, found.scrubbed), (2, 1, 0));
    let error = store
        .stat_blob(&house.cx(), &repo(), &digest)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::BlobUnknown);
    assert_eq!(house.apart(), 1);
    assert!(files(&house.root.path().join("blobs")).is_empty());
    house.put(&store, &large()).await;
    assert_eq!(house.get(&store, &digest).await.unwrap(), large());
    assert_eq!(store.found().healed, 1);
}

#[tokio::test]
async fn what_the_scrub_found_whole_is_trusted_for_another_month() {
    let house = House::new();
    let store = house.open().await;
    house.put(&store, &large()).await;
    house.put_forward(31 * DAY);
    tend(&store).await;
    let found = store.found();
    assert_eq!((found.scrubbed, found.scrubbed_bytes), (1, 200_000));
    flip(&house.only_file());
    house.put(&store, &large()).await;
    assert_eq!(store.found().damaged, 0, "it was read again");
}

#[tokio::test]
async fn after_an_unclean_stop_what_was_written_last_is_read_at_once_and_after_an_orderly_one_not()
{
    for orderly in [false, true] {
        let house = House::new();
        let store = house.open().await;
        tend(&store).await;
        let digest = house.put(&store, &large()).await;
        if orderly {
            store.close().await.unwrap();
        }
        drop(store);
        flip(&house.only_file());
        let store = house.open().await;
        tend(&store).await;
        let seen = store.stat_blob(&house.cx(), &repo(), &digest).await;
        assert_eq!(seen.is_ok(), orderly);
        store.close().await.unwrap();
        drop(store);
        // The doubt is gone, and a clean start has none.
        let store = house.open().await;
        tend(&store).await;
        assert_eq!(store.found().damaged, 0);
    }
}

#[tokio::test]
async fn a_pass_goes_on_where_it_was_when_the_store_was_closed() {
    let house = House::new();
    let store = house.open().await;
    for at in 0..150_u8 {
        house.put(&store, &[at; 4000]).await;
    }
    house.put_forward(31 * DAY);
    // So slow that the first page is all it comes to: 64 blobs and then a day's sleep.
    let slow = |scrub_rate| Options {
        durability: Durability::Blob,
        row_most: 0,
        scrub_rate,
        gc: kept(),
        ..Options::default()
    };
    store.close().await.unwrap();
    drop(store);
    let store = open_with(house.root.path(), slow(1 << 20), house.clock()).await;
    // 4000 bytes take 4 ms each: some pages, not all.
    store
        .tend(tokio::time::sleep(Duration::from_millis(350)))
        .await;
    let first = store.found().scrubbed;
    assert!((1..150).contains(&first), "{first}");
    store.close().await.unwrap();
    drop(store);
    let store = house.open().await;
    for _ in 0..50 {
        if store.found().passes > 0 {
            break;
        }
        tend(&store).await;
    }
    let second = store.found().scrubbed;
    assert!(
        first + second < 150 + 64 && first + second >= 150,
        "{first} and then {second}"
    );
}

#[tokio::test]
async fn a_blob_that_could_not_be_sent_to_its_end_is_looked_into_and_found_lost() {
    let house = House::new();
    let store = house.open().await;
    let digest = house.put(&store, &large()).await;
    let blob = store
        .get_blob(&house.cx(), &repo(), &digest, None)
        .await
        .unwrap();
    let frames: Vec<_> = blob.body.try_collect().await.unwrap();
    let file = std::fs::File::options()
        .write(true)
        .open(house.only_file())
        .unwrap();
    file.set_len(10).unwrap();
    let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    longshore_region::report(&frames[0], &error);
    tend(&store).await;
    let error = store
        .stat_blob(&house.cx(), &repo(), &digest)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::BlobUnknown);
    assert_eq!((store.found().damaged, house.apart()), (1, 1));
}

#[tokio::test]
async fn a_manifest_with_wrong_bytes_is_an_error_of_ours_and_a_push_heals_it() {
    let house = House::new();
    let store = house.open().await;
    let config = house.put(&store, b"{}").await;
    let bytes = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[]}}"#
    );
    let push = ManifestPush {
        bytes: bytes.clone().into(),
        media_type: None,
        digest: None,
        tags: vec!["1".parse().unwrap()],
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    };
    store
        .put_manifest(&house.cx(), &repo(), &push)
        .await
        .unwrap();
    store.close().await.unwrap();
    drop(store);
    let db = Db::open_file(&house.root.path().join("meta.db")).unwrap();
    db.write(Until::Power, (), |tx, ()| {
        Box::pin(async move {
            tx.exec("UPDATE manifest_body SET bytes = x'7b7d'", &[])
                .await
        })
    })
    .await
    .unwrap();
    db.close().await.unwrap();

    let store = house.open().await;
    let at = Reference::Tag("1".parse().unwrap());
    let error = store
        .get_manifest(&house.cx(), &repo(), &at)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Internal, "{}", Chain(&error));
    store
        .put_manifest(&house.cx(), &repo(), &push)
        .await
        .unwrap();
    let read = store.get_manifest(&house.cx(), &repo(), &at).await.unwrap();
    assert_eq!(read.bytes, bytes);
}

#[tokio::test]
async fn what_takes_the_place_of_a_live_copy_is_live_before_it_is_acknowledged() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), Durability::Manifest).await;
    let digest = Digest::of(Algorithm::Sha256, b"precious");
    let want = Expect {
        digest,
        size: Some(8),
    };
    let push = || body::once(b"precious".as_slice().into());
    let cx = cx("alice");
    store.put_blob(&cx, &repo(), &want, push()).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let file = only_blob(&root.path().join("blobs"));
    std::fs::write(file, b"prec").unwrap();

    let store = open(root.path(), Durability::Manifest).await;
    store.put_blob(&cx, &repo(), &want, push()).await.unwrap();
    let db = Db::open_file(&root.path().join("meta.db")).unwrap();
    let row = db
        .read(&digest, |tx, digest| {
            Box::pin(longshore_meta::blobs::blob_get(tx, digest))
        })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.state, longshore_meta::blobs::BlobState::Live);
}
