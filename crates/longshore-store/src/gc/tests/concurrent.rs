//! Everybody at once: pushers, mounters, deleters, readers, and collection all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use longshore_core::{Code, Expect, Parents, Registry as _, body};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::reference::Reference;
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, DAY, HOUR, image, large, name, options};
use super::check::{check, check_empty};
use crate::Options;
use crate::gc::{Ask, Emptying, GcOptions, Report};

const REPOS: [&str; 3] = ["a", "b", "c"];
const LEASE: Duration = Duration::from_mins(1);
const PUSHES: u64 = 120;

/// A generator of numbers that is the same each time: xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % sides
    }
}

fn contents() -> Vec<Vec<u8>> {
    (0..150)
        .map(|number: usize| match number % 2 {
            0 => format!("small {number}").into_bytes(),
            _ => large(&format!("large {number}")),
        })
        .collect()
}

/// Pushes an image as clients do. False when it took longer than what was promised lasts.
async fn push(bench: &Bench, dice: &mut Dice, contents: &[Vec<u8>]) -> bool {
    let (store, repo) = (&bench.store, name(REPOS[dice.roll(REPOS.len())]));
    let mut blobs = Vec::new();
    let begun = bench.clock.now();
    for _ in 0..3 {
        // A few that everybody has, and many that hardly anybody does.
        let most = if dice.roll(2) == 0 { 4 } else { contents.len() };
        let content = &contents[dice.roll(most)];
        let digest = Digest::of(Algorithm::Sha256, content);
        blobs.push((digest, content.len()));
        if store.stat_blob(&bench.cx(), &repo, &digest).await.is_ok() {
            continue;
        }
        let from = name(REPOS[dice.roll(REPOS.len())]);
        let mounted = store
            .mount_blob(&bench.cx(), &repo, &digest, Some(&from))
            .await
            .unwrap();
        if mounted.is_some() {
            continue;
        }
        let want = Expect {
            digest,
            size: Some(content.len() as u64),
        };
        let body = body::once(content.clone().into());
        store
            .put_blob(&bench.cx(), &repo, &want, body)
            .await
            .unwrap();
    }
    let tag = format!("t{}", dice.roll(4));
    let tags: &[&str] = if dice.roll(4) == 0 { &[] } else { &[&tag] };
    let pushed = store
        .put_manifest(&bench.cx(), &repo, &image(&blobs, tags))
        .await;
    match pushed {
        Ok(_) => {}
        Err(error) if error.code() == Code::ManifestBlobUnknown => {
            let took = bench.clock.now().duration_since(begun).unwrap();
            assert!(took > LEASE, "{error}, after {took:?}");
            return false;
        }
        Err(error) => panic!("{error}"),
    }
    for (digest, size) in blobs {
        // Somebody may have deleted the image meanwhile; what is there is whole.
        let blob = match store.get_blob(&bench.cx(), &repo, &digest, None).await {
            Ok(blob) => blob,
            Err(error) => {
                assert!(error.code().is_absence(), "{error}");
                continue;
            }
        };
        let parts: Vec<_> = blob.body.try_collect().await.unwrap();
        let bytes = parts.concat();
        assert_eq!(bytes.len(), size);
        assert_eq!(Digest::of(Algorithm::Sha256, &bytes), digest);
    }
    true
}

async fn delete(bench: &Bench, dice: &mut Dice) {
    let repo = name(REPOS[dice.roll(REPOS.len())]);
    let tag = format!("t{}", dice.roll(4)).parse().unwrap();
    let at = Reference::Tag(tag);
    let Ok(found) = bench.store.stat_manifest(&bench.cx(), &repo, &at).await else {
        return;
    };
    let cx = bench.cx();
    let deleted = bench
        .store
        .delete_manifest(&cx, &repo, &found.digest, Parents::MustBeGone);
    if let Err(error) = deleted.await {
        assert!(error.code().is_absence(), "{error}");
    } else if dice.roll(3) == 0 {
        let restored = bench.store.trash_restore(&repo, &found.digest, "bob").await;
        if let Err(error) = restored {
            assert!(error.code().is_absence(), "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pushes_and_deletions_while_collection_never_rests_lose_nothing_and_leave_nothing_behind() {
    let gc = GcOptions {
        enabled: false,
        unreferenced: Duration::ZERO,
        quarantine: Duration::from_secs(2),
        trash: Duration::from_secs(5),
        trash_untagged: Duration::from_secs(1),
        batch: 5,
        ..GcOptions::default()
    };
    let bench = Bench::with(Options {
        push_lease: LEASE,
        ..options(gc)
    });
    let (bench, stop) = (Arc::new(bench.await), CancellationToken::new());
    let contents = Arc::new(contents());
    let (taken, late) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut pushers = tokio::task::JoinSet::new();
    let mut others = tokio::task::JoinSet::new();
    for seed in 1..=4 {
        let (bench, contents, late) = (bench.clone(), contents.clone(), late.clone());
        pushers.spawn(async move {
            let mut dice = Dice(seed * 7919);
            for _ in 0..PUSHES {
                if !push(&bench, &mut dice, &contents).await {
                    late.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    for seed in 1..=2 {
        let (here, end) = (bench.clone(), stop.clone());
        others.spawn(async move {
            let mut dice = Dice(seed * 104_729);
            while !end.is_cancelled() {
                delete(&here, &mut dice).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let (here, end, taken) = (bench.clone(), stop.clone(), taken.clone());
        others.spawn(async move {
            let hurry = Ask {
                hurry: true,
                ..Ask::default()
            };
            let mut dice = Dice(seed * 15_485_863);
            while !end.is_cancelled() {
                let told = AtomicU64::new(0);
                let tell = |report: &Report| told.store(report.taken.count, Ordering::Relaxed);
                let run = here.store.gc(&hurry, &tell);
                // Now and then nobody waits for its end: it may stop at any await. A machine with much to do may need a
                // while for one that comes to its end.
                let most = match dice.roll(3) {
                    0 => Duration::from_secs(10),
                    _ => Duration::from_micros(dice.roll(20_000) as u64),
                };
                let done = tokio::time::timeout(most, run).await;
                taken.fetch_add(told.load(Ordering::Relaxed), Ordering::Relaxed);
                let Ok(report) = done else { continue };
                let report = report.unwrap();
                assert_eq!((report.failed, report.paused), (0, None));
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
    }
    others.spawn({
        let (bench, stop) = (bench.clone(), stop.clone());
        async move { bench.store.tend(stop.cancelled()).await }
    });
    others.spawn({
        let (bench, stop) = (bench.clone(), stop.clone());
        async move {
            while !stop.is_cancelled() {
                bench.clock.turn(Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    while let Some(done) = pushers.join_next().await {
        done.unwrap();
    }
    stop.cancel();
    while let Some(done) = others.join_next().await {
        done.unwrap();
    }
    let (taken, late) = (taken.load(Ordering::Relaxed), late.load(Ordering::Relaxed));
    assert!(
        late < PUSHES,
        "most pushes took longer than a lease: {late}"
    );
    check(&bench).await;
    end(&bench).await;
    assert!(
        taken > 0,
        "collection took nothing, so nothing was tried ({late} pushes were slower than a lease)"
    );
}

async fn end(bench: &Bench) {
    let store = &bench.store;
    store
        .0
        .settle(crate::unsettled::Origin::Published)
        .await
        .unwrap();
    let all: Vec<(i64, Digest)> = bench
        .db
        .read(&(), |tx, ()| {
            Box::pin(tx.all("SELECT repo, digest FROM manifest", &[]))
        })
        .await
        .unwrap();
    for (repo, digest) in all {
        let repo = bench
            .db
            .read(&repo, |tx, repo| {
                Box::pin(longshore_meta::repos::repo_name(tx, *repo))
            })
            .await
            .unwrap()
            .unwrap();
        store
            .delete_manifest(&bench.cx(), &repo, &digest, Parents::MustBeGone)
            .await
            .unwrap();
    }
    let ask = Ask {
        empty: Some(Emptying::default()),
        accept_clock: true,
        hurry: true,
        ..Ask::default()
    };
    for time in [DAY, HOUR, HOUR] {
        bench.clock.turn(time);
        store.gc(&ask, &|_| {}).await.unwrap();
    }
    check_empty(bench).await;
}
