//! HTTP/2, where lengths may be left away and every answer's framing is checked by the client's library.

use bytes::Bytes;
use http::{Request, Version};
use longshore_http::server::Options;
use longshore_testkit::wire::Answer;
use tokio::net::TcpStream;

use super::house::{House, digest};
use super::pull::{IMAGE, image};
use super::socket::serve_with;

struct Client(h2::client::SendRequest<Bytes>);

impl Client {
    async fn ask(&mut self, request: http::request::Builder, body: Option<&[u8]>) -> Answer {
        let request = request.version(Version::HTTP_2).body(()).unwrap();
        let mut ready = self.0.clone().ready().await.unwrap();
        let (response, mut sender) = ready.send_request(request, body.is_none()).unwrap();
        if let Some(body) = body {
            sender
                .send_data(Bytes::copy_from_slice(body), true)
                .unwrap();
        }
        let (head, mut body) = response.await.unwrap().into_parts();
        let mut bytes = Vec::new();
        while let Some(piece) = body.data().await {
            bytes.extend_from_slice(&piece.unwrap());
        }
        Answer {
            status: head.status.as_u16(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: bytes.into(),
        }
    }
}

fn ask(method: &str, target: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("http://h2.example{target}"))
}

#[tokio::test]
async fn an_image_is_pushed_and_pulled_over_http_2_without_a_length_said() {
    let options = Options {
        h2c: true,
        ..Options::default()
    };
    let (address, _running) = serve_with(House::open().edge, options).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let (send, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(async move { connection.await.unwrap() });
    let mut client = Client(send);

    let blob = digest(b"hello");
    let monolith = format!("/v2/a/blobs/uploads/?digest={blob}");
    let pushed = client.ask(ask("POST", &monolith), Some(b"hello")).await;
    assert_eq!(pushed.status, 201, "{pushed}");
    // `:authority` stands for `Host`.
    let location = format!("http://h2.example/v2/a/blobs/{blob}");
    assert_eq!(pushed.header("location"), Some(location.as_str()));

    let opened = client.ask(ask("POST", "/v2/a/blobs/uploads/"), None).await;
    let session = opened.location().unwrap().to_owned();
    let appended = client.ask(ask("PATCH", &session), Some(b"{}")).await;
    assert_eq!(
        (appended.status, appended.header("range")),
        (202, Some("0-1"))
    );
    let config = digest(b"{}");
    let close = format!("{session}?digest={config}");
    assert_eq!(client.ask(ask("PUT", &close), None).await.status, 201);

    let manifest = image(IMAGE, &config, 2, serde_json::json!({}));
    let put = ask("PUT", "/v2/a/manifests/v1").header("content-type", IMAGE);
    let pushed = client.ask(put, Some(manifest.as_bytes())).await;
    assert_eq!(pushed.status, 201, "{pushed}");

    for target in [
        "/v2/a/manifests/v1".to_owned(),
        format!("/v2/a/blobs/{blob}"),
        "/v2/a/manifests/absent".to_owned(),
    ] {
        let get = client.ask(ask("GET", &target), None).await;
        let head = client.ask(ask("HEAD", &target), None).await;
        assert_eq!(get.status, head.status);
        assert!(head.body.is_empty());
        assert_eq!(
            get.header("docker-content-digest"),
            head.header("docker-content-digest")
        );
        if get.status == 200 {
            assert_eq!(get.header("content-length"), head.header("content-length"));
            assert_eq!(
                digest(&get.body),
                get.header("docker-content-digest").unwrap()
            );
        }
    }
    let held =
        ask("GET", &format!("/v2/a/blobs/{blob}")).header("if-none-match", format!("\"{blob}\""));
    assert_eq!(client.ask(held, None).await.status, 304);
}
