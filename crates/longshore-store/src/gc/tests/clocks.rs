//! A clock that is wrong costs disk space and nothing else.

use super::bench::{Bench, DAY, HOUR, options};
use crate::gc::{Ask, GcOptions};

async fn paused(bench: &Bench, ask: &Ask) -> Option<String> {
    bench.store.gc(ask, &|_| {}).await.unwrap().paused
}

#[tokio::test]
async fn nothing_is_collected_by_a_clock_that_jumped_until_an_operator_accepts_it() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    bench.gc().await;
    bench.clock.turn(3650 * DAY);
    for _ in 0..3 {
        let why = paused(&bench, &Ask::default()).await.unwrap();
        assert!(
            why.contains("3649 days") && why.contains("--accept-clock"),
            "{why}"
        );
    }
    assert!(bench.store.gc_stats().paused);
    assert!(bench.has(&bench.reader(), "a", &digest).await);
    let accept = Ask {
        accept_clock: true,
        ..Ask::default()
    };
    assert_eq!(paused(&bench, &accept).await, None);
    assert!(!bench.has(&bench.reader(), "a", &digest).await);
    assert!(!bench.store.gc_stats().paused);
}

#[tokio::test]
async fn a_clock_that_was_set_back_is_not_believed_even_after_a_restart() {
    let bench = Bench::new().await;
    bench.put("a", b"{}").await;
    bench.gc_after(DAY / 2).await;
    bench.clock.turn_back(HOUR);
    let why = paused(&bench, &Ask::default()).await.unwrap();
    assert!(why.contains("60 minutes behind"), "{why}");
    let bench = bench.reopen(options(GcOptions::default())).await;
    assert!(paused(&bench, &Ask::default()).await.is_some());
    bench.clock.turn(HOUR);
    assert_eq!(paused(&bench, &Ask::default()).await, None);
}

#[tokio::test]
async fn a_clock_that_was_set_ahead_across_a_restart_collects_nothing_before_a_lease_has_passed() {
    let bench = Bench::new().await;
    let digest = bench.put("a", b"{}").await;
    bench.gc().await;
    bench.clock.turn(30 * DAY);
    let bench = bench.reopen(options(GcOptions::default())).await;
    let mut minutes = 0;
    while bench.has(&bench.reader(), "a", &digest).await {
        let store = &bench.store;
        store.0.gc_tick().await.unwrap();
        assert_eq!(store.gc_stats().paused, minutes < 359, "{minutes}");
        bench.clock.turn(HOUR / 60);
        minutes += 1;
        assert!(minutes < 1000, "it is never believed");
    }
    assert_eq!(minutes, 360, "six hours of looks");
}
