//! The check of everything beside a registry that goes on.

use longshore_core::{Parents, Registry};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;
use longshore_store::check::{Check, CheckOptions, Outcome};

use super::check::{Codes, LARGE, full, image, put};
use super::restart::{cx, files, repo};
use super::*;

#[tokio::test]
async fn what_is_repaired_beside_a_running_registry_is_seen_by_it_at_once() {
    let root = full().await;
    let store = open_with(root.path(), with_rows(), clock()).await;
    let layer = Digest::of(Algorithm::Sha256, &vec![1; LARGE]);
    let cx = cx("alice");
    store.stat_blob(&cx, &repo(), &layer).await.unwrap();
    let damaged: Vec<_> = files(&root.path().join("blobs"))
        .into_iter()
        .filter(|file| file.to_string_lossy().contains(&layer.hex()))
        .collect();
    std::fs::write(&damaged[0], vec![9; LARGE]).unwrap();
    let options = CheckOptions {
        repair: true,
        settle: Some(Duration::from_millis(10)),
        ..CheckOptions::default()
    };
    let mut found = Codes::default();
    let summary = Check::of_running(&store, options)
        .run(&mut found)
        .await
        .unwrap();
    assert_eq!(found.0, [("blob-damaged", Outcome::Repaired)]);
    assert!(!summary.is_clean());
    store.stat_blob(&cx, &repo(), &layer).await.unwrap_err();
    put(&store, &repo(), &vec![1; LARGE]).await;
    store.stat_blob(&cx, &repo(), &layer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_check_beside_pushes_and_deletes_finds_nothing() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), with_rows(), clock()).await;
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let busy: Vec<_> = (0..3_u8)
        .map(|worker| {
            let (store, stop) = (store.clone(), stop.clone());
            tokio::spawn(async move {
                let repo: RepoName = format!("acme/r{worker}").parse().unwrap();
                let mut seed = worker;
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    seed = seed.wrapping_add(7);
                    let digest = image(&store, &repo, seed, "1").await;
                    if seed.is_multiple_of(2) {
                        let cx = cx("alice");
                        let gone = store.delete_manifest(&cx, &repo, &digest, Parents::MustBeGone);
                        gone.await.unwrap();
                    }
                }
            })
        })
        .collect();
    for _ in 0..5 {
        let options = CheckOptions {
            settle: Some(Duration::from_millis(300)),
            grace: Duration::from_hours(2),
            ..CheckOptions::default()
        };
        let mut found = Codes::default();
        Check::of_running(&store, options)
            .run(&mut found)
            .await
            .unwrap();
        assert!(found.0.is_empty(), "{:?}", found.0);
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    for worker in busy {
        worker.await.unwrap();
    }
}
