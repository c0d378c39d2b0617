//! What the observer is told.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use longshore_http::edge::{End, Observed, Observer};
use longshore_http::server::Peer;
use longshore_testkit::wire::Ask;

use super::house::{House, options, registry, request};

fn watched() -> (House, Receiver<Observed>) {
    let (tx, rx) = channel();
    let observer = Observer::new(move |seen| tx.send(seen.clone()).unwrap());
    (House::open_with(registry(), options(), Some(observer)), rx)
}

#[tokio::test]
async fn each_request_is_told_once_when_its_response_has_ended() {
    let (house, seen) = watched();
    house.blob("a/b", b"hello").await;
    let push = seen.try_recv().unwrap();
    assert_eq!(
        (
            push.route,
            push.method.as_str(),
            push.status.unwrap().as_u16()
        ),
        ("uploads", "POST", 201)
    );
    assert_eq!((push.received, push.sent, push.end), (5, 0, End::Whole));
    assert_eq!(push.repo.unwrap().as_str(), "a/b");

    let target = format!("/v2/a/b/blobs/{}", super::house::digest(b"hello"));
    let ask = Ask::new("GET", &target).header("user-agent", "docker/20");
    let response = house.edge.call(Peer::default(), request(&ask, None)).await;
    assert!(seen.try_recv().is_err(), "the body has not ended");
    response.into_body().collect().await.unwrap();
    let pull = seen.try_recv().unwrap();
    assert_eq!(
        (pull.route, pull.received, pull.sent, pull.end),
        ("blob", 0, 5, End::Whole)
    );
    assert_eq!(pull.user_agent.unwrap(), "docker/20");
    assert_eq!(pull.target.path(), target);
    assert_ne!(pull.request, push.request);

    house.get("/nothing").await;
    let other = seen.try_recv().unwrap();
    assert_eq!(
        (other.route, other.repo, other.status.unwrap().as_u16()),
        ("other", None, 404)
    );
    assert_eq!((other.error, pull.error), (Some("UNSUPPORTED"), None));
    assert!(seen.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_body_was_cut() {
    let (house, seen) = watched();
    house.blob("a", b"hello").await;
    seen.try_recv().unwrap();
    let target = format!("/v2/a/blobs/{}", super::house::digest(b"hello"));
    let response = house
        .edge
        .call(Peer::default(), request(&Ask::new("GET", target), None))
        .await;
    drop(response);
    let pull = seen.try_recv().unwrap();
    assert_eq!(
        (pull.status.unwrap().as_u16(), pull.sent, pull.end),
        (200, 0, End::Cut)
    );
}

#[tokio::test]
async fn a_client_that_leaves_before_it_has_an_answer_is_told_of_all_the_same() {
    let (house, seen) = watched();
    let (head, _) = request(&Ask::new("PUT", "/v2/a/manifests/v1").chunked("x"), None).into_parts();
    let first = http_body::Frame::data(bytes::Bytes::from_static(b"{"));
    let endless = StreamBody::new(Box::pin(futures_util::StreamExt::chain(
        stream::iter([Ok::<_, std::convert::Infallible>(first)]),
        stream::pending(),
    )));
    let call = house
        .edge
        .call(Peer::default(), http::Request::from_parts(head, endless));
    assert!(
        tokio::time::timeout(Duration::from_millis(20), call)
            .await
            .is_err()
    );
    let push = seen.try_recv().unwrap();
    assert_eq!(
        (push.route, push.status, push.received, push.end),
        ("manifest", None, 1, End::Cut)
    );
}

#[tokio::test]
async fn a_long_body_ends_when_its_last_byte_has_left_and_not_when_it_was_taken() {
    let (house, seen) = watched();
    let long: &'static [u8] = vec![7; 300 * 1024].leak();
    house.blob("a", long).await;
    seen.try_recv().unwrap();
    let target = format!("/v2/a/blobs/{}", super::house::digest(long));
    let mut body = house
        .edge
        .call(Peer::default(), request(&Ask::new("GET", target), None))
        .await
        .into_body();
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(body.frame().await.is_none());
    drop(body);
    assert!(seen.try_recv().is_err(), "the bytes are still being sent");
    assert_eq!(frame.len(), long.len());
    drop(frame);
    let pull = seen.try_recv().unwrap();
    assert_eq!((pull.sent, pull.end), (300 * 1024, End::Whole));
}
