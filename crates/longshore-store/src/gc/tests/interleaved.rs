//! Pushes, heads, mounts, deletions and the phases of collection in any order.
//!
//! Every decision is one transaction and transactions happen one after the other, so orders of whole steps are all the orders
//! there are; what takes several transactions is tried by `concurrent`.

use std::collections::HashMap;
use std::time::Duration;

use longshore_core::{Code, Parents, Registry as _};
use longshore_meta::time::micros;
use longshore_spec::digest::{Algorithm, Digest};
use proptest::prelude::*;

use super::bench::{Bench, DAY, HOUR, image, large, name, options};
use super::check::{check, check_empty};
use crate::Options;
use crate::gc::run::Run;
use crate::gc::{GcOptions, Untagged};

const REPOS: [&str; 2] = ["a", "b"];
/// Which blobs each image has.
const IMAGES: [&[usize]; 4] = [&[0, 1], &[0, 2], &[3, 1, 2], &[3]];
const LEASE: Duration = Duration::from_hours(6);

#[derive(Debug, Clone)]
enum Step {
    Put {
        repo: usize,
        blob: usize,
    },
    Head {
        repo: usize,
        blob: usize,
    },
    Mount {
        from: usize,
        blob: usize,
    },
    Push {
        repo: usize,
        image: usize,
        tagged: bool,
    },
    DeleteManifest {
        repo: usize,
        image: usize,
    },
    DeleteTag {
        repo: usize,
    },
    DeleteBlob {
        repo: usize,
        blob: usize,
    },
    Restore {
        repo: usize,
        image: usize,
    },
    Turn {
        minutes: u64,
    },
    Expire,
    Collect,
    Review,
    Bury,
}

fn step() -> impl Strategy<Value = Step> {
    let (repo, blob, image) = (0..REPOS.len(), 0..4_usize, 0..IMAGES.len());
    prop_oneof![
        4 => (repo.clone(), blob.clone()).prop_map(|(repo, blob)| Step::Put { repo, blob }),
        3 => (repo.clone(), blob.clone()).prop_map(|(repo, blob)| Step::Head { repo, blob }),
        2 => (repo.clone(), blob.clone()).prop_map(|(from, blob)| Step::Mount { from, blob }),
        4 => (repo.clone(), image.clone(), any::<bool>())
            .prop_map(|(repo, image, tagged)| Step::Push { repo, image, tagged }),
        3 => (repo.clone(), image.clone()).prop_map(|(repo, image)| Step::DeleteManifest { repo, image }),
        1 => repo.clone().prop_map(|repo| Step::DeleteTag { repo }),
        1 => (repo.clone(), blob).prop_map(|(repo, blob)| Step::DeleteBlob { repo, blob }),
        1 => (repo, image).prop_map(|(repo, image)| Step::Restore { repo, image }),
        4 => prop_oneof![Just(5_u64), Just(61), Just(200), Just(361), Just(721)]
            .prop_map(|minutes| Step::Turn { minutes }),
        2 => Just(Step::Expire),
        2 => Just(Step::Collect),
        4 => Just(Step::Review),
        3 => Just(Step::Bury),
    ]
}

fn gc() -> Options {
    let gc = GcOptions {
        unreferenced: HOUR,
        trash: 12 * HOUR,
        trash_untagged: 2 * HOUR,
        untagged: Untagged::All,
        batch: 2,
        ..GcOptions::default()
    };
    Options {
        push_lease: LEASE,
        ..options(gc)
    }
}

/// A store, and what was promised of it.
struct World {
    bench: Bench,
    contents: Vec<Vec<u8>>,
    /// Until when a blob of a repository was promised.
    promised: HashMap<(usize, usize), i64>,
}

impl World {
    async fn new() -> Self {
        Self {
            bench: Bench::with(gc()).await,
            // Rows and files.
            contents: vec![
                b"{}".to_vec(),
                large("one"),
                b"two".to_vec(),
                large("three"),
            ],
            promised: HashMap::new(),
        }
    }

    fn now(&self) -> i64 {
        micros(self.bench.clock.now())
    }

    fn digest(&self, blob: usize) -> Digest {
        Digest::of(Algorithm::Sha256, &self.contents[blob])
    }

    fn promise(&mut self, repo: usize, blob: usize, time: Duration) {
        let until = self.now() + micros_of(time);
        let entry = self.promised.entry((repo, blob)).or_insert(until);
        *entry = until.max(*entry);
    }

    fn manifest(&self, of: usize, tags: &[&str]) -> longshore_core::ManifestPush {
        let blobs: Vec<_> = IMAGES[of]
            .iter()
            .map(|blob| (self.digest(*blob), self.contents[*blob].len()))
            .collect();
        image(&blobs, tags)
    }

    fn manifest_digest(&self, of: usize) -> Digest {
        Digest::of(Algorithm::Sha256, &self.manifest(of, &[]).bytes)
    }

    async fn run(&mut self, step: &Step) {
        let (bench, cx) = (&self.bench, self.bench.cx());
        let store = &bench.store;
        match *step {
            Step::Put { repo, blob } => {
                bench.put(REPOS[repo], &self.contents[blob]).await;
                self.promise(repo, blob, LEASE);
            }
            Step::Head { repo, blob } => {
                if bench.has(&cx, REPOS[repo], &self.digest(blob)).await {
                    self.promise(repo, blob, LEASE);
                }
            }
            Step::Mount { from, blob } => {
                let (from, to) = (from, 1 - from);
                let (source, target) = (name(REPOS[from]), name(REPOS[to]));
                let digest = self.digest(blob);
                let mounted = store.mount_blob(&cx, &target, &digest, Some(&source));
                if mounted.await.unwrap().is_some() {
                    self.promise(to, blob, LEASE);
                }
            }
            Step::Push {
                repo,
                image,
                tagged,
            } => {
                let tags: &[&str] = if tagged { &["1"] } else { &[] };
                let pushed = bench.push(REPOS[repo], &self.manifest(image, tags)).await;
                let now = self.now();
                let kept = |blob: &usize| {
                    self.promised
                        .get(&(repo, *blob))
                        .is_some_and(|until| *until > now)
                };
                if IMAGES[image].iter().all(kept) {
                    pushed.expect("every blob was promised");
                } else if let Err(error) = pushed {
                    assert_eq!(error.code(), Code::ManifestBlobUnknown);
                }
            }
            Step::DeleteManifest { repo, image } => {
                let digest = self.manifest_digest(image);
                let repo = name(REPOS[repo]);
                absent(
                    store
                        .delete_manifest(&cx, &repo, &digest, Parents::MustBeGone)
                        .await,
                );
            }
            Step::DeleteTag { repo } => {
                let tag = "1".parse().unwrap();
                absent(store.delete_tag(&cx, &name(REPOS[repo]), &tag).await);
            }
            Step::DeleteBlob { repo, blob } => {
                let at = name(REPOS[repo]);
                match store.delete_blob(&cx, &at, &self.digest(blob)).await {
                    Ok(()) => drop(self.promised.remove(&(repo, blob))),
                    Err(error) => {
                        assert!(error.code() == Code::Denied || error.code().is_absence());
                    }
                }
            }
            Step::Restore { repo, image } => {
                let digest = self.manifest_digest(image);
                absent(
                    store
                        .trash_restore(&name(REPOS[repo]), &digest, "bob")
                        .await
                        .map(drop),
                );
            }
            Step::Turn { minutes } => bench.clock.turn(Duration::from_mins(minutes)),
            Step::Expire | Step::Collect | Step::Review | Step::Bury => {
                let inner = &store.0;
                let now = self.now();
                let fence = inner.lead(now, now).await.unwrap().unwrap();
                let mut run = Run::new(inner, fence, now, false, &|_| {});
                let done = match step {
                    Step::Expire => run.expire(None).await,
                    Step::Collect => run.collect_untagged().await,
                    Step::Review => run.review().await,
                    _ => run.bury().await,
                };
                assert_eq!(done.unwrap(), Some(()));
                assert_eq!(run.report.failed, 0);
            }
        }
    }

    /// Deletes everything and lets time pass: nothing may be left.
    async fn end(&mut self) {
        let bench = &self.bench;
        for repo in REPOS {
            for image in 0..IMAGES.len() {
                let digest = self.manifest_digest(image);
                let (cx, repo) = (bench.cx(), name(repo));
                let deleted = bench
                    .store
                    .delete_manifest(&cx, &repo, &digest, Parents::MustBeGone);
                absent(deleted.await);
            }
        }
        bench.clock.turn(DAY);
        self.run(&Step::Expire).await;
        self.bench.clock.turn(DAY);
        self.run(&Step::Review).await;
        self.bench.clock.turn(HOUR);
        self.run(&Step::Bury).await;
        check_empty(&self.bench).await;
    }
}

fn micros_of(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap()
}

/// It worked, or there was nothing to do it to.
fn absent(done: longshore_core::Result<()>) {
    if let Err(error) = done {
        assert!(error.code().is_absence(), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_in_whatever_order_nothing_promised_is_lost_and_nothing_is_left_behind(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in &steps {
                world.run(step).await;
                check(&world.bench).await;
            }
            world.end().await;
        });
    }
}
