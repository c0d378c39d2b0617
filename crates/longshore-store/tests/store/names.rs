//! Names that mean something else than they did: changed behind the store, which hears of it.

use longshore_core::{Children, Code, Expect, ManifestPush, Registry as _, TagRule, body};
use longshore_meta::names::name_resolve;
use longshore_meta::repos::{repo_id, repo_rename};
use longshore_meta::rests::{Rest, rest_delete, rest_put};
use longshore_meta::settings::{setting_get, setting_put};
use longshore_meta::{Durability as Power, Tx};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;
use longshore_store::{Deleted, NewRepo, What};

use super::restart::{chunk, cx};
use super::*;

const LATER: i64 = i64::MAX;

/// Writes down who made which repository.
fn born<'t>(
    tx: &'t mut Tx<'_>,
    new: &'t NewRepo,
) -> futures_util::future::BoxFuture<'t, longshore_core::Result<()>> {
    Box::pin(async move {
        let before = setting_get(tx, "born").await?.unwrap_or_default();
        let all = format!("{before}{}={} ", new.name, new.by.actor);
        setting_put(tx, "born", &all).await
    })
}

/// Writes down who deleted what; and lets no tag `kept` be deleted.
fn gone<'t>(
    tx: &'t mut Tx<'_>,
    gone: &'t Deleted,
) -> futures_util::future::BoxFuture<'t, longshore_core::Result<()>> {
    Box::pin(async move {
        let what = match &gone.what {
            What::Tag(tag, _) if tag.as_str() == "kept" => {
                return Err(longshore_core::Error::new(Code::Denied, "it is kept"));
            }
            What::Tag(tag, _) => format!("tag {tag}"),
            What::Manifest(_, tags, count) => format!("manifest {tags:?} {count}"),
            What::Blob(_) => "blob".to_owned(),
        };
        let before = setting_get(tx, "gone").await?.unwrap_or_default();
        let all = format!("{before}{} {}: {what}; ", gone.repo, gone.by.actor);
        setting_put(tx, "gone", &all).await
    })
}

pub(crate) fn followed() -> Options {
    Options {
        born: Some(born),
        gone: Some(gone),
        ..with_rows()
    }
}

struct House {
    store: Store,
    db: Db,
    _root: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let files = FilesOptions {
            unsafe_storage: true,
            ..FilesOptions::new(root.path())
        };
        let db = Db::open_file(&root.path().join("meta.db")).unwrap();
        let blobs = Arc::new(Files::open(&files).unwrap());
        let store = Store::open(db.clone(), blobs, followed(), clock());
        Self {
            store: store.await.unwrap(),
            db,
            _root: root,
        }
    }

    /// As a use case of the index does it.
    async fn rename(&self, from: &str, to: &str) {
        let args: (RepoName, RepoName) = (name(from), name(to));
        let done = self.db.write(Power::Power, args.clone(), |tx, (from, to)| {
            Box::pin(async move {
                let id = repo_id(tx, from).await?.unwrap();
                repo_rename(tx, id, to, ("alice", 1)).await?;
                rest_delete(tx, to.as_str()).await?;
                rest_put(tx, from.as_str(), Rest::Repo(id), LATER).await
            })
        });
        done.await.unwrap();
        self.store.names_changed(&[args.0, args.1]);
    }

    async fn push(&self, repo: &str, tag: &str, config: &str) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, config.as_bytes());
        let want = Expect {
            digest,
            size: Some(config.len() as u64),
        };
        let bytes = body::once(config.to_owned().into());
        let (cx, repo) = (cx("alice"), name(repo));
        self.store.put_blob(&cx, &repo, &want, bytes).await.unwrap();
        let push = image(&digest, config.len(), tag);
        let pushed = self.store.put_manifest(&cx, &repo, &push).await;
        pushed.unwrap().digest
    }

    async fn at(&self, repo: &str, tag: &str) -> std::result::Result<Digest, Code> {
        let at: Reference = tag.parse().unwrap();
        let found = self.store.stat_manifest(&cx("bob"), &name(repo), &at).await;
        found.map(|it| it.digest).map_err(|error| error.code())
    }

    /// Who made which repository.
    async fn born(&self) -> String {
        let read = self
            .db
            .read(&(), |tx, ()| Box::pin(setting_get(tx, "born")));
        read.await.unwrap().unwrap_or_default()
    }

    /// Who deleted what.
    async fn gone(&self) -> String {
        let read = self
            .db
            .read(&(), |tx, ()| Box::pin(setting_get(tx, "gone")));
        read.await.unwrap().unwrap_or_default()
    }

    async fn names(&self) -> Vec<String> {
        let read = self.db.read(&(), |tx, ()| {
            Box::pin(longshore_meta::repos::repo_below(tx, "", "", 100))
        });
        let found = read.await.unwrap();
        found.into_iter().map(|(_, name)| name).collect()
    }
}

/// A push of an image that has a config and no layer.
fn image(config: &Digest, size: usize, tag: &str) -> ManifestPush {
    ManifestPush {
        bytes: format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":{size}}},"layers":[]}}"#,
        )
        .into(),
        media_type: None,
        digest: None,
        tags: vec![tag.parse().unwrap()],
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    }
}

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

#[tokio::test]
async fn what_is_refused_makes_no_repository() {
    let house = House::new().await;
    house.push("acme/app", "1", "{}").await;
    let (by, new, old) = (cx("alice"), name("acme/new"), name("acme/app"));
    let none = Digest::of(Algorithm::Sha256, b"nothing");
    let mounted = house.store.mount_blob(&by, &new, &none, Some(&old)).await;
    assert_eq!(mounted.unwrap(), None);
    let push = image(&none, 7, "1");
    let refused = house.store.put_manifest(&by, &new, &push).await;
    assert_eq!(refused.unwrap_err().code(), Code::ManifestBlobUnknown);
    assert_eq!(house.names().await, ["acme/app"]);
    assert_eq!(house.born().await, "acme/app=alice ");
}

#[tokio::test]
async fn what_is_deleted_is_told_in_the_same_transaction() {
    let house = House::new().await;
    let digest = house.push("acme/app", "1", "{}").await;
    for tag in ["2", "kept"] {
        house.push("acme/app", tag, "{}").await;
    }
    let (by, app) = (cx("alice"), name("acme/app"));
    let delete = async |tag: &str| {
        let gone = house
            .store
            .delete_tag(&by, &app, &tag.parse().unwrap())
            .await;
        gone.map_err(|error| error.code())
    };
    assert_eq!(delete("1").await, Ok(()));
    assert_eq!(delete("1").await, Err(Code::ManifestUnknown));
    assert_eq!(delete("kept").await, Err(Code::Denied));
    assert_eq!(house.at("acme/app", "kept").await, Ok(digest));
    // It is part of a manifest, so nothing is deleted, and nothing is told.
    let config = Digest::of(Algorithm::Sha256, b"{}");
    let refused = house.store.delete_blob(&by, &app, &config).await;
    assert_eq!(refused.unwrap_err().code(), Code::Denied);
    let parents = longshore_core::Parents::MustBeGone;
    let gone = house.store.delete_manifest(&by, &app, &digest, parents);
    gone.await.unwrap();
    let want = Expect {
        digest: Digest::of(Algorithm::Sha256, b"alone"),
        size: None,
    };
    let bytes = body::once("alone".into());
    house.store.put_blob(&by, &app, &want, bytes).await.unwrap();
    let gone = house.store.delete_blob(&by, &app, &want.digest);
    gone.await.unwrap();
    assert_eq!(
        house.gone().await,
        "acme/app alice: tag 1; acme/app alice: manifest [\"2\", \"kept\"] 2; acme/app alice: blob; "
    );
}

#[tokio::test]
async fn an_old_name_leads_to_the_repository_for_pulls_and_pushes() {
    let house = House::new().await;
    let first = house.push("acme/app", "1", "{}").await;
    // What is remembered by either name must not be what is read by the other.
    assert_eq!(house.at("acme/app", "1").await, Ok(first));
    house.rename("acme/app", "acme/web").await;
    for repo in ["acme/web", "acme/app"] {
        assert_eq!(house.at(repo, "1").await, Ok(first), "{repo}");
    }
    let second = house.push("acme/app", "1", "{\"n\":2}").await;
    assert_ne!(first, second);
    for repo in ["acme/app", "acme/web", "acme/app"] {
        assert_eq!(house.at(repo, "1").await, Ok(second), "{repo}");
    }
    let third = house.push("acme/web", "1", "{\"n\":3}").await;
    for repo in ["acme/app", "acme/web"] {
        assert_eq!(house.at(repo, "1").await, Ok(third), "{repo}");
    }
    let digest = Digest::of(Algorithm::Sha256, b"{\"n\":3}");
    let (by, other, old) = (cx("alice"), name("acme/other"), name("acme/app"));
    let mounted = house.store.mount_blob(&by, &other, &digest, Some(&old));
    assert!(mounted.await.unwrap().is_some());
    let tag = "1".parse().unwrap();
    house
        .store
        .delete_tag(&cx("alice"), &name("acme/app"), &tag)
        .await
        .unwrap();
    for repo in ["acme/app", "acme/web"] {
        assert_eq!(house.at(repo, "1").await, Err(Code::ManifestUnknown));
    }
    assert_eq!(house.names().await, ["acme/other", "acme/web"]);
}

#[tokio::test]
async fn a_push_that_a_rename_overtakes_ends_in_the_same_repository() {
    let house = House::new().await;
    house.push("acme/app", "1", "{}").await;
    let (cx, old) = (cx("alice"), name("acme/app"));
    let start = house.store.start_upload(&cx, &old, Algorithm::Sha256).await;
    let id = start.unwrap().id;
    house
        .store
        .append_upload(&cx, &old, &id, chunk(b"one "))
        .await
        .unwrap();
    house.rename("acme/app", "acme/web").await;
    let digest = Digest::of(Algorithm::Sha256, b"one two");
    house
        .store
        .finish_upload(&cx, &old, &id, chunk(b"two"), &digest)
        .await
        .unwrap();
    let found = house.store.stat_blob(&cx, &name("acme/web"), &digest).await;
    assert_eq!(found.unwrap().size, 7);
    assert_eq!(house.names().await, ["acme/web"]);
}

#[tokio::test]
async fn a_repository_is_born_once_and_app_and_library_app_are_one() {
    let house = House::new().await;
    let first = house.push("app", "1", "{}").await;
    house.push("library/app", "2", "{}").await;
    house.push("acme/app", "1", "{}").await;
    assert_eq!(house.at("library/app", "1").await, Ok(first));
    assert_eq!(house.names().await, ["acme/app", "app"]);
    assert_eq!(house.born().await, "app=alice acme/app=alice ");
}

#[tokio::test]
async fn without_an_index_names_are_what_they_are() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), with_rows(), clock()).await;
    super::check::put(&store, &name("app"), b"one").await;
    let digest = Digest::of(Algorithm::Sha256, b"one");
    let found = store
        .stat_blob(&cx("bob"), &name("library/app"), &digest)
        .await;
    assert_eq!(found.unwrap_err().code(), Code::NameUnknown);
}

#[tokio::test]
async fn a_name_whose_rest_has_ended_is_nobodys() {
    let house = House::new().await;
    house.push("acme/app", "1", "{}").await;
    house.rename("acme/app", "acme/web").await;
    let ended = house.db.write(Power::Power, (), |tx, ()| {
        Box::pin(rest_put(tx, "acme/app", Rest::Nobody, 1))
    });
    ended.await.unwrap();
    assert_eq!(house.at("acme/app", "1").await, Err(Code::NameUnknown));
    let new = house.push("acme/app", "1", "{\"n\":2}").await;
    assert_eq!(house.at("acme/app", "1").await, Ok(new));
    assert_ne!(house.at("acme/web", "1").await, Ok(new));
    let args = name("acme/app");
    let found = house
        .db
        .read(&args, |tx, name| Box::pin(name_resolve(tx, name, 2)));
    assert_eq!(found.await.unwrap().name, args);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_was_pushed_is_pulled_by_every_name_while_it_is_renamed() {
    let house = Arc::new(House::new().await);
    house.push("acme/app", "1", "{}").await;
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let renaming = tokio::spawn({
        let (house, stop) = (house.clone(), stop.clone());
        async move {
            let mut names = ["acme/app", "acme/web"];
            let mut count = 0_u32;
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                house.rename(names[0], names[1]).await;
                names.swap(0, 1);
                count += 1;
                tokio::task::yield_now().await;
            }
            count
        }
    });
    for at in 0..60 {
        let by = ["acme/app", "acme/web"][at % 2];
        let pushed = house.push(by, "1", &format!("{{\"at\":{at}}}")).await;
        for repo in ["acme/web", "acme/app", "acme/web"] {
            assert_eq!(house.at(repo, "1").await, Ok(pushed), "{at}: {repo}");
        }
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(renaming.await.unwrap() > 1, "it was renamed meanwhile");
    assert_eq!(house.names().await.len(), 1);
}
