//! Content that goes bad under a running server: what clients see, and what the server makes of it.

use std::path::{Path, PathBuf};

use longshore_testkit::content::Maker;
use longshore_testkit::wire::Ask;

use super::harness::{Server, Start, expect, said};

/// The only blob that is a file.
fn only_file(under: &Path) -> PathBuf {
    let mut found = Vec::new();
    let mut look = vec![under.to_owned()];
    while let Some(dir) = look.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                look.push(path);
            } else {
                found.push(path);
            }
        }
    }
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

async fn metric(server: &Server, name: &str) -> u64 {
    let mut admin =
        longshore_testkit::wire::Wire::new(server.admin, longshore_testkit::wire::Login::Nobody);
    let answer = expect(&mut admin, Ask::new("GET", "/metrics"), 200).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_blob_that_is_cut_short_while_it_is_served_cuts_the_connection_and_is_absent_afterwards()
{
    let dir = tempfile::tempdir().unwrap();
    let server = Start::over(&dir.path().join("data")).run();
    let mut client = server.client();
    let blob = Maker::new(1).blob(5 << 20);
    let push = || {
        Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", blob.digest),
        )
        .sized(blob.bytes.clone())
    };
    let path = format!("/v2/acme/app/blobs/{}", blob.digest);
    expect(&mut client, push(), 201).await;
    let read = expect(&mut client, Ask::new("GET", path.clone()), 200).await;
    assert_eq!(read.body, blob.bytes);

    // The server has the file open and knows how long it was.
    let file = std::fs::File::options()
        .write(true)
        .open(only_file(&dir.path().join("data/blobs")))
        .unwrap();
    file.set_len(1 << 20).unwrap();
    let broken = server.client().ask(&Ask::new("GET", path.clone())).await;
    assert!(broken.is_err(), "a short body came to a clean end");

    said(&server, "not as many as they were").await;
    let mut client = server.client();
    expect(&mut client, Ask::new("HEAD", path.clone()), 404).await;
    assert_eq!(metric(&server, "longshore_content_damaged_total").await, 1);
    assert!(only_file(&dir.path().join("data/quarantine")).exists());

    expect(&mut client, push(), 201).await;
    let read = expect(&mut client, Ask::new("GET", path), 200).await;
    assert_eq!(read.body, blob.bytes);
    assert_eq!(metric(&server, "longshore_content_healed_total").await, 1);
    assert_eq!(server.stop(), Some(0));
}
