//! Deleting, as an operator sees it: what is freed, when, and how it comes back.

use std::path::Path;
use std::time::Duration;

use longshore_testkit::content::{Dress, Maker, Piece};
use longshore_testkit::wire::{Ask, Wire};
use serde_json::Value;

use super::harness::{Server, Start, binary, expect};

/// Times that a test can wait for.
fn start(data: &Path) -> Server {
    Start::over(data)
        .set("gc.lease", "1s")
        .set("gc.unreferenced", "1s")
        .set("gc.quarantine", "100ms")
        .set("gc.interval", "1h")
        .run()
}

fn ask(data: &Path, args: &[&str]) -> Value {
    let mut command = binary();
    let out = command
        .args(args)
        .arg("--json")
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    assert!(out.status.success(), "{args:?}: {out:?}");
    serde_json::from_slice(&out.stdout).unwrap()
}

/// Collects until that many bytes are free. The first run after the lease takes, one after the quarantine removes.
async fn freed(data: &Path, bytes: u64) {
    let mut free = 0;
    for _ in 0..100 {
        let done = ask(data, &["gc", "--now"]);
        free += done["freed"]["bytes"].as_u64().unwrap();
        if free >= bytes {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(free, bytes);
}

fn files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

struct Image {
    manifest: Piece,
    blobs: [Piece; 2],
}

impl Image {
    fn bytes(&self) -> u64 {
        self.blobs.iter().map(Piece::size).sum()
    }
}

async fn push(client: &mut Wire, repo: &str, seed: u64, layer: &Piece) -> Image {
    let mut maker = Maker::new(seed);
    let config = maker.config("amd64");
    let manifest = maker.image(&config, std::slice::from_ref(layer), &Dress::default());
    let blobs = [config, layer.clone()];
    for piece in &blobs {
        let post = Ask::new(
            "POST",
            format!("/v2/{repo}/blobs/uploads/?digest={}", piece.digest),
        );
        expect(client, post.sized(piece.bytes.clone()), 201).await;
    }
    let put = Ask::new("PUT", format!("/v2/{repo}/manifests/1"))
        .header("content-type", manifest.media_type.as_str());
    expect(client, put.sized(manifest.bytes.clone()), 201).await;
    Image { manifest, blobs }
}

#[tokio::test]
async fn what_was_deleted_comes_back_from_the_trash_and_is_freed_when_that_is_emptied() {
    let data = tempfile::tempdir().unwrap();
    let (data, blobs) = (data.path(), data.path().join("blobs"));
    let server = start(data);
    let mut client = server.client();
    let layer = Maker::new(7).blob(100_000);
    let image = push(&mut client, "acme/app", 1, &layer).await;
    let digest = image.manifest.digest.to_string();
    let at = format!("/v2/acme/app/manifests/{digest}");
    expect(&mut client, Ask::new("DELETE", &at), 202).await;
    expect(
        &mut client,
        Ask::new("GET", "/v2/acme/app/manifests/1"),
        404,
    )
    .await;

    let listed = ask(data, &["admin", "trash", "list"]);
    assert_eq!(listed[0]["digest"], digest.as_str());
    assert_eq!(listed[0]["tags"][0], "1");
    assert_eq!(listed[0]["frees"]["bytes"], image.bytes());
    let restored = ask(data, &["admin", "trash", "restore", "acme/app", &digest]);
    assert_eq!(restored["tags"][0], "1");
    let answer = expect(
        &mut client,
        Ask::new("GET", "/v2/acme/app/manifests/1"),
        200,
    )
    .await;
    assert_eq!(answer.body, image.manifest.bytes);
    let path = format!("/v2/acme/app/blobs/{}", layer.digest);
    let answer = expect(&mut client, Ask::new("GET", &path), 200).await;
    assert_eq!(answer.body, layer.bytes);

    expect(&mut client, Ask::new("DELETE", &at), 202).await;
    let history = ask(data, &["admin", "tags", "history", "acme/app", "1"]);
    let causes: Vec<_> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["cause"])
        .collect();
    assert_eq!(
        causes,
        ["manifest deleted", "restored", "manifest deleted", "push"]
    );
    let page = ["admin", "tags", "history", "acme/app", "--limit", "3"];
    let first = ask(data, &page);
    assert_eq!(first.as_array().unwrap().len(), 3);
    let place = format!("1@{}", first[2]["at"]);
    let rest = ask(data, &[&page[..], &["--after", &place]].concat());
    let rest = rest.as_array().unwrap();
    assert_eq!(
        (rest.len(), &rest[0]["tag"], &rest[0]["cause"]),
        (1, &"1".into(), &"manifest deleted".into())
    );
    assert_eq!(files(&blobs), 1);
    let emptied = ask(data, &["admin", "trash", "empty"]);
    assert_eq!(
        (&emptied["expired"], &emptied["trash"]),
        (&1.into(), &0.into())
    );
    freed(data, image.bytes()).await;
    assert_eq!(files(&blobs), 0, "the disk has its room back");
    expect(&mut client, Ask::new("GET", &path), 404).await;
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn a_shared_layer_stays_and_the_answers_say_with_whom() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let server = start(data);
    let mut client = server.client();
    let layer = Maker::new(7).blob(100_000);
    let mine = push(&mut client, "acme/mine", 1, &layer).await;
    push(&mut client, "acme/yours", 2, &layer).await;
    let at = format!("/v2/acme/mine/manifests/{}", mine.manifest.digest);
    expect(&mut client, Ask::new("DELETE", &at), 202).await;
    super::harness::said(&server, "100000 stay because others have them").await;
    let listed = ask(data, &["admin", "trash", "list", "acme/mine"]);
    assert_eq!(listed[0]["frees"]["bytes"], mine.blobs[0].size());
    assert_eq!(listed[0]["shared_with"][0], "acme/yours");
    ask(data, &["admin", "trash", "empty", "acme/mine"]);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let planned = ask(data, &["gc", "--dry-run"]);
    assert_eq!(planned["shared_with"][0]["with"][0], "acme/yours");
    freed(data, mine.blobs[0].size()).await;
    let path = format!("/v2/acme/yours/blobs/{}", layer.digest);
    expect(&mut client, Ask::new("GET", &path), 200).await;
    let path = format!("/v2/acme/mine/blobs/{}", layer.digest);
    expect(&mut client, Ask::new("GET", &path), 404).await;
}

#[tokio::test]
async fn a_tag_that_was_overwritten_goes_back() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let server = start(data);
    let mut client = server.client();
    let layer = Maker::new(7).blob(1000);
    let first = push(&mut client, "acme/app", 1, &layer).await;
    let second = push(&mut client, "acme/app", 2, &layer).await;
    let restored = ask(data, &["admin", "tags", "restore", "acme/app", "1"]);
    assert_eq!(restored["to"], first.manifest.digest.to_string());
    assert_eq!(restored["from"], second.manifest.digest.to_string());
    let answer = expect(
        &mut client,
        Ask::new("GET", "/v2/acme/app/manifests/1"),
        200,
    )
    .await;
    assert_eq!(answer.body, first.manifest.bytes);
}

#[test]
fn to_collect_one_has_to_say_whether_it_is_meant() {
    let out = binary().args(["gc"]).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        said.contains("--dry-run") && said.contains("--now"),
        "{said}"
    );
}
