//! How much is too much, at the edge.

use std::time::Duration;

use http_body_util::BodyExt;
use longshore_auth::AnonymousAccess;
use longshore_http::edge::EdgeOptions;
use longshore_http::server::Peer;
use longshore_testkit::bad_input::Who;
use longshore_testkit::wire::Ask;

use super::house::{House, answer, digest, options, request};

/// Callers with a password, each with this many requests at a time.
async fn crowded(requests: usize) -> House {
    let options = EdgeOptions {
        requests_per_user: Some(requests),
        ..options()
    };
    House::passwords(AnonymousAccess::Reader, options).await
}

fn pull(
    target: &str,
    house: &House,
    who: Who,
) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    request(&Ask::new("GET", target), house.credentials(who).as_deref())
}

#[tokio::test(start_paused = true)]
async fn a_users_request_is_one_of_its_few_until_its_response_has_been_sent() {
    let house = crowded(2).await;
    house.blob("a", b"hello").await;
    let long: &'static [u8] = vec![7; 300 * 1024].leak();
    house.blob("a", long).await;
    let short = format!("/v2/a/blobs/{}", digest(b"hello"));
    let long = format!("/v2/a/blobs/{}", digest(long));
    let tags = "/v2/a/tags/list";

    let unread = house
        .edge
        .call(Peer::default(), pull(&short, &house, Who::Owner))
        .await;
    let sending = house
        .edge
        .call(Peer::default(), pull(&long, &house, Who::Owner))
        .await;
    let mut body = sending.into_body();
    let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
    drop(body);

    let refused = house.ask(Ask::new("GET", tags)).await;
    assert_eq!(refused.status, 429, "{refused}");
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert!(String::from_utf8_lossy(&refused.body).contains("TOOMANYREQUESTS"));
    assert_eq!(house.ask(Ask::new("GET", "/v2/")).await.status, 200);
    for other in [Who::Colleague, Who::Stranger] {
        let answer = house.ask_as(other, Ask::new("GET", &short)).await;
        assert_eq!(answer.status, 200, "{other:?}");
    }

    drop(piece);
    // The refused request has read no body and holds nothing.
    let now_free = house.ask(Ask::new("GET", &short)).await;
    assert_eq!(now_free.status, 200);
    drop(unread);
}

#[tokio::test(start_paused = true)]
async fn a_request_over_the_limit_waits_a_moment_for_its_turn() {
    let house = crowded(1).await;
    house.blob("a", b"hello").await;
    let target = format!("/v2/a/blobs/{}", digest(b"hello"));
    let first = house
        .edge
        .call(Peer::default(), pull(&target, &house, Who::Owner))
        .await;
    let end_soon = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        answer(first).await
    };
    let second = house.ask(Ask::new("GET", &target));
    let (first, second) = tokio::join!(end_soon, second);
    assert_eq!((first.status, second.status), (200, 200));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_hangs_up_gives_its_place_back() {
    let house = crowded(1).await;
    house.blob("a", b"hello").await;
    let (head, _) = pull("/v2/a/blobs/uploads/", &house, Who::Owner).into_parts();
    let mut upload = http::Request::from_parts(
        head,
        http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<http_body::Frame<bytes::Bytes>, std::convert::Infallible>,
        >()),
    );
    *upload.method_mut() = http::Method::POST;
    let whole = format!("/v2/a/blobs/uploads/?digest={}", digest(b"never"));
    *upload.uri_mut() = whole.parse().unwrap();
    upload
        .headers_mut()
        .insert("transfer-encoding", "chunked".parse().unwrap());
    let call = house.edge.call(Peer::default(), upload);
    assert!(
        tokio::time::timeout(Duration::from_secs(1), call)
            .await
            .is_err(),
        "the body never comes"
    );
    let target = format!("/v2/a/blobs/{}", digest(b"hello"));
    assert_eq!(house.get(&target).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn without_that_limit_nobody_waits() {
    let options = EdgeOptions {
        requests_per_user: None,
        ..options()
    };
    let house = House::passwords(AnonymousAccess::Nothing, options).await;
    house.blob("a", b"hello").await;
    let target = format!("/v2/a/blobs/{}", digest(b"hello"));
    let mut unread = Vec::new();
    for _ in 0..100 {
        let response = house
            .edge
            .call(Peer::default(), pull(&target, &house, Who::Owner))
            .await;
        assert_eq!(response.status(), 200);
        unread.push(response);
    }
}

#[tokio::test]
async fn a_push_sets_as_many_tags_as_configured() {
    let options = EdgeOptions {
        tags_per_push: 60,
        ..options()
    };
    let house = House::open_with(super::house::registry(), options, None);
    let json = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let tags = |count: usize| {
        let tags: Vec<_> = (0..count).map(|n| format!("tag=t{n}")).collect();
        format!(
            "/v2/a/manifests/{}?{}",
            digest(json.as_bytes()),
            tags.join("&")
        )
    };
    let push = |count| {
        Ask::new("PUT", tags(count))
            .header("content-type", "application/vnd.oci.image.index.v1+json")
            .sized(json)
    };
    assert_eq!(house.ask(push(60)).await.status, 201);
    let refused = house.ask(push(61)).await;
    assert_eq!(refused.status, 414);
    assert!(String::from_utf8_lossy(&refused.body).contains("at most 60 tags"));
}
