//! The restore drill: a backup of a busy server becomes a registry in which nothing is wrong and everything can be pulled.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_testkit::content::Piece;
use longshore_testkit::wire::{Ask, Wire};

use super::fsck::{fsck, push_image};
use super::harness::{Start, binary, expect};

fn run(name: &str, dir: &Path, data: &Path, args: &[&str]) -> Output {
    let mut command = binary();
    command
        .arg(name)
        .arg(dir)
        .arg("--data")
        .arg(data)
        .args(args)
        .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true");
    command.output().unwrap()
}

/// Pulls an image and compares its large layer.
async fn pull(client: &mut Wire, tag: &str, layer: &Piece) {
    let path = format!("/v2/acme/app/manifests/{tag}");
    let manifest = expect(client, Ask::new("GET", path), 200).await;
    let text = String::from_utf8(manifest.body.to_vec()).unwrap();
    assert!(text.contains(&layer.digest.to_string()));
    let path = format!("/v2/acme/app/blobs/{}", layer.digest);
    let blob = expect(client, Ask::new("GET", path), 200).await;
    assert_eq!(blob.body, layer.bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_server_under_pushes_restores_to_a_registry_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Start::over(&data).run();
    let mut client = server.client();
    let mut layers = Vec::new();
    for seed in 0..5 {
        layers.push(push_image(&mut client, seed, &format!("v{seed}")).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let pusher = {
        let (stop, mut client) = (stop.clone(), server.client());
        tokio::spawn(async move {
            let mut seed = 100;
            while !stop.load(Ordering::SeqCst) {
                push_image(&mut client, seed, &format!("v{seed}")).await;
                seed += 1;
            }
        })
    };
    for copies in ["copy", "link"] {
        let backup = dir.path().join(copies);
        let restored = dir.path().join(format!("{copies}-restored"));
        let backed = {
            let (backup, data) = (backup.clone(), data.clone());
            tokio::task::spawn_blocking(move || run("backup", &backup, &data, &["--blobs", copies]))
                .await
                .unwrap()
        };
        assert_eq!(backed.status.code(), Some(0), "{backed:?}");
        let back = run("restore", &backup, &restored, &["--blobs", copies]);
        assert_eq!(back.status.code(), Some(0), "{back:?}");
        let out = fsck(&restored, &["--grace", "0"]);
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(said.contains("everything is in order"), "{said}");
        let again = Start::over(&restored).run();
        assert!(!again.log().contains("not closed in order"));
        let mut client = again.client();
        for (seed, layer) in layers.iter().enumerate() {
            pull(&mut client, &format!("v{seed}"), layer).await;
        }
        push_image(&mut client, 999, "after").await;
        assert_eq!(again.stop(), Some(0));
    }
    stop.store(true, Ordering::SeqCst);
    pusher.await.unwrap();
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn what_a_backup_lacks_is_told_by_name_and_the_rest_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    let server = Start::over(&data).run();
    let mut client = server.client();
    let kept = push_image(&mut client, 1, "kept").await;
    let lost = push_image(&mut client, 2, "lost").await;
    assert_eq!(server.stop(), Some(0));

    // A backup is not made over another, nor from nothing.
    assert_eq!(run("backup", &backup, &data, &[]).status.code(), Some(0));
    assert_eq!(run("backup", &backup, &data, &[]).status.code(), Some(2));
    let nothing = run(
        "backup",
        &dir.path().join("b2"),
        &dir.path().join("none"),
        &[],
    );
    assert_eq!(nothing.status.code(), Some(2), "{nothing:?}");
    // Nor restored over a registry.
    let over = run("restore", &backup, &data, &[]);
    assert_eq!(over.status.code(), Some(2), "{over:?}");
    assert!(String::from_utf8_lossy(&over.stderr).contains("there is a registry already"));

    let mut look = vec![backup.join("files")];
    let mut removed = false;
    while let Some(at) = look.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look.push(path);
            } else if path.to_string_lossy().contains(&lost.digest.hex()) {
                std::fs::write(path, vec![0; lost.bytes.len()]).unwrap();
                removed = true;
            }
        }
    }
    assert!(removed);
    let restored = dir.path().join("restored");
    let back = run("restore", &backup, &restored, &[]);
    let said = String::from_utf8_lossy(&back.stdout);
    assert_eq!(back.status.code(), Some(1), "{back:?}");
    assert!(said.contains(&format!("lost: {}", lost.digest)), "{said}");
    assert!(!said.contains(&kept.digest.to_string()), "{said}");
    let server = Start::over(&restored).run();
    let mut client = server.client();
    pull(&mut client, "kept", &kept).await;
    push_image(&mut client, 2, "lost").await;
    pull(&mut client, "lost", &lost).await;
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_backup_without_files_proves_that_all_of_them_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    let server = Start::over(&data).run();
    let layer = push_image(&mut server.client(), 1, "1").await;
    let out = run("backup", &backup, &data, &["--blobs", "none"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(server.stop(), Some(0));
    // Something else keeps the files.
    let restored = dir.path().join("restored");
    std::fs::create_dir(&restored).unwrap();
    std::fs::rename(data.join("blobs"), restored.join("blobs")).unwrap();
    let back = run("restore", &backup, &restored, &[]);
    assert_eq!(back.status.code(), Some(0), "{back:?}");
    let server = Start::over(&restored).run();
    pull(&mut server.client(), "1", &layer).await;
    assert_eq!(server.stop(), Some(0));

    // A backup that was not finished, or was changed, is none.
    let other = dir.path().join("other");
    std::fs::write(backup.join("meta.db"), b"x").unwrap();
    assert_eq!(run("restore", &backup, &other, &[]).status.code(), Some(2));
    std::fs::remove_file(backup.join("backup.json")).unwrap();
    let back = run("restore", &backup, &other, &[]);
    assert!(String::from_utf8_lossy(&back.stderr).contains("not finished"));
    assert!(!other.join("meta.db").exists());
}
