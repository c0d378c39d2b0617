//! A full disk: writes are refused with words, reads and deletes go on, and nothing is left behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use longshore_testkit::content::{Dress, Maker};
use longshore_testkit::wire::Ask;

use super::harness::{Start, expect};

/// A small file system, gone when dropped.
struct Small(PathBuf);

impl Small {
    /// `None` for those who may not mount.
    fn mount(at: &Path, mib: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(at)
            .output()
            .unwrap();
        mounted.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_writes_keeps_reading_and_recovers_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(&dir.path().join("small"), 12) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI runs as root and can mount"
        );
        println!("skipped: only root can mount a small file system");
        return;
    };
    let server = Start::over(&small.0.join("data")).run();
    let mut client = server.client();
    let mut maker = Maker::new(1);
    let (config, layer) = (maker.config("amd64"), maker.blob(100_000));
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    for piece in [&config, &layer] {
        let post = Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", piece.digest),
        );
        expect(&mut client, post.sized(piece.bytes.clone()), 201).await;
    }
    let put = || {
        Ask::new("PUT", "/v2/acme/app/manifests/1")
            .header("content-type", image.media_type.as_str())
            .sized(image.bytes.clone())
    };
    expect(&mut client, put(), 201).await;

    // Somebody else fills the disk to the last byte.
    let stuffing = small.0.join("stuffing");
    let _ = std::fs::write(&stuffing, vec![0_u8; 16 << 20]);
    let big = maker.blob(3 << 20);
    let push = || {
        Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", big.digest),
        )
        .sized(big.bytes.clone())
    };
    let refused = client.ask(&push()).await.unwrap();
    assert_eq!(refused.status, 503, "{refused}");
    assert!(refused.header("retry-after").is_some(), "{refused}");
    let said = String::from_utf8_lossy(&refused.body).into_owned();
    assert!(said.contains("full"), "{said}");
    assert!(
        !said.contains(dir.path().to_str().unwrap()),
        "a path leaks: {said}"
    );

    let read = expect(
        &mut client,
        Ask::new("GET", format!("/v2/acme/app/blobs/{}", layer.digest)),
        200,
    )
    .await;
    assert_eq!(read.body, layer.bytes);
    expect(
        &mut client,
        Ask::new("GET", "/v2/acme/app/manifests/1"),
        200,
    )
    .await;
    expect(
        &mut client,
        Ask::new("HEAD", format!("/v2/acme/app/blobs/{}", big.digest)),
        404,
    )
    .await;

    std::fs::remove_file(&stuffing).unwrap();
    expect(&mut client, push(), 201).await;
    expect(&mut client, put(), 201).await;
    assert_eq!(
        parts_left(&small.0.join("data/blobs")),
        0,
        "the refused push left something behind"
    );
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn on_a_full_disk_everything_can_be_deleted_and_what_came_before_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(&dir.path().join("small"), 44) else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI runs as root and can mount"
        );
        println!("skipped: only root can mount a small file system");
        return;
    };
    let server = Start::over(&small.0.join("data"))
        .set("storage.reserve", "20MiB")
        .set("gc.lease", "1s")
        .set("gc.unreferenced", "1s")
        .set("gc.quarantine", "100ms")
        .set("gc.interval", "1h")
        .set("trash.time", "0")
        .set("trash.untagged_time", "0")
        .run();
    let mut client = server.client();
    let mut maker = Maker::new(1);
    let mut images = Vec::new();
    for _ in 0..60 {
        let (config, layer) = (maker.config("amd64"), maker.blob(40_000));
        let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
        for piece in [&config, &layer] {
            let post = Ask::new(
                "POST",
                format!("/v2/acme/app/blobs/uploads/?digest={}", piece.digest),
            );
            expect(&mut client, post.sized(piece.bytes.clone()), 201).await;
        }
        let put = Ask::new("PUT", format!("/v2/acme/app/manifests/{}", image.digest))
            .header("content-type", image.media_type.as_str())
            .sized(image.bytes.clone());
        expect(&mut client, put, 201).await;
        images.push((image, layer));
    }
    // Somebody else fills the disk to the last byte, and again whenever there is room but for what is kept.
    let stuffing = small.0.join("stuffing");
    let _ = std::fs::write(&stuffing, vec![0_u8; 44 << 20]);
    let small_blob = maker.blob(1000);
    let push = || {
        Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", small_blob.digest),
        )
        .sized(small_blob.bytes.clone())
    };
    // A small blob is a row: it fits into what is left of the database's files, until it does not.
    let mut refused = false;
    for _ in 0..3000 {
        let blob = maker.blob(3000);
        let push = Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", blob.digest),
        );
        let answer = client.ask(&push.sized(blob.bytes.clone())).await.unwrap();
        if answer.status != 201 {
            assert_eq!(answer.status, 503, "{answer}");
            assert!(answer.header("retry-after").is_some(), "{answer}");
            refused = true;
            break;
        }
    }
    assert!(refused, "the disk is not full");
    let refusal = expect(&mut client, push(), 503).await;
    let said = String::from_utf8_lossy(&refusal.body).into_owned();
    assert!(said.contains("full"), "{said}");

    for (image, layer) in &images {
        let path = format!("/v2/acme/app/blobs/{}", layer.digest);
        let read = expect(&mut client, Ask::new("GET", path), 200).await;
        assert_eq!(read.body, layer.bytes);
        let path = format!("/v2/acme/app/manifests/{}", image.digest);
        expect(&mut client, Ask::new("DELETE", path.clone()), 202).await;
        expect(&mut client, Ask::new("HEAD", path), 404).await;
        let path = format!("/v2/acme/app/blobs/{}", layer.digest);
        expect(&mut client, Ask::new("DELETE", path), 202).await;
    }
    expect(&mut client, push(), 503).await;

    // Collection goes on too, and gives the disk what was deleted.
    let data = small.0.join("data");
    let before = files(&data.join("blobs"));
    assert!(before >= 60, "{before}");
    for _ in 0..100 {
        let mut gc = super::harness::binary();
        gc.args(["gc", "--now", "--hurry", "--data"]).arg(&data);
        let out = gc.output().unwrap();
        assert!(out.status.success(), "{out:?}");
        if files(&data.join("blobs")) == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(files(&data.join("blobs")), 0);
    std::fs::remove_file(&stuffing).unwrap();
    expect(&mut client, push(), 201).await;
    let kept = std::fs::metadata(small.0.join("data/meta.db.reserve")).unwrap();
    assert_eq!(kept.len(), 20 << 20, "what was given up is kept again");
    assert_eq!(server.stop(), Some(0));
}

/// How many files there are.
fn files(under: &Path) -> usize {
    let entries = std::fs::read_dir(under)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

/// Files of uploads that are not blobs.
fn parts_left(under: &Path) -> usize {
    let entries = std::fs::read_dir(under)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                parts_left(&path)
            } else {
                usize::from(path.extension().is_some_and(|end| end == "part"))
            }
        })
        .sum()
}
