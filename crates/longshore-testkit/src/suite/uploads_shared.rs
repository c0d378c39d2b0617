//! Upload sessions and everybody else: other repositories, other people, other requests, later ones.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join;
use longshore_core::{Chunk, Code, Cx, Registry, body};
use longshore_spec::digest::Algorithm;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;
use tokio::sync::oneshot;

use super::bench::{alice, chunk, code, has_blob, put_blob, read, repo, someone, stream};
use crate::content::{Maker, Piece};
use crate::faults;

pub(super) async fn an_upload_nobody_started_is_unknown(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(10));
    put_blob(r, &app, &blob).await;
    assert_unknown(r, &alice(), &app, &UploadId::from_u128(7), &blob).await;
    assert_unknown(
        r,
        &alice(),
        &repo("acme/nowhere"),
        &UploadId::from_u128(7),
        &blob,
    )
    .await;
}

pub(super) async fn an_upload_is_unknown_in_another_repository(r: &dyn Registry) {
    let (app, other, blob) = (repo("acme/app"), repo("acme/other"), Maker::new(1).blob(10));
    put_blob(r, &other, &Maker::new(2).blob(10)).await;
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    assert_unknown(r, &alice(), &other, &upload.id, &blob).await;
    assert_eq!(
        r.stat_upload(&alice(), &app, &upload.id)
            .await
            .unwrap()
            .offset,
        0,
        "it is untouched"
    );
}

pub(super) async fn an_upload_is_unknown_to_anybody_else(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(10));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    assert_unknown(r, &someone("mallory"), &app, &upload.id, &blob).await;
    r.finish_upload(
        &alice(),
        &app,
        &upload.id,
        stream(&blob.bytes),
        &blob.digest,
    )
    .await
    .expect("it is untouched");
}

async fn assert_unknown(r: &dyn Registry, cx: &Cx, at: &RepoName, id: &UploadId, blob: &Piece) {
    assert_eq!(
        code(r.stat_upload(cx, at, id).await),
        Code::BlobUploadUnknown
    );
    assert_eq!(
        code(r.append_upload(cx, at, id, stream(&blob.bytes)).await),
        Code::BlobUploadUnknown
    );
    let end = r
        .finish_upload(cx, at, id, stream(&blob.bytes), &blob.digest)
        .await;
    assert_eq!(code(end), Code::BlobUploadUnknown);
    assert_eq!(
        code(r.abort_upload(cx, at, id).await),
        Code::BlobUploadUnknown
    );
}

pub(super) async fn each_upload_has_an_id_of_its_own(r: &dyn Registry) {
    let mut ids = Vec::new();
    for name in ["acme/app", "acme/app", "acme/other"] {
        ids.push(
            r.start_upload(&alice(), &repo(name), Algorithm::Sha256)
                .await
                .unwrap()
                .id,
        );
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

pub(super) async fn an_upload_shows_nothing_before_its_end(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    r.append_upload(&alice(), &app, &upload.id, stream(&blob.bytes))
        .await
        .unwrap();
    assert!(!has_blob(r, &app, &blob.digest).await);
    r.finish_upload(&alice(), &app, &upload.id, Chunk::nothing(), &blob.digest)
        .await
        .unwrap();
    assert!(has_blob(r, &app, &blob.digest).await);
}

pub(super) async fn two_uploads_do_not_mix(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let blobs = [maker.blob(2000), maker.blob(2000)];
    let mut ids = Vec::new();
    for _ in &blobs {
        ids.push(
            r.start_upload(&alice(), &app, Algorithm::Sha256)
                .await
                .unwrap()
                .id,
        );
    }
    for (blob, id) in blobs.iter().zip(&ids) {
        r.append_upload(&alice(), &app, id, chunk(0, &blob.bytes.slice(..1000)))
            .await
            .unwrap();
    }
    for (blob, id) in blobs.iter().zip(&ids) {
        let rest = chunk(1000, &blob.bytes.slice(1000..));
        r.finish_upload(&alice(), &app, id, rest, &blob.digest)
            .await
            .unwrap();
    }
    for blob in &blobs {
        assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    }
}

pub(super) async fn of_two_writers_one_is_refused_and_nothing_is_mixed(r: &dyn Registry) {
    let (app, mut maker) = (repo("acme/app"), Maker::new(1));
    let (blob, noise) = (maker.blob(200_000), maker.blob(200_000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    let (go, gone) = oneshot::channel();
    let slow = faults::waits_before_the_end(blob.bytes.clone(), gone.map(|_| ()));
    let cx = alice();
    let first = r.append_upload(
        &cx,
        &app,
        &upload.id,
        Chunk {
            at: Some(0),
            size: Some(200_000),
            body: slow,
        },
    );
    let second = async {
        // The first writer has been polled before, and holds the upload until the second has its answer.
        tokio::task::yield_now().await;
        let late = Chunk {
            at: Some(0),
            size: Some(200_000),
            body: body::once(noise.bytes.clone()),
        };
        let answer = r.append_upload(&cx, &app, &upload.id, late).await;
        go.send(()).expect("the first writer waits");
        answer
    };
    let (first, second) = join(first, second).await;
    let refusal = second.expect_err("the second writer is refused");
    assert!(
        matches!(refusal.code(), Code::UploadBusy | Code::ChunkOutOfOrder),
        "{refusal:?}"
    );
    assert!(
        refusal.offset().is_some(),
        "and told where the upload stands"
    );
    assert_eq!(first.expect("the first writer goes on").offset, 200_000);
    r.finish_upload(&cx, &app, &upload.id, Chunk::nothing(), &blob.digest)
        .await
        .unwrap();
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_finished_upload_answers_again_for_an_hour(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    let end = async |cx: &Cx| {
        r.finish_upload(cx, &app, &upload.id, stream(&blob.bytes), &blob.digest)
            .await
    };
    let first = end(&alice()).await.unwrap();
    assert_eq!(
        end(&alice())
            .await
            .expect("the client lost the first answer"),
        first
    );
    assert_eq!(
        code(end(&someone("mallory")).await),
        Code::BlobUploadUnknown
    );
    let later = |minutes: u64| Cx {
        now: alice().now + Duration::from_secs(60 * minutes),
        ..alice()
    };
    assert_eq!(end(&later(59)).await.unwrap(), first);
    assert_eq!(code(end(&later(61)).await), Code::BlobUploadUnknown);
}

pub(super) async fn a_finished_upload_is_over_for_everything_else(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(1000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    r.finish_upload(
        &alice(),
        &app,
        &upload.id,
        stream(&blob.bytes),
        &blob.digest,
    )
    .await
    .unwrap();
    assert_eq!(
        code(r.stat_upload(&alice(), &app, &upload.id).await),
        Code::BlobUploadUnknown
    );
    let more = r
        .append_upload(&alice(), &app, &upload.id, stream(&blob.bytes))
        .await;
    assert_eq!(code(more), Code::BlobUploadUnknown);
    assert_eq!(
        code(r.abort_upload(&alice(), &app, &upload.id).await),
        Code::BlobUploadUnknown
    );
    assert!(has_blob(r, &app, &blob.digest).await);
}
