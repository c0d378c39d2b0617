//! What is there after the store was opened again.

use longshore_core::{
    Actor, Children, Chunk, Code, Cx, Expect, ManifestPush, Origin, Registry, Rights, TagRule, body,
};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;

use super::*;

pub(crate) fn cx(name: &str) -> Cx {
    Cx {
        actor: Actor::Named(name.into()),
        rights: Rights::Everything,
        origin: Origin::default(),
        request: 1,
        now: clock()(),
    }
}

pub(crate) fn repo() -> RepoName {
    "acme/app".parse().unwrap()
}

pub(crate) fn chunk(bytes: &'static [u8]) -> Chunk {
    Chunk {
        at: None,
        size: Some(bytes.len() as u64),
        body: body::once(bytes.into()),
    }
}

#[tokio::test]
async fn an_upload_goes_on_where_it_stood_and_nothing_is_hashed_anew() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let id = store
        .start_upload(&cx, &repo(), Algorithm::Sha256)
        .await
        .unwrap()
        .id;
    store
        .append_upload(&cx, &repo(), &id, chunk(b"one "))
        .await
        .unwrap();
    drop(store);

    let store = open(root.path(), Durability::Manifest).await;
    assert_eq!(
        store.stat_upload(&cx, &repo(), &id).await.unwrap().offset,
        4
    );
    let digest = Digest::of(Algorithm::Sha256, b"one two");
    let done = store
        .finish_upload(&cx, &repo(), &id, chunk(b"two"), &digest)
        .await
        .unwrap();
    assert_eq!(done.size, 7);
}

#[tokio::test]
async fn a_blob_that_was_not_settled_is_there_again_and_a_manifest_may_need_it() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let config = b"{}";
    let digest = Digest::of(Algorithm::Sha256, config);
    let want = Expect {
        digest,
        size: Some(2),
    };
    store
        .put_blob(&cx, &repo(), &want, body::once(config.as_slice().into()))
        .await
        .unwrap();
    // Not closed: as after a kill, the row says the blob is staged.
    drop(store);

    let store = open(root.path(), Durability::Manifest).await;
    assert_eq!(
        store.stat_blob(&cx, &repo(), &digest).await.unwrap().size,
        2
    );
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{digest}","size":2}},"layers":[]}}"#
    );
    let push = ManifestPush {
        bytes: manifest.into(),
        media_type: None,
        digest: None,
        tags: vec!["1".parse().unwrap()],
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    };
    let pushed = store.put_manifest(&cx, &repo(), &push).await.unwrap();
    store.close().await.unwrap();
    drop(store);

    let store = open(root.path(), Durability::Manifest).await;
    let at = Reference::Tag("1".parse().unwrap());
    assert_eq!(
        store.get_manifest(&cx, &repo(), &at).await.unwrap().digest,
        pushed.digest
    );
}

#[tokio::test]
async fn a_staged_blob_whose_bytes_were_lost_is_absent_until_it_is_pushed_again() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let digest = Digest::of(Algorithm::Sha256, b"precious");
    let want = Expect {
        digest,
        size: Some(8),
    };
    store
        .put_blob(
            &cx,
            &repo(),
            &want,
            body::once(b"precious".as_slice().into()),
        )
        .await
        .unwrap();
    drop(store);
    // What a power cut may leave of a file that was not synced.
    let file = only_blob(&root.path().join("blobs"));
    std::fs::write(&file, b"pre").unwrap();

    let store = open(root.path(), Durability::Manifest).await;
    store
        .tend(tokio::time::sleep(Duration::from_millis(300)))
        .await;
    drop(store);
    let store = open(root.path(), Durability::Manifest).await;
    assert_eq!(
        store
            .stat_blob(&cx, &repo(), &digest)
            .await
            .unwrap_err()
            .code(),
        Code::BlobUnknown
    );
    store
        .put_blob(
            &cx,
            &repo(),
            &want,
            body::once(b"precious".as_slice().into()),
        )
        .await
        .unwrap();
    assert_eq!(
        store.stat_blob(&cx, &repo(), &digest).await.unwrap().size,
        8
    );
}

#[tokio::test]
async fn a_staged_blob_is_not_read_before_it_is_known_whether_its_bytes_survived() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let digests = [b"precious", b"valuable"].map(|b| Digest::of(Algorithm::Sha256, b));
    for (digest, bytes) in digests.iter().zip([b"precious", b"valuable"]) {
        let want = Expect {
            digest: *digest,
            size: Some(8),
        };
        let body = body::once(bytes.as_slice().into());
        store.put_blob(&cx, &repo(), &want, body).await.unwrap();
    }
    drop(store);
    // The length of a file may survive a power cut without its bytes.
    let lost = files(&root.path().join("blobs"))
        .into_iter()
        .find(|path| path.to_string_lossy().contains(digests[0].hex().as_str()))
        .unwrap();
    std::fs::write(&lost, [0_u8; 8]).unwrap();

    let store = open(root.path(), Durability::Manifest).await;
    let other: RepoName = "acme/other".parse().unwrap();
    for (digest, whole) in digests.iter().zip([false, true]) {
        let got = store.get_blob(&cx, &repo(), digest, None).await;
        assert_eq!(got.is_ok(), whole, "{digest}");
        let mounted = store.mount_blob(&cx, &other, digest, Some(&repo())).await;
        assert_eq!(mounted.unwrap().is_some(), whole, "{digest}");
        let stat = store.stat_blob(&cx, &repo(), digest).await;
        assert_eq!(stat.is_ok(), whole, "{digest}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_staged_blob_that_cannot_be_read_for_a_while_is_neither_absent_nor_lost() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Manifest).await;
    let digest = Digest::of(Algorithm::Sha256, b"precious");
    let want = Expect {
        digest,
        size: Some(8),
    };
    let body = body::once(b"precious".as_slice().into());
    store.put_blob(&cx, &repo(), &want, body).await.unwrap();
    drop(store);
    // A folder in its place: reading it is an error, and says nothing about the bytes.
    let file = only_blob(&root.path().join("blobs"));
    let aside = root.path().join("aside");
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir(&file).unwrap();

    let store = open(root.path(), Durability::Manifest).await;
    for _ in 0..3 {
        let refused = store.stat_blob(&cx, &repo(), &digest).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        store.tend(tokio::time::sleep(Duration::from_secs(8))).await;
    }
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    // The clock stands still for nobody's threads, so how many of its seconds a read takes is not known.
    for _ in 0..200 {
        store.tend(tokio::time::sleep(Duration::from_secs(8))).await;
        match store.stat_blob(&cx, &repo(), &digest).await {
            Ok(found) => return assert_eq!(found.size, 8),
            Err(error) => assert_eq!(error.code(), Code::Unavailable, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it is never read again");
}

#[tokio::test]
async fn pushing_what_is_damaged_heals_it() {
    let root = tempfile::tempdir().unwrap();
    let cx = cx("alice");
    let store = open(root.path(), Durability::Blob).await;
    let digest = Digest::of(Algorithm::Sha256, b"precious");
    let want = Expect {
        digest,
        size: Some(8),
    };
    store
        .put_blob(
            &cx,
            &repo(),
            &want,
            body::once(b"precious".as_slice().into()),
        )
        .await
        .unwrap();
    std::fs::remove_file(only_blob(&root.path().join("blobs"))).unwrap();
    let error = store
        .get_blob(&cx, &repo(), &digest, None)
        .await
        .unwrap_err();
    assert!(
        error.code().is_ours(),
        "damage is our fault, never absence: {error:?}"
    );
    store
        .put_blob(
            &cx,
            &repo(),
            &want,
            body::once(b"precious".as_slice().into()),
        )
        .await
        .unwrap();
    let blob = store.get_blob(&cx, &repo(), &digest, None).await.unwrap();
    assert_eq!(blob.range, 0..8);
}

#[tokio::test]
async fn a_session_answers_to_the_one_who_opened_it_only() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), Durability::Manifest).await;
    let id = store
        .start_upload(&cx("alice"), &repo(), Algorithm::Sha256)
        .await
        .unwrap()
        .id;
    let error = store
        .stat_upload(&cx("mallory"), &repo(), &id)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::BlobUploadUnknown);
}

pub(crate) fn only_blob(under: &Path) -> std::path::PathBuf {
    let mut found = files(under);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

pub(crate) fn files(under: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut look = vec![under.to_owned()];
    while let Some(dir) = look.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}
