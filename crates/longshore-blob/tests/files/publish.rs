//! From stages to blobs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use futures_util::future::join_all;
use longshore_blob::BlobStore as _;
use longshore_core::Code;
use longshore_spec::{Algorithm, Digest};

use crate::{Home, content, now, sha256, whole};

#[tokio::test]
async fn a_blob_lies_by_its_hour_with_its_digest_in_its_name_for_the_registry_alone() {
    let home = Home::new();
    let stored = home.push(b"hello").await;
    let name = stored.location.as_str();
    assert!(
        name.starts_with(&format!(
            "blobs/2026-11-21/10/sha256-{}.",
            sha256(b"hello").hex()
        )),
        "{name}"
    );
    assert_eq!(stored.location.digest(), Some(sha256(b"hello")));
    let mut path = home.path(&stored.location);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    for _ in 0..3 {
        path.pop();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o700,
            "{}",
            path.display()
        );
    }
    assert!(
        home.dir.path().join("blobs/2026-11-21/11").is_dir(),
        "the next hour's directory is made ahead"
    );
}

#[tokio::test]
async fn content_that_is_here_as_a_whole_becomes_a_blob_like_any_other_and_leaves_nothing_when_its_digest_is_wrong()
 {
    let home = Home::new();
    let parts = [b"hel".as_slice().into(), b"lo".as_slice().into()];
    for digest in [sha256(b"hello"), Digest::of(Algorithm::Sha512, b"hello")] {
        let stored = home.files.put(&parts, &digest, now()).await.unwrap();
        assert_eq!((stored.location.digest(), stored.size), (Some(digest), 5));
        assert_eq!(home.get(&stored).await, b"hello");
        home.files.sync(&stored.location).await.unwrap();
        let file = fs::metadata(home.path(&stored.location)).unwrap();
        assert_eq!(file.permissions().mode() & 0o7777, 0o600);
        home.files.remove(&stored.location).await.unwrap();
    }
    let wrong = home.files.put(&parts, &sha256(b"hellO"), now()).await;
    assert_eq!(wrong.unwrap_err().code(), Code::DigestInvalid);
    let empty = home.files.put(&[], &sha256(b""), now()).await.unwrap();
    let all = home.files.walk(None, 10).await.unwrap();
    assert_eq!(all, [(empty.location, 0)]);
}

#[tokio::test]
async fn a_wrong_digest_publishes_nothing_and_the_stage_stays() {
    let home = Home::new();
    let mut stage = home.stage().await;
    home.files
        .extend(&mut stage, whole(b"hello"), None, u64::MAX)
        .await
        .unwrap();
    for wrong in [sha256(b"hellO"), Digest::of(Algorithm::Sha512, b"hellO")] {
        assert_eq!(
            home.files.publish(&stage, &wrong).await.unwrap_err().code(),
            Code::DigestInvalid
        );
    }
    let all = home.files.walk(None, 10).await.unwrap();
    assert_eq!(all, [(stage.key().clone(), 5)]);
    home.files.publish(&stage, &sha256(b"hello")).await.unwrap();
}

#[tokio::test]
async fn another_algorithm_than_the_stage_was_opened_for_is_computed_from_the_file() {
    let home = Home::new();
    let all = content(40_000_000);
    let digest = Digest::of(Algorithm::Sha512, &all);
    let mut stage = home.stage().await;
    home.files
        .extend(&mut stage, whole(&all), None, u64::MAX)
        .await
        .unwrap();
    let stored = home.files.publish(&stage, &digest).await.unwrap();
    assert_eq!(stored.location.digest(), Some(digest));

    let mut stage = home.files.stage(Algorithm::Sha512, now()).await.unwrap();
    home.files
        .extend(&mut stage, whole(b"small"), None, u64::MAX)
        .await
        .unwrap();
    home.files
        .publish(&stage, &Digest::of(Algorithm::Sha512, b"small"))
        .await
        .unwrap();
}

#[tokio::test]
async fn publishing_twice_says_the_same_also_after_a_restart() {
    let home = Home::new();
    let mut stage = home.stage().await;
    home.files
        .extend(&mut stage, whole(b"hello"), None, u64::MAX)
        .await
        .unwrap();
    let first = home.files.publish(&stage, &sha256(b"hello")).await.unwrap();
    assert_eq!(
        home.files.publish(&stage, &sha256(b"hello")).await.unwrap(),
        first
    );
    let home = home.again();
    assert_eq!(
        home.files.publish(&stage, &sha256(b"hello")).await.unwrap(),
        first
    );
    home.files.sync(&first.location).await.unwrap();
    home.files.discard(&stage).await.unwrap();
    assert_eq!(home.get(&first).await, b"hello");
    assert_eq!(
        home.files
            .publish(&stage, &sha256(b"other"))
            .await
            .unwrap_err()
            .code(),
        Code::BlobUploadUnknown
    );
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let home = Home::new();
    let stage = home.stage().await;
    let stored = home.files.publish(&stage, &sha256(b"")).await.unwrap();
    assert_eq!((stored.size, home.get(&stored).await), (0, Vec::new()));
    assert_eq!(home.files.size(&stored.location).await.unwrap(), Some(0));
}

#[tokio::test]
async fn concurrent_uploads_of_one_content_are_apart_and_removing_one_leaves_the_others() {
    let home = Home::new();
    let all = content(300_000);
    let stored = join_all((0..16).map(|_| home.push(&all))).await;
    let mut places: Vec<_> = stored
        .iter()
        .map(|stored| stored.location.clone())
        .collect();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), 16);
    join_all(places.iter().map(|at| home.files.sync(at)))
        .await
        .into_iter()
        .for_each(Result::unwrap);
    home.files.remove(&stored[0].location).await.unwrap();
    assert_eq!(home.files.size(&stored[0].location).await.unwrap(), None);
    for stored in &stored[1..] {
        assert!(home.get(stored).await == all);
    }
}

#[tokio::test]
async fn one_stage_published_by_many_at_once_is_one_blob() {
    let home = Home::new();
    let mut stage = home.stage().await;
    home.files
        .extend(&mut stage, whole(b"hello"), None, u64::MAX)
        .await
        .unwrap();
    let digest = sha256(b"hello");
    let outcomes = join_all((0..8).map(|_| home.files.publish(&stage, &digest))).await;
    let told: Vec<_> = outcomes
        .into_iter()
        .filter(|outcome| !matches!(outcome, Err(e) if e.code() == Code::UploadBusy))
        .collect();
    assert!(!told.is_empty());
    for outcome in &told {
        assert_eq!(outcome.as_ref().unwrap(), told[0].as_ref().unwrap());
    }
    assert_eq!(home.files.walk(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn syncing_what_is_not_there_is_an_error() {
    let home = Home::new();
    let stored = home.push(b"hello").await;
    home.files.sync(&stored.location).await.unwrap();
    home.files.sync(&stored.location).await.unwrap();
    home.files.remove(&stored.location).await.unwrap();
    assert_eq!(
        home.files.sync(&stored.location).await.unwrap_err().code(),
        Code::Internal
    );
}

#[tokio::test]
async fn an_hour_directory_that_somebody_removed_is_made_again() {
    let home = Home::new();
    let stored = home.push(b"hello").await;
    home.files.sync(&stored.location).await.unwrap();
    home.files.remove(&stored.location).await.unwrap();
    fs::remove_dir(home.path(&stored.location).parent().unwrap()).unwrap();
    let stored = home.push(b"again").await;
    assert_eq!(home.get(&stored).await, b"again");
}
