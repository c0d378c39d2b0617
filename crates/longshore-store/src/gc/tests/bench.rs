//! A store with a clock that the test turns.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longshore_blob::{Files, FilesOptions};
use longshore_core::{
    Actor, Children, Cx, Expect, ManifestPush, Origin, Parents, Registry, Result, Rights, TagRule,
    body,
};
use longshore_meta::Db;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::reference::Reference;

use crate::gc::{Ask, GcOptions, Report};
use crate::{Options, Store};

pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// A clock that stands until it is turned.
#[derive(Debug, Clone)]
pub(super) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(super) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(self.0.load(Ordering::SeqCst))
    }

    pub(super) fn turn(&self, by: Duration) {
        let by = u64::try_from(by.as_micros()).unwrap();
        self.0.fetch_add(by, Ordering::SeqCst);
    }

    pub(super) fn turn_back(&self, by: Duration) {
        let by = u64::try_from(by.as_micros()).unwrap();
        self.0.fetch_sub(by, Ordering::SeqCst);
    }
}

pub(super) struct Bench {
    pub(super) store: Store,
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) root: tempfile::TempDir,
}

pub(super) fn options(gc: GcOptions) -> Options {
    Options {
        gc,
        ..Options::default()
    }
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with(options(GcOptions::default())).await
    }

    pub(super) async fn with(options: Options) -> Self {
        let root = tempfile::tempdir().unwrap();
        let clock = Clock(Arc::new(AtomicU64::new(1_800_000_000_000_000)));
        let (store, db) = open(root.path(), options, clock.clone()).await;
        Self {
            store,
            db,
            clock,
            root,
        }
    }

    /// As after a kill: nothing is closed.
    pub(super) async fn reopen(self, options: Options) -> Self {
        let Self {
            store,
            db,
            clock,
            root,
        } = self;
        drop((store, db));
        let (store, db) = open(root.path(), options, clock.clone()).await;
        Self {
            store,
            db,
            clock,
            root,
        }
    }

    pub(super) fn cx(&self) -> Cx {
        Cx {
            actor: Actor::Named("alice".into()),
            rights: Rights::Everything,
            origin: Origin::default(),
            request: 1,
            now: self.clock.now(),
        }
    }

    /// Somebody who may only pull.
    pub(super) fn reader(&self) -> Cx {
        Cx {
            rights: Rights::reader(),
            ..self.cx()
        }
    }

    pub(super) async fn put(&self, repo: &str, content: &[u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, content);
        let want = Expect {
            digest,
            size: Some(content.len() as u64),
        };
        let body = body::once(content.to_vec().into());
        self.store
            .put_blob(&self.cx(), &name(repo), &want, body)
            .await
            .unwrap();
        // As housekeeping does twice a second.
        self.store
            .0
            .settle(crate::unsettled::Origin::Published)
            .await
            .unwrap();
        digest
    }

    pub(super) async fn has(&self, cx: &Cx, repo: &str, digest: &Digest) -> bool {
        match self.store.stat_blob(cx, &name(repo), digest).await {
            Ok(_) => true,
            Err(error) if error.code().is_absence() => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn push(&self, repo: &str, push: &ManifestPush) -> Result<Digest> {
        let pushed = self
            .store
            .put_manifest(&self.cx(), &name(repo), push)
            .await?;
        Ok(pushed.digest)
    }

    /// Pushes an image with its blobs.
    pub(super) async fn image(&self, repo: &str, tags: &[&str], contents: &[&[u8]]) -> Digest {
        let mut blobs = Vec::new();
        for content in contents {
            blobs.push((self.put(repo, content).await, content.len()));
        }
        self.push(repo, &image(&blobs, tags)).await.unwrap()
    }

    pub(super) async fn delete(&self, repo: &str, digest: &Digest) {
        self.store
            .delete_manifest(&self.cx(), &name(repo), digest, Parents::MustBeGone)
            .await
            .unwrap();
    }

    pub(super) async fn pulls(&self, repo: &str, at: &str) -> bool {
        let at: Reference = at.parse().unwrap();
        match self.store.get_manifest(&self.cx(), &name(repo), &at).await {
            Ok(_) => true,
            Err(error) if error.code().is_absence() => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn gc(&self) -> Report {
        let report = self.store.gc(&Ask::default(), &|_| {}).await.unwrap();
        assert_eq!(report.paused, None);
        report
    }

    /// A run after that much time, by steps that a clock may make.
    pub(super) async fn gc_after(&self, time: Duration) -> Report {
        let mut left = time;
        while left > HOUR {
            self.clock.turn(HOUR);
            left -= HOUR;
            let report = self.store.gc(&Ask::default(), &|_| {}).await.unwrap();
            assert_eq!(report.paused, None);
        }
        self.clock.turn(left);
        self.gc().await
    }

    /// How many files lie in the store.
    pub(super) fn files(&self) -> usize {
        super::check::files(&self.root.path().join("blobs")).len()
    }
}

async fn open(root: &Path, options: Options, clock: Clock) -> (Store, Db) {
    let files = FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(root)
    };
    let mut opened = Files::open(&files);
    // A store that was just dropped may have a sync under way, which holds the directory a moment longer.
    for _ in 0..200 {
        if opened.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        opened = Files::open(&files);
    }
    let db = Db::open_file(&root.join("meta.db")).unwrap();
    let blobs = Arc::new(opened.unwrap());
    let now = Arc::new(move || clock.now());
    let store = Store::open(db.clone(), blobs, options, now).await.unwrap();
    (store, db)
}

pub(super) fn name(repo: &str) -> RepoName {
    repo.parse().unwrap()
}

fn tags(names: &[&str]) -> Vec<Tag> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn push_of(json: String, names: &[&str]) -> ManifestPush {
    ManifestPush {
        bytes: json.into(),
        media_type: None,
        digest: None,
        tags: tags(names),
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    }
}

/// An image of these blobs, the first of which is its config.
pub(super) fn image(blobs: &[(Digest, usize)], names: &[&str]) -> ManifestPush {
    let of = |kind: &str, (digest, size): &(Digest, usize)| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{digest}","size":{size}}}"#
        )
    };
    let (config, layers) = blobs.split_first().unwrap();
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| of("layer.v1.tar", layer))
        .collect();
    push_of(
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
            of("config.v1+json", config),
            layers.join(",")
        ),
        names,
    )
}

/// An index of these manifests. `note` tells it from another one of the same.
pub(super) fn index(manifests: &[(Digest, usize)], note: &str, names: &[&str]) -> ManifestPush {
    let of = |(digest, size): &(Digest, usize)| {
        format!(
            r#"{{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"{digest}","size":{size}}}"#
        )
    };
    let listed: Vec<_> = manifests.iter().map(of).collect();
    push_of(
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}],"annotations":{{"note":"{note}"}}}}"#,
            listed.join(",")
        ),
        names,
    )
}

/// Something attached to `subject`, of one blob.
pub(super) fn referrer(blob: (Digest, usize), subject: (Digest, usize)) -> ManifestPush {
    push_of(
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/b","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{}","size":{}}},"layers":[],"subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{}}}}}"#,
            blob.0, blob.1, subject.0, subject.1
        ),
        &[],
    )
}

/// Content that is a file, told from others by `note`.
pub(super) fn large(note: &str) -> Vec<u8> {
    let mut content = vec![b'.'; 40_000];
    content[..note.len()].copy_from_slice(note.as_bytes());
    content
}
