//! What collection frees, and when.

use super::bench::{Bench, DAY, HOUR, image, index, large, name, options, referrer};
use super::check::{check, check_empty};
use crate::gc::{Ask, Emptying, GcOptions, Untagged};
use longshore_core::Registry as _;

const MINUTES: std::time::Duration = std::time::Duration::from_mins(11);

#[tokio::test]
async fn an_upload_without_a_manifest_is_freed_when_its_day_and_its_quarantine_are_over() {
    let bench = Bench::new().await;
    let digest = bench.put("a", &large("x")).await;
    let small = bench.put("a", b"small").await;
    let report = bench.gc_after(23 * HOUR).await;
    assert!(report.is_idle(), "{report:?}");
    assert!(bench.has(&bench.reader(), "a", &digest).await);
    let report = bench.gc_after(HOUR).await;
    assert_eq!((report.unlinked, report.taken.count), (2, 2));
    assert_eq!(report.taken.bytes, 40_005);
    assert_eq!(report.freed.count, 0, "the quarantine has just begun");
    assert_eq!(report.waiting, report.taken);
    for digest in [&digest, &small] {
        assert!(!bench.has(&bench.reader(), "a", digest).await);
    }
    assert_eq!(bench.files(), 1);
    check(&bench).await;
    let report = bench.gc_after(MINUTES).await;
    assert_eq!(report.freed, report_of(2, 40_005));
    check_empty(&bench).await;
}

/// The row of its bytes has the number again that the first one had, and the two removals are due in the same microsecond.
#[tokio::test]
async fn what_is_pushed_and_collected_twice_in_a_moment_is_freed() {
    let bench = Bench::new().await;
    for _ in 0..2 {
        let digest = bench.put("a", b"small").await;
        let (cx, repo) = (bench.cx(), name("a"));
        bench.store.delete_blob(&cx, &repo, &digest).await.unwrap();
        assert_eq!(bench.gc().await.taken.count, 1);
        check(&bench).await;
    }
    bench.gc_after(DAY).await;
    check_empty(&bench).await;
}

fn report_of(count: u64, bytes: u64) -> crate::gc::Amount {
    crate::gc::Amount { count, bytes }
}

#[tokio::test]
async fn a_deleted_image_is_freed_when_its_time_in_the_trash_is_over() {
    let bench = Bench::new().await;
    let digest = bench.image("a", &["1", "2"], &[b"{}", &large("x")]).await;
    bench.delete("a", &digest).await;
    let report = bench.gc_after(13 * DAY).await;
    assert_eq!((report.trash, report.expired), (1, 0));
    check(&bench).await;
    let report = bench.gc_after(DAY).await;
    assert_eq!((report.trash, report.expired), (0, 1));
    assert_eq!(report.taken, report_of(2, 40_002));
    bench.gc_after(MINUTES).await;
    check_empty(&bench).await;
}

#[tokio::test]
async fn what_never_had_a_tag_is_in_the_trash_for_a_day() {
    let bench = Bench::new().await;
    let digest = bench.image("a", &[], &[b"{}"]).await;
    bench.delete("a", &digest).await;
    assert_eq!(bench.gc_after(23 * HOUR).await.trash, 1);
    assert_eq!(bench.gc_after(HOUR).await.expired, 1);
    bench.gc_after(MINUTES).await;
    check_empty(&bench).await;
}

#[tokio::test]
async fn a_shared_blob_stays_and_the_report_says_with_whom() {
    let bench = Bench::new().await;
    let base = large("base");
    let digest = bench.image("a", &["1"], &[b"{}", &base]).await;
    let other = bench.image("b", &["1"], &[b"{\"b\":1}", &base]).await;
    bench.delete("a", &digest).await;
    let ask = Ask {
        empty: Some(Emptying::default()),
        ..Ask::default()
    };
    for _ in 0..7 {
        bench.gc_after(HOUR).await;
    }
    let report = bench.store.gc(&ask, &|_| {}).await.unwrap();
    assert_eq!(report.taken, report_of(1, 2));
    assert_eq!(report.shared, report_of(1, 40_000));
    assert_eq!(report.shared_with[0].with, ["b"]);
    check(&bench).await;
    bench.delete("b", &other).await;
    bench.store.gc(&ask, &|_| {}).await.unwrap();
    bench.gc_after(DAY).await;
    check_empty(&bench).await;
}

#[tokio::test]
async fn a_dry_run_says_what_a_run_does_and_changes_nothing() {
    let bench = Bench::new().await;
    bench.put("a", &large("x")).await;
    bench.clock.turn(DAY);
    let ask = Ask {
        dry_run: true,
        ..Ask::default()
    };
    let planned = bench.store.gc(&ask, &|_| {}).await.unwrap();
    assert!(planned.dry_run);
    assert_eq!(bench.store.gc(&ask, &|_| {}).await.unwrap(), planned);
    let done = bench
        .store
        .gc(
            &Ask {
                accept_clock: true,
                ..Ask::default()
            },
            &|_| {},
        )
        .await
        .unwrap();
    assert_eq!(planned.taken, done.taken);
    assert_eq!(planned.taken.count, 1);
}

#[tokio::test]
async fn the_parts_of_a_deleted_index_go_with_it_and_what_is_attached_too() {
    let bench = Bench::new().await;
    let parts = [
        image(&[(bench.put("a", b"{}").await, 2)], &[]),
        image(&[(bench.put("a", b"{\"a\":1}").await, 7)], &[]),
    ];
    let mut listed = Vec::new();
    for part in &parts {
        listed.push((bench.push("a", part).await.unwrap(), part.bytes.len()));
    }
    let top = index(&listed, "top", &["1"]);
    let top_digest = bench.push("a", &top).await.unwrap();
    let signature = bench.put("a", b"signature").await;
    let attached = referrer((signature, 9), (top_digest, top.bytes.len()));
    bench.push("a", &attached).await.unwrap();
    bench.gc_after(3 * DAY).await;
    check(&bench).await;
    assert!(bench.pulls("a", &listed[0].0.to_string()).await);
    bench.delete("a", &top_digest).await;
    bench.gc_after(13 * DAY).await;
    assert!(
        bench.pulls("a", &listed[0].0.to_string()).await,
        "its index can be restored"
    );
    // The index's own time, then a day for its parts, then their blobs.
    bench.gc_after(3 * DAY).await;
    check_empty(&bench).await;
}

#[tokio::test]
async fn a_part_that_another_index_lists_or_that_had_a_tag_stays() {
    let bench = Bench::new().await;
    let part = image(&[(bench.put("a", b"{}").await, 2)], &[]);
    let listed = [(bench.push("a", &part).await.unwrap(), part.bytes.len())];
    let tagged = image(&[(bench.put("a", b"{\"a\":1}").await, 7)], &["old"]);
    let had_tag = (bench.push("a", &tagged).await.unwrap(), tagged.bytes.len());
    let both = [listed[0], had_tag];
    let first = bench.push("a", &index(&both, "1", &["1"])).await.unwrap();
    bench.push("a", &index(&listed, "2", &["2"])).await.unwrap();
    let tag = "old".parse().unwrap();
    bench
        .store
        .delete_tag(&bench.cx(), &name("a"), &tag)
        .await
        .unwrap();
    bench.delete("a", &first).await;
    bench.gc_after(20 * DAY).await;
    assert!(bench.pulls("a", &listed[0].0.to_string()).await);
    assert!(bench.pulls("a", &had_tag.0.to_string()).await);
    check(&bench).await;
}

#[tokio::test]
async fn manifests_without_a_tag_stay_unless_it_is_wanted_otherwise() {
    for untagged in [Untagged::Keep, Untagged::Parts, Untagged::All] {
        let bench = Bench::with(options(GcOptions {
            untagged,
            ..GcOptions::default()
        }))
        .await;
        let never = bench.image("a", &[], &[b"{}"]).await;
        let before = bench.image("a", &["1"], &[b"{\"a\":1}"]).await;
        bench.image("a", &["1"], &[b"{\"a\":2}"]).await;
        bench.gc_after(3 * DAY).await;
        let all = untagged == Untagged::All;
        assert_eq!(bench.pulls("a", &never.to_string()).await, !all);
        assert!(bench.pulls("a", &before.to_string()).await);
        bench.gc_after(13 * DAY).await;
        assert_eq!(bench.pulls("a", &before.to_string()).await, !all);
        assert!(bench.pulls("a", "1").await);
        check(&bench).await;
    }
}

#[tokio::test]
async fn a_diamond_of_indexes_costs_what_it_has_and_not_its_paths() {
    let bench = Bench::new().await;
    let leaf = image(&[(bench.put("a", b"{}").await, 2)], &[]);
    let mut below = vec![(bench.push("a", &leaf).await.unwrap(), leaf.bytes.len())];
    // 2^16 paths.
    for level in 0..16 {
        let mut here = Vec::new();
        for side in ["l", "r"] {
            let tag: &[&str] = if level == 15 { &[side] } else { &[] };
            let both = index(&below, &format!("{level}{side}"), tag);
            here.push((bench.push("a", &both).await.unwrap(), both.bytes.len()));
        }
        below = here;
    }
    for (top, _) in &below {
        bench.delete("a", top).await;
    }
    let mut runs = 0;
    let ask = Ask {
        empty: Some(Emptying::default()),
        ..Ask::default()
    };
    loop {
        bench.clock.turn(HOUR);
        let report = bench.store.gc(&ask, &|_| {}).await.unwrap();
        assert_eq!(report.failed, 0);
        runs += 1;
        if report.is_idle() && report.waiting.count == 0 && report.trash == 0 {
            break;
        }
        assert!(runs < 40, "{report:?}");
    }
    // What was said at the pushes of the blobs is looked at a day after them.
    bench.gc_after(DAY).await;
    check_empty(&bench).await;
}

#[tokio::test]
async fn something_broken_is_kept_and_set_aside_and_does_not_stop_the_rest() {
    let bench = Bench::new().await;
    let broken = bench.put("a", b"broken").await;
    let good = bench.put("a", b"good").await;
    bench
        .db
        .write(longshore_meta::Durability::Process, broken, |tx, digest| {
            Box::pin(async move {
                let key = longshore_meta::values![digest];
                tx.exec("UPDATE blob SET state = 77 WHERE digest = ?1", &key)
                    .await
            })
        })
        .await
        .unwrap();
    let report = bench.gc_after(24 * HOUR).await;
    assert_eq!((report.failed, report.taken.count), (1, 1));
    assert!(!bench.has(&bench.reader(), "a", &good).await);
    let report = bench.gc_after(MINUTES).await;
    assert_eq!((report.failed, report.freed.count), (0, 1));
}

#[tokio::test]
async fn what_an_unclean_stop_left_without_a_row_is_removed_a_day_later_and_nothing_else() {
    let bench = Bench::new().await;
    let kept = bench.put("a", &large("kept")).await;
    bench
        .push("a", &image(&[(kept, 40_000)], &["1"]))
        .await
        .unwrap();
    bench.gc().await;
    let hour = super::check::files(&bench.root.path().join("blobs"));
    let hour = hour[0].parent().unwrap().to_owned();
    let named = format!("sha256-{}.0193aa", kept.hex());
    std::fs::write(hour.join(named), b"published and never committed").unwrap();
    std::fs::write(hour.join("0193ab.part"), b"staged").unwrap();
    std::fs::write(hour.join("notes.txt"), b"somebody's").unwrap();
    let session = bench
        .store
        .start_upload(
            &bench.cx(),
            &name("a"),
            longshore_spec::digest::Algorithm::Sha256,
        )
        .await
        .unwrap();
    let chunk = longshore_core::Chunk {
        at: None,
        size: Some(40_000),
        body: longshore_core::body::once(vec![7; 40_000].into()),
    };
    bench
        .store
        .append_upload(&bench.cx(), &name("a"), &session.id, chunk)
        .await
        .unwrap();
    let bench = bench.reopen(options(GcOptions::default())).await;
    let report = bench.gc_after(24 * HOUR).await;
    assert_eq!(report.orphans.count, 0, "it may be younger than a day");
    let report = bench.gc_after(HOUR).await;
    assert_eq!(report.orphans, report_of(2, 35));
    assert_eq!(
        bench.files(),
        3,
        "the blob, the stage of a session, somebody's"
    );
    assert!(bench.gc_after(HOUR).await.is_idle());
}

#[tokio::test]
async fn a_file_whose_row_could_not_be_written_is_removed_a_day_later() {
    let bench = Bench::new().await;
    let tell = async |sql: &'static str| {
        let told = bench
            .db
            .write(longshore_meta::Durability::Process, sql, |tx, sql| {
                Box::pin(async move { tx.exec(sql, &[]).await })
            });
        told.await.unwrap();
    };
    tell("CREATE TRIGGER full BEFORE INSERT ON blob BEGIN SELECT RAISE(ABORT, 'full'); END").await;
    let content = large("lost");
    let want = longshore_core::Expect {
        digest: longshore_spec::digest::Digest::of(
            longshore_spec::digest::Algorithm::Sha256,
            &content,
        ),
        size: Some(content.len() as u64),
    };
    let body = longshore_core::body::once(content.into());
    let failed = bench
        .store
        .put_blob(&bench.cx(), &name("a"), &want, body)
        .await;
    assert!(failed.is_err());
    assert_eq!(bench.files(), 1);
    tell("DROP TRIGGER full").await;
    bench.gc_after(24 * HOUR).await;
    assert_eq!(bench.files(), 1, "it may be younger than a day");
    bench.gc_after(2 * HOUR).await;
    assert_eq!(bench.files(), 0);
}

#[tokio::test]
async fn a_repository_that_was_removed_is_emptied_and_freed_and_one_of_such_a_name_is_left() {
    let bench = Bench::new().await;
    for at in 0..40 {
        let config = format!("{{\"at\":{at}}}");
        bench
            .image("a/app", &["last"], &[config.as_bytes(), &large("x")])
            .await;
    }
    bench.image("deleted/mine", &["1"], &[b"{}"]).await;
    let remove = bench
        .db
        .write(longshore_meta::Durability::Power, (), |tx, ()| {
            Box::pin(async move {
                let repo = "a/app".parse().unwrap();
                let id = longshore_meta::repos::repo_id(tx, &repo).await?.unwrap();
                longshore_meta::repos::repo_remove(tx, id, ("alice", 1)).await
            })
        });
    let left = remove.await.unwrap();
    bench.store.names_changed(&[name("a/app"), left]);
    assert!(!bench.pulls("a/app", "last").await);
    // The name is free, and has nothing of what was there.
    bench.image("a/app", &["new"], &[b"{\"new\":1}"]).await;
    assert!(!bench.pulls("a/app", "last").await);
    let report = bench.gc_after(HOUR).await;
    assert_eq!((report.collected, report.trash), (40, 40));
    check(&bench).await;
    let report = bench.gc_after(14 * DAY).await;
    assert_eq!((report.trash, report.expired), (0, 40));
    bench.gc_after(MINUTES).await;
    assert!(bench.pulls("a/app", "new").await);
    assert!(bench.pulls("deleted/mine", "1").await);
    assert_eq!(bench.files(), 0, "the large blob is gone");
    check(&bench).await;
}
