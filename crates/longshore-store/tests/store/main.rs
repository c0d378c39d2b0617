//! The store, as every registry is tested, and what is particular to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_blob::{Files, FilesOptions};
use longshore_meta::Db;
use longshore_store::{Durability, Options, Store};
use longshore_testkit::suite::Bench;

mod beside;
mod check;
mod codes;
mod damage;
mod export;
mod heal;
mod leftovers;
mod lost;
mod mounts;
mod names;
mod news;
mod restart;
mod rows;
mod takeover;

/// The clock of the tests' stores.
#[allow(clippy::disallowed_methods, reason = "the test is where time comes in")]
fn clock() -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
    Arc::new(SystemTime::now)
}

/// A store that keeps every blob as a file.
async fn open(root: &Path, durability: Durability) -> Store {
    let options = Options {
        durability,
        row_most: 0,
        ..Options::default()
    };
    open_with(root, options, clock()).await
}

async fn open_with(
    root: &Path,
    options: Options,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
) -> Store {
    let files = FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(root)
    };
    // A store that was just dropped may have a sync under way, which holds the directory a moment longer.
    let mut opened = Files::open(&files);
    for _ in 0..200 {
        if opened.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        opened = Files::open(&files);
    }
    let blobs = Arc::new(opened.unwrap());
    let db = Db::open_file(&root.join("meta.db")).unwrap();
    Store::open(db, blobs, options, clock).await.unwrap()
}

async fn bench(options: Options) -> Bench {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), options, clock()).await;
    Bench::keeping(Arc::new(store), root)
}

/// Small blobs are rows.
fn with_rows() -> Options {
    Options::default()
}

/// Every blob is a file, and safe when it is acknowledged.
fn with_files() -> Options {
    Options {
        durability: Durability::Blob,
        row_most: 0,
        ..Options::default()
    }
}

mod durable_at_the_manifest {
    use super::*;
    longshore_testkit::suite!(bench(with_rows()));
}

#[tokio::test]
async fn it_agrees_with_the_reference_over_random_operations() {
    for seed in 0..10 {
        let agreed = longshore_testkit::model::agree(seed, 300, || bench(with_rows())).await;
        agreed.unwrap_or_else(|disagreement| panic!("seed {seed}: {disagreement}"));
    }
}

mod durable_at_each_blob {
    use super::*;
    longshore_testkit::suite!(bench(with_files()));
}

mod following_names {
    use super::*;
    longshore_testkit::suite!(bench(names::followed()));
}
