//! News: each change that stands has one row, and what does not stand has none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use longshore_core::{Children, Expect, ManifestPush, Parents, Registry as _, TagRule, body};
use longshore_meta::news::{self, Kind, News};
use longshore_meta::{artifacts, repos, walks};
use longshore_spec::digest::{Algorithm, Digest};

use super::restart::{cx, repo};
use super::*;

async fn follow(db: &Db, reader: &'static str) {
    db.write(longshore_meta::Durability::Process, reader, |tx, reader| {
        Box::pin(async move { news::news_follow(tx, reader).await.map(drop) })
    })
    .await
    .unwrap();
}

async fn all(db: &Db) -> Vec<News> {
    db.read(&(), |tx, ()| Box::pin(news::news_list(tx, 0, 100_000)))
        .await
        .unwrap()
}

/// What there is, as rows say: repositories, manifests, and where tags point.
type Held = (
    BTreeSet<i64>,
    BTreeSet<(i64, Digest)>,
    BTreeMap<(i64, String), Digest>,
);

async fn held(db: &Db) -> Held {
    db.read(&(), |tx, ()| {
        Box::pin(async move {
            let mut held = Held::default();
            for (id, _) in walks::walk_repos(tx, "", 1000).await? {
                held.0.insert(id);
                for (digest, _) in artifacts::artifact_page(tx, id, None, 10_000).await? {
                    held.1.insert((id, digest));
                }
                for (name, digest) in walks::walk_tags(tx, id, "", 10_000).await? {
                    held.2.insert((id, name), digest);
                }
            }
            Ok(held)
        })
    })
    .await
    .unwrap()
}

/// What there must be when all news are true and none is missing or told twice.
fn told(news: Vec<News>) -> Held {
    let mut told = Held::default();
    let mut last = 0;
    for item in news {
        assert!(item.id > last, "{item:?} comes after {last}");
        last = item.id;
        let (digest, tag) = (item.digest, item.name.clone());
        let is_true = match item.kind {
            Kind::Manifest => told.1.insert((item.repo, digest.unwrap())),
            Kind::ManifestGone => told.1.remove(&(item.repo, digest.unwrap())),
            Kind::Tag => told.2.insert((item.repo, tag.unwrap()), digest.unwrap()) != digest,
            Kind::TagGone => told.2.remove(&(item.repo, tag.unwrap())) == digest,
            Kind::Repo => told.0.insert(item.repo),
            Kind::Renamed | Kind::RepoGone | Kind::Profile => panic!("{item:?}"),
        };
        assert!(is_true, "{item:?}");
    }
    told
}

#[tokio::test]
async fn each_change_has_one_row_and_all_rows_together_say_what_there_is() {
    for seed in 0..6 {
        let kept = Mutex::new(None);
        let make = || async {
            let root = tempfile::tempdir().unwrap();
            let store = open_with(root.path(), with_rows(), clock()).await;
            let db = Db::open_file(&root.path().join("meta.db")).unwrap();
            follow(&db, "one").await;
            *kept.lock().unwrap() = Some((root, db));
            Bench::keeping(Arc::new(store), ())
        };
        let agreed = longshore_testkit::model::agree(seed, 400, make).await;
        agreed.unwrap_or_else(|disagreement| panic!("seed {seed}: {disagreement}"));
        let (_root, db) = kept.lock().unwrap().take().unwrap();
        let news = all(&db).await;
        assert!(news.len() > 20, "seed {seed}: {}", news.len());
        assert_eq!(told(news), held(&db).await, "seed {seed}");
    }
}

async fn push(store: &Store, tag: &str, words: &str) -> Digest {
    let cx = cx("alice");
    let config = b"{}";
    let want = Expect {
        digest: Digest::of(Algorithm::Sha256, config),
        size: Some(2),
    };
    let body = body::once(config.as_slice().into());
    store.put_blob(&cx, &repo(), &want, body).await.unwrap();
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":2}},"layers":[],"annotations":{{"words":"{words}"}}}}"#,
        want.digest
    );
    let push = ManifestPush {
        bytes: manifest.into(),
        media_type: None,
        digest: None,
        tags: vec![tag.parse().unwrap()],
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    };
    store
        .put_manifest(&cx, &repo(), &push)
        .await
        .unwrap()
        .digest
}

fn kinds(news: &[News]) -> Vec<Kind> {
    news.iter().map(|item| item.kind).collect()
}

#[tokio::test]
async fn news_say_who_did_what_and_there_are_none_when_nobody_reads_them() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), Durability::Manifest).await;
    let db = Db::open_file(&root.path().join("meta.db")).unwrap();
    push(&store, "1", "unseen").await;
    assert_eq!(all(&db).await, []);

    follow(&db, "one").await;
    let first = push(&store, "1", "a").await;
    push(&store, "1", "a").await;
    let second = push(&store, "2", "a").await;
    assert_eq!(first, second);
    let news = all(&db).await;
    assert_eq!(kinds(&news), [Kind::Manifest, Kind::Tag, Kind::Tag]);
    assert!(news.iter().all(|item| item.actor == "alice" && item.at > 0));
    assert_eq!(news[2].name.as_deref(), Some("2"));

    store
        .delete_manifest(&cx("bob"), &repo(), &first, Parents::MayRemain)
        .await
        .unwrap();
    let news = all(&db).await;
    let gone = &news[3..];
    assert_eq!(
        kinds(gone),
        [Kind::ManifestGone, Kind::TagGone, Kind::TagGone]
    );
    assert!(gone.iter().all(|item| item.actor == "bob"));

    store.trash_restore(&repo(), &first, "carol").await.unwrap();
    let news = all(&db).await;
    assert_eq!(kinds(&news[6..]), [Kind::Manifest, Kind::Tag, Kind::Tag]);
    let repo = db
        .read(&(), |tx, ()| Box::pin(repos::repo_id(tx, &REPO)))
        .await
        .unwrap();
    assert_eq!(Some(news[0].repo), repo);
}

static REPO: std::sync::LazyLock<longshore_spec::name::RepoName> = std::sync::LazyLock::new(repo);

#[tokio::test]
async fn news_stay_until_all_have_read_them_and_their_numbers_go_on() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path(), Durability::Manifest).await;
    let db = Db::open_file(&root.path().join("meta.db")).unwrap();
    let prune = async || {
        db.write(longshore_meta::Durability::Process, (), |tx, ()| {
            Box::pin(news::news_prune(tx, 100))
        })
        .await
        .unwrap()
    };
    let seen = async |reader: &'static str, id: i64| {
        db.write(
            longshore_meta::Durability::Process,
            (reader, id),
            |tx, (reader, id)| Box::pin(news::news_seen(tx, reader, *id)),
        )
        .await
        .unwrap();
    };
    follow(&db, "one").await;
    push(&store, "1", "a").await;
    follow(&db, "two").await;
    push(&store, "2", "b").await;
    let last = all(&db).await.last().unwrap().id;
    assert_eq!(prune().await, 0, "one has read nothing");
    seen("one", last).await;
    assert_eq!(prune().await, 3, "two reads from when it came");
    seen("two", last).await;
    assert_eq!(prune().await, 1);
    assert_eq!(all(&db).await.len(), 1, "the last one keeps the number");
    push(&store, "3", "c").await;
    assert!(all(&db).await.iter().skip(1).all(|item| item.id > last));
}
