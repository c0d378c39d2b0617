//! What mounts cost.

use longshore_core::Registry;
use longshore_spec::digest::{Algorithm, Digest};

use super::check::put;
use super::restart::{cx, repo};
use super::*;

#[tokio::test]
async fn what_the_repository_holds_already_is_mounted_without_a_write() {
    let root = tempfile::tempdir().unwrap();
    let files = FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(root.path())
    };
    let db = Db::open_file(&root.path().join("meta.db")).unwrap();
    let blobs = Arc::new(Files::open(&files).unwrap());
    let store = Store::open(db.clone(), blobs, with_rows(), clock());
    let store = store.await.unwrap();
    let (cx, target) = (cx("alice"), "acme/other".parse().unwrap());
    for body in [b"one", b"two", b"new"] {
        put(&store, &repo(), body).await;
    }
    let [one, two, new] = [b"one", b"two", b"new"].map(|body| Digest::of(Algorithm::Sha256, body));
    let mount = |digest: Digest| {
        let (store, cx, target) = (&store, &cx, &target);
        async move {
            let from = repo();
            store.mount_blob(cx, target, &digest, Some(&from)).await
        }
    };
    // The first makes the repository and is remembered by being asked for; the second by being mounted, here and where it comes
    // from, of which nobody reads.
    mount(one).await.unwrap().unwrap();
    mount(two).await.unwrap().unwrap();
    store.stat_blob(&cx, &target, &one).await.unwrap();
    // What it holds is not said to come from where it is not.
    let elsewhere = "acme/never".parse().unwrap();
    let mounted = store.mount_blob(&cx, &target, &one, Some(&elsewhere));
    assert!(mounted.await.unwrap().is_none());
    db.close().await.unwrap();
    for digest in [one, two] {
        let info = mount(digest).await.unwrap().unwrap();
        assert_eq!((info.digest, info.size), (digest, 3));
    }
    mount(new).await.unwrap_err();
}
