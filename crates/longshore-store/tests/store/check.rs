//! The check of everything: it finds what was broken, and nothing else, and puts right what can be put right.

use std::collections::BTreeSet;

use longshore_core::{Children, Expect, ManifestPush, Parents, Registry, TagRule, body};
use longshore_meta::Durability as Until;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;
use longshore_store::check::{Check, CheckOptions, Finding, Outcome, Report, Summary};

use super::restart::{cx, files, repo};
use super::*;

/// The codes that were found, with what became of them.
#[derive(Default)]
pub(crate) struct Codes(pub(crate) Vec<(&'static str, Outcome)>);

#[async_trait::async_trait]
impl Report for Codes {
    async fn found(&mut self, finding: &Finding) {
        self.0.push((finding.code, finding.outcome.clone()));
    }

    async fn looked(&mut self, _: &'static str, _: u64) {}
}

pub(crate) const LARGE: usize = 100_000;

pub(crate) async fn put(store: &Store, repo: &RepoName, bytes: &[u8]) -> Digest {
    let digest = Digest::of(Algorithm::Sha256, bytes);
    let want = Expect {
        digest,
        size: Some(bytes.len() as u64),
    };
    let body = body::once(bytes.to_vec().into());
    store
        .put_blob(&cx("alice"), repo, &want, body)
        .await
        .unwrap();
    digest
}

/// An image of a small blob, which is a row, and a large one, which is a file.
pub(crate) async fn image(store: &Store, repo: &RepoName, seed: u8, tag: &str) -> Digest {
    let (config, layer) = (vec![seed; 10], vec![seed; LARGE]);
    let (config, layer) = (
        put(store, repo, &config).await,
        put(store, repo, &layer).await,
    );
    let bytes = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":10}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":{LARGE}}}]}}"#
    );
    push(store, repo, bytes, tag).await
}

async fn push(store: &Store, repo: &RepoName, bytes: String, tag: &str) -> Digest {
    let push = ManifestPush {
        bytes: bytes.into(),
        media_type: None,
        digest: None,
        tags: vec![tag.parse().unwrap()],
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    };
    let pushed = store.put_manifest(&cx("alice"), repo, &push).await;
    pushed.unwrap().digest
}

/// A store with two images and an index over them, closed in order.
pub(crate) async fn full() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), with_rows(), clock()).await;
    let first = image(&store, &repo(), 1, "1").await;
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{first}","size":9}}]}}"#
    );
    push(&store, &repo(), index, "all").await;
    let other = "acme/other".parse().unwrap();
    image(&store, &other, 2, "2").await;
    let gone = image(&store, &other, 3, "gone").await;
    store
        .delete_manifest(&cx("alice"), &other, &gone, Parents::MustBeGone)
        .await
        .unwrap();
    store.close().await.unwrap();
    root
}

async fn check(root: &Path, options: CheckOptions) -> (Codes, Summary) {
    let files = FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(root)
    };
    let files = Arc::new(Files::open(&files).unwrap());
    let db = Db::open_file(&root.join("meta.db")).unwrap();
    let mut codes = Codes::default();
    let check = Check::of(db.clone(), files, options, clock()());
    let summary = check.run(&mut codes).await.unwrap();
    db.close().await.unwrap();
    (codes, summary)
}

fn set(codes: &[&'static str]) -> BTreeSet<&'static str> {
    codes.iter().copied().collect()
}

fn codes(found: &Codes) -> BTreeSet<&'static str> {
    found.0.iter().map(|(code, _)| *code).collect()
}

/// Does this to the metadata, behind everybody's back.
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
async fn nothing_is_wrong_with_a_store_that_was_used_as_it_should_be() {
    let root = full().await;
    let (found, summary) = check(root.path(), CheckOptions::default()).await;
    assert!(found.0.is_empty(), "{:?}", found.0);
    assert!(summary.is_clean());
    for part in ["blobs", "manifests", "tags", "edges", "files"] {
        assert!(summary.looked[part] > 1, "{part}: {:?}", summary.looked);
    }
}

#[tokio::test]
async fn each_thing_that_can_be_wrong_with_the_metadata_is_found_and_what_can_be_repaired_is() {
    // What is done, what is found, and what is still to be found after the repair.
    let cases: &[(&str, &[&'static str], &[&'static str])] = &[
        (
            "UPDATE repository SET manifests = manifests + 1, tags = 0",
            &["count-wrong"],
            &[],
        ),
        (
            "DELETE FROM manifest WHERE repo = 2",
            &[
                "tag-dangling",
                "edge-orphan",
                "count-wrong",
                "manifest-stray",
            ],
            &[],
        ),
        (
            "DELETE FROM manifest_body WHERE digest IN (SELECT digest FROM trash)",
            &["trash-lost"],
            &["trash-lost"],
        ),
        (
            "DELETE FROM manifest_body WHERE length(bytes) < 300",
            &["manifest-missing"],
            &["manifest-missing"],
        ),
        (
            "UPDATE manifest_body SET bytes = x'7b7d' WHERE length(bytes) < 300",
            &["manifest-damaged", "manifest-length"],
            &["manifest-missing"],
        ),
        ("DELETE FROM edge WHERE kind = 0", &["edge-missing"], &[]),
        (
            "INSERT INTO edge (repo, parent, child, kind) SELECT repo, parent, parent, 1 FROM edge WHERE repo = 2 LIMIT 1",
            &["edge-extra"],
            &[],
        ),
        (
            "DELETE FROM blob WHERE size = 10",
            &["link-dangling", "body-stray", "manifest-lacks-blob"],
            &["manifest-lacks-blob"],
        ),
        (
            "DELETE FROM link WHERE repo = 1",
            &["manifest-lacks-blob"],
            &["manifest-lacks-blob"],
        ),
        (
            "UPDATE blob SET home = 77 WHERE size > 10",
            &["link-hidden"],
            &[],
        ),
        (
            "UPDATE blob SET state = 3 WHERE size > 10",
            &["blob-lost"],
            &["blob-lost"],
        ),
        (
            "UPDATE blob_body SET bytes = zeroblob(10)",
            &["blob-damaged"],
            &["blob-lost"],
        ),
        ("DELETE FROM blob_body", &["blob-missing"], &["blob-lost"]),
        (
            "UPDATE blob SET size = 11 WHERE size = 10",
            &["blob-length"],
            &["blob-lost"],
        ),
        (
            "UPDATE blob SET location = '../x' WHERE size > 10",
            &["blob-place", "file-stray"],
            &["blob-place"],
        ),
        (
            "INSERT INTO upload (id, repo, actor, stage, size, fence, lease_until, created, touched) VALUES (x'00', 1, 'a', x'00', 5, 1, 0, 0, 0)",
            &["upload-lost"],
            &[],
        ),
        (
            "INSERT INTO link (repo, digest, created) SELECT 99, digest, 0 FROM blob",
            &["link-dangling"],
            &[],
        ),
    ];
    for (sql, expected, left) in cases {
        let root = full().await;
        tamper(root.path(), sql).await;
        let now = CheckOptions {
            grace: Duration::ZERO,
            ..CheckOptions::default()
        };
        let (found, _) = check(root.path(), now.clone()).await;
        assert_eq!(codes(&found), set(expected), "{sql}");
        let repair = CheckOptions {
            repair: true,
            ..now.clone()
        };
        let (found, summary) = check(root.path(), repair).await;
        assert_eq!(summary.failed, 0, "{sql}: {:?}", found.0);
        let (found, _) = check(root.path(), now).await;
        assert_eq!(codes(&found), set(left), "after the repair of {sql}");
    }
}

/// What it is called, how it is done to a file, and what is found.
type Damage = (&'static str, fn(&Path), &'static [&'static str]);

#[tokio::test]
async fn each_thing_that_can_happen_to_files_is_found_and_nothing_is_deleted() {
    let damage: &[Damage] = &[
        (
            "removed",
            |file| std::fs::remove_file(file).unwrap(),
            &["blob-missing"],
        ),
        (
            "cut",
            |file| std::fs::write(file, b"x").unwrap(),
            &["blob-length"],
        ),
        (
            "changed",
            |file| std::fs::write(file, vec![9; LARGE]).unwrap(),
            &["blob-damaged"],
        ),
        (
            "beside",
            |file| std::fs::write(file.with_extension("other"), b"x").unwrap(),
            &["file-stray"],
        ),
        (
            "left by an upload",
            |file| std::fs::write(file.with_file_name("0193.part"), b"x").unwrap(),
            &["file-stray"],
        ),
    ];
    for (what, how, expected) in damage {
        let root = full().await;
        let file = files(&root.path().join("blobs")).pop().unwrap();
        let before = files(&root.path().join("blobs")).len();
        how(&file);
        let changed = files(&root.path().join("blobs")).len();
        let options = CheckOptions {
            grace: Duration::ZERO,
            repair: true,
            ..CheckOptions::default()
        };
        let (found, _) = check(root.path(), options).await;
        assert_eq!(codes(&found), set(expected), "{what}");
        assert!(
            found
                .0
                .iter()
                .all(|(_, outcome)| *outcome == Outcome::Repaired)
        );
        let kept = files(root.path())
            .iter()
            .filter(|path| !path.starts_with(root.path().join("blobs")))
            .filter(|path| path.starts_with(root.path().join("quarantine")))
            .count();
        assert_eq!(
            files(&root.path().join("blobs")).len() + kept,
            changed,
            "{what}: {before} before"
        );
    }
}

#[tokio::test]
async fn a_quick_check_does_not_read_bytes_and_a_young_file_is_nobodys_business() {
    let root = full().await;
    let file = files(&root.path().join("blobs")).pop().unwrap();
    std::fs::write(&file, vec![9; LARGE]).unwrap();
    std::fs::write(file.with_extension("other"), b"x").unwrap();
    let quick = CheckOptions {
        hash: false,
        ..CheckOptions::default()
    };
    let (found, _) = check(root.path(), quick).await;
    assert!(found.0.is_empty(), "{:?}", found.0);
}

#[tokio::test]
async fn an_upload_that_goes_on_is_in_order_and_one_whose_bytes_are_gone_is_not() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), with_rows(), clock()).await;
    let cx = cx("alice");
    let id = store
        .start_upload(&cx, &repo(), Algorithm::Sha256)
        .await
        .unwrap()
        .id;
    let chunk = longshore_core::Chunk {
        at: None,
        size: None,
        body: body::once(vec![1; 50_000].into()),
    };
    store.append_upload(&cx, &repo(), &id, chunk).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let now = CheckOptions {
        grace: Duration::ZERO,
        ..CheckOptions::default()
    };
    let (found, _) = check(root.path(), now.clone()).await;
    assert!(found.0.is_empty(), "{:?}", found.0);
    let stage = files(&root.path().join("blobs")).pop().unwrap();
    std::fs::remove_file(stage).unwrap();
    let (found, summary) = check(root.path(), now).await;
    assert_eq!(codes(&found), BTreeSet::from(["upload-lost"]));
    assert!(summary.is_clean(), "it is waste");
}
