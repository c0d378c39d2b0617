//! Trees without a flaw.

use std::os::unix::fs::symlink;

use longshore_layout::distribution::{Kind, Survey, Tree, TreeError};
use longshore_spec::digest::Algorithm;
use longshore_testkit::content::{Dress, Maker};
use longshore_testkit::old_tree::{Image, write};

use super::Bench;

#[test]
fn all_of_an_image_is_found_with_the_time_it_was_pushed() {
    let mut bench = Bench::new();
    let image = bench.tree.push("acme/app", &mut bench.maker, "1.0");
    let seen = bench.survey("acme/app");
    assert_eq!(seen.findings, []);
    let [manifest] = seen.manifests.as_slice() else {
        panic!("{seen:?}");
    };
    assert_eq!(manifest.digest, image.manifest.digest);
    assert_eq!(manifest.bytes, image.manifest.bytes);
    assert_eq!(manifest.depth, 0);
    let link = bench.tree.revision("acme/app", &manifest.digest);
    assert_eq!(
        manifest.pushed,
        link.metadata().unwrap().modified().unwrap()
    );
    assert!(seen.has_blob(&image.config.digest) && seen.has_blob(&image.layer.digest));
    assert_eq!(seen.blobs.len(), 2);
    assert!(seen.blobs.iter().all(|held| !held.verified));
    assert_eq!(seen.tags(), ["1.0"]);
    let all = Survey { verify: true };
    let verified = bench.survey_as(all, "acme/app");
    assert!(verified.blobs.iter().all(|held| held.verified));
    assert_eq!(verified.findings, []);
}

#[test]
fn indexes_come_after_what_they_list_and_know_how_deep_they_are() {
    let mut bench = Bench::new();
    let images: Vec<_> = (0..600)
        .map(|at| {
            bench
                .tree
                .push("a", &mut bench.maker, &format!("t{at}"))
                .manifest
        })
        .collect();
    let first = bench.maker.index(&images[..300], &Dress::default());
    let second = bench
        .maker
        .index(&[first.clone(), images[400].clone()], &Dress::default());
    for index in [&second, &first] {
        bench.tree.put_manifest("a", index, None);
    }
    let seen = bench.survey("a");
    assert_eq!(seen.findings, []);
    assert_eq!(seen.manifests.len(), 602);
    let end: Vec<_> = seen.manifests[600..]
        .iter()
        .map(|found| (found.digest, found.depth))
        .collect();
    assert_eq!(end, [(first.digest, 1), (second.digest, 2)]);
    assert_eq!(seen.tags.len(), 600);
}

#[test]
fn names_are_found_at_every_depth_and_in_order() {
    let mut bench = Bench::new();
    let deep = vec!["x"; 32].join("/");
    for name in ["b", "a", "a/b", "a/b/c__manifests", "a.b", deep.as_str()] {
        bench.tree.push(name, &mut bench.maker, "latest");
    }
    let names = bench.open().names().unwrap();
    assert_eq!(names.findings, []);
    let found: Vec<_> = names
        .repos
        .iter()
        .map(|name| name.as_str().to_owned())
        .collect();
    assert_eq!(
        found,
        ["a", "a.b", "a/b", "a/b/c__manifests", "b", deep.as_str()]
    );
    assert!(bench.open().has(&"a/b".parse().unwrap()));
    assert!(!bench.open().has(&"x/x".parse().unwrap()));
}

#[test]
fn what_is_named_by_sha512_is_found_too() {
    let mut bench = Bench::new();
    bench.maker = Maker::new(1).naming_with(Algorithm::Sha512);
    let image = bench.tree.push("a", &mut bench.maker, "latest");
    let seen = bench.survey("a");
    assert_eq!(seen.findings, []);
    assert!(seen.has_manifest(&image.manifest.digest) && seen.has_blob(&image.layer.digest));
}

#[test]
fn an_empty_blob_is_fine_when_that_is_its_digest() {
    let mut bench = Bench::new();
    let nothing = bench.maker.blob(0);
    bench.tree.put_blob("a", &nothing);
    let seen = bench.survey("a");
    assert!(seen.has_blob(&nothing.digest) && seen.findings.is_empty());
}

#[test]
fn a_layer_that_is_kept_elsewhere_need_not_be_there() {
    let mut bench = Bench::new();
    let mut image = Image::new(&mut bench.maker);
    let mut foreign = image.layer.descriptor();
    foreign["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip".into();
    foreign["urls"] = serde_json_list(&["https://example.com/layer"]);
    image.manifest =
        bench
            .maker
            .image_of(image.config.descriptor(), vec![foreign], &Dress::default());
    bench.tree.put_blob("a", &image.config);
    bench
        .tree
        .put_manifest("a", &image.manifest, Some("latest"));
    assert_eq!(bench.survey("a").findings, []);
}

fn serde_json_list(texts: &[&str]) -> serde_json::Value {
    texts.iter().copied().collect()
}

#[test]
fn no_tree_and_an_empty_one_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Tree::open(dir.path()).unwrap().is_none());
    std::fs::create_dir_all(dir.path().join("docker/registry/v2/repositories")).unwrap();
    assert!(Tree::open(dir.path()).unwrap().is_none());
    write(
        &dir.path().join("docker/registry/v2/blobs/sha256/ab/x"),
        b"",
    );
    assert!(Tree::open(dir.path()).unwrap().is_some());
}

#[test]
fn a_symbolic_link_on_the_way_to_all_blobs_is_refused_and_one_to_the_whole_is_not() {
    let mut bench = Bench::new();
    bench.tree.push("a", &mut bench.maker, "latest");
    let elsewhere = tempfile::tempdir().unwrap();
    let whole = elsewhere.path().join("data");
    symlink(bench.dir.path(), &whole).unwrap();
    assert!(Tree::open(&whole).unwrap().is_some());
    let blobs = bench.tree.root().join("blobs");
    let moved = elsewhere.path().join("blobs");
    std::fs::rename(&blobs, &moved).unwrap();
    symlink(&moved, &blobs).unwrap();
    let refused = Tree::open(bench.dir.path()).unwrap_err();
    assert!(
        matches!(&refused, TreeError::SymbolicLink(at) if *at == blobs),
        "{refused}"
    );
}

#[test]
fn every_kind_of_finding_has_a_name_of_its_own() {
    let mut names: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Kind::ALL.len());
}
