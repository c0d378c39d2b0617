//! Uploads: where clients are sent, and what they are told of a session.

use longshore_http::edge::EdgeOptions;
use longshore_http::server::Peer;
use longshore_testkit::wire::Ask;

use super::house::{House, answer, digest, options, registry, request};

fn house(options: EdgeOptions) -> House {
    House::open_with(registry(), options, None)
}

async fn opened(house: &House, ask: Ask) -> String {
    let answer = house.ask(ask).await;
    assert_eq!(answer.status, 202, "{answer}");
    let uuid = answer.header("docker-upload-uuid").unwrap();
    let location = answer.header("location").unwrap();
    location
        .strip_suffix(uuid)
        .expect("a session is named by its id")
        .to_owned()
}

#[tokio::test]
async fn a_session_is_where_the_client_can_reach_it() {
    let open = || Ask::new("POST", "/v2/a/blobs/uploads/");
    assert_eq!(
        opened(&house(options()), open()).await,
        "http://registry.example/v2/a/blobs/uploads/"
    );
    let relative = EdgeOptions {
        relative_urls: true,
        ..options()
    };
    assert_eq!(
        opened(&house(relative), open()).await,
        "/v2/a/blobs/uploads/"
    );
    let public = EdgeOptions {
        public_url: Some("https://reg.example".parse().unwrap()),
        ..options()
    };
    assert_eq!(
        opened(&house(public.clone()), open()).await,
        "https://reg.example/v2/a/blobs/uploads/"
    );
    // A24: what the request line says of the host counts no more than `Host` does.
    let absolute = Ask::new("POST", "http://evil/v2/a/blobs/uploads/");
    assert_eq!(
        opened(&house(public), absolute).await,
        "https://reg.example/v2/a/blobs/uploads/"
    );
    let prefixed = EdgeOptions {
        prefix: "/inner".parse().unwrap(),
        ..options()
    };
    let below = house(prefixed);
    let ask = Ask::new("POST", "/inner/v2/a/blobs/uploads/");
    assert_eq!(
        opened(&below, ask).await,
        "http://registry.example/inner/v2/a/blobs/uploads/"
    );
    assert_eq!(below.ask(open()).await.status, 404);
}

#[tokio::test]
async fn g16_only_a_trusted_proxy_says_where_the_client_came_in() {
    let options = EdgeOptions {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..options()
    };
    let house = house(options);
    for (peer, expected) in [
        ("10.0.0.1:1", "https://outer.example/v2/a/blobs/uploads/"),
        ("192.0.2.1:1", "http://registry.example/v2/a/blobs/uploads/"),
    ] {
        let ask = Ask::new("POST", "/v2/a/blobs/uploads/")
            .header("x-forwarded-host", "outer.example")
            .header("x-forwarded-proto", "https")
            .header("x-request-id", "0123456789abcdef0123456789abcdef");
        let request = request(&ask, None);
        let mut from = Peer::default();
        from.addr = Some(peer.parse().unwrap());
        let answer = answer(house.edge.call(from, request).await).await;
        assert!(
            answer.header("location").unwrap().starts_with(expected),
            "{answer}"
        );
        let kept = answer.header("x-request-id") == Some("0123456789abcdef0123456789abcdef");
        assert_eq!(kept, peer.starts_with("10."));
    }
}

#[tokio::test]
async fn a_blob_sent_in_pieces_is_there_under_the_location_of_the_last() {
    let house = house(options());
    let session = house
        .ask(Ask::new("POST", "/v2/a/blobs/uploads/"))
        .await
        .location()
        .unwrap()
        .to_owned();
    let first = house.ask(Ask::new("PATCH", &session).chunked("hel")).await;
    assert_eq!((first.status, first.header("range")), (202, Some("0-2")));
    let status = house.get(first.location().unwrap()).await;
    assert_eq!((status.status, status.header("range")), (204, Some("0-2")));
    let close = format!("{}?digest={}", status.location().unwrap(), digest(b"hello"));
    let closed = house
        .ask(
            Ask::new("PUT", close)
                .header("content-range", "3-4")
                .sized("lo"),
        )
        .await;
    assert_eq!(closed.status, 201, "{closed}");
    assert_eq!(
        closed.header("docker-content-digest"),
        Some(digest(b"hello").as_str())
    );
    assert_eq!(house.get(closed.location().unwrap()).await.body, "hello");
}

#[tokio::test]
async fn a_mount_that_finds_nothing_still_stores_a_blob_that_came_along() {
    let house = house(options());
    let blob = digest(b"hello");
    let target = format!("/v2/a/blobs/uploads/?mount={blob}&from=b&digest={blob}");
    assert_eq!(house.ask(Ask::new("POST", &target)).await.status, 202);
    assert_eq!(
        house
            .ask(Ask::new("POST", &target).sized("hello"))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_forced_delete_takes_a_manifest_that_an_index_lists() {
    let house = house(options());
    let config = house.blob("a", b"{}").await;
    let json = super::pull::image(super::pull::IMAGE, &config, 2, serde_json::json!({}));
    let child = house
        .manifest("a", "child", super::pull::IMAGE, &json)
        .await;
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": super::pull::IMAGE, "digest": child, "size": json.len()}],
    });
    house
        .manifest(
            "a",
            "index",
            "application/vnd.oci.image.index.v1+json",
            &index.to_string(),
        )
        .await;
    let target = format!("/v2/a/manifests/{child}");
    assert_eq!(house.ask(Ask::new("DELETE", &target)).await.status, 403);
    assert_eq!(
        house
            .ask(Ask::new("DELETE", format!("{target}?force=true")))
            .await
            .status,
        202
    );
    assert_eq!(house.get(&target).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn c47_a_manifest_that_does_not_come_is_given_up_after_a_while() {
    let house = house(options());
    let ask = Ask::new("PUT", "/v2/a/manifests/v1").chunked("x");
    let (head, _) = request(&ask, None).into_parts();
    let never = http_body_util::StreamBody::new(futures_util::stream::pending::<
        Result<http_body::Frame<bytes::Bytes>, std::convert::Infallible>,
    >());
    let request = http::Request::from_parts(head, never);
    let answer = answer(house.edge.call(Peer::default(), request).await).await;
    assert_eq!(answer.status, 408, "{answer}");
}
