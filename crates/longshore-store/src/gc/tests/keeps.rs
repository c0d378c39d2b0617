//! What collection must not take: what somebody was promised, and what was pushed since.

use longshore_core::{Code, Expect, Registry as _, body};
use longshore_meta::{Durability, leader};
use longshore_spec::digest::{Algorithm, Digest};

use super::bench::{Bench, DAY, HOUR, image, large, name, options};
use super::check::{check, check_empty};
use crate::gc::{Ask, GcOptions};

#[tokio::test]
async fn who_may_push_and_is_told_that_a_blob_is_here_can_push_its_manifest_for_hours() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    bench.gc_after(47 * (HOUR / 2)).await;
    assert!(bench.has(&bench.cx(), "a", &digest).await);
    let report = bench.gc_after(6 * HOUR).await;
    assert_eq!(report.taken.count, 0);
    bench
        .push("a", &image(&[(digest, 2)], &["1"]))
        .await
        .unwrap();
    bench.gc_after(2 * DAY).await;
    assert!(bench.pulls("a", "1").await);
    check(&bench).await;
}

#[tokio::test]
async fn who_may_only_pull_keeps_nothing() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    bench.gc_after(47 * (HOUR / 2)).await;
    assert!(bench.has(&bench.reader(), "a", &digest).await);
    assert_eq!(bench.gc_after(HOUR).await.taken.count, 1);
    assert!(!bench.has(&bench.reader(), "a", &digest).await);
}

#[tokio::test]
async fn each_answer_to_who_may_push_keeps_the_blob_for_a_whole_lease() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    // The second time more than an hour is left of what the first answer promised, and less than is promised now.
    for rest in [20 * HOUR, 5 * HOUR] {
        bench.gc_after(rest).await;
        assert!(bench.has(&bench.cx(), "a", &digest).await);
    }
    assert_eq!(bench.gc_after(11 * (HOUR / 2)).await.taken.count, 0);
    bench
        .push("a", &image(&[(digest, 2)], &["1"]))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_promise_is_not_made_of_what_memory_remembers() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    bench.gc_after(23 * HOUR).await;
    // Remembered, and long enough for the lease to be over.
    assert!(bench.has(&bench.reader(), "a", &digest).await);
    bench.clock.turn(HOUR);
    // Taken behind this store's back: its memory is not told.
    let repo = bench.store.0.repo(&name("a")).await.unwrap();
    let epoch = repo.content.now();
    bench.gc().await;
    let remembered = bench.store.0.cache.blob(&repo, &digest);
    assert!(remembered.is_none() && repo.content.now() != epoch);
    let row = longshore_meta::blobs::BlobRow {
        size: 2,
        location: ":1".to_owned(),
        generation: 1,
        state: longshore_meta::blobs::BlobState::Live,
    };
    let stale = crate::cache::Seen::of(&row, 0).unwrap();
    bench
        .store
        .0
        .cache
        .blob_is(&repo, repo.content.now(), &digest, stale);
    assert!(bench.has(&bench.reader(), "a", &digest).await, "stale");
    assert!(!bench.has(&bench.cx(), "a", &digest).await);
    let pushed = bench.push("a", &image(&[(digest, 2)], &["1"])).await;
    assert_eq!(pushed.unwrap_err().code(), Code::ManifestBlobUnknown);
}

#[tokio::test]
async fn a_mount_keeps_the_blob_for_the_repository_it_went_to() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    bench.gc_after(23 * HOUR).await;
    let mounted = bench
        .store
        .mount_blob(&bench.cx(), &name("b"), &digest, Some(&name("a")))
        .await
        .unwrap();
    assert!(mounted.is_some());
    bench.gc_after(7 * HOUR).await;
    check(&bench).await;
    assert!(!bench.has(&bench.reader(), "a", &digest).await);
    assert!(bench.has(&bench.reader(), "b", &digest).await);
    bench
        .push("b", &image(&[(digest, 2)], &["1"]))
        .await
        .unwrap();
    bench.gc_after(2 * DAY).await;
    check(&bench).await;
}

#[tokio::test]
async fn what_is_pushed_again_while_it_is_in_quarantine_is_not_taken_with_the_old_one() {
    for content in [large("x"), b"small".to_vec()] {
        let bench = Bench::new().await;
        let digest = bench.put("a", &content).await;
        assert_eq!(bench.gc_after(24 * HOUR).await.taken.count, 1);
        assert!(!bench.has(&bench.cx(), "a", &digest).await);
        assert_eq!(bench.put("a", &content).await, digest);
        check(&bench).await;
        let pushed = image(&[(digest, content.len())], &["1"]);
        bench.push("a", &pushed).await.unwrap();
        let report = bench.gc_after(HOUR).await;
        assert_eq!(report.freed.count, 1);
        check(&bench).await;
        assert!(bench.has(&bench.cx(), "a", &digest).await);
        assert!(bench.files() <= 1);
        let manifest = Digest::of(Algorithm::Sha256, &pushed.bytes);
        bench.delete("a", &manifest).await;
        bench.gc_after(15 * DAY).await;
        check_empty(&bench).await;
    }
}

#[tokio::test]
async fn a_copy_of_which_nobody_knows_whether_it_is_whole_is_removed_when_it_is_pushed_again() {
    let bench = Bench::new().await;
    let content = large("x");
    let digest = Digest::of(Algorithm::Sha256, &content);
    let want = Expect { digest, size: None };
    let body = body::once(content.clone().into());
    let put = bench
        .store
        .put_blob(&bench.cx(), &name("a"), &want, body)
        .await;
    put.unwrap();
    // Killed before its sync was recorded.
    let bench = bench.reopen(options(GcOptions::default())).await;
    bench.put("a", &content).await;
    assert_eq!(bench.files(), 2);
    bench
        .push("a", &image(&[(digest, 40_000)], &["1"]))
        .await
        .unwrap();
    bench.gc_after(HOUR).await;
    assert_eq!(bench.files(), 1);
    check(&bench).await;
}

#[tokio::test]
async fn who_copies_by_a_list_keeps_the_bytes_until_the_copy_is_made() {
    let bench = Bench::new().await;
    bench.put("a", &large("x")).await;
    let held = bench.store.hold_bytes();
    assert_eq!(bench.gc_after(24 * HOUR).await.taken.count, 1);
    assert_eq!(bench.gc_after(HOUR).await.waiting.count, 1);
    assert_eq!(bench.files(), 1);
    drop(held);
    assert_eq!(bench.gc().await.freed.count, 1);
    check_empty(&bench).await;
}

#[tokio::test]
async fn a_copy_that_was_replaced_because_it_was_damaged_is_removed() {
    let bench = Bench::new().await;
    let content = large("x");
    let digest = bench.put("a", &content).await;
    let file = super::check::files(&bench.root.path().join("blobs")).remove(0);
    std::fs::write(&file, b"short").unwrap();
    bench.put("a", &content).await;
    bench
        .push("a", &image(&[(digest, 40_000)], &["1"]))
        .await
        .unwrap();
    bench.gc_after(HOUR).await;
    assert!(!file.exists());
    check(&bench).await;
}

#[tokio::test]
async fn whoever_lost_the_right_to_collect_changes_nothing_more() {
    let bench = Bench::new().await;
    bench.put("a", b"{}").await;
    bench.clock.turn(DAY);
    let now = longshore_meta::time::micros(bench.clock.now());
    let inner = &bench.store.0;
    let fence = inner.lead(now, now).await.unwrap().unwrap();
    // It stands still for longer than its lease, and somebody else takes over.
    bench.clock.turn(HOUR);
    let later = now + 3_600_000_000;
    bench
        .db
        .write(Durability::Process, later, |tx, later| {
            Box::pin(leader::leader_take(
                tx,
                "gc",
                "other",
                *later,
                later + 60_000_000,
            ))
        })
        .await
        .unwrap()
        .unwrap();
    let mut run = super::super::run::Run::new(inner, fence, later, false, &|_| {});
    assert_eq!(run.all(None).await.unwrap(), None);
    assert_eq!(run.report.taken.count, 0);
    check(&bench).await;
    let ask = Ask {
        accept_clock: true,
        ..Ask::default()
    };
    let report = bench.store.gc(&ask, &|_| {}).await.unwrap();
    assert!(report.paused.unwrap().contains("another process"));
    bench.clock.turn(HOUR);
    assert_eq!(bench.gc().await.taken.count, 1);
}

#[tokio::test]
async fn a_blob_that_was_deleted_is_kept_by_the_trash_and_by_nothing_else() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    let manifest = bench
        .push("a", &image(&[(digest, 2)], &["1"]))
        .await
        .unwrap();
    bench.delete("a", &manifest).await;
    bench
        .store
        .delete_blob(&bench.cx(), &name("a"), &digest)
        .await
        .unwrap();
    assert!(!bench.has(&bench.cx(), "a", &digest).await);
    bench.gc_after(DAY).await;
    check(&bench).await;
    bench
        .store
        .trash_restore(&name("a"), &manifest, "bob")
        .await
        .unwrap();
    assert!(bench.has(&bench.cx(), "a", &digest).await);
    check(&bench).await;
    bench.delete("a", &manifest).await;
    bench
        .store
        .delete_blob(&bench.cx(), &name("a"), &digest)
        .await
        .unwrap();
    bench.gc_after(15 * DAY).await;
    check_empty(&bench).await;
}
