//! Pulls: what depends on the client's headers and on the operator's options.

use std::sync::Arc;

use http_body_util::BodyExt;
use longshore_http::edge::{EdgeOptions, Warnings};
use longshore_http::server::Peer;
use longshore_testkit::wire::{Answer, Ask};
use serde_json::json;

use super::house::{House, digest, options, registry, request};
use super::located::Located;

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A manifest with a config and no layers.
pub(crate) fn image(
    media_type: &str,
    config: &str,
    size: usize,
    more: serde_json::Value,
) -> String {
    let mut json = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": size},
        "layers": [],
    });
    if let (Some(json), serde_json::Value::Object(more)) = (json.as_object_mut(), more) {
        json.extend(more);
    }
    json.to_string()
}

/// A list with an arm64 and an amd64 image under the tag `list`; gives the digests of list and amd64 image.
async fn list(house: &House) -> (String, String) {
    let config = house.blob("a", b"{}").await;
    let mut children = Vec::new();
    let mut amd64 = String::new();
    for arch in ["arm64", "amd64"] {
        let manifest = image(DOCKER, &config, 2, json!({"annotations": {"arch": arch}}));
        amd64 = house.manifest("a", arch, DOCKER, &manifest).await;
        children.push(json!({
            "mediaType": DOCKER, "digest": amd64, "size": manifest.len(),
            "platform": {"os": "linux", "architecture": arch},
        }));
    }
    let index = json!({"schemaVersion": 2, "mediaType": LIST, "manifests": children}).to_string();
    (house.manifest("a", "list", LIST, &index).await, amd64)
}

#[tokio::test]
async fn a_client_that_reads_no_lists_gets_the_amd64_image_of_a_tag_and_never_of_a_digest() {
    let house = House::open();
    let (list, amd64) = list(&house).await;
    let by_digest = format!("/v2/a/manifests/{list}");
    for (target, accept, expected) in [
        ("/v2/a/manifests/list", DOCKER, &amd64),
        ("/v2/a/manifests/list", IMAGE, &list),
        ("/v2/a/manifests/list", "*/*", &list),
        (&by_digest, DOCKER, &list),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = house
                .ask(Ask::new(method, target).header("accept", accept))
                .await;
            assert_eq!(answer.status, 200);
            assert_eq!(
                answer.header("docker-content-digest"),
                Some(expected.as_str()),
                "{method} {target} {accept}"
            );
            if method == "GET" {
                assert_eq!(&digest(&answer.body), expected);
            }
        }
    }
    let both = Ask::new("GET", "/v2/a/manifests/list")
        .header("accept", DOCKER)
        .header("accept", LIST);
    assert_eq!(
        house.ask(both).await.header("docker-content-digest"),
        Some(list.as_str())
    );
}

#[tokio::test]
async fn a_client_whose_image_is_not_here_gets_the_list() {
    let house = House::open_with(
        registry(),
        EdgeOptions {
            children: longshore_core::Children::ManifestsMayBeAbsent,
            ..options()
        },
        None,
    );
    let child = json!({
        "mediaType": DOCKER, "digest": digest(b"elsewhere"), "size": 9,
        "platform": {"os": "linux", "architecture": "amd64"},
    });
    let index = json!({"schemaVersion": 2, "mediaType": LIST, "manifests": [child]}).to_string();
    let strict = Ask::new("PUT", "/v2/a/manifests/list").header("content-type", LIST);
    let refused = House::open().ask(strict.sized(index.clone())).await;
    assert_eq!(
        refused.status, 400,
        "a sparse index is taken where the options say so"
    );
    let list = house.manifest("a", "list", LIST, &index).await;
    for method in ["GET", "HEAD"] {
        let answer = house
            .ask(Ask::new(method, "/v2/a/manifests/list").header("accept", DOCKER))
            .await;
        assert_eq!(answer.header("docker-content-digest"), Some(list.as_str()));
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let house = House::open();
    let (list, amd64) = list(&house).await;
    let blob = digest(b"{}");
    for target in [
        "/v2/".to_owned(),
        "/v2/_catalog".to_owned(),
        "/v2/a/tags/list".to_owned(),
        "/v2/a/tags/list?n=1".to_owned(),
        "/v2/a/manifests/list".to_owned(),
        format!("/v2/a/manifests/{list}"),
        format!("/v2/a/blobs/{blob}"),
        format!("/v2/a/referrers/{amd64}?artifactType=x"),
        "/v2/a/manifests/absent".to_owned(),
        format!("/v2/a/blobs/{list}"),
        "/v2/UPPER/tags/list".to_owned(),
        "/nothing".to_owned(),
    ] {
        let shown = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.retain(|(name, _)| name != "x-request-id");
            headers.sort();
            (answer.status, headers)
        };
        let (get, head) = (
            house.get(&target).await,
            house.ask(Ask::new("HEAD", &target)).await,
        );
        assert_eq!(shown(&get), shown(&head), "{target}");
        assert!(head.body.is_empty(), "{target}");
        if let Some(length) = get.header("content-length") {
            assert_eq!(length, get.body.len().to_string(), "{target}");
        }
    }
}

#[tokio::test]
async fn a_blob_that_lies_elsewhere_is_fetched_there_and_head_is_answered_here() {
    let options = EdgeOptions {
        redirects: true,
        ..options()
    };
    let house = House::open_with(Arc::new(Located(registry())), options, None);
    let blob = house.blob("a", b"hello").await;
    let target = format!("/v2/a/blobs/{blob}");
    let answer = house.get(&target).await;
    assert_eq!(answer.status, 307);
    assert_eq!(
        answer.header("location"),
        Some(format!("https://store.example/{blob}?signature=s3cret").as_str())
    );
    assert_eq!(answer.header("docker-content-digest"), Some(blob.as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.is_empty());
    let answer = house.ask(Ask::new("HEAD", &target)).await;
    assert_eq!(
        (answer.status, answer.header("content-length")),
        (200, Some("5"))
    );
    let absent = house
        .get(&format!("/v2/a/blobs/{}", digest(b"absent")))
        .await;
    assert_eq!(absent.status, 404);
}

#[tokio::test]
async fn an_edge_that_is_told_not_to_redirect_sends_the_bytes_itself() {
    let house = House::open_with(Arc::new(Located(registry())), options(), None);
    let blob = house.blob("a", b"hello").await;
    let answer = house.get(&format!("/v2/a/blobs/{blob}")).await;
    assert_eq!(
        (answer.status, answer.body.as_ref()),
        (200, b"hello".as_ref())
    );
}

#[tokio::test]
async fn headers_and_warnings_of_the_operator_are_on_every_response_and_replace_none_of_ours() {
    let mut headers = http::HeaderMap::new();
    for (name, value) in [
        ("access-control-allow-origin", "https://ui.example"),
        ("x-content-type-options", "sniff"),
        ("cache-control", "max-age=1"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    let warnings = Warnings::new(["this registry moves", "to another place"]).unwrap();
    let options = EdgeOptions {
        headers,
        warnings,
        ..options()
    };
    let house = House::open_with(registry(), options, None);
    for ask in [
        Ask::new("GET", "/v2/"),
        Ask::new("GET", "/v2/UPPER/tags/list"),
        Ask::new("OPTIONS", "/v2/a/tags/list"),
    ] {
        let answer = house.ask(ask).await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://ui.example")
        );
        assert_eq!(
            answer.all("warning").collect::<Vec<_>>(),
            [
                r#"299 - "this registry moves""#,
                r#"299 - "to another place""#
            ]
        );
        assert_eq!(
            answer.all("x-content-type-options").collect::<Vec<_>>(),
            ["nosniff"]
        );
        assert_eq!(answer.all("cache-control").count(), 1);
    }
    let answer = house.get("/v2/").await;
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
}

#[tokio::test]
async fn a_blob_that_cannot_be_read_to_its_end_is_cut_off_and_never_looks_whole() {
    let house = House::open_with(Arc::new(Located(registry())), options(), None);
    let blob = house.blob("a", b"hello").await;
    let ask = Ask::new("GET", format!("/v2/a/blobs/{blob}")).header("range", "bytes=0-2");
    let response = house.edge.call(Peer::default(), request(&ask, None)).await;
    assert_eq!(
        (response.status().as_u16(), response.body().len()),
        (206, Some(4))
    );
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.to_string(), "the disk is gone");
}
