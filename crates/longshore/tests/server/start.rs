//! Starting and stopping, as a stranger meets it.

use longshore_testkit::content::{Dress, Maker};
use longshore_testkit::wire::Ask;

use super::harness::{Start, binary, expect, file, said};

#[tokio::test]
async fn it_says_where_it_listens_where_the_data_is_what_is_open_and_what_to_do_next() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Start::over(&data).run();
    let said = &server.banner;
    assert!(
        said.contains(&format!("http://{}", server.address)),
        "{said}"
    );
    assert!(said.contains(data.to_str().unwrap()), "{said}");
    assert!(said.contains("everybody who is on this machine"), "{said}");
    assert!(said.contains("Next: docker tag"), "{said}");
    expect(&mut server.client(), Ask::new("GET", "/v2/"), 200).await;
    // What load balancers ask Distribution.
    expect(&mut server.client(), Ask::new("GET", "/"), 200).await;
    assert_eq!(server.stop(), Some(0));
}

#[tokio::test]
async fn what_was_pushed_is_there_after_stop_and_start() {
    let data = tempfile::tempdir().unwrap();
    let mut maker = Maker::new(1);
    let (config, layer) = (maker.config("amd64"), maker.blob(70_000));
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    let server = Start::over(data.path()).run();
    let mut client = server.client();
    for piece in [&config, &layer] {
        let post = Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", piece.digest),
        );
        expect(&mut client, post.sized(piece.bytes.clone()), 201).await;
    }
    let put = Ask::new("PUT", "/v2/acme/app/manifests/1")
        .header("content-type", image.media_type.as_str());
    expect(&mut client, put.sized(image.bytes.clone()), 201).await;
    assert_eq!(server.stop(), Some(0));

    let server = Start::over(data.path()).run();
    let mut client = server.client();
    let answer = expect(
        &mut client,
        Ask::new("GET", "/v2/acme/app/manifests/1"),
        200,
    )
    .await;
    assert_eq!(answer.body, image.bytes);
    let answer = expect(
        &mut client,
        Ask::new("GET", format!("/v2/acme/app/blobs/{}", layer.digest)),
        200,
    )
    .await;
    assert_eq!(answer.body, layer.bytes);
}

#[test]
fn a_second_server_over_the_same_data_is_refused_and_told_who_has_it() {
    let data = tempfile::tempdir().unwrap();
    let _first = Start::over(data.path()).run();
    let out = binary()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data.path())
        .env("LONGSHORE__METRICS__LISTEN", "127.0.0.1:0")
        .env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success());
    assert!(said.contains("in use by another registry"), "{said}");
    assert!(
        said.contains("hint") || said.contains("stop that one"),
        "{said}"
    );
}

#[test]
fn listening_beyond_this_machine_without_logins_is_refused_and_says_how_to_go_on() {
    let out = binary()
        .args(["serve", "--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success());
    assert!(said.contains("--open"), "{said}");
}

#[test]
fn a_configuration_with_mistakes_names_file_line_key_and_hint() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(
        dir.path(),
        "longshore.toml",
        "listen = \"127.0.0.1:5000\"\n[storage]\ndurabilty = \"blob\"\n",
    );
    let out = binary()
        .args(["serve", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success());
    for word in ["longshore.toml", "3", "durabilty", "durability"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[tokio::test]
async fn metrics_and_health_are_on_an_address_of_their_own() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    expect(&mut server.client(), Ask::new("GET", "/metrics"), 404).await;
    let mut admin =
        longshore_testkit::wire::Wire::new(server.admin, longshore_testkit::wire::Login::Nobody);
    for path in ["/livez", "/readyz", "/debug/health"] {
        expect(&mut admin, Ask::new("GET", path), 200).await;
    }
    let text = expect(&mut admin, Ask::new("GET", "/metrics"), 200)
        .await
        .body;
    let text = String::from_utf8_lossy(&text);
    assert!(
        text.contains(
            "longshore_http_requests_total{route=\"other\",method=\"GET\",code=\"404\"} 1"
        ),
        "{text}"
    );
    said(&server, "GET /metrics 404").await;
}
