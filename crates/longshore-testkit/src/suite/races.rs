//! Many callers at once: one order of events must explain all answers.

use futures_util::future::{join, join_all};
use longshore_core::{Code, ManifestPush, Parents, Registry, TagRule};
use longshore_spec::digest::Digest;

use super::bench::{
    alice, by_tag, has_blob, has_manifest, push_as, push_of, put_blob, put_image, put_manifest,
    read, repo, tag, tags_of,
};
use crate::content::{Dress, Maker, Piece};

/// So many callers; enough that they meet in any implementation.
const MANY: usize = 24;

/// Indexes that differ in an annotation, none of them pushed yet.
fn indexes() -> Vec<Piece> {
    let annotations = |n: usize| vec![("n".to_owned(), n.to_string())];
    let dress = |n| Dress {
        annotations: annotations(n),
        ..Dress::default()
    };
    (0..MANY)
        .map(|n| Maker::new(1).index(&[], &dress(n)))
        .collect()
}

async fn at(r: &dyn Registry, name: &str) -> Digest {
    r.stat_manifest(&alice(), &repo("acme/app"), &by_tag(name))
        .await
        .expect("a tag")
        .digest
}

pub(super) async fn of_many_deletes_of_one_tag_one_succeeds(r: &dyn Registry) {
    let (app, cx, latest) = (repo("acme/app"), alice(), tag("latest"));
    put_image(r, &app, 1, &["latest"]).await;
    let answers = join_all((0..MANY).map(|_| r.delete_tag(&cx, &app, &latest))).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    assert!(
        refused
            .into_iter()
            .all(|answer| answer.unwrap_err().code() == Code::ManifestUnknown)
    );
}

pub(super) async fn many_pushes_of_one_blob_all_succeed(r: &dyn Registry) {
    let (app, blob) = (repo("acme/app"), Maker::new(1).blob(20_000));
    join_all((0..MANY).map(|_| put_blob(r, &app, &blob))).await;
    assert_eq!(read(r, &app, &blob.digest, None).await, blob.bytes);
}

pub(super) async fn many_pushes_of_one_tag_end_with_one_of_them(r: &dyn Registry) {
    let (app, indexes) = (repo("acme/app"), indexes());
    join_all(
        indexes
            .iter()
            .map(|index| put_manifest(r, &app, index, &["latest"])),
    )
    .await;
    let now = at(r, "latest").await;
    assert!(indexes.iter().any(|index| index.digest == now));
    assert_eq!(tags_of(r, &app).await, ["latest"], "listed once");
    for index in &indexes {
        assert!(
            has_manifest(r, &app, index.digest).await,
            "each push was acknowledged"
        );
    }
}

pub(super) async fn of_many_creations_of_one_tag_one_succeeds(r: &dyn Registry) {
    let (app, cx, indexes) = (repo("acme/app"), alice(), indexes());
    let create = |index| ManifestPush {
        tag_rule: TagRule::CreateOnly,
        ..push_as(index, &["v1"])
    };
    let pushes: Vec<_> = indexes.iter().map(create).collect();
    let answers = join_all(pushes.iter().map(|push| r.put_manifest(&cx, &app, push))).await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    let [winner] = winners.as_slice() else {
        panic!("one may create it, not {winners:?}")
    };
    assert_eq!(at(r, "v1").await, winner.digest);
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(refused.code(), Code::ConditionFailed);
    }
}

pub(super) async fn of_many_moves_from_one_place_one_succeeds(r: &dyn Registry) {
    let (app, cx, indexes) = (repo("acme/app"), alice(), indexes());
    let start = put_image(r, &app, 1, &["latest"]).await.digest;
    let from = |index| ManifestPush {
        tag_rule: TagRule::MoveFrom(start),
        ..push_as(index, &["latest"])
    };
    let pushes: Vec<_> = indexes.iter().map(from).collect();
    let answers = join_all(pushes.iter().map(|push| r.put_manifest(&cx, &app, push))).await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    let [winner] = winners.as_slice() else {
        panic!("one may move it, not {winners:?}")
    };
    assert_eq!(at(r, "latest").await, winner.digest);
}

pub(super) async fn a_manifest_is_never_left_without_a_blob_that_is_deleted_meanwhile(
    r: &dyn Registry,
) {
    let (app, cx, mut maker) = (repo("acme/app"), alice(), Maker::new(1));
    let config = maker.config("amd64");
    put_blob(r, &app, &config).await;
    for _ in 0..MANY {
        let layer = maker.layer();
        put_blob(r, &app, &layer).await;
        let push = push_of(&maker.image(&config, std::slice::from_ref(&layer), &Dress::default()));
        let (pushed, deleted) = join(
            r.put_manifest(&cx, &app, &push),
            r.delete_blob(&cx, &app, &layer.digest),
        )
        .await;
        assert!(
            pushed.is_ok() != deleted.is_ok(),
            "one of them came first: {pushed:?}, {deleted:?}"
        );
        assert_eq!(has_blob(r, &app, &layer.digest).await, pushed.is_ok());
    }
}

pub(super) async fn an_index_is_never_left_without_a_manifest_that_is_deleted_meanwhile(
    r: &dyn Registry,
) {
    let (app, cx, mut maker) = (repo("acme/app"), alice(), Maker::new(1));
    for _ in 0..MANY {
        let config = maker.config("amd64");
        put_blob(r, &app, &config).await;
        let child = maker.image(&config, &[], &Dress::default());
        put_manifest(r, &app, &child, &[]).await;
        let push = push_of(&maker.index(std::slice::from_ref(&child), &Dress::default()));
        let (pushed, deleted) = join(
            r.put_manifest(&cx, &app, &push),
            r.delete_manifest(&cx, &app, &child.digest, Parents::MustBeGone),
        )
        .await;
        assert!(
            pushed.is_ok() != deleted.is_ok(),
            "one of them came first: {pushed:?}, {deleted:?}"
        );
        assert_eq!(has_manifest(r, &app, child.digest).await, pushed.is_ok());
    }
}

pub(super) async fn a_tag_is_seen_whole_while_it_moves(r: &dyn Registry) {
    let (app, cx, indexes) = (repo("acme/app"), alice(), indexes());
    put_manifest(r, &app, &indexes[0], &["latest"]).await;
    let writer = async {
        for index in &indexes {
            put_manifest(r, &app, index, &["latest"]).await;
        }
    };
    let latest = by_tag("latest");
    let reader = async {
        for _ in 0..4 * MANY {
            let found = r
                .get_manifest(&cx, &app, &latest)
                .await
                .expect("it is there throughout");
            assert_eq!(
                Digest::of(found.digest.algorithm(), &found.bytes),
                found.digest
            );
            assert_eq!(tags_of(r, &app).await, ["latest"]);
            tokio::task::yield_now().await;
        }
    };
    join(writer, reader).await;
    assert_eq!(at(r, "latest").await, indexes[MANY - 1].digest);
}
