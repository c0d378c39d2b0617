//! What must not stay behind, and what must not hold up the rest.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use longshore_core::{
    Children, Chunk, Code, Cx, Expect, ManifestPush, Parents, Registry, TagRule, body,
};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;
use longshore_spec::upload::UploadId;

use super::restart::{chunk, cx, files, only_blob, repo};
use super::*;

fn manifest(config: &Digest, size: usize, note: usize, children: Children) -> ManifestPush {
    ManifestPush {
        bytes: format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":{size}}},"layers":[],"annotations":{{"n":"{note}"}}}}"#
        )
        .into(),
        media_type: None,
        digest: None,
        tags: vec!["1".parse().unwrap()],
        tag_rule: TagRule::Move,
        children,
    }
}

async fn put(store: &Store, repo: &RepoName, content: &'static [u8]) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, content);
    let want = Expect { digest, size: None };
    store
        .put_blob(&cx("alice"), repo, &want, body::once(content.into()))
        .await
        .unwrap();
    digest
}

/// Opens a session that holds a byte, and so has a file and a row.
async fn session(store: &Store, cx: &Cx) -> UploadId {
    let id = store
        .start_upload(cx, &repo(), Algorithm::Sha256)
        .await
        .unwrap()
        .id;
    store
        .append_upload(cx, &repo(), &id, chunk(b"x"))
        .await
        .unwrap();
    id
}

#[tokio::test]
async fn a_session_without_bytes_leaves_nothing_on_disk_and_one_that_is_finished_at_once_one_file()
{
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let repo = repo();
    let start = || store.start_upload(&cx, &repo, Algorithm::Sha256);
    start().await.unwrap();
    let id = start().await.unwrap().id;
    assert!(files(&root.path().join("blobs")).is_empty());
    let digest = Digest::of(Algorithm::Sha256, b"small");
    let finish = |content| store.finish_upload(&cx, &repo, &id, chunk(content), &digest);
    // What is not what it said it was changes nothing.
    let mut long = chunk(b"smaller");
    long.size = Some(5);
    let refused = store.finish_upload(&cx, &repo, &id, long, &digest).await;
    assert_eq!(refused.unwrap_err().code(), Code::SizeInvalid);
    assert_eq!(finish(b"small").await.unwrap().size, 5);
    assert_eq!(finish(b"").await.unwrap().size, 5, "it is asked again");
    let file = only_blob(&root.path().join("blobs"));
    assert_eq!(std::fs::read(file).unwrap(), b"small");
}

#[tokio::test]
async fn a_session_stands_where_it_stood_when_its_last_small_body_broke_off() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let id = store
        .start_upload(&cx, &repo(), Algorithm::Sha256)
        .await
        .unwrap()
        .id;
    let digest = Digest::of(Algorithm::Sha256, b"one two");
    let broken = [
        Ok(b"one ".as_slice().into()),
        Err(std::io::ErrorKind::ConnectionReset.into()),
    ];
    let body = Chunk {
        at: None,
        size: Some(7),
        body: Box::pin(futures_util::stream::iter(broken)),
    };
    let lost = store.finish_upload(&cx, &repo(), &id, body, &digest).await;
    assert_eq!(lost.unwrap_err().code(), Code::BodyLost);
    let stands = store.stat_upload(&cx, &repo(), &id).await.unwrap();
    assert_eq!(stands.offset, 0);
    let done = store
        .finish_upload(&cx, &repo(), &id, chunk(b"one two"), &digest)
        .await;
    assert_eq!(done.unwrap().size, 7);
}

#[tokio::test]
async fn what_breaks_off_in_its_first_128_kib_leaves_nothing_whatever_was_announced() {
    let root = tempfile::tempdir().unwrap();
    let (cx, repo) = (cx("alice"), repo());
    let store = open(root.path(), Durability::Manifest).await;
    let broken = |size, sent: usize| {
        let frames = (0..sent / 1024).map(|_| Ok([7; 1024].as_slice().into()));
        let end = std::iter::once(Err(std::io::ErrorKind::ConnectionReset.into()));
        let body = Box::pin(futures_util::stream::iter(frames.chain(end)));
        Chunk {
            at: None,
            size,
            body,
        }
    };
    let digest = Digest::of(Algorithm::Sha256, b"never whole");
    for size in [None, Some(64 << 10), Some(1 << 30)] {
        let id = store
            .start_upload(&cx, &repo, Algorithm::Sha256)
            .await
            .unwrap()
            .id;
        let append = store.append_upload(&cx, &repo, &id, broken(size, 32 << 10));
        assert_eq!(append.await.unwrap_err().code(), Code::BodyLost);
        let last = broken(size, 32 << 10);
        let finish = store.finish_upload(&cx, &repo, &id, last, &digest);
        assert_eq!(finish.await.unwrap_err().code(), Code::BodyLost);
        let stands = store.stat_upload(&cx, &repo, &id).await.unwrap();
        assert_eq!(stands.offset, 0, "{size:?}");
    }
    assert!(files(&root.path().join("blobs")).is_empty());
    // Of more the sender may go on.
    let id = store
        .start_upload(&cx, &repo, Algorithm::Sha256)
        .await
        .unwrap()
        .id;
    let append = store.append_upload(&cx, &repo, &id, broken(Some(1 << 30), 200 << 10));
    assert_eq!(append.await.unwrap_err().code(), Code::BodyLost);
    let stands = store.stat_upload(&cx, &repo, &id).await.unwrap();
    assert_eq!(stands.offset, 200 << 10);
}

#[tokio::test]
async fn a_session_that_was_given_up_is_gone_though_its_bytes_cannot_be_removed_until_later() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let id = session(&store, &cx).await;
    let blobs = root.path().join("blobs");
    let file = only_blob(&blobs);
    stuck(&file);
    store.abort_upload(&cx, &repo(), &id).await.unwrap();
    let stands = store.stat_upload(&cx, &repo(), &id).await;
    assert_eq!(stands.unwrap_err().code(), Code::BlobUploadUnknown);
    let more = store.append_upload(&cx, &repo(), &id, chunk(b"y")).await;
    assert_eq!(more.unwrap_err().code(), Code::BlobUploadUnknown);
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, b"x").unwrap();
    store
        .tend(tokio::time::sleep(Duration::from_millis(300)))
        .await;
    assert!(files(&blobs).is_empty());
}

#[tokio::test]
async fn sessions_with_bytes_and_without_count_together_also_after_a_restart() {
    let root = tempfile::tempdir().unwrap();
    let options = || Options {
        sessions: 2,
        ..Options::default()
    };
    let cx = cx("alice");
    let store = open_with(root.path(), options(), clock()).await;
    session(&store, &cx).await;
    drop(store);
    let store = open_with(root.path(), options(), clock()).await;
    let repo = repo();
    let start = || store.start_upload(&cx, &repo, Algorithm::Sha256);
    let second = start().await.unwrap().id;
    assert_eq!(start().await.unwrap_err().code(), Code::TooManyRequests);
    store.abort_upload(&cx, &repo, &second).await.unwrap();
    start().await.unwrap();
}

#[tokio::test]
async fn a_session_that_is_refused_leaves_no_file() {
    let root = tempfile::tempdir().unwrap();
    let options = Options {
        sessions: 1,
        row_most: 0,
        ..Options::default()
    };
    let store = open_with(root.path(), options, clock()).await;
    let cx = cx("alice");
    session(&store, &cx).await;
    for _ in 0..5 {
        let refused = store.start_upload(&cx, &repo(), Algorithm::Sha256).await;
        assert_eq!(refused.unwrap_err().code(), Code::TooManyRequests);
    }
    only_blob(&root.path().join("blobs"));
}

/// Makes a staged file something that cannot be unlinked, also by root.
fn stuck(file: &Path) {
    std::fs::remove_file(file).unwrap();
    std::fs::create_dir(file).unwrap();
}

#[tokio::test]
async fn a_session_that_cannot_be_removed_does_not_keep_the_others() {
    let root = tempfile::tempdir().unwrap();
    let time = Arc::new(AtomicU64::new(1_000_000));
    let told = time.clone();
    let clock = Arc::new(move || UNIX_EPOCH + Duration::from_secs(told.load(Ordering::Relaxed)));
    let options = Options {
        row_most: 0,
        ..Options::default()
    };
    let store = open_with(root.path(), options, clock.clone()).await;
    let cx = || Cx {
        now: clock(),
        ..cx("alice")
    };
    session(&store, &cx()).await;
    stuck(&only_blob(&root.path().join("blobs")));
    time.fetch_add(1, Ordering::Relaxed);
    let other = session(&store, &cx()).await;
    let empty = store
        .start_upload(&cx(), &repo(), Algorithm::Sha256)
        .await
        .unwrap()
        .id;
    time.fetch_add(8 * 24 * 3600, Ordering::Relaxed);
    store
        .tend(tokio::time::sleep(Duration::from_millis(200)))
        .await;
    for gone in [other, empty] {
        let error = store.stat_upload(&cx(), &repo(), &gone).await.unwrap_err();
        assert_eq!(error.code(), Code::BlobUploadUnknown);
    }
    assert!(files(&root.path().join("blobs")).is_empty());
}

#[tokio::test]
async fn a_manifest_that_may_lack_a_blob_does_not_lose_track_of_it_for_its_own_repository() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let config = put(&store, &repo(), b"{}").await;
    let elsewhere: RepoName = "acme/elsewhere".parse().unwrap();
    let sparse = manifest(&config, 2, 0, Children::MayBeAbsent);
    store.put_manifest(&cx, &elsewhere, &sparse).await.unwrap();
    let whole = manifest(&config, 2, 0, Children::MustExist);
    store.put_manifest(&cx, &repo(), &whole).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_tag_that_moves_is_there_all_the_time_also_when_what_it_left_is_deleted() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), Durability::Manifest).await;
    let config = put(&store, &repo(), b"{}").await;
    let first = manifest(&config, 2, 0, Children::MustExist);
    let mut before = store
        .put_manifest(&cx("alice"), &repo(), &first)
        .await
        .unwrap()
        .digest;
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let (cx, tag) = (cx("bob"), Reference::Tag("1".parse().unwrap()));
                loop {
                    if let Err(error) = store.get_manifest(&cx, &repo(), &tag).await {
                        return error;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for note in 1..400 {
        let next = manifest(&config, 2, note, Children::MustExist);
        let moved = store
            .put_manifest(&cx("alice"), &repo(), &next)
            .await
            .unwrap()
            .digest;
        store
            .delete_manifest(&cx("alice"), &repo(), &before, Parents::MustBeGone)
            .await
            .unwrap();
        before = moved;
    }
    for reader in readers {
        assert!(!reader.is_finished(), "{:?}", reader.await);
        reader.abort();
    }
}

#[tokio::test]
async fn pushes_that_the_disk_refuses_leave_no_session_behind() {
    let root = tempfile::tempdir().unwrap();
    let options = Options {
        sessions: 2,
        ..Options::default()
    };
    let store = open_with(root.path(), options, clock()).await;
    let blobs = root.path().join("blobs");
    std::fs::remove_dir_all(&blobs).unwrap();
    std::fs::write(&blobs, "no place for blobs").unwrap();
    // So long that it needs a stage.
    let large = vec![7; 200 << 10];
    let digest = Digest::of(Algorithm::Sha256, &large);
    let want = Expect { digest, size: None };
    for _ in 0..4 {
        let body = body::once(large.clone().into());
        let refused = store.put_blob(&cx("alice"), &repo(), &want, body).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    }
}
