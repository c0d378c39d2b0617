//! Who may what, and what those are told who may not.

use futures_util::stream;
use http_body_util::StreamBody;
use longshore_auth::AnonymousAccess;
use longshore_core::Registry;
use longshore_http::edge::{EdgeOptions, Ping};
use longshore_http::server::Peer;
use longshore_layers::{Behind, NoDeletes, ReadOnly};
use longshore_testkit::bad_input::Who;
use longshore_testkit::wire::{Answer, Ask};
use std::sync::Arc;

use super::house::{House, digest, options, registry, request};
use super::pull::{IMAGE, image};

const REALM: &str = r#"Bearer realm="https://auth.example/token",service="registry.example""#;

fn challenge(answer: &Answer) -> &str {
    assert_eq!(answer.status, 401, "{answer}");
    answer.header("www-authenticate").unwrap()
}

fn code(answer: &Answer) -> String {
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    json["errors"][0]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stranger_is_told_the_whole_scope_that_a_token_needs() {
    let house = House::tokens(AnonymousAccess::Nothing, options()).await;
    let blob = digest(b"hello");
    for (ask, scope) in [
        (Ask::new("GET", "/v2/"), String::new()),
        (
            Ask::new("GET", "/v2/a/manifests/1"),
            ",scope=\"repository:a:pull\"".to_owned(),
        ),
        (
            Ask::new("POST", "/v2/a/blobs/uploads/"),
            ",scope=\"repository:a:pull,push\"".to_owned(),
        ),
        (
            Ask::new("POST", format!("/v2/a/blobs/uploads/?mount={blob}&from=b")),
            ",scope=\"repository:a:pull,push repository:b:pull\"".to_owned(),
        ),
        (
            Ask::new("DELETE", "/v2/a/manifests/1"),
            ",scope=\"repository:a:delete\"".to_owned(),
        ),
        (
            Ask::new("GET", "/v2/_catalog"),
            ",scope=\"registry:catalog:*\"".to_owned(),
        ),
    ] {
        let answer = house.ask_as(Who::Stranger, ask).await;
        assert_eq!(challenge(&answer), format!("{REALM}{scope}"));
        assert_eq!(code(&answer), "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_challenged_with_the_scope_of_the_request_it_came_with() {
    let house = House::tokens(AnonymousAccess::Nothing, options()).await;
    let ask = Ask::new(
        "PATCH",
        "/v2/a/blobs/uploads/01234567-89ab-7def-8123-456789abcdef",
    )
    .header("authorization", "Bearer e.n.d")
    .sized("x");
    let answer = house.ask_as(Who::Stranger, ask).await;
    assert_eq!(
        challenge(&answer),
        format!("{REALM},scope=\"repository:a:pull,push\",error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_reader_without_credentials_pulls_and_is_asked_to_log_in_for_the_rest() {
    let house = House::passwords(AnonymousAccess::Reader, options()).await;
    let blob = house.blob("a", b"hello").await;
    assert_eq!(
        house
            .ask_as(
                Who::Stranger,
                Ask::new("GET", format!("/v2/a/blobs/{blob}"))
            )
            .await
            .status,
        200
    );
    assert_eq!(
        house
            .ask_as(Who::Stranger, Ask::new("GET", "/v2/_catalog"))
            .await
            .status,
        200
    );
    let push = house
        .ask_as(Who::Stranger, Ask::new("POST", "/v2/a/blobs/uploads/"))
        .await;
    assert_eq!(
        challenge(&push),
        r#"Basic realm="Longshore",charset="UTF-8""#
    );
}

#[tokio::test]
async fn a_ping_without_credentials_is_challenged_even_where_anybody_may_pull() {
    for anonymous in [AnonymousAccess::Nothing, AnonymousAccess::Reader] {
        let house = House::passwords(anonymous, options()).await;
        assert_eq!(
            house
                .ask_as(Who::Stranger, Ask::new("GET", "/v2/"))
                .await
                .status,
            401
        );
        let nobody = Ask::new("GET", "/v2/").header("authorization", "Basic Og==");
        assert_eq!(
            house.ask_as(Who::Stranger, nobody).await.status,
            401,
            "no name and no password is nobody"
        );
        assert_eq!(house.get("/v2/").await.status, 200);
    }
    assert_eq!(House::open().get("/v2/").await.status, 200);
}

#[tokio::test]
async fn a_mirror_welcomes_strangers_where_they_may_pull_and_only_there() {
    let welcome = || EdgeOptions {
        ping: Ping::Welcome,
        ..options()
    };
    for (anonymous, status) in [
        (AnonymousAccess::Reader, 200),
        (AnonymousAccess::Nothing, 401),
    ] {
        let house = House::passwords(anonymous, welcome()).await;
        assert_eq!(
            house
                .ask_as(Who::Stranger, Ask::new("GET", "/v2/"))
                .await
                .status,
            status
        );
    }
}

#[tokio::test]
async fn a_mount_from_where_the_token_may_not_read_is_an_upload_as_if_nothing_were_there() {
    let house = House::tokens(AnonymousAccess::Nothing, options()).await;
    let there = house.blob("acme/other", b"hello").await;
    let absent = digest(b"absent");
    // `elsewhere` is not in the owner's token.
    for (blob, from) in [
        (&there, "elsewhere"),
        (&absent, "acme/other"),
        (&absent, "elsewhere"),
    ] {
        let ask = Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?mount={blob}&from={from}"),
        );
        let answer = house.ask(ask).await;
        assert_eq!(answer.status, 202, "{blob} from {from}: {answer}");
        assert!(
            answer
                .location()
                .unwrap()
                .starts_with("/v2/acme/app/blobs/uploads/")
        );
    }
    let ask = Ask::new(
        "POST",
        format!("/v2/acme/app/blobs/uploads/?mount={there}&from=acme/other"),
    );
    assert_eq!(house.ask(ask).await.status, 201);
}

#[tokio::test]
async fn f04_where_deletion_is_off_tags_manifests_and_blobs_are_all_405() {
    let house = House::open_with(registry().behind(NoDeletes), options(), None);
    let blob = house.blob("a", b"hello").await;
    for target in [
        "/v2/a/manifests/v1".to_owned(),
        format!("/v2/a/manifests/{blob}"),
        format!("/v2/a/blobs/{blob}"),
    ] {
        let answer = house.ask(Ask::new("DELETE", target)).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (405, "UNSUPPORTED")
        );
        assert_eq!(answer.header("allow"), Some("GET, HEAD"));
    }
    assert_eq!(house.get(&format!("/v2/a/blobs/{blob}")).await.status, 200);
}

#[tokio::test]
async fn c49_a_registry_that_is_read_only_says_405_to_each_write() {
    let registry: Arc<dyn Registry> = registry().behind(ReadOnly);
    let house = House::open_with(registry, options(), None);
    let blob = digest(b"hello");
    for ask in [
        Ask::new("POST", "/v2/a/blobs/uploads/"),
        Ask::new("POST", format!("/v2/a/blobs/uploads/?mount={blob}&from=b")),
        Ask::new("POST", format!("/v2/a/blobs/uploads/?digest={blob}")).sized("hello"),
        Ask::new("PUT", "/v2/a/manifests/v1").sized("{}"),
        Ask::new("DELETE", "/v2/a/manifests/v1"),
    ] {
        let answer = house.ask(ask.clone()).await;
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (405, "UNSUPPORTED"),
            "{ask}"
        );
        assert!(answer.header("allow").is_some());
    }
}

#[tokio::test]
async fn c46_a_body_is_not_even_asked_for_before_its_sender_may_send_it() {
    let house = House::tokens(AnonymousAccess::Nothing, options()).await;
    for (method, target) in [
        ("PUT", "/v2/a/manifests/v1"),
        ("POST", "/v2/a/blobs/uploads/"),
    ] {
        let (head, _) = request(&Ask::new(method, target).chunked("x"), None).into_parts();
        let unread = StreamBody::new(stream::poll_fn(
            |_| -> std::task::Poll<
                Option<Result<http_body::Frame<bytes::Bytes>, std::convert::Infallible>>,
            > { panic!("the body was read") },
        ));
        let response = house
            .edge
            .call(Peer::default(), http::Request::from_parts(head, unread))
            .await;
        assert_eq!(response.status(), 401, "{method}");
    }
}

#[tokio::test]
async fn what_was_given_to_somebody_is_not_kept_for_others_on_the_way() {
    let house = House::passwords(AnonymousAccess::Reader, options()).await;
    let blob = house.blob("a", b"hello").await;
    let ask = || Ask::new("HEAD", format!("/v2/a/blobs/{blob}"));
    let kept = |answer: Answer| answer.header("cache-control").unwrap().to_owned();
    assert_eq!(
        kept(house.ask_as(Who::Owner, ask()).await),
        "private, max-age=31536000"
    );
    assert_eq!(
        kept(house.ask_as(Who::Stranger, ask()).await),
        "max-age=31536000"
    );
}

#[tokio::test]
async fn d48_who_may_push_and_not_pull_pushes_and_does_not_pull() {
    let house = House::tokens(AnonymousAccess::Nothing, options()).await;
    let config = digest(b"{}");
    let blob = format!("/v2/dropbox/blobs/uploads/?digest={config}");
    let manifest = image(IMAGE, &config, 2, serde_json::json!({}));
    let put = Ask::new("PUT", "/v2/dropbox/manifests/v1").header("content-type", IMAGE);
    for ask in [Ask::new("POST", blob).sized("{}"), put.sized(manifest)] {
        let answer = house.ask_as(Who::Outsider, ask).await;
        assert_eq!(answer.status, 201, "{answer}");
    }
    let pull = house
        .ask_as(Who::Outsider, Ask::new("GET", "/v2/dropbox/manifests/v1"))
        .await;
    assert_eq!(
        challenge(&pull),
        format!("{REALM},scope=\"repository:dropbox:pull\",error=\"insufficient_scope\"")
    );
}
