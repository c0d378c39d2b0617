//! What becomes of content whose bytes were lost or never reached the disk.

use longshore_core::{Code, Expect, Registry, body};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;

use super::restart::{cx, only_blob, repo};
use super::*;

const CONTENT: &[u8] = b"precious";

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, CONTENT)
}

async fn put(store: &Store, repo: &RepoName) {
    let want = Expect {
        digest: digest(),
        size: Some(CONTENT.len() as u64),
    };
    store
        .put_blob(&cx("alice"), repo, &want, body::once(CONTENT.into()))
        .await
        .unwrap();
}

async fn get(store: &Store, repo: &RepoName) -> longshore_core::Result<Vec<u8>> {
    use futures_util::TryStreamExt as _;
    let blob = store.get_blob(&cx("alice"), repo, &digest(), None).await?;
    let parts: Vec<_> = blob.body.try_collect().await.unwrap();
    Ok(parts.concat())
}

#[tokio::test]
async fn a_blob_that_one_repository_heals_is_whole_in_all_others_at_once() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let other: RepoName = "acme/other".parse().unwrap();
    let store = open(root.path(), Durability::Blob).await;
    put(&store, &repo()).await;
    let mounted = store
        .mount_blob(&cx, &other, &digest(), Some(&repo()))
        .await;
    assert!(mounted.unwrap().is_some());
    // The place of the bytes is known in the other repository from now on.
    store.stat_blob(&cx, &other, &digest()).await.unwrap();
    std::fs::remove_file(only_blob(&root.path().join("blobs"))).unwrap();
    put(&store, &repo()).await;
    assert_eq!(get(&store, &other).await.unwrap(), CONTENT);
}

#[tokio::test]
async fn a_blob_that_was_found_damaged_is_absent_so_that_clients_push_it_again() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Blob).await;
    put(&store, &repo()).await;
    std::fs::write(only_blob(&root.path().join("blobs")), b"pre").unwrap();
    let error = get(&store, &repo()).await.unwrap_err();
    assert_eq!(
        error.code(),
        Code::Internal,
        "who finds it is told the truth"
    );
    let error = store.stat_blob(&cx, &repo(), &digest()).await.unwrap_err();
    assert_eq!(error.code(), Code::BlobUnknown);
    put(&store, &repo()).await;
    assert_eq!(get(&store, &repo()).await.unwrap(), CONTENT);
}

/// A store that was killed after a push, and whose machine lost the bytes in a power cut but not their length.
async fn after_a_power_cut(root: &Path, durability: Durability) -> Store {
    let store = open(root, Durability::Manifest).await;
    put(&store, &repo()).await;
    drop(store);
    std::fs::write(only_blob(&root.join("blobs")), [0; CONTENT.len()]).unwrap();
    open(root, durability).await
}

#[tokio::test]
async fn a_push_does_not_rely_on_a_copy_that_is_still_to_be_checked() {
    for durability in [Durability::Manifest, Durability::Blob] {
        let root = tempfile::tempdir().unwrap();
        let store = after_a_power_cut(root.path(), durability).await;
        put(&store, &repo()).await;
        // Long enough for all checks to come to their end.
        store
            .tend(tokio::time::sleep(Duration::from_millis(300)))
            .await;
        assert_eq!(
            get(&store, &repo()).await.unwrap(),
            CONTENT,
            "{durability:?}"
        );
        store.close().await.unwrap();
        drop(store);
        let store = open(root.path(), durability).await;
        assert_eq!(
            get(&store, &repo()).await.unwrap(),
            CONTENT,
            "{durability:?}"
        );
    }
}

#[tokio::test]
async fn a_blob_that_was_lost_in_a_power_cut_is_absent_once_it_was_checked() {
    let root = tempfile::tempdir().unwrap();
    let store = after_a_power_cut(root.path(), Durability::Manifest).await;
    store
        .tend(tokio::time::sleep(Duration::from_millis(300)))
        .await;
    let error = get(&store, &repo()).await.unwrap_err();
    assert_eq!(error.code(), Code::BlobUnknown);
}
