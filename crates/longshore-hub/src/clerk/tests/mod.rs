//! A store with a clerk behind it, and what is found there.

mod found;
mod parts;

use std::sync::Mutex;

use bytes::Bytes;
use longshore_blob::{Files, FilesOptions};
use longshore_core::{
    Actor, Children, Cx, Expect, Find, Finder as _, Grant, ManifestPush, On, Origin, Rights, Seek,
    TagRule, Verb, Verbs, body,
};
use longshore_meta::{pulls, repos};
use longshore_spec::digest::Algorithm;
use longshore_spec::reference::Reference;
use longshore_store::{Options, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{Pulls, Search};

struct Place {
    store: Store,
    db: Db,
    clerk: Clerk,
    search: Search,
    _root: TempDir,
}

/// Moves on by a millisecond each time somebody looks.
fn clock() -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
    let time = Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000));
    Arc::new(move || {
        let mut time = time.lock().unwrap();
        *time += Duration::from_millis(1);
        *time
    })
}

async fn place() -> Place {
    let root = tempfile::tempdir().unwrap();
    let files = FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(root.path())
    };
    let blobs = Arc::new(Files::open(&files).unwrap());
    let db = Db::open_file(&root.path().join("meta.db")).unwrap();
    let store = Store::open(db.clone(), blobs, Options::default(), clock())
        .await
        .unwrap();
    Place {
        clerk: Clerk::new(
            db.clone(),
            Arc::new(store.clone()),
            clock(),
            ClerkOptions::default(),
        ),
        search: Search::new(db.clone()),
        store,
        db,
        _root: root,
    }
}

async fn open() -> Place {
    let place = place().await;
    place.clerk.open().await.unwrap();
    place
}

fn cx(rights: Rights) -> Cx {
    Cx {
        actor: Actor::Named("alice".into()),
        rights,
        origin: Origin::default(),
        request: 1,
        now: SystemTime::UNIX_EPOCH + Duration::from_hours(500_000),
    }
}

fn sees(names: &[&str]) -> Rights {
    let grant = |name: &&str| {
        let on = On::Repo(name.parse().unwrap());
        Grant::new(on, Verbs::NONE.with(Verb::Pull))
    };
    Rights::Listed(names.iter().map(grant).collect())
}

impl Place {
    async fn blob(&self, repo: &str, bytes: &str) -> Digest {
        let want = Expect {
            digest: Digest::of(Algorithm::Sha256, bytes.as_bytes()),
            size: None,
        };
        let body = body::once(Bytes::from(bytes.to_owned()));
        let cx = cx(Rights::Everything);
        self.store
            .put_blob(&cx, &repo.parse().unwrap(), &want, body)
            .await
            .unwrap();
        want.digest
    }

    async fn manifest(&self, repo: &str, tags: &[&str], manifest: &Value) -> Digest {
        let push = ManifestPush {
            bytes: manifest.to_string().into(),
            media_type: None,
            digest: None,
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            tag_rule: TagRule::Move,
            children: Children::MustExist,
        };
        let cx = cx(Rights::Everything);
        self.store
            .put_manifest(&cx, &repo.parse().unwrap(), &push)
            .await
            .unwrap()
            .digest
    }

    /// Pushes an image of that platform with these labels.
    async fn image(&self, repo: &str, tag: &str, platform: &str, labels: Value) -> Digest {
        let (os, architecture) = platform.split_once('/').unwrap();
        let config = json!({"os": os, "architecture": architecture, "config": {"Labels": labels}})
            .to_string();
        let digest = self.blob(repo, &config).await;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": config.len()},
            "layers": [],
        });
        self.manifest(repo, &[tag], &manifest).await
    }

    async fn plain(&self, repo: &str) -> Digest {
        self.image(repo, "latest", "linux/amd64", json!({})).await
    }

    /// Lets the clerk work until there is nothing to do.
    async fn settle(&self) {
        while self.clerk.step().await.unwrap() {}
    }

    async fn find_as(&self, rights: Rights, query: &str) -> Vec<Find> {
        let seek = Seek {
            after: None,
            limit: 100,
        };
        let found = self.search.find(&cx(rights), query, &seek).await;
        found.unwrap().items
    }

    async fn find(&self, query: &str) -> Vec<String> {
        names(self.find_as(Rights::Everything, query).await)
    }
}

fn names(found: Vec<Find>) -> Vec<String> {
    found
        .into_iter()
        .map(|find| find.name.to_string())
        .collect()
}

#[tokio::test]
async fn what_was_there_before_the_clerk_is_found_and_so_is_what_came_while_it_was_killed() {
    let place = place().await;
    for at in 0..45 {
        place.plain(&format!("old/repo{at}")).await;
    }
    place.clerk.open().await.unwrap();
    // Killed after one step: another one goes on, from whatever was recorded.
    assert!(place.clerk.step().await.unwrap());
    assert_ne!(place.clerk.behind().await.unwrap(), Behind::default());
    place.plain("new/one").await;
    let again = Clerk::new(
        place.db.clone(),
        Arc::new(place.store.clone()),
        clock(),
        ClerkOptions::default(),
    );
    again.open().await.unwrap();
    again.step().await.unwrap();
    assert_eq!(place.find("new").await, ["new/one"], "news come first");
    while again.step().await.unwrap() {}
    assert_eq!(again.behind().await.unwrap(), Behind::default());
    assert_eq!(place.find("old").await.len(), 45);

    // Nobody reads any more: what happens now is found by walking through everything again.
    stop_reading(&place.db).await.unwrap();
    place.plain("newer/one").await;
    again.open().await.unwrap();
    while again.step().await.unwrap() {}
    assert_eq!(place.find("newer").await, ["newer/one"]);
}

#[tokio::test]
async fn an_index_is_as_large_as_what_it_lists() {
    let place = open().await;
    let one = place
        .image("acme/multi", "one", "linux/amd64", json!({"a": "b"}))
        .await;
    let two = place
        .image("acme/multi", "two", "linux/arm64", json!({}))
        .await;
    let child = |digest: &Digest| {
        json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest.to_string(), "size": 300,
               "platform": {"os": "linux", "architecture": "amd64"}})
    };
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [child(&one), child(&two)],
    });
    let digest = place.manifest("acme/multi", &["latest"], &index).await;
    place.settle().await;
    let total = async |digest: Digest| {
        place
            .db
            .read(&digest, |tx, digest| Box::pin(artifact_total(tx, digest)))
            .await
            .unwrap()
            .unwrap()
    };
    let below = total(one).await + total(two).await;
    assert_eq!(total(digest).await, index.to_string().len() as u64 + below);
    assert_eq!(place.find("kind:index label:a=b").await, ["acme/multi"]);
}

#[tokio::test]
async fn pulls_count_by_tag_and_day_and_the_parts_of_an_index_do_not() {
    let place = open().await;
    let digest = place.plain("acme/app").await;
    place.plain("acme/dull").await;
    place.settle().await;
    let repo = "acme/app".parse().unwrap();
    let pulls = Pulls::default();
    pulls.count(&repo, &Reference::Tag("latest".parse().unwrap()));
    pulls.count(&repo, &Reference::Tag("latest".parse().unwrap()));
    pulls.count(&repo, &Reference::Digest(digest));
    pulls.count(&"not/there".parse().unwrap(), &Reference::Digest(digest));
    let now = 20_000 * 86_400_000_000 + 5;
    pulls.flush(&place.db, now).await.unwrap();
    pulls.flush(&place.db, now).await.unwrap();
    let counted = place
        .db
        .read(&repo, |tx, repo| {
            Box::pin(async move {
                let repo = repos::repo_id(tx, repo).await?.unwrap();
                pulls::pulls_of(tx, repo, ("", 0), 10).await
            })
        })
        .await
        .unwrap();
    let counted: Vec<_> = counted
        .into_iter()
        .map(|day| (day.tag, day.day, day.pulls))
        .collect();
    assert_eq!(counted, [("latest".to_owned(), 20_000, 3)]);
    let found = place.find_as(Rights::Everything, "acme").await;
    assert_eq!(found[0].pulls, 3);
    assert_eq!(
        names(found),
        ["acme/app", "acme/dull"],
        "the more pulled first"
    );
}
