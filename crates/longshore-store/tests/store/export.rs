//! Export to a Distribution tree and to OCI layouts, and back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use longshore_core::{Children, Expect, ManifestPush, Registry, TagRule, Window, body};
use longshore_layout::content::Placing;
use longshore_layout::distribution::{Survey, Tree, TreeWriteError};
use longshore_layout::oci::{Layout, ref_name};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::reference::Reference;
use longshore_store::{
    Chosen, ExportError, Exported, Exporter, ImportError, Imported, Takeover, Wanted,
};
use longshore_testkit::content::{Dress, Maker, Piece};
use longshore_testkit::suite::bench::{alice, by_tag, repo};

use super::takeover::{all, manifest};
use super::*;

/// A store with images of several kinds, and what was pushed to it.
struct World {
    root: tempfile::TempDir,
    store: Store,
    image: Piece,
    index: Piece,
    about: Piece,
    blobs: Vec<Piece>,
}

async fn put_blob(store: &Store, name: &str, piece: &Piece) {
    let want = Expect {
        digest: piece.digest,
        size: Some(piece.size()),
    };
    let body = body::once(piece.bytes.clone());
    store
        .put_blob(&alice(), &repo(name), &want, body)
        .await
        .unwrap();
}

async fn put_manifest(store: &Store, name: &str, piece: &Piece, tags: &[&str]) {
    let push = ManifestPush {
        bytes: piece.bytes.clone(),
        media_type: Some(piece.media_type.clone()),
        digest: Some(piece.digest),
        tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
        tag_rule: TagRule::Move,
        children: Children::MustExist,
    };
    store
        .put_manifest(&alice(), &repo(name), &push)
        .await
        .unwrap();
}

async fn world() -> World {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), Options::default(), clock()).await;
    let mut maker = Maker::new(3);
    // One is a row, one a file.
    let blobs = vec![maker.config("amd64"), maker.blob(100_000)];
    for name in ["acme/app", "acme/app/nested"] {
        for piece in &blobs {
            put_blob(&store, name, piece).await;
        }
    }
    let image = maker.image(&blobs[0], &blobs[1..], &Dress::default());
    let about = maker.image(&blobs[0], &[], &Dress::about(&image));
    let index = maker.index(std::slice::from_ref(&image), &Dress::default());
    put_manifest(&store, "acme/app", &image, &["1.0", "latest"]).await;
    put_manifest(&store, "acme/app", &index, &["all"]).await;
    put_manifest(&store, "acme/app", &about, &[]).await;
    put_manifest(&store, "acme/app/nested", &image, &["1.0"]).await;
    World {
        root,
        store,
        image,
        index,
        about,
        blobs,
    }
}

impl World {
    async fn tree(&self, to: &Path, placing: Placing) -> Result<Exported, ExportError> {
        let exporter = Exporter::new(&self.store, self.root.path(), placing);
        exporter.tree(to, |_| {}).await
    }

    async fn layout(&self, to: &Path, chosen: Vec<Chosen>) -> Result<Exported, ExportError> {
        let exporter = Exporter::new(&self.store, self.root.path(), Placing::Link);
        exporter.layout(to, chosen, |_| {}).await
    }
}

/// Every tag of every repository, with what it points to.
async fn tags(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let cx = alice();
    let window = Window {
        after: None,
        limit: 100,
    };
    let mut found = BTreeMap::new();
    for name in store.repositories(&cx, &window).await.unwrap().items {
        let window = Window {
            after: None,
            limit: 100,
        };
        for tag in store.tags(&cx, &name, &window).await.unwrap().items {
            let at = Reference::Tag(tag.clone());
            let got = store.get_manifest(&cx, &name, &at).await.unwrap();
            found.insert(format!("{name}:{tag}"), got.bytes.to_vec());
        }
    }
    found
}

#[tokio::test]
async fn an_exported_tree_is_taken_over_as_what_was_exported() {
    let world = world().await;
    let out = tempfile::tempdir().unwrap();
    let done = world.tree(out.path(), Placing::Link).await.unwrap();
    // The referrer has an index under the tag where clients of the old registry look for it.
    assert_eq!(
        (done.repos, done.manifests, done.tags, done.blobs),
        (2, 5, 5, 4)
    );
    assert_eq!(done.notes, Vec::<String>::new());
    let file = out.path().join(Tree::location(&world.blobs[1].digest));
    assert_eq!(
        file.metadata().unwrap().nlink(),
        2,
        "the large blob is a hard link"
    );
    assert_eq!(
        (done.linked, fs::read(&file).unwrap()),
        (1, world.blobs[1].bytes.to_vec())
    );

    let back = open_with(out.path(), Options::default(), clock()).await;
    let takeover = Takeover::of(&back, out.path(), Survey { verify: true }, false).await;
    takeover.unwrap().unwrap().run().await.unwrap();
    let (findings, _) = back.takeover_findings(None).await.unwrap();
    assert_eq!(findings, []);
    let (mut there, ours) = (tags(&back).await, tags(&world.store).await);
    let fallback = format!("acme/app:sha256-{}", world.image.digest.hex());
    let index = there.remove(&fallback).unwrap();
    assert!(
        String::from_utf8(index)
            .unwrap()
            .contains(&world.about.digest.to_string())
    );
    assert!(there == ours);
    for name in ["acme/app", "acme/app/nested"] {
        for piece in &world.blobs {
            let got = all(&back, name, &piece.digest).await;
            assert!(got.as_deref() == Some(&piece.bytes[..]));
        }
    }
    assert!(
        manifest(&back, "acme/app", &Reference::Digest(world.about.digest))
            .await
            .is_some()
    );

    let again = tempfile::tempdir().unwrap();
    let exporter = Exporter::new(&back, out.path(), Placing::Link);
    let second = exporter.tree(again.path(), |_| {}).await.unwrap();
    assert_eq!(
        (second.manifests, second.tags),
        (5, 5),
        "a tag that lists all referrers stays"
    );
}

#[tokio::test]
async fn copies_share_nothing_with_the_registrys_own_files() {
    let world = world().await;
    let out = tempfile::tempdir().unwrap();
    let done = world.tree(out.path(), Placing::Copy).await.unwrap();
    assert_eq!(done.linked, 0);
    let file = out.path().join(Tree::location(&world.blobs[1].digest));
    assert_eq!(file.metadata().unwrap().nlink(), 1);
}

#[tokio::test]
async fn a_directory_with_something_in_it_is_refused_and_an_export_that_broke_off_goes_on() {
    let world = world().await;
    let out = tempfile::tempdir().unwrap();
    fs::write(out.path().join("precious"), "").unwrap();
    let refused = world.tree(out.path(), Placing::Link).await;
    assert!(matches!(
        refused,
        Err(ExportError::Tree(TreeWriteError::NotEmpty(_)))
    ));
    let out = tempfile::tempdir().unwrap();
    world.tree(out.path(), Placing::Link).await.unwrap();
    let whole = world.tree(out.path(), Placing::Link).await;
    assert!(matches!(
        whole,
        Err(ExportError::Tree(TreeWriteError::NotEmpty(_)))
    ));
    // As a kill leaves it.
    fs::write(out.path().join("longshore-export-unfinished"), "").unwrap();
    let file = out.path().join(Tree::location(&world.blobs[0].digest));
    fs::write(&file, "half").unwrap();
    world.tree(out.path(), Placing::Link).await.unwrap();
    assert_eq!(fs::read(&file).unwrap(), world.blobs[0].bytes);
}

#[tokio::test]
async fn a_blob_whose_file_is_gone_is_named_and_the_rest_is_exported() {
    let world = world().await;
    for entry in files_below(&world.root.path().join("blobs")) {
        fs::remove_file(entry).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    let done = world.tree(out.path(), Placing::Link).await.unwrap();
    assert_eq!(
        done.notes.len(),
        2,
        "once for each repository: {:?}",
        done.notes
    );
    assert!(done.notes[0].contains(&world.blobs[1].digest.to_string()));
    assert_eq!(done.blobs, 2);
}

fn files_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

fn wanted(to: &str, tag: Option<&str>, name: Option<&str>) -> Wanted {
    Wanted {
        repo: repo(to),
        tag: tag.map(|tag| tag.parse().unwrap()),
        name: name.map(str::to_owned),
    }
}

#[tokio::test]
async fn an_image_goes_out_as_a_layout_and_comes_back_with_its_referrers() {
    let world = world().await;
    let out = tempfile::tempdir().unwrap();
    let chosen = Chosen {
        repo: repo("acme/app"),
        at: Some(by_tag("all")),
    };
    let done = world.layout(out.path(), vec![chosen]).await.unwrap();
    assert_eq!((done.manifests, done.tags, done.blobs), (3, 1, 2));
    let layout = Layout::open(out.path()).unwrap();
    let images = layout.images().unwrap();
    let names: Vec<_> = images
        .iter()
        .map(|image| (image.digest, ref_name(image)))
        .collect();
    assert_eq!(
        names,
        [
            (world.about.digest, None),
            (world.index.digest, Some("all"))
        ]
    );

    let other = tempfile::tempdir().unwrap();
    let other = open_with(other.path(), Options::default(), clock()).await;
    let done = other
        .import(&layout, &wanted("new", None, None))
        .await
        .unwrap();
    assert_eq!(
        done.tags,
        [("all".to_owned(), world.index.digest.to_string())]
    );
    assert_eq!((done.manifests, done.blobs, done.notes.len()), (3, 2, 1));
    let got = manifest(&other, "new", &by_tag("all")).await;
    assert_eq!(got.as_deref(), Some(&world.index.bytes[..]));
    let got = all(&other, "new", &world.blobs[1].digest).await;
    assert!(got.as_deref() == Some(&world.blobs[1].bytes[..]));
    let window = Window {
        after: None,
        limit: 9,
    };
    let subject = &world.image.digest;
    let referrers = other
        .referrers(&alice(), &repo("new"), subject, None, &window)
        .await;
    assert_eq!(referrers.unwrap().items[0].digest, world.about.digest);

    let done = other
        .import(&layout, &wanted("one", Some("2.0"), None))
        .await
        .unwrap();
    assert_eq!(
        done.tags[0].0, "2.0",
        "the only image with a name gets the tag"
    );
    let again = other
        .import(&layout, &wanted("one", Some("2.0"), None))
        .await
        .unwrap();
    assert_eq!(again.blobs, 0);
}

#[tokio::test]
async fn images_are_added_to_a_layout_and_one_of_the_same_name_takes_its_place() {
    let world = world().await;
    let out = tempfile::tempdir().unwrap();
    let chosen = |tag: &str| {
        vec![Chosen {
            repo: repo("acme/app"),
            at: Some(by_tag(tag)),
        }]
    };
    world.layout(out.path(), chosen("1.0")).await.unwrap();
    world.layout(out.path(), chosen("all")).await.unwrap();
    world.layout(out.path(), chosen("1.0")).await.unwrap();
    let layout = Layout::open(out.path()).unwrap();
    let images = layout.images().unwrap();
    let names: Vec<_> = images.iter().filter_map(ref_name).collect();
    assert_eq!(names, ["all", "1.0"]);
    assert_eq!(images.len(), 3, "the referrer is there once");
    let all = world.layout(out.path(), Vec::new()).await.unwrap();
    assert_eq!((all.repos, all.tags), (2, 4));
    let images = layout.images().unwrap();
    let names: Vec<_> = images.iter().filter_map(ref_name).collect();
    assert!(names.contains(&"acme/app/nested:1.0"), "{names:?}");
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_with_what_there_is() {
    let world = world().await;
    let out = tempfile::tempdir().unwrap();
    world.layout(out.path(), Vec::new()).await.unwrap();
    let layout = Layout::open(out.path()).unwrap();
    let import = async |wanted: Wanted| -> Result<Imported, ImportError> {
        world.store.import(&layout, &wanted).await
    };
    let error = import(wanted("new", Some("1"), None)).await.unwrap_err();
    assert!(error.to_string().contains("--ref"), "{error}");
    let error = import(wanted("new", None, Some("nope"))).await.unwrap_err();
    assert!(error.to_string().contains("acme/app:1.0"), "{error}");
    fs::remove_file(layout.path(&world.blobs[1].digest)).unwrap();
    let error = import(wanted("new", Some("1"), Some("acme/app:1.0")))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ImportError::Missing(what) if what.contains("blob")),
        "{error}"
    );
    assert_eq!(manifest(&world.store, "new", &by_tag("1")).await, None);
    fs::write(layout.path(&world.image.digest), "{}").unwrap();
    let error = import(wanted("new", Some("1"), Some("acme/app:1.0")))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("are not those of the digest"),
        "{error}"
    );
    let empty = tempfile::tempdir().unwrap();
    assert!(Layout::open(empty.path()).is_err());
    let nothing = Digest::of(Algorithm::Sha256, b"");
    let absent = Chosen {
        repo: repo("acme/app"),
        at: Some(Reference::Digest(nothing)),
    };
    assert!(world.layout(empty.path(), vec![absent]).await.is_err());
}
