//! A house with a registry in it that keeps what is pushed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use longshore_api::Api;
use longshore_blob::{Files, FilesOptions};
use longshore_core::past::{Outlook, Restored, TagRestored};
use longshore_core::{
    Actor, Children, Cx, ManifestPush, Origin, Parents, Registry as _, Result, Rights, TagRule,
};
use longshore_hub::{Past, Undo};
use longshore_meta::Tx;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::reference::Reference;
use longshore_store::{Collection, Options, Store, outlook, restore_manifest, restore_tag};
use serde_json::{Value, json};

use super::house::{ByName, House, now};

#[derive(Debug)]
struct Undoing(Store);

impl Undo for Undoing {
    fn tag_restore<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        tag: &'t Tag,
        to: Option<Digest>,
        by: (&'t str, i64),
    ) -> BoxFuture<'t, Result<TagRestored>> {
        Box::pin(restore_tag(tx, repo, tag, to, by))
    }

    fn manifest_restore<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        digest: &'t Digest,
        by: (&'t str, i64),
    ) -> BoxFuture<'t, Result<Restored>> {
        Box::pin(restore_manifest(tx, repo, digest, by))
    }

    fn outlook<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        digest: &'t Digest,
    ) -> BoxFuture<'t, Result<Outlook>> {
        Box::pin(outlook(tx, repo, digest))
    }

    fn restored(&self, repo: &RepoName) {
        self.0.restored(repo);
    }
}

/// A registry beside the API.
pub(crate) struct Keeping {
    pub(crate) house: House,
    pub(crate) store: Store,
    pub(crate) collection: Collection,
    time: AtomicU64,
}

impl Keeping {
    pub(crate) async fn new() -> Self {
        let mut house = House::new().await;
        let root = house.folder.path().join("blobs");
        std::fs::create_dir_all(&root).unwrap();
        let files = FilesOptions {
            unsafe_storage: true,
            ..FilesOptions::new(&root)
        };
        let blobs = Arc::new(Files::open(&files).unwrap());
        // Moves on by a millisecond each time somebody looks.
        let time = Mutex::new(now());
        let clock = Arc::new(move || {
            let mut time = time.lock().unwrap();
            *time += Duration::from_millis(1);
            *time
        });
        let store = Store::open(house.db.clone(), blobs, Options::default(), clock);
        let store = store.await.unwrap();
        let collection = Collection::new(store.clone(), None);
        let past = Past {
            undo: Arc::new(Undoing(store.clone())),
            collector: Arc::new(collection.clone()),
        };
        house.hub = house.hub.clone().with_past(past);
        house.api = Api::new(house.hub.clone(), Arc::new(ByName));
        Self {
            house,
            store,
            collection,
            time: AtomicU64::new(1),
        }
    }

    fn cx(&self) -> Cx {
        let seconds = self.time.fetch_add(1, Ordering::Relaxed);
        Cx {
            actor: Actor::Named("alice".into()),
            rights: Rights::Everything,
            origin: Origin::default(),
            request: 1,
            // Before whatever the API is asked.
            now: now() - Duration::from_secs(1000) + Duration::from_secs(seconds),
        }
    }

    /// Pushes something that is told apart by `what`.
    pub(crate) async fn push(&self, repo: &str, tags: &[&str], what: &str) -> Digest {
        let index = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [],
            "annotations": { "what": what },
        });
        let push = ManifestPush {
            bytes: Bytes::from(index.to_string()),
            media_type: None,
            digest: None,
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            tag_rule: TagRule::Move,
            children: Children::MustExist,
        };
        let (cx, repo) = (self.cx(), name(repo));
        let pushed = self.store.put_manifest(&cx, &repo, &push);
        pushed.await.unwrap().digest
    }

    pub(crate) async fn delete(&self, repo: &str, digest: &Digest) {
        let (cx, repo, how) = (self.cx(), name(repo), Parents::MustBeGone);
        let gone = self.store.delete_manifest(&cx, &repo, digest, how);
        gone.await.unwrap();
    }

    /// Where a tag points, for whoever pulls.
    pub(crate) async fn points(&self, repo: &str, tag: &str) -> Option<Digest> {
        let (cx, repo, at): (_, _, Reference) = (self.cx(), name(repo), tag.parse().unwrap());
        let found = self.store.stat_manifest(&cx, &repo, &at);
        found.await.ok().map(|found| found.digest)
    }

    /// Waits until all runs that were asked for came to their end, and gives them.
    pub(crate) async fn runs(&self) -> Vec<Value> {
        loop {
            let said = self.house.get("ada", "/gc").await.json();
            let runs = said["runs"].as_array().unwrap().clone();
            if runs.iter().all(|run| !run["ended"].is_null()) {
                return runs;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

/// A time as answers have it.
pub(crate) fn at(text: &Value) -> SystemTime {
    let at: jiff::Timestamp = text.as_str().unwrap().parse().unwrap();
    at.into()
}
