//! Searching the running program, before and after it reads what images say.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::wire::{Ask, Wire};
use serde_json::{Value, json};

use super::fsck::fsck;
use super::harness::{Server, Start, expect};

async fn push(client: &mut Wire, repo: &str, tag: &str, team: &str) {
    let config =
        json!({"os": "linux", "architecture": "amd64", "config": {"Labels": {"team": team}}})
            .to_string();
    let digest = Digest::of(Algorithm::Sha256, config.as_bytes());
    let post = format!("/v2/{repo}/blobs/uploads/?digest={digest}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": config.len()},
        "layers": [],
    });
    expect(
        client,
        Ask::new("POST", post).sized(Bytes::from(config)),
        201,
    )
    .await;
    let put = Ask::new("PUT", format!("/v2/{repo}/manifests/{tag}"));
    expect(client, put.sized(Bytes::from(manifest.to_string())), 201).await;
}

async fn search(client: &mut Wire, words: &str) -> Value {
    let ask = Ask::new("GET", format!("/v1/search?q={words}&n=25"));
    serde_json::from_slice(&expect(client, ask, 200).await.body).unwrap()
}

/// Searches until that is found: what images say is read a moment after they came.
async fn found(client: &mut Wire, words: &str, names: &[&str]) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = search(client, words).await;
        let results = last["results"].as_array().unwrap();
        if results.iter().map(|found| &found["name"]).eq(names) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{words}: {last}");
}

fn with_content(data: &Path) -> Server {
    Start::over(data).set("search.content", "true").run()
}

#[tokio::test]
async fn names_are_found_at_once_and_what_images_say_where_that_is_wanted() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    let mut client = server.client();
    push(&mut client, "acme/web", "1", "payments").await;
    push(&mut client, "acme/api", "1", "checkout").await;
    found(&mut client, "web", &["acme/web"]).await;
    found(&mut client, "payments", &[]).await;
    server.stop();

    // What was there before is read, too; killed on the way, it goes on.
    with_content(data.path()).kill();
    let server = with_content(data.path());
    let mut client = server.client();
    found(&mut client, "label:team=payments", &["acme/web"]).await;
    push(&mut client, "acme/late", "2", "payments").await;
    found(&mut client, "payments", &["acme/late", "acme/web"]).await;
    let refused = Ask::new("GET", "/v1/search?q=nginx:1.25");
    let refused = expect(&mut client, refused, 400).await;
    assert!(String::from_utf8_lossy(&refused.body).contains("there is no field `nginx`"));

    for _ in 0..3 {
        let pull = Ask::new("GET", "/v2/acme/web/manifests/1");
        expect(&mut client, pull, 200).await;
    }
    // Pulls are written at the stop; the more pulled comes first then.
    server.stop();
    let server = with_content(data.path());
    let mut client = server.client();
    found(&mut client, "payments", &["acme/web", "acme/late"]).await;
    server.stop();

    let checked = fsck(data.path(), &[]);
    assert!(checked.status.success(), "{checked:?}");
}
