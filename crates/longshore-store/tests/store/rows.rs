//! Small blobs, which are rows and not files.

use longshore_core::{Chunk, Code, Expect, Registry, body};
use longshore_meta::Durability as Until;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;
use longshore_spec::range::ByteRange;
use longshore_spec::upload::UploadId;

use super::restart::{cx, repo};
use super::*;

const CONTENT: &[u8] = b"small and precious";

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, CONTENT)
}

async fn put(store: &Store, repo: &RepoName, content: &'static [u8]) -> longshore_core::Result<()> {
    let want = Expect {
        digest: digest(),
        size: Some(content.len() as u64),
    };
    let body = body::once(content.into());
    store
        .put_blob(&cx("alice"), repo, &want, body)
        .await
        .map(drop)
}

async fn get(store: &Store, range: Option<ByteRange>) -> longshore_core::Result<Vec<u8>> {
    use futures_util::TryStreamExt as _;
    let blob = store
        .get_blob(&cx("alice"), &repo(), &digest(), range)
        .await?;
    let parts: Vec<_> = blob.body.try_collect().await.unwrap();
    Ok(parts.concat())
}

fn files(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

async fn fresh(root: &Path) -> Store {
    open_with(root, with_rows(), clock()).await
}

/// Does to all bodies what `sql` says, behind the store's back.
async fn tamper(root: &Path, sql: &'static str) {
    let db = Db::open_file(&root.join("meta.db")).unwrap();
    db.write(Until::Power, sql, |tx, sql| {
        Box::pin(async move { tx.exec(sql, &[]).await })
    })
    .await
    .unwrap();
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_small_blob_makes_no_file_and_is_read_back_in_whole_and_in_part() {
    let root = tempfile::tempdir().unwrap();
    let store = fresh(root.path()).await;
    put(&store, &repo(), CONTENT).await.unwrap();
    assert_eq!(files(&root.path().join("blobs")), 0);
    assert_eq!(get(&store, None).await.unwrap(), CONTENT);
    let part = |range| get(&store, Some(range));
    assert_eq!(part(ByteRange::Within(2, 7)).await.unwrap(), &CONTENT[2..7]);
    assert_eq!(part(ByteRange::Last(3)).await.unwrap(), &CONTENT[15..]);
    assert_eq!(
        part(ByteRange::From(99)).await.unwrap_err().code(),
        Code::RangeUnsatisfiable
    );
    // Without an orderly stop: what was acknowledged is found by the next process.
    drop(store);
    let store = fresh(root.path()).await;
    assert_eq!(get(&store, None).await.unwrap(), CONTENT);
}

#[tokio::test]
async fn bytes_of_another_digest_leave_nothing() {
    let root = tempfile::tempdir().unwrap();
    let store = fresh(root.path()).await;
    let refused = put(&store, &repo(), b"something else").await;
    assert_eq!(refused.unwrap_err().code(), Code::DigestInvalid);
    assert_eq!(
        get(&store, None).await.unwrap_err().code(),
        Code::BlobUnknown
    );
    store.close().await.unwrap();
    let db = Db::open_file(&root.path().join("meta.db")).unwrap();
    let bodies = db.read(&(), |tx, ()| {
        Box::pin(async move { tx.all::<(i64,)>("SELECT id FROM blob_body", &[]).await })
    });
    assert!(bodies.await.unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_was_damaged_or_lost_is_never_served_and_is_healed_by_a_push() {
    for sql in [
        "UPDATE blob_body SET bytes = x'00'",
        "UPDATE blob_body SET bytes = CAST(replace(bytes, 'precious', 'specious') AS BLOB)",
        "DELETE FROM blob_body",
    ] {
        let root = tempfile::tempdir().unwrap();
        let store = fresh(root.path()).await;
        put(&store, &repo(), CONTENT).await.unwrap();
        store.close().await.unwrap();
        drop(store);
        tamper(root.path(), sql).await;
        let store = fresh(root.path()).await;
        let error = get(&store, None).await.unwrap_err();
        assert_eq!(
            error.code(),
            Code::Internal,
            "{sql}: who finds it is told the truth"
        );
        let error = get(&store, None).await.unwrap_err();
        assert_eq!(
            error.code(),
            Code::BlobUnknown,
            "{sql}: so that clients push it again"
        );
        put(&store, &repo(), CONTENT).await.unwrap();
        assert_eq!(get(&store, None).await.unwrap(), CONTENT, "{sql}");
    }
}

#[tokio::test]
async fn a_push_does_not_rely_on_a_body_that_is_damaged() {
    let root = tempfile::tempdir().unwrap();
    let store = fresh(root.path()).await;
    put(&store, &repo(), CONTENT).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    tamper(root.path(), "UPDATE blob_body SET bytes = x'00'").await;
    let store = fresh(root.path()).await;
    put(&store, &repo(), CONTENT).await.unwrap();
    assert_eq!(get(&store, None).await.unwrap(), CONTENT);
    store.close().await.unwrap();
    drop(store);
    // The damaged copy is gone: there is one body only.
    let db = Db::open_file(&root.path().join("meta.db")).unwrap();
    let bodies = db.read(&(), |tx, ()| {
        Box::pin(async move { tx.all::<(i64,)>("SELECT id FROM blob_body", &[]).await })
    });
    assert_eq!(bodies.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_file_and_a_row_take_each_others_place() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), Durability::Manifest).await;
    put(&store, &repo(), CONTENT).await.unwrap();
    assert_eq!(files(&root.path().join("blobs")), 1);
    store.close().await.unwrap();
    drop(store);
    let store = fresh(root.path()).await;
    put(&store, &repo(), CONTENT).await.unwrap();
    assert_eq!(
        get(&store, None).await.unwrap(),
        CONTENT,
        "the file was whole and stays"
    );
    assert_eq!(files(&root.path().join("blobs")), 1);
    std::fs::remove_file(super::restart::only_blob(&root.path().join("blobs"))).unwrap();
    put(&store, &repo(), CONTENT).await.unwrap();
    assert_eq!(
        get(&store, None).await.unwrap(),
        CONTENT,
        "a row took its place"
    );
    assert_eq!(files(&root.path().join("blobs")), 0);
}

fn chunk(at: Option<u64>, announced: bool, content: &'static [u8]) -> Chunk {
    Chunk {
        at,
        size: announced.then_some(content.len() as u64),
        body: body::once(content.into()),
    }
}

async fn session(store: &Store) -> UploadId {
    let algorithm = Algorithm::Sha256;
    let begun = store.start_upload(&cx("alice"), &repo(), algorithm).await;
    begun.unwrap().id
}

async fn append(store: &Store, id: &UploadId, chunk: Chunk) -> longshore_core::Result<u64> {
    let done = store.append_upload(&cx("alice"), &repo(), id, chunk).await;
    done.map(|upload| upload.offset)
}

async fn finish(store: &Store, id: &UploadId, last: Chunk) -> longshore_core::Result<u64> {
    let done = store
        .finish_upload(&cx("alice"), &repo(), id, last, &digest())
        .await;
    done.map(|blob| blob.size)
}

#[tokio::test]
async fn a_small_blob_in_two_requests_makes_no_file_and_survives_a_kill_between_them() {
    for announced in [true, false] {
        let root = tempfile::tempdir().unwrap();
        let store = fresh(root.path()).await;
        let id = session(&store).await;
        let first = chunk(Some(0), announced, &CONTENT[..10]);
        assert_eq!(append(&store, &id, first).await.unwrap(), 10);
        drop(store);
        let store = fresh(root.path()).await;
        let stat = store.stat_upload(&cx("alice"), &repo(), &id).await.unwrap();
        assert_eq!(stat.offset, 10);
        let error = finish(&store, &id, chunk(Some(3), true, b"x")).await;
        assert_eq!(error.unwrap_err().code(), Code::ChunkOutOfOrder);
        let last = chunk(Some(10), true, &CONTENT[10..]);
        assert_eq!(finish(&store, &id, last).await.unwrap(), 18);
        assert_eq!(get(&store, None).await.unwrap(), CONTENT);
        assert_eq!(files(&root.path().join("blobs")), 0);
        let again = finish(&store, &id, chunk(None, true, b"")).await;
        assert_eq!(again.unwrap(), 18, "asked again, it says the same");
    }
}

#[tokio::test]
async fn a_session_that_gets_longer_than_a_row_becomes_a_file_with_all_that_it_held() {
    static LONG: [u8; 40_000] = [7; 40_000];
    let long = Digest::of(Algorithm::Sha256, &LONG);
    for (first, announced) in [(10, true), (10, false), (16 << 10, true), (20_000, false)] {
        let root = tempfile::tempdir().unwrap();
        let store = fresh(root.path()).await;
        let id = session(&store).await;
        let begun = append(&store, &id, chunk(None, announced, &LONG[..first])).await;
        assert_eq!(begun.unwrap(), first as u64);
        let next = chunk(Some(first as u64), announced, &LONG[first..30_000]);
        assert_eq!(append(&store, &id, next).await.unwrap(), 30_000);
        let last = chunk(None, true, &LONG[30_000..]);
        let done = store
            .finish_upload(&cx("alice"), &repo(), &id, last, &long)
            .await;
        assert_eq!(done.unwrap().size, 40_000, "{first}");
        assert_eq!(files(&root.path().join("blobs")), 1);
    }
}

#[tokio::test]
async fn of_a_small_body_that_broke_off_nothing_is_kept_and_nothing_was_written() {
    let root = tempfile::tempdir().unwrap();
    let store = fresh(root.path()).await;
    for announced in [Some(18), None] {
        let id = session(&store).await;
        let before = files(root.path());
        let parts = [
            Ok(bytes::Bytes::from_static(&CONTENT[..7])),
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        ];
        let broken = Chunk {
            at: None,
            size: announced,
            body: Box::pin(futures_util::stream::iter(parts)),
        };
        let error = append(&store, &id, broken).await.unwrap_err();
        assert_eq!(error.code(), Code::BodyLost);
        let stat = store.stat_upload(&cx("alice"), &repo(), &id).await.unwrap();
        assert_eq!(stat.offset, 0);
        assert_eq!(files(root.path()), before, "{announced:?}");
        let last = chunk(Some(0), true, CONTENT);
        assert_eq!(finish(&store, &id, last).await.unwrap(), 18);
    }
}

#[tokio::test]
async fn a_small_session_ends_with_a_wrong_digest_and_when_it_is_given_up() {
    let root = tempfile::tempdir().unwrap();
    let store = fresh(root.path()).await;
    for give_up in [true, false] {
        let id = session(&store).await;
        append(&store, &id, chunk(None, true, b"something else"))
            .await
            .unwrap();
        if give_up {
            store
                .abort_upload(&cx("alice"), &repo(), &id)
                .await
                .unwrap();
        } else {
            let refused = finish(&store, &id, chunk(None, true, b"")).await;
            assert_eq!(refused.unwrap_err().code(), Code::DigestInvalid);
        }
        let gone = store.stat_upload(&cx("alice"), &repo(), &id).await;
        assert_eq!(gone.unwrap_err().code(), Code::BlobUploadUnknown);
    }
    assert_eq!(
        get(&store, None).await.unwrap_err().code(),
        Code::BlobUnknown
    );
}
