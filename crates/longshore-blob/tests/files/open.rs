//! Opening a store.

use std::fs;

use longshore_blob::{Files, FilesOptions, OpenError};

use crate::{Home, options};

#[tokio::test]
async fn a_store_that_is_open_is_refused_to_a_second_and_says_who_has_it() {
    let home = Home::new();
    let error = Files::open(&options(home.dir.path())).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, OpenError::InUse { .. }), "{text}");
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    home.again();
}

#[test]
fn a_store_is_made_with_all_that_is_missing_above_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a/b/c");
    drop(Files::open(&options(&root)).unwrap());
    assert!(root.join("blobs").is_dir());
    Files::open(&options(&root)).unwrap();
}

#[test]
fn what_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = Files::open(&options(&dir.path().join("file/store"))).unwrap_err();
    assert!(error.to_string().contains("file/store"), "{error}");
}

#[test]
fn storage_in_memory_is_refused_unless_it_is_accepted() {
    // Every Linux has one here; where it is not writable there is nothing to test.
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
        eprintln_skip("/dev/shm cannot be written to");
        return;
    };
    let strict = FilesOptions::new(dir.path().join("store"));
    let error = Files::open(&strict).unwrap_err();
    assert!(error.to_string().contains("unsafe_storage"), "{error}");
    assert!(
        matches!(error, OpenError::UnsafeStorage { kind: "tmpfs", .. }),
        "{error}"
    );
    Files::open(&FilesOptions {
        unsafe_storage: true,
        ..strict
    })
    .unwrap();
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn eprintln_skip(why: &str) {
    eprintln!("skipped: {why}");
}
