//! `longshore fsck`, on the binary: beside a server and without one.

use std::path::{Path, PathBuf};
use std::process::Output;

use longshore_testkit::content::{Dress, Maker, Piece};
use longshore_testkit::wire::{Ask, Wire};

use super::harness::{Start, binary, expect};

pub(crate) fn fsck(data: &Path, args: &[&str]) -> Output {
    let mut command = binary();
    command.arg("fsck").arg("--data").arg(data).args(args);
    command.output().unwrap()
}

/// The findings' codes and the summary of a check.
fn told(out: &Output) -> (Vec<String>, serde_json::Value) {
    let text = String::from_utf8(out.stdout.clone()).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let codes = lines
        .iter()
        .filter_map(|line| Some(line["finding"]["code"].as_str()?.to_owned()))
        .collect();
    (codes, lines.last().unwrap()["summary"].clone())
}

pub(crate) async fn push_blob(client: &mut Wire, blob: &Piece) {
    let post = Ask::new(
        "POST",
        format!("/v2/acme/app/blobs/uploads/?digest={}", blob.digest),
    );
    expect(client, post.sized(blob.bytes.clone()), 201).await;
}

/// Pushes an image of a small and a large blob, and gives the large one.
pub(crate) async fn push_image(client: &mut Wire, seed: u64, tag: &str) -> Piece {
    let mut maker = Maker::new(seed);
    let (config, layer) = (maker.config("amd64"), maker.blob(1 << 20));
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    for blob in [&config, &layer] {
        push_blob(client, blob).await;
    }
    let put = Ask::new("PUT", format!("/v2/acme/app/manifests/{tag}"))
        .header("content-type", image.media_type.as_str())
        .sized(image.bytes.clone());
    expect(client, put, 201).await;
    layer
}

fn file_of(data: &Path, blob: &Piece) -> PathBuf {
    let hex = blob.digest.hex();
    let mut look = vec![data.join("blobs")];
    while let Some(dir) = look.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look.push(path);
            } else if path.to_string_lossy().contains(&hex) {
                return path;
            }
        }
    }
    panic!("{hex} has no file");
}

#[tokio::test]
async fn a_check_finds_and_repairs_damage_beside_a_server_and_without_one() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Start::over(&data).run();
    let mut client = server.client();
    let layers = [
        push_image(&mut client, 1, "1").await,
        push_image(&mut client, 2, "2").await,
    ];
    let out = fsck(&data, &[]);
    let said = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert!(said.contains("everything is in order"), "{said}");

    // Beside the server.
    let size = layers[0].bytes.len();
    std::fs::write(file_of(&data, &layers[0]), vec![7; size]).unwrap();
    let out = fsck(&data, &["--json"]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let (codes, summary) = told(&out);
    assert_eq!(codes, ["blob-damaged"]);
    assert_eq!(summary["found"]["damage"], 1);
    let out = fsck(&data, &["--json", "--repair"]);
    assert_eq!(told(&out).1["repaired"], 1, "{out:?}");
    let head = Ask::new("HEAD", format!("/v2/acme/app/blobs/{}", layers[0].digest));
    expect(&mut client, head, 404).await;
    push_blob(&mut client, &layers[0]).await;
    assert_eq!(fsck(&data, &[]).status.code(), Some(0));
    assert_eq!(server.stop(), Some(0));

    // Without it.
    std::fs::remove_file(file_of(&data, &layers[1])).unwrap();
    let out = fsck(&data, &["--quick", "--json", "--repair"]);
    assert_eq!(told(&out).0, ["blob-missing"], "{out:?}");
    let out = fsck(&data, &["--json"]);
    assert_eq!(told(&out).0, ["blob-lost"], "{out:?}");
    assert_eq!(out.status.code(), Some(1));
    let server = Start::over(&data).run();
    push_blob(&mut server.client(), &layers[1]).await;
    server.kill();
    assert_eq!(fsck(&data, &[]).status.code(), Some(0));
}

#[test]
fn a_check_that_cannot_be_made_says_so_and_is_no_clean_bill() {
    let dir = tempfile::tempdir().unwrap();
    let out = fsck(dir.path(), &[]);
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("there is no registry in"), "{said}");
    assert!(
        !dir.path().join("meta.db").exists(),
        "a check makes no store"
    );
}
