//! Reading blobs and manifests.

use bytes::Bytes;
use longshore_core::{Code, Registry};
use longshore_spec::digest::Algorithm;
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;

use super::bench::{
    alice, by_tag, code, has_blob, has_manifest, is_absent, put_blob, put_image, put_image_in,
    put_manifest, read, repo,
};
use crate::content::{Dress, Maker};

pub(super) async fn a_blob_comes_back_byte_for_byte(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(100_000));
    let answer = put_blob(r, &app, &blob).await;
    assert_eq!((answer.digest, answer.size), (blob.digest, 100_000));
    let info = r.stat_blob(&alice(), &app, &blob.digest).await.unwrap();
    assert_eq!((info.digest, info.size), (blob.digest, 100_000));
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_blob_of_no_bytes_comes_back_empty(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(0));
    put_blob(r, &app, &blob).await;
    assert_eq!(
        r.stat_blob(&alice(), &app, &blob.digest)
            .await
            .unwrap()
            .size,
        0
    );
    assert_eq!(read(r, &app, &blob.digest, None).await, Bytes::new());
}

pub(super) async fn a_range_has_its_bytes_and_says_which(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(2048));
    put_blob(r, &app, &blob).await;
    let ranges = [
        (ByteRange::Within(500, 1500), 500..1500),
        (ByteRange::Within(0, 1), 0..1),
        (ByteRange::From(500), 500..2048),
        (ByteRange::Last(500), 1548..2048),
        (ByteRange::From(0), 0..2048),
    ];
    for (range, bytes) in ranges {
        let answer = r
            .get_blob(&alice(), &app, &blob.digest, Some(range))
            .await
            .unwrap();
        assert_eq!(
            answer.range,
            bytes.start as u64..bytes.end as u64,
            "{range:?}"
        );
        assert_eq!(answer.info.size, 2048, "the size is that of the whole blob");
        assert_eq!(
            read(r, &app, &blob.digest, Some(range)).await,
            blob.bytes.slice(bytes),
            "{range:?}"
        );
    }
}

pub(super) async fn a_range_past_the_end_is_cut_at_the_end(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(2048));
    put_blob(r, &app, &blob).await;
    for (range, start) in [
        (ByteRange::Within(2000, 5001), 2000),
        (ByteRange::Last(5000), 0),
    ] {
        let answer = r
            .get_blob(&alice(), &app, &blob.digest, Some(range))
            .await
            .unwrap();
        assert_eq!(answer.range, start..2048, "{range:?}");
    }
    let far = ByteRange::Within(1, u64::MAX);
    assert_eq!(
        read(r, &app, &blob.digest, Some(far)).await,
        blob.bytes.slice(1..)
    );
}

pub(super) async fn a_range_that_holds_no_byte_is_refused_with_the_size(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (blob, empty) = (maker.blob(2048), maker.blob(0));
    put_blob(r, &app, &blob).await;
    put_blob(r, &app, &empty).await;
    let ranges = [
        (&blob, ByteRange::From(2048)),
        (&blob, ByteRange::Within(5000, 10_001)),
        (&blob, ByteRange::Within(500, 1)),
        (&blob, ByteRange::Last(0)),
        (&empty, ByteRange::From(0)),
    ];
    for (blob, range) in ranges {
        let error = r
            .get_blob(&alice(), &app, &blob.digest, Some(range))
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::RangeUnsatisfiable, "{range:?}");
        assert_eq!(error.offset(), Some(blob.size()), "{range:?}");
    }
}

pub(super) async fn a_blob_that_was_never_pushed_is_unknown(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    put_blob(r, &app, &maker.blob(10)).await;
    let absent = maker.blob(10).digest;
    assert_eq!(
        code(r.stat_blob(&alice(), &app, &absent).await),
        Code::BlobUnknown
    );
    assert_eq!(
        code(r.get_blob(&alice(), &app, &absent, None).await),
        Code::BlobUnknown
    );
    let range = Some(ByteRange::From(1));
    assert_eq!(
        code(r.get_blob(&alice(), &app, &absent, range).await),
        Code::BlobUnknown
    );
}

pub(super) async fn a_blob_of_another_repository_is_unknown(r: &dyn Registry) {
    let (app, other, mut maker) = (repo("acme/app"), repo("acme/app/other"), Maker::new(1));
    let (blob, own) = (maker.blob(10), maker.blob(10));
    put_blob(r, &app, &blob).await;
    put_blob(r, &other, &own).await;
    assert_eq!(
        code(r.stat_blob(&alice(), &other, &blob.digest).await),
        Code::BlobUnknown
    );
    assert_eq!(
        code(r.get_blob(&alice(), &other, &blob.digest, None).await),
        Code::BlobUnknown
    );
}

pub(super) async fn a_repository_nobody_pushed_to_is_unknown(r: &dyn Registry) {
    put_image(r, &repo("acme/app"), 1, &["latest"]).await;
    let nowhere = repo("acme/nowhere");
    let digest = Maker::new(2).blob(1).digest;
    assert_eq!(
        code(r.stat_blob(&alice(), &nowhere, &digest).await),
        Code::NameUnknown
    );
    assert_eq!(
        code(r.get_blob(&alice(), &nowhere, &digest, None).await),
        Code::NameUnknown
    );
    assert_eq!(
        code(r.stat_manifest(&alice(), &nowhere, &by_tag("latest")).await),
        Code::NameUnknown
    );
    assert_eq!(
        code(r.get_manifest(&alice(), &nowhere, &by_tag("latest")).await),
        Code::NameUnknown
    );
}

pub(super) async fn a_blob_is_located_only_where_it_is(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (blob, absent) = (maker.blob(10), maker.blob(10));
    put_blob(r, &app, &blob).await;
    r.locate_blob(&alice(), &app, &blob.digest)
        .await
        .expect("a URL, or none");
    assert!(is_absent(
        r.locate_blob(&alice(), &app, &absent.digest).await
    ));
    assert!(is_absent(
        r.locate_blob(&alice(), &repo("acme/nowhere"), &blob.digest)
            .await
    ));
}

pub(super) async fn a_manifest_comes_back_as_it_was_pushed(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &[]).await;
    let at = Reference::Digest(image.digest);
    let manifest = r.get_manifest(&alice(), &app, &at).await.unwrap();
    assert_eq!(manifest.bytes, image.bytes);
    assert_eq!(manifest.media_type, image.media_type);
    assert_eq!(manifest.digest, image.digest);
    let stat = r.stat_manifest(&alice(), &app, &at).await.unwrap();
    assert_eq!(
        (stat.media_type, stat.digest, stat.size),
        (image.media_type.clone(), image.digest, image.size())
    );
}

pub(super) async fn a_manifest_is_found_by_its_tag(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &["latest"]).await;
    let manifest = r
        .get_manifest(&alice(), &app, &by_tag("latest"))
        .await
        .unwrap();
    assert_eq!(
        (manifest.digest, manifest.bytes),
        (image.digest, image.bytes.clone())
    );
    let stat = r
        .stat_manifest(&alice(), &app, &by_tag("latest"))
        .await
        .unwrap();
    assert_eq!((stat.digest, stat.size), (image.digest, image.size()));
}

pub(super) async fn a_manifest_that_was_never_pushed_is_unknown(r: &dyn Registry) {
    let app = repo("acme/app");
    put_image(r, &app, 1, &["latest"]).await;
    let absent = Reference::Digest(Maker::new(2).blob(10).digest);
    for at in [by_tag("missing"), absent] {
        assert_eq!(
            code(r.stat_manifest(&alice(), &app, &at).await),
            Code::ManifestUnknown
        );
        assert_eq!(
            code(r.get_manifest(&alice(), &app, &at).await),
            Code::ManifestUnknown
        );
    }
}

pub(super) async fn a_manifest_of_another_repository_is_unknown(r: &dyn Registry) {
    let (app, other) = (repo("acme/app"), repo("acme/other"));
    let image = put_image(r, &app, 1, &["one"]).await;
    put_image(r, &other, 2, &["two"]).await;
    for at in [Reference::Digest(image.digest), by_tag("one")] {
        assert_eq!(
            code(r.stat_manifest(&alice(), &other, &at).await),
            Code::ManifestUnknown
        );
        assert_eq!(
            code(r.get_manifest(&alice(), &other, &at).await),
            Code::ManifestUnknown
        );
    }
}

pub(super) async fn a_manifest_is_no_blob_and_a_blob_no_manifest(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    put_manifest(r, &app, &image, &[]).await;
    assert!(!has_blob(r, &app, &image.digest).await);
    assert!(!has_manifest(r, &app, layer.digest).await);
}

pub(super) async fn what_was_pushed_as_sha512_answers_as_sha512(r: &dyn Registry) {
    let (app, mut maker) = (
        repo("acme/app"),
        Maker::new(1).naming_with(Algorithm::Sha512),
    );
    let blob = maker.blob(1000);
    assert_eq!(put_blob(r, &app, &blob).await.digest, blob.digest);
    assert_eq!(
        r.stat_blob(&alice(), &app, &blob.digest)
            .await
            .unwrap()
            .digest,
        blob.digest
    );
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    let image = put_image_in(r, &app, &mut maker, &Dress::default(), &[]).await;
    let manifest = r
        .get_manifest(&alice(), &app, &Reference::Digest(image.digest))
        .await
        .unwrap();
    assert_eq!(
        (manifest.digest, manifest.bytes),
        (image.digest, image.bytes)
    );
}

pub(super) async fn a_tag_of_a_sha512_push_answers_with_the_sha512_digest(r: &dyn Registry) {
    let (app, mut maker) = (
        repo("acme/app"),
        Maker::new(1).naming_with(Algorithm::Sha512),
    );
    let image = put_image_in(r, &app, &mut maker, &Dress::default(), &["latest"]).await;
    assert_eq!(
        r.get_manifest(&alice(), &app, &by_tag("latest"))
            .await
            .unwrap()
            .digest,
        image.digest
    );
    assert_eq!(
        r.stat_manifest(&alice(), &app, &by_tag("latest"))
            .await
            .unwrap()
            .digest,
        image.digest
    );
}
