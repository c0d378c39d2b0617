//! One tree for each way in which trees are broken.

use std::fs;
use std::os::unix::fs::symlink;

use longshore_layout::distribution::{Kind, Survey};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::media::MediaType;
use longshore_testkit::content::Dress;
use longshore_testkit::old_tree::{Image, link, write};

use super::{Bench, Seen};

/// A repository of two images, `1.0` and `2.0`, of which the first is broken by `damage`.
fn broken(damage: impl FnOnce(&Bench, &Image)) -> (Seen, Image) {
    let mut bench = Bench::new();
    let image = bench.tree.push("a", &mut bench.maker, "1.0");
    let other = bench.tree.push("a", &mut bench.maker, "2.0");
    damage(&bench, &image);
    let seen = bench.survey("a");
    for piece in [&other.config, &other.layer] {
        assert!(seen.has_blob(&piece.digest), "{seen:#?}");
    }
    assert!(seen.has_manifest(&other.manifest.digest) && seen.tags().contains(&"2.0"));
    (seen, image)
}

#[test]
fn a_manifest_with_an_empty_link_is_left_out_and_its_tag_with_it() {
    for text in ["", "sha256:", "rubbish", "sha256:ABC"] {
        let (seen, image) = broken(|bench, image| {
            fs::write(bench.tree.revision("a", &image.manifest.digest), text).unwrap();
        });
        assert_eq!(
            seen.kinds(),
            [Kind::DanglingTag, Kind::BrokenRevision],
            "{text:?}"
        );
        assert!(!seen.has_manifest(&image.manifest.digest));
        assert!(
            seen.has_blob(&image.layer.digest),
            "its blobs are still held"
        );
    }
}

#[test]
fn a_link_to_another_digest_than_its_own_is_broken() {
    let (seen, _) = broken(|bench, image| {
        link(
            &bench.tree.revision("a", &image.manifest.digest),
            &image.config.digest,
        );
        link(
            &bench.tree.layer("a", &image.layer.digest),
            &image.config.digest,
        );
    });
    assert_eq!(
        seen.kinds(),
        [Kind::DanglingTag, Kind::BrokenRevision, Kind::BrokenLink]
    );
}

#[test]
fn a_deleted_manifest_leaves_its_directory_and_that_is_no_loss() {
    let (seen, _) = broken(|bench, image| {
        fs::remove_file(bench.tree.revision("a", &image.manifest.digest)).unwrap();
        fs::remove_dir_all(bench.tree.at("a", "_manifests/tags/1.0")).unwrap();
    });
    assert_eq!(seen.one().0, Kind::Deleted);
}

#[test]
fn a_tag_whose_revision_is_missing_dangles() {
    let (seen, _) = broken(|bench, image| {
        let revision = bench.tree.revision("a", &image.manifest.digest);
        fs::remove_dir_all(revision.parent().unwrap()).unwrap();
    });
    let (kind, what, why) = seen.one();
    assert_eq!((kind, what), (Kind::DanglingTag, "tag 1.0"));
    assert!(why.contains("not in the repository"), "{why}");
}

#[test]
fn a_tag_with_an_empty_or_missing_link_is_broken() {
    let (seen, image) = broken(|bench, _| fs::write(bench.tree.tag("a", "1.0"), "").unwrap());
    assert_eq!(seen.one().0, Kind::BrokenTag);
    assert!(
        seen.has_manifest(&image.manifest.digest),
        "by digest it is there"
    );
    let (seen, _) = broken(|bench, _| fs::remove_file(bench.tree.tag("a", "1.0")).unwrap());
    assert_eq!(seen.one().0, Kind::BrokenTag);
}

#[test]
fn a_manifest_without_bytes_or_with_others_is_left_out() {
    let damaged = |bytes: Option<&[u8]>| {
        let (seen, image) = broken(|bench, image| {
            let path = bench.tree.blob(&image.manifest.digest);
            match bytes {
                Some(bytes) => fs::write(path, bytes).unwrap(),
                None => fs::remove_dir_all(path.parent().unwrap()).unwrap(),
            }
        });
        assert!(!seen.has_manifest(&image.manifest.digest));
        seen.kinds()
    };
    assert_eq!(damaged(None), [Kind::DanglingTag, Kind::MissingManifest]);
    assert_eq!(
        damaged(Some(b"")),
        [Kind::DanglingTag, Kind::DamagedManifest]
    );
    assert_eq!(
        damaged(Some(b"{}")),
        [Kind::DanglingTag, Kind::DamagedManifest]
    );
}

#[test]
fn manifests_of_schema_1_and_what_is_no_manifest_are_left_out_by_name() {
    let mut bench = Bench::new();
    let old = br#"{"schemaVersion":1,"name":"a","tag":"old","architecture":"amd64","fsLayers":[{"blobSum":"sha256:00"}],"history":[],"signatures":[]}"#;
    let old = bench.maker.piece(&MediaType::OCTET_STREAM, &old[..]);
    bench.tree.put_manifest("a", &old, Some("old"));
    let seen = bench.survey("a");
    assert_eq!(seen.kinds(), [Kind::DanglingTag, Kind::Schema1]);
    let noise = bench.maker.blob(50);
    bench.tree.put_manifest("b", &noise, Some("noise"));
    assert_eq!(
        bench.survey("b").kinds(),
        [Kind::DanglingTag, Kind::RefusedManifest]
    );
}

#[test]
fn a_manifest_of_an_unknown_type_is_taken_and_told_of() {
    let mut bench = Bench::new();
    let config = bench.maker.blob(9);
    bench.tree.put_blob("a", &config);
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.artifact.manifest.v1+json","blobs":[{}]}}"#,
        config.descriptor()
    );
    let artifact = bench.maker.piece(&MediaType::OCTET_STREAM, text);
    bench.tree.put_manifest("a", &artifact, Some("artifact"));
    let seen = bench.survey("a");
    assert_eq!(seen.one().0, Kind::UnknownType);
    assert!(seen.has_manifest(&artifact.digest) && seen.tags() == ["artifact"]);
}

#[test]
fn a_layer_that_is_gone_is_told_once_and_the_manifest_stays() {
    let (seen, image) = broken(|bench, image| {
        fs::remove_file(bench.tree.blob(&image.layer.digest)).unwrap();
    });
    let (kind, what, why) = seen.one();
    assert_eq!(kind, Kind::MissingBlob);
    assert_eq!(what, format!("blob {}", image.layer.digest));
    assert!(why.contains(&image.manifest.digest.to_string()), "{why}");
    assert!(seen.has_manifest(&image.manifest.digest) && seen.tags().contains(&"1.0"));
    assert!(!seen.has_blob(&image.layer.digest));
}

#[test]
fn a_layer_of_no_bytes_or_of_too_few_is_not_served() {
    for length in [0, 10] {
        let (seen, image) = broken(|bench, image| {
            let part = image.layer.bytes.slice(..length);
            fs::write(bench.tree.blob(&image.layer.digest), part).unwrap();
        });
        assert_eq!(seen.one().0, Kind::DamagedBlob, "{length}");
        assert!(!seen.has_blob(&image.layer.digest));
    }
}

#[test]
fn a_layer_of_the_right_length_and_other_bytes_is_found_when_all_are_verified() {
    let mut bench = Bench::new();
    let image = bench.tree.push("a", &mut bench.maker, "1.0");
    let mut bytes = image.layer.bytes.to_vec();
    bytes[5] ^= 1;
    fs::write(bench.tree.blob(&image.layer.digest), bytes).unwrap();
    assert_eq!(bench.survey("a").findings, []);
    let seen = bench.survey_as(Survey { verify: true }, "a");
    assert_eq!(seen.one().0, Kind::DamagedBlob);
    assert!(!seen.has_blob(&image.layer.digest) && seen.has_blob(&image.config.digest));
}

#[test]
fn a_manifest_that_is_wrong_about_the_size_of_a_blob_does_not_cost_the_blob() {
    let mut bench = Bench::new();
    let image = bench.tree.push("a", &mut bench.maker, "1.0");
    let mut lie = image.layer.descriptor();
    lie["size"] = 5.into();
    let liar = bench
        .maker
        .image_of(image.config.descriptor(), vec![lie], &Dress::default());
    bench.tree.put_manifest("a", &liar, Some("liar"));
    let seen = bench.survey("a");
    assert_eq!(seen.one().0, Kind::SizeDiffers);
    assert!(seen.has_blob(&image.layer.digest) && seen.has_manifest(&liar.digest));
    assert_eq!(seen.tags(), ["1.0", "liar"]);
}

#[test]
fn a_layer_that_the_repository_does_not_hold_is_not_made_visible() {
    let (seen, image) = broken(|bench, image| {
        let link = bench.tree.layer("a", &image.layer.digest);
        fs::remove_dir_all(link.parent().unwrap()).unwrap();
    });
    assert_eq!(seen.one().0, Kind::UnlinkedBlob);
    assert!(!seen.has_blob(&image.layer.digest));
    assert!(seen.has_manifest(&image.manifest.digest));
    let (seen, image) = broken(|bench, image| {
        fs::write(bench.tree.layer("a", &image.layer.digest), "").unwrap();
    });
    let (kind, _, why) = seen.one();
    assert_eq!(kind, Kind::UnlinkedBlob);
    assert!(why.contains("it is empty"), "{why}");
    assert!(!seen.has_blob(&image.layer.digest));
}

#[test]
fn an_index_that_lists_what_is_gone_is_taken_and_told_of() {
    let mut bench = Bench::new();
    let image = bench.tree.push("a", &mut bench.maker, "1.0");
    let gone = Image::new(&mut bench.maker);
    let pieces = [image.manifest.clone(), gone.manifest];
    let index = bench.maker.index(&pieces, &Dress::default());
    bench.tree.put_manifest("a", &index, Some("all"));
    let seen = bench.survey("a");
    assert_eq!(seen.one().0, Kind::MissingChild);
    let found = seen
        .manifests
        .iter()
        .find(|found| found.digest == index.digest);
    assert_eq!(found.unwrap().depth, 1);
    assert_eq!(seen.tags(), ["1.0", "all"]);
}

#[test]
fn links_to_collected_layers_that_nothing_needs_are_no_loss() {
    let mut bench = Bench::new();
    bench.tree.push("a", &mut bench.maker, "1.0");
    let collected = Digest::of(Algorithm::Sha256, b"collected");
    link(&bench.tree.layer("a", &collected), &collected);
    assert_eq!(bench.survey("a").one().0, Kind::LayerGone);
}

#[test]
fn uploads_left_behind_are_counted_one_by_one() {
    let mut bench = Bench::new();
    bench.tree.push("a", &mut bench.maker, "1.0");
    for id in ["one", "two"] {
        write(&bench.tree.at("a", &format!("_uploads/{id}/data")), b"part");
        write(
            &bench.tree.at("a", &format!("_uploads/{id}/startedat")),
            b"",
        );
    }
    let seen = bench.survey("a");
    assert_eq!(seen.kinds(), [Kind::Upload, Kind::Upload]);
    assert!(
        seen.findings[0].why.contains("4 bytes"),
        "{}",
        seen.findings[0]
    );
}

#[test]
fn what_the_registry_does_not_write_is_told_of_and_left() {
    let mut bench = Bench::new();
    bench.tree.push("a", &mut bench.maker, "1.0");
    write(
        &bench.tree.at("a", "_manifests/revisions/sha384/ab/link"),
        b"",
    );
    write(
        &bench.tree.at("a", "_manifests/revisions/sha256/short/link"),
        b"",
    );
    write(
        &bench.tree.at("a", "_manifests/tags/not a tag/current/link"),
        b"",
    );
    write(&bench.tree.at("a", "_layers/sha256/.nfs0001"), b"");
    symlink("/etc", bench.tree.at("a", "_layers/sha256/etc")).unwrap();
    let seen = bench.survey("a");
    assert_eq!(
        seen.kinds(),
        [
            Kind::SymbolicLink,
            Kind::BadEntry,
            Kind::BadEntry,
            Kind::BadEntry,
            Kind::Strange
        ]
    );
    assert_eq!(seen.tags(), ["1.0"]);
}

#[test]
fn a_blob_behind_a_symbolic_link_is_not_served() {
    let (seen, image) = broken(|bench, image| {
        let path = bench.tree.blob(&image.layer.digest);
        let elsewhere = bench.dir.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
    });
    assert_eq!(seen.one().0, Kind::SymbolicLink);
    assert!(!seen.has_blob(&image.layer.digest));
    let (seen, _) = broken(|bench, image| {
        let path = bench.tree.blob(&image.layer.digest);
        let elsewhere = bench.dir.path().join("elsewhere");
        fs::rename(path.parent().unwrap(), &elsewhere).unwrap();
        symlink(&elsewhere, path.parent().unwrap()).unwrap();
    });
    assert_eq!(seen.one().0, Kind::SymbolicLink);
}

#[test]
fn what_lies_between_repositories_is_told_of() {
    let mut bench = Bench::new();
    bench.tree.push("good/app", &mut bench.maker, "1.0");
    bench.tree.push("UPPER/app", &mut bench.maker, "1.0");
    write(&bench.tree.at("good", "_stray/file"), b"");
    write(&bench.tree.at("good", "README"), b"");
    symlink("/", bench.tree.at("good", "root")).unwrap();
    let names = bench.open().names().unwrap();
    assert_eq!(names.repos, ["good/app".parse().unwrap()]);
    let mut kinds: Vec<_> = names.findings.iter().map(|finding| finding.kind).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            Kind::SymbolicLink,
            Kind::NotAName,
            Kind::NotAName,
            Kind::Strange
        ]
    );
}

#[test]
fn a_line_of_the_report_has_no_control_characters() {
    let mut bench = Bench::new();
    bench.tree.push("a", &mut bench.maker, "1.0");
    write(
        &bench
            .tree
            .at("a", "_manifests/tags/x\n\u{1b}[31m/current/link"),
        b"",
    );
    let seen = bench.survey("a");
    assert!(!seen.findings[0].to_string().contains(char::is_control));
}

#[test]
fn what_is_no_file_where_one_should_be_cannot_be_read_and_stops_nothing() {
    let (seen, image) = broken(|bench, image| {
        let path = bench.tree.blob(&image.layer.digest);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    });
    assert_eq!(seen.one().0, Kind::Unreadable);
    assert!(!seen.has_blob(&image.layer.digest) && seen.has_manifest(&image.manifest.digest));
    let (seen, _) = broken(|bench, image| {
        let path = bench.tree.revision("a", &image.manifest.digest);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
    });
    assert_eq!(seen.kinds(), [Kind::DanglingTag, Kind::Unreadable]);
}
