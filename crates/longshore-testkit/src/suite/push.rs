//! Storing blobs in one go, and manifests as they come.

use bytes::Bytes;
use longshore_core::{Code, Expect, ManifestPush, Registry, body};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::media::MediaType;
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;
use serde_json::json;

use super::bench::{
    alice, by_tag, code, has_blob, has_manifest, push_as, push_of, put_blob, put_image,
    put_image_in, put_manifest, read, repo, tags_of,
};
use crate::content::{Dress, Maker, Piece};
use crate::faults;

pub(super) async fn a_blob_of_the_wrong_digest_is_refused_and_not_kept(r: &dyn Registry) {
    let app = repo("acme/app");
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut maker = Maker::new(1).naming_with(algorithm);
        let (blob, other) = (maker.blob(1000), maker.blob(1000));
        let want = Expect {
            digest: blob.digest,
            size: Some(1000),
        };
        let answer = r
            .put_blob(&alice(), &app, &want, body::once(other.bytes.clone()))
            .await;
        assert_eq!(code(answer), Code::DigestInvalid);
        assert!(!has_blob(r, &app, &blob.digest).await);
        assert!(!has_blob(r, &app, &other.digest).await);
    }
}

pub(super) async fn a_blob_of_the_wrong_length_is_refused_and_not_kept(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    for size in [999, 1001, 0] {
        let want = Expect {
            digest: blob.digest,
            size: Some(size),
        };
        let answer = r
            .put_blob(&alice(), &app, &want, body::once(blob.bytes.clone()))
            .await;
        assert_eq!(code(answer), Code::SizeInvalid, "announced as {size}");
        assert!(!has_blob(r, &app, &blob.digest).await);
    }
}

pub(super) async fn a_blob_that_breaks_off_is_not_kept(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    for size in [None, Some(1000), Some(1200)] {
        let want = Expect {
            digest: blob.digest,
            size,
        };
        let answer = r
            .put_blob(
                &alice(),
                &app,
                &want,
                faults::breaks_after(blob.bytes.clone()),
            )
            .await;
        assert_eq!(code(answer), Code::BodyLost, "announced as {size:?}");
        assert!(
            !has_blob(r, &app, &blob.digest).await,
            "all its bytes came, and yet it is not whole"
        );
    }
}

pub(super) async fn a_blob_in_drops_is_kept_whole(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    let want = Expect {
        digest: blob.digest,
        size: None,
    };
    let answer = r
        .put_blob(
            &alice(),
            &app,
            &want,
            faults::trickles(blob.bytes.clone(), 7),
        )
        .await
        .unwrap();
    assert_eq!(answer.size, 1000);
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_blob_can_be_pushed_twice(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    let first = put_blob(r, &app, &blob).await;
    assert_eq!(put_blob(r, &app, &blob).await, first);
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_manifest_of_the_wrong_digest_is_refused_and_not_kept(r: &dyn Registry) {
    let (app, maker) = (repo("acme/app"), Maker::new(1));
    let index = maker.index(&[], &Dress::default());
    let mut longer = index.bytes.to_vec();
    longer.extend_from_slice(b"  ");
    let push = ManifestPush {
        bytes: longer.clone().into(),
        ..push_as(&index, &["latest"])
    };
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push).await),
        Code::DigestInvalid
    );
    assert!(!has_manifest(r, &app, index.digest).await);
    assert!(!has_manifest(r, &app, Digest::of(Algorithm::Sha256, &longer)).await);
    assert!(!has_manifest(r, &app, by_tag("latest")).await);
}

pub(super) async fn a_manifest_can_be_pushed_twice(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &["latest"]).await;
    let again = put_manifest(r, &app, &image, &["latest"]).await;
    assert_eq!((again.digest, again.subject), (image.digest, None));
    assert_eq!(tags_of(r, &app).await, ["latest"]);
}

pub(super) async fn bytes_that_are_no_manifest_are_refused(r: &dyn Registry) {
    let app = repo("acme/app");
    put_image(r, &app, 1, &[]).await;
    let digest = Maker::new(1).blob(1).digest.to_string();
    let layer = |change: serde_json::Value| {
        let mut layer =
            json!({ "mediaType": "application/octet-stream", "digest": digest, "size": 1 });
        layer
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        let config =
            json!({ "mediaType": "application/octet-stream", "digest": digest, "size": 1 });
        json!({ "schemaVersion": 2, "config": config, "layers": [layer] }).to_string()
    };
    let bad = [
        String::new(),
        "{".into(),
        "{}".into(),
        "null".into(),
        "[]".into(),
        "\"x\"".into(),
        "1".into(),
        layer(json!({})).replace('2', "1"),
        layer(json!({ "size": -1 })),
        layer(json!({ "size": 1.5 })),
        layer(json!({ "size": "1" })),
        layer(json!({ "digest": "" })),
        layer(json!({ "digest": "sha256:../../x" })),
        layer(json!({ "urls": ["file:///etc/passwd"] })),
        layer(json!({ "data": "!" })),
    ];
    for bytes in bad {
        let push = ManifestPush {
            bytes: Bytes::from(bytes.clone()),
            digest: None,
            ..push_as(
                &Maker::new(1).image_of(json!({}), vec![], &Dress::default()),
                &["bad"],
            )
        };
        assert_eq!(
            code(r.put_manifest(&alice(), &app, &push).await),
            Code::ManifestInvalid,
            "{bytes}"
        );
        assert!(!has_manifest(r, &app, by_tag("bad")).await, "{bytes}");
    }
}

pub(super) async fn a_manifest_that_is_image_and_index_at_once_is_refused(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    let both = Dress {
        extra: vec![("manifests".into(), json!([]))],
        ..Dress::default()
    };
    let image = maker.image(&config, &[layer], &both);
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push_of(&image)).await),
        Code::ManifestInvalid
    );
    let both = Dress {
        extra: vec![
            ("layers".into(), json!([])),
            ("config".into(), config.descriptor()),
        ],
        ..both
    };
    let index = maker.index(&[], &both);
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push_of(&index)).await),
        Code::ManifestInvalid
    );
}

pub(super) async fn a_manifest_that_contradicts_its_content_type_is_refused(r: &dyn Registry) {
    let app = repo("acme/app");
    let index = Maker::new(1).index(&[], &Dress::default());
    let push = ManifestPush {
        media_type: Some(MediaType::OCI_MANIFEST),
        ..push_of(&index)
    };
    assert_eq!(
        code(r.put_manifest(&alice(), &app, &push).await),
        Code::ManifestInvalid
    );
}

pub(super) async fn a_manifest_without_content_type_says_itself_what_it_is(r: &dyn Registry) {
    let app = repo("acme/app");
    let index = Maker::new(1).index(&[], &Dress::default());
    let push = ManifestPush {
        media_type: None,
        ..push_of(&index)
    };
    r.put_manifest(&alice(), &app, &push).await.unwrap();
    assert_same(r, &app, &index).await;
}

pub(super) async fn parameters_of_the_content_type_are_not_kept(r: &dyn Registry) {
    let app = repo("acme/app");
    let index = Maker::new(1).index(&[], &Dress::default());
    let with = format!("{}; charset=utf-8", index.media_type)
        .parse()
        .unwrap();
    let push = ManifestPush {
        media_type: Some(with),
        ..push_of(&index)
    };
    r.put_manifest(&alice(), &app, &push).await.unwrap();
    assert_same(r, &app, &index).await;
}

pub(super) async fn spaces_and_unknown_fields_are_kept(r: &dyn Registry) {
    let app = repo("acme/app");
    let bytes = format!(
        "\n{{ \"org.example.unknown\" : [1, {{\"b\":1,\"a\":2}}],\t\"manifests\":[ ] , \"schemaVersion\": 2,\
         \"mediaType\":\"{}\" }}\n\n",
        MediaType::OCI_INDEX
    );
    let index = Piece::new(Algorithm::Sha256, MediaType::OCI_INDEX, bytes.into());
    put_manifest(r, &app, &index, &["latest"]).await;
    assert_same(r, &app, &index).await;
}

pub(super) async fn a_large_manifest_is_kept_whole(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let annotations = (0..390)
        .map(|n| (format!("large-{n}"), "A".repeat(10_000)))
        .collect();
    let large = Dress {
        annotations,
        ..Dress::default()
    };
    let image = put_image_in(r, &app, &mut maker, &large, &["latest"]).await;
    assert!(image.bytes.len() > 3_900_000);
    assert_same(r, &app, &image).await;
}

pub(super) async fn an_image_without_layers_is_kept(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let config = maker.config("amd64");
    put_blob(r, &app, &config).await;
    let image = maker.image(&config, &[], &Dress::default());
    put_manifest(r, &app, &image, &["latest"]).await;
    assert_same(r, &app, &image).await;
}

pub(super) async fn an_index_without_manifests_is_kept(r: &dyn Registry) {
    let app = repo("acme/app");
    let index = Maker::new(1).index(&[], &Dress::default());
    put_manifest(r, &app, &index, &["latest"]).await;
    assert_same(r, &app, &index).await;
}

pub(super) async fn an_index_of_indexes_is_kept(r: &dyn Registry) {
    let (app, maker) = (repo("acme/app"), Maker::new(1));
    let (a, b) = (
        put_image(r, &app, 2, &[]).await,
        put_image(r, &app, 3, &[]).await,
    );
    let (first, second) = (
        maker.index(&[a], &Dress::default()),
        maker.index(&[b], &Dress::default()),
    );
    put_manifest(r, &app, &first, &[]).await;
    put_manifest(r, &app, &second, &[]).await;
    let top = maker.index(&[first, second], &Dress::default());
    put_manifest(r, &app, &top, &["latest"]).await;
    assert_same(r, &app, &top).await;
}

pub(super) async fn an_artifact_of_a_type_nobody_knows_is_kept(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (nothing, what) = (
        maker.nothing(),
        "application/vnd.example.nobody.knows.v7+thing",
    );
    let layer = maker.layer_of(&what.parse().unwrap());
    put_blob(r, &app, &nothing).await;
    put_blob(r, &app, &layer).await;
    let artifact = maker.image(&nothing, &[layer], &Dress::kind(what));
    put_manifest(r, &app, &artifact, &["latest"]).await;
    assert_same(r, &app, &artifact).await;
}

pub(super) async fn data_in_a_descriptor_is_kept(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (nothing, layer) = (maker.nothing(), maker.layer());
    put_blob(r, &app, &nothing).await;
    put_blob(r, &app, &layer).await;
    let mut config = nothing.descriptor();
    config
        .as_object_mut()
        .unwrap()
        .insert("data".into(), "e30=".into());
    let image = maker.image_of(config, vec![layer.descriptor()], &Dress::default());
    put_manifest(r, &app, &image, &["latest"]).await;
    assert_same(r, &app, &image).await;
}

async fn assert_same(r: &dyn Registry, at: &RepoName, piece: &Piece) {
    let kept = r
        .get_manifest(&alice(), at, &Reference::Digest(piece.digest))
        .await
        .unwrap();
    assert_eq!(kept.bytes, piece.bytes);
    assert_eq!(kept.media_type, piece.media_type);
    assert_eq!(kept.digest, piece.digest);
}
