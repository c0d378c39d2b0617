//! Taking over the tree of a Distribution registry.

mod collected;
mod damaged;
mod gate;

use futures_util::TryStreamExt as _;
use longshore_core::{Code, Expect, Parents, Registry, Window, body};
use longshore_layout::distribution::{Finding, Kind, Survey};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::reference::Reference;
use longshore_store::{Takeover, TakeoverError};
use longshore_testkit::content::{Dress, Maker, Piece};
use longshore_testkit::old_tree::{OldTree, write};
use longshore_testkit::suite::bench::{alice, by_tag, repo};

use super::*;

async fn open_here(root: &Path) -> Store {
    open_with(root, Options::default(), clock()).await
}

/// What there is to take over, begun.
async fn begin(store: &Store, root: &Path) -> Option<Takeover> {
    let survey = Survey::default();
    Takeover::of(store, root, survey, false).await.unwrap()
}

pub(super) async fn all(store: &dyn Registry, name: &str, digest: &Digest) -> Option<Vec<u8>> {
    let blob = store.get_blob(&alice(), &repo(name), digest, None).await;
    match blob {
        Ok(blob) => {
            let parts: Vec<_> = blob.body.try_collect().await.unwrap();
            Some(parts.concat())
        }
        Err(error) if error.code().is_absence() => None,
        Err(error) => panic!("{digest}: {error:?}"),
    }
}

pub(super) async fn manifest(store: &dyn Registry, name: &str, at: &Reference) -> Option<Vec<u8>> {
    match store.get_manifest(&alice(), &repo(name), at).await {
        Ok(manifest) => Some(manifest.bytes.to_vec()),
        Err(error) if error.code().is_absence() => None,
        Err(error) => panic!("{at}: {error:?}"),
    }
}

fn by_digest(piece: &Piece) -> Reference {
    Reference::Digest(piece.digest)
}

async fn findings(store: &Store) -> Vec<Finding> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (page, last) = store.takeover_findings(after).await.unwrap();
        all.extend(page);
        if last.is_none() {
            return all;
        }
        after = last;
    }
}

#[tokio::test]
async fn everything_is_pulled_as_before_and_no_blob_moves() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    let image = tree.push("acme/app", &mut maker, "1.0");
    let about = maker.image(&image.config, &[], &Dress::about(&image.manifest));
    tree.put_manifest("acme/app", &about, None);
    let index = maker.index(&[image.manifest.clone(), about.clone()], &Dress::default());
    tree.put_manifest("acme/app", &index, Some("all"));
    let fallback = format!("sha256-{}", image.manifest.digest.hex());
    tree.put_tag("acme/app", &fallback, &index.digest);
    let other = tree.push("other", &mut maker, "latest");
    let layer = tree.blob(&image.layer.digest);
    let before = (
        layer.metadata().unwrap().modified().unwrap(),
        files_in(root.path()),
    );

    let store = open_here(root.path()).await;
    let takeover = begin(&store, root.path()).await.unwrap();
    takeover.run().await.unwrap();
    assert_eq!(findings(&store).await, []);
    let after = (
        layer.metadata().unwrap().modified().unwrap(),
        files_in(root.path()),
    );
    assert_eq!(before, after);

    let cx = alice();
    for (name, at, piece) in [
        ("acme/app", by_tag("1.0"), &image.manifest),
        ("acme/app", by_digest(&image.manifest), &image.manifest),
        ("acme/app", by_digest(&about), &about),
        ("acme/app", by_tag("all"), &index),
        ("acme/app", by_tag(&fallback), &index),
        ("other", by_tag("latest"), &other.manifest),
    ] {
        let got = store.get_manifest(&cx, &repo(name), &at).await.unwrap();
        assert_eq!(
            (&got.bytes, &got.media_type),
            (&piece.bytes, &piece.media_type)
        );
    }
    for piece in [&image.config, &image.layer] {
        let got = all(&store, "acme/app", &piece.digest).await;
        assert_eq!(got.as_deref(), Some(&piece.bytes[..]));
        assert_eq!(
            all(&store, "other", &piece.digest).await,
            None,
            "it is not the other's"
        );
    }
    let window = Window {
        after: None,
        limit: 10,
    };
    let subject = &image.manifest.digest;
    let referrers = store
        .referrers(&cx, &repo("acme/app"), subject, None, &window)
        .await;
    assert_eq!(referrers.unwrap().items[0].digest, about.digest);
    let window = Window {
        after: None,
        limit: 10,
    };
    let names = store.repositories(&cx, &window).await.unwrap().items;
    assert_eq!(names, [repo("acme/app"), repo("other")]);
    let taken = store.taken_over().await.unwrap().unwrap();
    assert_eq!(
        (taken.repos, taken.manifests, taken.tags, taken.blobs),
        (2, 4, 4, 4)
    );
    assert!(taken.ended.is_some());
    assert!(begin(&store, root.path()).await.is_none(), "once is enough");
}

/// All files of the tree.
fn files_in(root: &Path) -> Vec<std::path::PathBuf> {
    let (mut files, mut waiting) = (Vec::new(), vec![root.join("docker")]);
    while let Some(dir) = waiting.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_push_is_judged_against_what_was_taken_over_and_a_delete_takes_it_away_for_good() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    let image = tree.push("a", &mut maker, "1.0");
    let index = maker.index(std::slice::from_ref(&image.manifest), &Dress::default());
    tree.put_manifest("a", &index, None);
    let store = open_here(root.path()).await;
    begin(&store, root.path())
        .await
        .unwrap()
        .run()
        .await
        .unwrap();
    let cx = alice();
    let above = maker.index(std::slice::from_ref(&index), &Dress::default());
    let push = longshore_core::ManifestPush {
        bytes: above.bytes.clone(),
        media_type: Some(above.media_type.clone()),
        digest: None,
        tags: vec!["above".parse().unwrap()],
        tag_rule: longshore_core::TagRule::CreateOnly,
        children: longshore_core::Children::MustExist,
    };
    store.put_manifest(&cx, &repo("a"), &push).await.unwrap();
    let denied = store
        .delete_blob(&cx, &repo("a"), &image.layer.digest)
        .await;
    assert_eq!(
        denied.unwrap_err().code(),
        Code::Denied,
        "the manifest needs it"
    );
    for piece in [&above, &index, &image.manifest] {
        let gone = store
            .delete_manifest(&cx, &repo("a"), &piece.digest, Parents::MustBeGone)
            .await;
        gone.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    let store = open_here(root.path()).await;
    assert!(begin(&store, root.path()).await.is_none());
    assert_eq!(manifest(&store, "a", &by_tag("1.0")).await, None);
}

#[tokio::test]
async fn a_blob_that_was_damaged_is_absent_everywhere_until_it_is_pushed_again() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    let image = tree.push("b", &mut maker, "1.0");
    // Taken over before the repository whose manifest shows that it is damaged.
    tree.put_blob("a", &image.layer);
    tree.put_blob("c", &image.layer);
    write(&tree.blob(&image.layer.digest), b"short");
    let store = open_here(root.path()).await;
    let takeover = begin(&store, root.path()).await.unwrap();
    takeover.ready(&repo("a")).await.unwrap();
    takeover.run().await.unwrap();
    for name in ["a", "b", "c"] {
        assert_eq!(all(&store, name, &image.layer.digest).await, None, "{name}");
    }
    let want = Expect {
        digest: image.layer.digest,
        size: None,
    };
    let body = body::once(image.layer.bytes.clone());
    store
        .put_blob(&alice(), &repo("b"), &want, body)
        .await
        .unwrap();
    let got = all(&store, "b", &image.layer.digest).await;
    assert_eq!(got.as_deref(), Some(&image.layer.bytes[..]));
    assert!(manifest(&store, "b", &by_tag("1.0")).await.is_some());
}

#[tokio::test]
async fn what_was_stopped_at_any_moment_goes_on_and_ends_in_the_same_state() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    for name in 0..40 {
        for tag in 0..5 {
            tree.push(&format!("r{name}"), &mut maker, &format!("t{tag}"));
        }
        let name = format!("r{name}");
        write(&tree.at(&name, "_manifests/tags/broken/current/link"), b"");
    }
    let mut starts = 0;
    loop {
        starts += 1;
        assert!(starts < 1_000, "it does not get on");
        let store = open_here(root.path()).await;
        let Some(takeover) = begin(&store, root.path()).await else {
            break;
        };
        let patience = Duration::from_millis(15 * starts);
        let ended = tokio::time::timeout(patience, takeover.run()).await;
        takeover.stop();
        if let Ok(ended) = ended {
            ended.unwrap();
        }
        store.close().await.unwrap();
    }
    let store = open_here(root.path()).await;
    let taken = store.taken_over().await.unwrap().unwrap();
    assert_eq!(
        (taken.repos, taken.manifests, taken.tags, taken.blobs),
        (40, 200, 200, 400)
    );
    let found = findings(&store).await;
    assert_eq!(found.len(), 40);
    assert!(found.iter().all(|finding| finding.kind == Kind::BrokenTag));
    assert!(starts > 2, "it was never stopped");
}

#[tokio::test]
async fn a_tree_that_was_written_to_meanwhile_is_told_of() {
    let root = tempfile::tempdir().unwrap();
    let tree = OldTree::new(root.path());
    let mut maker = Maker::new(1);
    tree.push("a", &mut maker, "1.0");
    tree.push("b", &mut maker, "1.0");
    let store = open_here(root.path()).await;
    let takeover = begin(&store, root.path()).await.unwrap();
    takeover.ready(&repo("a")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    tree.push("a", &mut maker, "2.0");
    takeover.run().await.unwrap();
    let found = findings(&store).await;
    let kinds: Vec<_> = found
        .iter()
        .map(|found| (found.kind, found.repo.clone()))
        .collect();
    assert_eq!(kinds, [(Kind::Changed, Some(repo("a")))]);
}

#[tokio::test]
async fn a_tree_beside_content_of_this_registry_comes_to_it_only_when_that_is_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let store = open_here(root.path()).await;
    let content = b"mine".as_slice();
    let want = Expect {
        digest: Digest::of(Algorithm::Sha256, content),
        size: None,
    };
    let put = store
        .put_blob(&alice(), &repo("mine"), &want, body::once(content.into()))
        .await;
    put.unwrap();
    assert!(begin(&store, root.path()).await.is_none());
    let image = OldTree::new(root.path()).push("a", &mut Maker::new(1), "1.0");
    let refused = Takeover::of(&store, root.path(), Survey::default(), false).await;
    assert!(matches!(refused, Err(TakeoverError::NotEmpty { .. })));
    let beside = Takeover::of(&store, root.path(), Survey::default(), true).await;
    beside.unwrap().unwrap().run().await.unwrap();
    assert!(all(&store, "mine", &want.digest).await.is_some());
    assert!(all(&store, "a", &image.layer.digest).await.is_some());
}

#[tokio::test]
async fn a_tree_that_goes_away_in_the_middle_is_an_error_and_no_empty_registry() {
    let root = tempfile::tempdir().unwrap();
    OldTree::new(root.path()).push("a", &mut Maker::new(1), "1.0");
    let store = open_here(root.path()).await;
    begin(&store, root.path()).await.unwrap();
    std::fs::rename(root.path().join("docker"), root.path().join("away")).unwrap();
    let gone = Takeover::of(&store, root.path(), Survey::default(), false).await;
    assert!(matches!(gone, Err(TakeoverError::Gone { .. })));
}
