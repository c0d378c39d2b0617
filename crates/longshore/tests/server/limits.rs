//! Limits an operator can set, each met by a client that goes one beyond it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use longshore_testkit::issuer::Issuer;
use longshore_testkit::wire::{Answer, Ask, Login, Wire};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::conformance::{token, with_passwords, with_tokens};
use super::harness::{Server, Start, binary, expect, said};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An index of nothing, padded to a length.
fn index(bytes: usize) -> String {
    let json = |fill: &str| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[],"annotations":{{"a":"{fill}"}}}}"#
        )
    };
    json(&"x".repeat(bytes.saturating_sub(json("").len())))
}

fn put(target: &str, json: String) -> Ask {
    Ask::new("PUT", target)
        .header("content-type", INDEX)
        .sized(json)
}

fn catalog() -> Ask {
    Ask::new("GET", "/v2/_catalog")
}

async fn ask_as(server: &Server, user: &str, password: &str) -> Answer {
    let login = Login::always_basic(user, password);
    let mut client = Wire::new(server.address, login);
    client.ask(&catalog()).await.unwrap()
}

/// A connection from this address of the machine.
async fn connect(from: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(to).await.unwrap()
}

/// What a request is answered on a connection: the first words of it.
async fn status(connection: &mut TcpStream, head: &str) -> String {
    let request = format!("{head} HTTP/1.1\r\nhost: reg.example\r\n\r\n");
    // A server that is full answers before it has read anything.
    drop(connection.write_all(request.as_bytes()).await);
    let mut answer = vec![0; 12];
    connection.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn whoever_guesses_passwords_has_to_wait_and_nobody_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_passwords(dir.path())
        .set("limits.failed_logins", "3")
        .set("limits.failed_login_wait", "40s")
        .run();
    for guess in ["1", "2", "3"] {
        assert_eq!(ask_as(&server, "owner", guess).await.status, 401);
    }
    for guess in ["4", "secret"] {
        let answer = ask_as(&server, "owner", guess).await;
        assert_eq!(answer.status, 429, "{answer}");
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((30..=40).contains(&wait), "{wait}");
        assert!(String::from_utf8_lossy(&answer.body).contains("TOOMANYREQUESTS"));
    }
    let other_user = ask_as(&server, "colleague", "secret").await;
    assert_eq!(other_user.status, 200, "{other_user}");

    // `owner:secret`, from elsewhere.
    let mut elsewhere = connect(Ipv4Addr::new(127, 0, 0, 2), server.address).await;
    let head = "GET /v2/_catalog HTTP/1.1\r\nauthorization: Basic b3duZXI6c2VjcmV0\r\nhost: reg.example\r\nconnection: close\r\n\r\n";
    elsewhere.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    elsewhere.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn an_address_that_fails_for_many_users_has_to_wait_for_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_passwords(dir.path())
        .set("limits.failed_logins_per_ip", "3")
        .run();
    for user in ["owner", "colleague", "nobody"] {
        assert_eq!(ask_as(&server, user, "guess").await.status, 401);
    }
    let answer = ask_as(&server, "another", "guess").await;
    assert_eq!(answer.status, 429, "{answer}");
    let strangers = Wire::new(server.address, Login::Nobody)
        .ask(&catalog())
        .await
        .unwrap();
    assert_eq!(strangers.status, 401, "a login is still asked for");
}

#[tokio::test]
async fn passwords_and_tokens_are_no_longer_than_their_limits() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_passwords(dir.path())
        .set("limits.password", "5 B")
        .run();
    let answer = ask_as(&server, "owner", "secret").await;
    assert_eq!(answer.status, 401, "one byte too long, though right");

    let (dir, issuer) = (tempfile::tempdir().unwrap(), Issuer::new());
    let server = with_tokens(dir.path(), &issuer)
        .set("limits.token", "1 KiB")
        .set("limits.token_access", "3")
        .run();
    let with = |login| {
        let address = server.address;
        async move { Wire::new(address, login).ask(&catalog()).await.unwrap() }
    };
    // The catalog is one entry more.
    let good = with(token(&issuer, "owner", &["a", "b"])).await;
    assert_eq!(good.status, 200, "{good}");
    let long = "a".repeat(200);
    for (repos, why) in [
        (&["a", "b", "c"][..], "too many entries"),
        (&[long.as_str(), &long[..199]], "too long"),
    ] {
        let answer = with(token(&issuer, "owner", repos)).await;
        assert_eq!(answer.status, 401, "{why}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(
            challenge.contains(r#"error="invalid_token""#),
            "{challenge}"
        );
        said(&server, why).await;
    }
}

#[tokio::test]
async fn tokens_are_for_the_audience_that_is_set() {
    let (dir, issuer) = (tempfile::tempdir().unwrap(), Issuer::new());
    let server = with_tokens(dir.path(), &issuer)
        .set("auth.token.audience", "https://other.example")
        .run();
    let mut client = Wire::new(server.address, token(&issuer, "owner", &[]));
    expect(&mut client, catalog(), 401).await;
}

#[tokio::test]
async fn manifests_tags_and_pages_are_no_longer_than_their_limits() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path())
        .set("limits.manifest", "1 KiB")
        .set("limits.tags_per_push", "3")
        .set("limits.page", "2")
        .run();
    let mut client = server.client();
    expect(&mut client, put("/v2/a/manifests/one", index(1025)), 413).await;
    let pushed = expect(&mut client, put("/v2/a/manifests/one", index(1024)), 201).await;
    let digest = pushed.header("docker-content-digest").unwrap();
    let with = |tags: &str| put(&format!("/v2/a/manifests/{digest}?{tags}"), index(1024));
    expect(&mut client, with("tag=a&tag=b&tag=c&tag=d"), 414).await;
    expect(&mut client, with("tag=a&tag=b&tag=c"), 201).await;

    let ask = Ask::new("GET", "/v2/a/tags/list?n=1000");
    let page = expect(&mut client, ask, 200).await;
    assert_eq!(&page.body[..], br#"{"name":"a","tags":["a","b"]}"#);
    assert!(page.header("link").unwrap().contains("last=b"));
}

#[tokio::test]
async fn a_repository_has_no_more_unfinished_uploads_than_its_limit() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path())
        .set("limits.uploads_per_repository", "2")
        .run();
    let mut client = server.client();
    let start = |repo: &str| Ask::new("POST", format!("/v2/{repo}/blobs/uploads/"));
    let first = expect(&mut client, start("a"), 202).await;
    expect(&mut client, start("a"), 202).await;
    let refused = expect(&mut client, start("a"), 429).await;
    assert!(refused.header("retry-after").is_some(), "{refused}");
    expect(&mut client, start("b"), 202).await;
    let given_up = Ask::new("DELETE", first.location().unwrap());
    expect(&mut client, given_up, 204).await;
    expect(&mut client, start("a"), 202).await;
}

#[tokio::test]
async fn an_address_has_no_more_connections_than_its_limit_unless_there_is_none() {
    let data = tempfile::tempdir().unwrap();
    let open = async |server: &Server, count: usize| {
        let mut kept = Vec::new();
        for _ in 0..count {
            let mut connection = connect(Ipv4Addr::LOCALHOST, server.address).await;
            assert_eq!(status(&mut connection, "GET /v2/").await, "HTTP/1.1 200");
            kept.push(connection);
        }
        kept
    };
    let server = Start::over(data.path())
        .set("limits.connections_per_ip", "2")
        .set("limits.connections", "3")
        .run();
    let kept = open(&server, 2).await;
    let mut third = connect(Ipv4Addr::LOCALHOST, server.address).await;
    assert_eq!(status(&mut third, "GET /v2/").await, "HTTP/1.1 503");
    let from = |last| connect(Ipv4Addr::new(127, 0, 0, last), server.address);
    let mut other = from(2).await;
    assert_eq!(status(&mut other, "GET /v2/").await, "HTTP/1.1 200");
    let mut one_too_many = from(3).await;
    assert_eq!(status(&mut one_too_many, "GET /v2/").await, "HTTP/1.1 503");
    drop((kept, server));

    let server = Start::over(data.path())
        .set("limits.connections_per_ip", "0")
        .run();
    open(&server, 257).await;
}

#[tokio::test]
async fn a_user_has_no_more_requests_under_way_than_its_limit() {
    let dir = tempfile::tempdir().unwrap();
    let server = with_passwords(dir.path())
        .set("limits.requests_per_user", "1")
        .run();
    let mut client = Wire::new(server.address, Login::always_basic("owner", "secret"));
    // More than the buffers of both ends hold.
    let blob = vec![7; 40 << 20];
    let digest = longshore_spec::Digest::of(longshore_spec::Algorithm::Sha256, &blob);
    let post = Ask::new("POST", format!("/v2/a/blobs/uploads/?digest={digest}"));
    expect(&mut client, post.sized(blob), 201).await;

    let mut slow = connect(Ipv4Addr::LOCALHOST, server.address).await;
    let head = format!(
        "GET /v2/a/blobs/{digest} HTTP/1.1\r\nauthorization: Basic b3duZXI6c2VjcmV0\r\nhost: reg.example\r\n\r\n"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    slow.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");

    let refused = expect(&mut client, catalog(), 429).await;
    assert!(refused.header("retry-after").is_some(), "{refused}");
    let other = ask_as(&server, "colleague", "secret").await;
    assert_eq!(other.status, 200, "{other}");
    drop(slow);
    expect(&mut client, catalog(), 200).await;
}

#[test]
fn the_configuration_shows_every_limit_with_its_value_and_who_set_it() {
    let out = binary()
        .args(["config", "show"])
        .env("LONGSHORE__LIMITS__FAILED_LOGINS", "5")
        .current_dir(Path::new("/"))
        .output()
        .unwrap();
    assert!(out.status.success());
    let shown = String::from_utf8_lossy(&out.stdout);
    let limits = shown.split("[limits]\n").nth(1).unwrap();
    let limits = limits.split("\n\n").next().unwrap();
    for line in [
        "target = \"8 KiB\"",
        "header_block = \"32 KiB\"",
        "headers = 100",
        "header = \"16 KiB\"",
        "head_time = \"10s\"",
        "handshake_time = \"10s\"",
        "keep_alive = \"1m15s\"",
        "body_rate = \"1 KiB\"",
        "body_window = \"1m\"",
        "body_grace = \"30s\"",
        "connections = 10000",
        "connections_per_ip = 256",
        "requests_per_user = 64",
        "http2_streams = 128",
        "http2_resets = 20",
        "http2_headers = \"16 KiB\"",
        "manifest = \"4 MiB\"",
        "json_depth = 64",
        "json_nodes = 200000",
        "layers = 10000",
        "index_manifests = 10000",
        "annotations = 4096",
        "index_depth = 16",
        "tags_per_push = 50",
        "page = 1000",
        "page_unasked = 10000",
        "tags_per_repository = 1000000",
        "manifests_per_repository = 1000000",
        "blob = \"500 GiB\"",
        "upload_idle = \"1d\"",
        "upload_age = \"7d\"",
        "uploads_per_user = 100",
        "uploads_per_repository = 200",
        "token = \"16 KiB\"",
        "token_access = 200",
        "password = \"1 KiB\"",
        "password_checks = 4",
        "password_queue = 64",
        "failed_logins = 5  # LONGSHORE__LIMITS__FAILED_LOGINS",
        "failed_logins_per_ip = 100",
        "failed_logins_time = \"15m\"",
        "failed_login_wait = \"30s\"",
        "failed_login_wait_max = \"15m\"",
        "account_requests = 30",
    ] {
        assert!(
            limits.lines().any(|shown| shown == line),
            "{line} is not in\n{limits}"
        );
    }
    assert_eq!(
        limits.lines().count(),
        44,
        "a limit is shown that is not here"
    );
}

#[tokio::test]
async fn an_address_that_asks_too_often_for_accounts_waits_whoever_they_are_about() {
    let dir = tempfile::tempdir().unwrap();
    let server = Start::over(&dir.path().join("data"))
        .set("index.enabled", "true")
        .set("limits.account_requests", "2")
        .run();
    for (path, name, status) in [
        ("/api/v1/password-resets", "ann", 409),
        ("/api/v1/password-resets", "bob", 409),
        ("/api/v1/password-resets", "eve", 429),
    ] {
        let ask = Ask::new("POST", path)
            .header("content-type", "application/json")
            .sized(format!("{{\"account\":\"{name}\"}}"));
        let said = expect(&mut server.client(), ask, status).await;
        assert_eq!(said.header("retry-after").is_some(), status == 429);
    }
}
