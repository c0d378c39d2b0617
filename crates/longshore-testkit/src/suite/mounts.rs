//! Blobs that become part of another repository without travelling.

use longshore_core::{BlobInfo, Registry, Result};
use longshore_spec::name::RepoName;

use super::bench::{alice, alice_with, has_blob, put_blob, put_manifest, read, repo};
use crate::content::{Dress, Maker, Piece};

async fn mount(
    r: &dyn Registry,
    to: &RepoName,
    blob: &Piece,
    from: Option<&str>,
) -> Result<Option<BlobInfo>> {
    let from = from.map(repo);
    r.mount_blob(&alice(), to, &blob.digest, from.as_ref())
        .await
}

pub(super) async fn a_mounted_blob_is_there(r: &dyn Registry) {
    let (app, base, blob) = (
        repo("acme/app"),
        repo("acme/base"),
        Maker::new(1).blob(1000),
    );
    put_blob(r, &base, &blob).await;
    let info = mount(r, &app, &blob, Some("acme/base"))
        .await
        .unwrap()
        .expect("a mount");
    assert_eq!((info.digest, info.size), (blob.digest, 1000));
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    let again = mount(r, &app, &blob, Some("acme/base")).await.unwrap();
    assert_eq!(again, Some(info), "mounting twice is no error");
}

pub(super) async fn a_mount_of_what_is_not_there_is_no_error_and_no_blob(r: &dyn Registry) {
    let (app, base, mut maker) = (repo("acme/app"), repo("acme/base"), Maker::new(1));
    put_blob(r, &base, &maker.blob(1000)).await;
    let absent = maker.blob(1000);
    for from in [Some("acme/base"), None] {
        assert_eq!(mount(r, &app, &absent, from).await.unwrap(), None);
        assert!(!has_blob(r, &app, &absent.digest).await);
    }
}

pub(super) async fn a_mount_from_nowhere_is_no_error_and_no_blob(r: &dyn Registry) {
    let (app, base, blob) = (
        repo("acme/app"),
        repo("acme/base"),
        Maker::new(1).blob(1000),
    );
    put_blob(r, &base, &blob).await;
    assert_eq!(
        mount(r, &app, &blob, Some("acme/nowhere")).await.unwrap(),
        None
    );
    assert!(!has_blob(r, &app, &blob.digest).await);
}

pub(super) async fn a_blob_is_found_without_being_told_where(r: &dyn Registry) {
    let (app, base, blob) = (
        repo("acme/app"),
        repo("acme/base"),
        Maker::new(1).blob(1000),
    );
    put_blob(r, &base, &blob).await;
    let info = mount(r, &app, &blob, None).await.unwrap().expect("a mount");
    assert_eq!((info.digest, info.size), (blob.digest, 1000));
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_blob_is_not_found_where_the_caller_may_not_pull(r: &dyn Registry) {
    let (app, private, blob) = (
        repo("acme/app"),
        repo("acme/private"),
        Maker::new(1).blob(1000),
    );
    put_blob(r, &private, &blob).await;
    let some = alice_with(&["acme/app", "acme/public"], &["acme/app"]);
    assert_eq!(
        r.mount_blob(&some, &app, &blob.digest, None).await.unwrap(),
        None
    );
    assert!(!has_blob(r, &app, &blob.digest).await);
    let more = alice_with(&["acme/private"], &["acme/app"]);
    assert!(
        r.mount_blob(&more, &app, &blob.digest, None)
            .await
            .unwrap()
            .is_some()
    );
}

pub(super) async fn a_blob_can_be_mounted_from_its_own_repository(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    put_blob(r, &app, &blob).await;
    assert!(
        mount(r, &app, &blob, Some("acme/app"))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_mounted_blob_outlives_its_source(r: &dyn Registry) {
    let (app, base, blob) = (
        repo("acme/app"),
        repo("acme/base"),
        Maker::new(1).blob(1000),
    );
    put_blob(r, &base, &blob).await;
    mount(r, &app, &blob, Some("acme/base"))
        .await
        .unwrap()
        .expect("a mount");
    r.delete_blob(&alice(), &base, &blob.digest).await.unwrap();
    assert!(!has_blob(r, &base, &blob.digest).await);
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_mounted_blob_can_be_a_layer(r: &dyn Registry) {
    let (app, base, mut maker) = (repo("acme/app"), repo("acme/base"), Maker::new(1));
    let (config, layer) = (maker.config("amd64"), maker.layer());
    put_blob(r, &base, &layer).await;
    put_blob(r, &app, &config).await;
    mount(r, &app, &layer, Some("acme/base"))
        .await
        .unwrap()
        .expect("a mount");
    let image = maker.image(&config, &[layer], &Dress::default());
    put_manifest(r, &app, &image, &["latest"]).await;
}

pub(super) async fn a_mount_can_be_undone_and_done_again(r: &dyn Registry) {
    let (app, base, blob) = (
        repo("acme/app"),
        repo("acme/base"),
        Maker::new(1).blob(1000),
    );
    put_blob(r, &base, &blob).await;
    for _ in 0..2 {
        mount(r, &app, &blob, Some("acme/base"))
            .await
            .unwrap()
            .expect("a mount");
        r.delete_blob(&alice(), &app, &blob.digest).await.unwrap();
        assert!(!has_blob(r, &app, &blob.digest).await);
    }
    assert!(has_blob(r, &base, &blob.digest).await);
}
