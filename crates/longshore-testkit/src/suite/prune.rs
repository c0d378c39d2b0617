//! Deleting blobs, manifests and tags.

use longshore_core::{Children, Code, ManifestPush, Parents, Registry};

use super::bench::{
    alice, by_tag, code, has_blob, has_manifest, is_absent, push_of, put_blob, put_image,
    put_manifest, read, repo, tag, tags_of,
};
use crate::content::{Dress, Maker};

pub(super) async fn a_deleted_blob_is_gone_at_once(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    put_blob(r, &app, &blob).await;
    r.delete_blob(&alice(), &app, &blob.digest).await.unwrap();
    assert_eq!(
        code(r.stat_blob(&alice(), &app, &blob.digest).await)
            .wire()
            .0,
        404
    );
    assert!(is_absent(
        r.get_blob(&alice(), &app, &blob.digest, None).await
    ));
}

pub(super) async fn a_blob_that_a_manifest_needs_stays(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    put_manifest(
        r,
        &app,
        &maker.image(&config, std::slice::from_ref(&layer), &Dress::default()),
        &[],
    )
    .await;
    for needed in [&config, &layer] {
        assert_eq!(
            code(r.delete_blob(&alice(), &app, &needed.digest).await),
            Code::Denied
        );
        assert_eq!(read(r, &app, &needed.digest, None).await, needed.bytes);
    }
}

pub(super) async fn a_blob_that_a_manifest_misses_is_unknown(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, missing) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    let image = maker.image(&config, std::slice::from_ref(&missing), &Dress::default());
    let push = ManifestPush {
        children: Children::MayBeAbsent,
        ..push_of(&image)
    };
    r.put_manifest(&alice(), &app, &push).await.unwrap();
    assert_eq!(
        code(r.delete_blob(&alice(), &app, &missing.digest).await),
        Code::BlobUnknown
    );
    assert_eq!(
        code(r.delete_blob(&alice(), &app, &config.digest).await),
        Code::Denied
    );
}

pub(super) async fn a_blob_can_go_when_its_manifest_is_gone(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &app, &config).await;
    put_blob(r, &app, &layer).await;
    let first = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    let second = maker.image(&config, &[], &Dress::default());
    put_manifest(r, &app, &first, &[]).await;
    put_manifest(r, &app, &second, &[]).await;
    r.delete_manifest(&alice(), &app, &first.digest, Parents::MustBeGone)
        .await
        .unwrap();
    r.delete_blob(&alice(), &app, &layer.digest).await.unwrap();
    assert_eq!(
        code(r.delete_blob(&alice(), &app, &config.digest).await),
        Code::Denied,
        "the other needs it"
    );
    r.delete_manifest(&alice(), &app, &second.digest, Parents::MustBeGone)
        .await
        .unwrap();
    r.delete_blob(&alice(), &app, &config.digest).await.unwrap();
    assert!(!has_blob(r, &app, &config.digest).await);
}

pub(super) async fn a_blob_goes_from_one_repository_only(r: &dyn Registry) {
    let (app, other, blob) = (
        repo("acme/app"),
        repo("acme/other"),
        Maker::new(1).blob(1000),
    );
    put_blob(r, &app, &blob).await;
    put_blob(r, &other, &blob).await;
    r.delete_blob(&alice(), &app, &blob.digest).await.unwrap();
    assert!(!has_blob(r, &app, &blob.digest).await);
    assert_eq!(read(r, &other, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_deleted_blob_can_be_pushed_again(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    for _ in 0..3 {
        put_blob(r, &app, &blob).await;
        assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
        r.delete_blob(&alice(), &app, &blob.digest).await.unwrap();
        assert!(!has_blob(r, &app, &blob.digest).await);
    }
}

pub(super) async fn a_deleted_manifest_is_gone_with_its_tags(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &["latest", "1.0"]).await;
    put_image(r, &app, 2, &["other"]).await;
    r.delete_manifest(&alice(), &app, &image.digest, Parents::MustBeGone)
        .await
        .unwrap();
    assert!(!has_manifest(r, &app, image.digest).await);
    assert!(!has_manifest(r, &app, by_tag("latest")).await);
    assert_eq!(tags_of(r, &app).await, ["other"]);
    put_manifest(r, &app, &image, &[]).await;
    assert_eq!(
        tags_of(r, &app).await,
        ["other"],
        "the tags do not come back with it"
    );
}

pub(super) async fn a_manifest_that_an_index_lists_stays(r: &dyn Registry) {
    let (app, maker) = (repo("acme/app"), Maker::new(1));
    let child = put_image(r, &app, 2, &["child"]).await;
    let index = maker.index(std::slice::from_ref(&child), &Dress::default());
    put_manifest(r, &app, &index, &[]).await;
    let answer = r
        .delete_manifest(&alice(), &app, &child.digest, Parents::MustBeGone)
        .await;
    assert_eq!(code(answer), Code::Denied);
    assert!(has_manifest(r, &app, child.digest).await);
    assert_eq!(tags_of(r, &app).await, ["child"]);
}

pub(super) async fn a_manifest_that_an_index_lists_goes_when_that_does_not_matter(
    r: &dyn Registry,
) {
    let (app, maker) = (repo("acme/app"), Maker::new(1));
    let child = put_image(r, &app, 2, &["child"]).await;
    let index = maker.index(std::slice::from_ref(&child), &Dress::default());
    put_manifest(r, &app, &index, &[]).await;
    r.delete_manifest(&alice(), &app, &child.digest, Parents::MayRemain)
        .await
        .unwrap();
    assert!(!has_manifest(r, &app, child.digest).await);
    assert!(
        has_manifest(r, &app, index.digest).await,
        "the index stays, incomplete"
    );
    assert!(tags_of(r, &app).await.is_empty());
}

pub(super) async fn a_manifest_goes_after_its_index(r: &dyn Registry) {
    let (app, maker) = (repo("acme/app"), Maker::new(1));
    let child = put_image(r, &app, 2, &[]).await;
    let inner = maker.index(std::slice::from_ref(&child), &Dress::default());
    put_manifest(r, &app, &inner, &[]).await;
    let outer = maker.index(std::slice::from_ref(&inner), &Dress::default());
    put_manifest(r, &app, &outer, &["latest"]).await;
    for manifest in [&outer, &inner, &child] {
        r.delete_manifest(&alice(), &app, &manifest.digest, Parents::MustBeGone)
            .await
            .unwrap();
        assert!(!has_manifest(r, &app, manifest.digest).await);
    }
}

pub(super) async fn a_deleted_tag_leaves_its_manifest(r: &dyn Registry) {
    let app = repo("acme/app");
    let image = put_image(r, &app, 1, &["latest", "1.0"]).await;
    r.delete_tag(&alice(), &app, &tag("latest")).await.unwrap();
    assert!(!has_manifest(r, &app, by_tag("latest")).await);
    assert!(has_manifest(r, &app, image.digest).await);
    assert_eq!(tags_of(r, &app).await, ["1.0"]);
}

pub(super) async fn deleting_what_is_not_there_says_so(r: &dyn Registry) {
    let (app, nowhere) = (repo("acme/app"), repo("acme/nowhere"));
    put_image(r, &app, 1, &["latest"]).await;
    let absent = Maker::new(2).blob(1).digest;
    assert_eq!(
        code(r.delete_blob(&alice(), &app, &absent).await),
        Code::BlobUnknown
    );
    let answer = r
        .delete_manifest(&alice(), &app, &absent, Parents::MustBeGone)
        .await;
    assert_eq!(code(answer), Code::ManifestUnknown);
    assert_eq!(
        code(r.delete_tag(&alice(), &app, &tag("missing")).await),
        Code::ManifestUnknown
    );
    assert_eq!(
        code(r.delete_blob(&alice(), &nowhere, &absent).await),
        Code::NameUnknown
    );
    let answer = r
        .delete_manifest(&alice(), &nowhere, &absent, Parents::MayRemain)
        .await;
    assert_eq!(code(answer), Code::NameUnknown);
    assert_eq!(
        code(r.delete_tag(&alice(), &nowhere, &tag("latest")).await),
        Code::NameUnknown
    );
}

pub(super) async fn deleting_twice_says_so(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(3).blob(10));
    let image = put_image(r, &app, 1, &["latest"]).await;
    put_image(r, &app, 2, &["other"]).await;
    put_blob(r, &app, &blob).await;
    r.delete_tag(&alice(), &app, &tag("latest")).await.unwrap();
    assert_eq!(
        code(r.delete_tag(&alice(), &app, &tag("latest")).await),
        Code::ManifestUnknown
    );
    r.delete_manifest(&alice(), &app, &image.digest, Parents::MustBeGone)
        .await
        .unwrap();
    let again = r
        .delete_manifest(&alice(), &app, &image.digest, Parents::MustBeGone)
        .await;
    assert_eq!(code(again), Code::ManifestUnknown);
    r.delete_blob(&alice(), &app, &blob.digest).await.unwrap();
    assert_eq!(
        code(r.delete_blob(&alice(), &app, &blob.digest).await),
        Code::BlobUnknown
    );
}
