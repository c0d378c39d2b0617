//! Every operation of a registry, called once.

use longshore_core::{Chunk, Code, Cx, Expect, Parents, Registry, Result, Window, body};
use longshore_spec::digest::Algorithm;
use longshore_spec::upload::UploadId;
use longshore_testkit::content::{Dress, Maker};
use longshore_testkit::suite::bench::{by_tag, push_as, repo, tag};

/// Calls each operation once. What the inner registry answers does not matter; which gate answers does.
pub(crate) async fn every_op(r: &dyn Registry, cx: &Cx) -> Vec<(&'static str, Result<()>)> {
    let (app, other, maker) = (repo("acme/app"), repo("acme/other"), Maker::new(9));
    let piece = maker.index(&[], &Dress::default());
    let (digest, at, id) = (piece.digest, by_tag("latest"), UploadId::from_u128(1));
    let want = Expect { digest, size: None };
    let names = Window {
        after: None,
        limit: 10,
    };
    let tags = Window {
        after: None,
        limit: 10,
    };
    let digests = Window {
        after: None,
        limit: 10,
    };
    vec![
        ("stat_blob", r.stat_blob(cx, &app, &digest).await.map(drop)),
        (
            "get_blob",
            r.get_blob(cx, &app, &digest, None).await.map(drop),
        ),
        (
            "locate_blob",
            r.locate_blob(cx, &app, &digest).await.map(drop),
        ),
        (
            "stat_manifest",
            r.stat_manifest(cx, &app, &at).await.map(drop),
        ),
        (
            "get_manifest",
            r.get_manifest(cx, &app, &at).await.map(drop),
        ),
        ("repositories", r.repositories(cx, &names).await.map(drop)),
        ("tags", r.tags(cx, &app, &tags).await.map(drop)),
        (
            "referrers",
            r.referrers(cx, &app, &digest, None, &digests)
                .await
                .map(drop),
        ),
        (
            "put_blob",
            r.put_blob(cx, &app, &want, body::empty()).await.map(drop),
        ),
        (
            "mount_blob",
            r.mount_blob(cx, &app, &digest, Some(&other))
                .await
                .map(drop),
        ),
        (
            "start_upload",
            r.start_upload(cx, &app, Algorithm::Sha256).await.map(drop),
        ),
        ("stat_upload", r.stat_upload(cx, &app, &id).await.map(drop)),
        (
            "append_upload",
            r.append_upload(cx, &app, &id, Chunk::nothing())
                .await
                .map(drop),
        ),
        (
            "finish_upload",
            r.finish_upload(cx, &app, &id, Chunk::nothing(), &digest)
                .await
                .map(drop),
        ),
        ("abort_upload", r.abort_upload(cx, &app, &id).await),
        (
            "put_manifest",
            r.put_manifest(cx, &app, &push_as(&piece, &[]))
                .await
                .map(drop),
        ),
        ("delete_blob", r.delete_blob(cx, &app, &digest).await),
        (
            "delete_manifest",
            r.delete_manifest(cx, &app, &digest, Parents::MayRemain)
                .await,
        ),
        ("delete_tag", r.delete_tag(cx, &app, &tag("latest")).await),
    ]
}

/// The operations that a tower answers with this code.
pub(crate) async fn answered_with(r: &dyn Registry, cx: &Cx, code: Code) -> Vec<&'static str> {
    let answers = every_op(r, cx).await.into_iter();
    answers
        .filter(|(_, answer)| answer.as_ref().is_err_and(|error| error.code() == code))
        .map(|(name, _)| name)
        .collect()
}

pub(crate) const READS: [&str; 7] = [
    "stat_blob",
    "get_blob",
    "locate_blob",
    "stat_manifest",
    "get_manifest",
    "tags",
    "referrers",
];
pub(crate) const WRITES: [&str; 8] = [
    "put_blob",
    "mount_blob",
    "start_upload",
    "stat_upload",
    "append_upload",
    "finish_upload",
    "abort_upload",
    "put_manifest",
];
pub(crate) const DELETES: [&str; 3] = ["delete_blob", "delete_manifest", "delete_tag"];
