//! Upload sessions, one request after another.

use bytes::Bytes;
use longshore_core::{Chunk, Code, Registry};
use longshore_spec::digest::Algorithm;

use super::bench::{alice, chunk, code, has_blob, is_absent, read, repo, stream};
use crate::content::Maker;
use crate::faults;

pub(super) async fn chunks_become_a_blob(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(3000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    assert_eq!(upload.offset, 0);
    for at in [0, 1000] {
        let part = blob.bytes.slice(at..at + 1000);
        let state = r
            .append_upload(&alice(), &app, &upload.id, chunk(at, &part))
            .await
            .unwrap();
        assert_eq!((state.id, state.offset), (upload.id, at as u64 + 1000));
    }
    let last = chunk(2000, &blob.bytes.slice(2000..));
    let info = r
        .finish_upload(&alice(), &app, &upload.id, last, &blob.digest)
        .await
        .unwrap();
    assert_eq!((info.digest, info.size), (blob.digest, 3000));
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_stream_becomes_a_blob(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(300_000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    let whole = Chunk {
        at: None,
        size: None,
        body: faults::trickles(blob.bytes.clone(), 10_000),
    };
    assert_eq!(
        r.append_upload(&alice(), &app, &upload.id, whole)
            .await
            .unwrap()
            .offset,
        300_000
    );
    let info = r
        .finish_upload(&alice(), &app, &upload.id, Chunk::nothing(), &blob.digest)
        .await
        .unwrap();
    assert_eq!(info.size, 300_000);
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn everything_may_come_with_the_last_request(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(3000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    let last = Chunk {
        at: None,
        ..chunk(0, &blob.bytes)
    };
    r.finish_upload(&alice(), &app, &upload.id, last, &blob.digest)
        .await
        .unwrap();
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn an_upload_of_nothing_becomes_the_empty_blob(r: &dyn Registry) {
    let app = repo("acme/app");
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let empty = Maker::new(1).naming_with(algorithm).blob(0);
        let upload = r
            .start_upload(&alice(), &app, Algorithm::Sha256)
            .await
            .unwrap();
        let info = r
            .finish_upload(&alice(), &app, &upload.id, Chunk::nothing(), &empty.digest)
            .await
            .unwrap();
        assert_eq!((info.digest, info.size), (empty.digest, 0));
        assert_eq!(read(r, &app, &empty.digest, None).await, Bytes::new());
    }
}

pub(super) async fn an_upload_may_be_of_an_algorithm_it_did_not_announce(r: &dyn Registry) {
    let app = repo("acme/app");
    for (announced, meant) in [
        (Algorithm::Sha256, Algorithm::Sha512),
        (Algorithm::Sha512, Algorithm::Sha256),
    ] {
        let blob = Maker::new(1).naming_with(meant).blob(2000);
        let upload = r.start_upload(&alice(), &app, announced).await.unwrap();
        let first = chunk(0, &blob.bytes.slice(..1500));
        r.append_upload(&alice(), &app, &upload.id, first)
            .await
            .unwrap();
        let last = chunk(1500, &blob.bytes.slice(1500..));
        let info = r
            .finish_upload(&alice(), &app, &upload.id, last, &blob.digest)
            .await
            .unwrap();
        assert_eq!(info.digest, blob.digest);
        assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
    }
}

pub(super) async fn stat_tells_how_far_it_is(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(3000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    assert_eq!(
        r.stat_upload(&alice(), &app, &upload.id)
            .await
            .unwrap()
            .offset,
        0
    );
    r.append_upload(&alice(), &app, &upload.id, stream(&blob.bytes))
        .await
        .unwrap();
    assert_eq!(
        r.stat_upload(&alice(), &app, &upload.id)
            .await
            .unwrap()
            .offset,
        3000
    );
    r.append_upload(&alice(), &app, &upload.id, Chunk::nothing())
        .await
        .unwrap();
    assert_eq!(
        r.stat_upload(&alice(), &app, &upload.id)
            .await
            .unwrap()
            .offset,
        3000,
        "nothing added"
    );
}

pub(super) async fn a_chunk_out_of_order_is_refused_with_the_true_offset(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(3000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    let mut held = 0;
    for (at, refused) in [(0, 1000), (1000, 2000), (2000, 0)] {
        let early = chunk(refused, &blob.bytes.slice(refused..refused + 1000));
        let error = r
            .append_upload(&alice(), &app, &upload.id, early)
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.offset()),
            (Code::ChunkOutOfOrder, Some(held))
        );
        assert_eq!(
            r.stat_upload(&alice(), &app, &upload.id)
                .await
                .unwrap()
                .offset,
            held
        );
        let part = chunk(at, &blob.bytes.slice(at..at + 1000));
        held = r
            .append_upload(&alice(), &app, &upload.id, part)
            .await
            .unwrap()
            .offset;
        assert_eq!(held, at as u64 + 1000);
    }
    r.finish_upload(&alice(), &app, &upload.id, Chunk::nothing(), &blob.digest)
        .await
        .unwrap();
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_chunk_sent_twice_is_refused_with_the_true_offset(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(2000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    let first = blob.bytes.slice(..1000);
    r.append_upload(&alice(), &app, &upload.id, chunk(0, &first))
        .await
        .unwrap();
    let error = r
        .append_upload(&alice(), &app, &upload.id, chunk(0, &first))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.offset()),
        (Code::ChunkOutOfOrder, Some(1000))
    );
    let overlap = chunk(999, &blob.bytes.slice(999..));
    let error = r
        .append_upload(&alice(), &app, &upload.id, overlap)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.offset()),
        (Code::ChunkOutOfOrder, Some(1000))
    );
    let rest = chunk(1000, &blob.bytes.slice(1000..));
    r.finish_upload(&alice(), &app, &upload.id, rest, &blob.digest)
        .await
        .unwrap();
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_last_chunk_out_of_order_is_refused_and_the_upload_goes_on(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(2000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    r.append_upload(
        &alice(),
        &app,
        &upload.id,
        chunk(0, &blob.bytes.slice(..1000)),
    )
    .await
    .unwrap();
    let gap = chunk(1500, &blob.bytes.slice(1500..));
    let error = r
        .finish_upload(&alice(), &app, &upload.id, gap, &blob.digest)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.offset()),
        (Code::ChunkOutOfOrder, Some(1000))
    );
    assert!(!has_blob(r, &app, &blob.digest).await);
    let rest = chunk(1000, &blob.bytes.slice(1000..));
    r.finish_upload(&alice(), &app, &upload.id, rest, &blob.digest)
        .await
        .unwrap();
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_chunk_of_the_wrong_length_is_refused_and_the_upload_goes_on(
    r: &dyn Registry,
) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(2000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    let first = blob.bytes.slice(..1000);
    for size in [999, 1001] {
        let lie = Chunk {
            size: Some(size),
            ..chunk(0, &first)
        };
        assert_eq!(
            code(r.append_upload(&alice(), &app, &upload.id, lie).await),
            Code::SizeInvalid
        );
        assert_eq!(
            r.stat_upload(&alice(), &app, &upload.id)
                .await
                .unwrap()
                .offset,
            0,
            "nothing of it counts"
        );
    }
    r.append_upload(&alice(), &app, &upload.id, chunk(0, &first))
        .await
        .unwrap();
    let rest = chunk(1000, &blob.bytes.slice(1000..));
    r.finish_upload(&alice(), &app, &upload.id, rest, &blob.digest)
        .await
        .unwrap();
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn a_chunk_that_breaks_off_leaves_an_upload_that_goes_on(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(300_000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    r.append_upload(
        &alice(),
        &app,
        &upload.id,
        chunk(0, &blob.bytes.slice(..1000)),
    )
    .await
    .unwrap();
    let part = faults::breaks_after(blob.bytes.slice(1000..200_000));
    let cut = Chunk {
        at: Some(1000),
        size: Some(299_000),
        body: part,
    };
    assert_eq!(
        code(r.append_upload(&alice(), &app, &upload.id, cut).await),
        Code::BodyLost
    );
    let held = r
        .stat_upload(&alice(), &app, &upload.id)
        .await
        .unwrap()
        .offset;
    assert!((1000..=200_000).contains(&held), "{held} bytes held");
    let held = usize::try_from(held).unwrap();
    let rest = chunk(held, &blob.bytes.slice(held..));
    r.finish_upload(&alice(), &app, &upload.id, rest, &blob.digest)
        .await
        .unwrap();
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn the_wrong_digest_ends_the_upload_and_keeps_no_blob(r: &dyn Registry) {
    let app = repo("acme/app");
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut maker = Maker::new(1).naming_with(algorithm);
        let (blob, other) = (maker.blob(2000), maker.blob(2000));
        let upload = r
            .start_upload(&alice(), &app, Algorithm::Sha256)
            .await
            .unwrap();
        r.append_upload(&alice(), &app, &upload.id, chunk(0, &other.bytes))
            .await
            .unwrap();
        let answer = r
            .finish_upload(&alice(), &app, &upload.id, Chunk::nothing(), &blob.digest)
            .await;
        assert_eq!(code(answer), Code::DigestInvalid);
        assert!(!has_blob(r, &app, &blob.digest).await);
        assert!(!has_blob(r, &app, &other.digest).await);
        assert_eq!(
            code(r.stat_upload(&alice(), &app, &upload.id).await),
            Code::BlobUploadUnknown
        );
    }
}

pub(super) async fn an_aborted_upload_is_gone(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(2000));
    let upload = r
        .start_upload(&alice(), &app, Algorithm::Sha256)
        .await
        .unwrap();
    r.append_upload(&alice(), &app, &upload.id, chunk(0, &blob.bytes))
        .await
        .unwrap();
    r.abort_upload(&alice(), &app, &upload.id).await.unwrap();
    assert_eq!(
        code(r.abort_upload(&alice(), &app, &upload.id).await),
        Code::BlobUploadUnknown
    );
    assert_eq!(
        code(r.stat_upload(&alice(), &app, &upload.id).await),
        Code::BlobUploadUnknown
    );
    let more = r
        .append_upload(&alice(), &app, &upload.id, chunk(2000, &blob.bytes))
        .await;
    assert_eq!(code(more), Code::BlobUploadUnknown);
    let end = r
        .finish_upload(&alice(), &app, &upload.id, Chunk::nothing(), &blob.digest)
        .await;
    assert_eq!(code(end), Code::BlobUploadUnknown);
    assert!(is_absent(r.stat_blob(&alice(), &app, &blob.digest).await));
}
