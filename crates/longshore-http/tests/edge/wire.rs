//! The wire, per operation: method and path, then status and headers. A change here is a change for clients.

use std::fmt::Write as _;

use longshore_testkit::wire::{Answer, Ask};
use serde_json::json;

use super::house::{House, digest};
use super::pull::{IMAGE, image};

/// What was asked and answered, with what differs from run to run made the same.
#[derive(Default)]
struct Wire {
    text: String,
    /// Texts that differ, and what stands for them.
    same: Vec<(String, String)>,
}

impl Wire {
    async fn ask(&mut self, house: &House, ask: Ask) -> Answer {
        let answer = house.ask(ask.clone()).await;
        if let Some(uuid) = answer.header("docker-upload-uuid") {
            self.same.push((uuid.to_owned(), "<uuid>".to_owned()));
        }
        let mut headers = answer.headers.clone();
        headers.sort();
        let _ = writeln!(
            self.text,
            "{} {}\n{}",
            ask.method, ask.target, answer.status
        );
        for (name, value) in headers {
            let value = if name == "x-request-id" {
                "<id>"
            } else {
                &value
            };
            let _ = writeln!(self.text, "  {name}: {value}");
        }
        self.text.push('\n');
        answer
    }

    fn shown(self) -> String {
        self.same
            .iter()
            .fold(self.text, |text, (from, to)| text.replace(from, to))
    }
}

#[tokio::test]
async fn the_wire_of_each_operation_is_as_it_was() {
    let house = House::open();
    let mut wire = Wire::default();
    let config = digest(b"{}");
    let blob = digest(b"hello");
    wire.same.push((config.clone(), "<config>".to_owned()));
    wire.same.push((blob.clone(), "<blob>".to_owned()));

    wire.ask(&house, Ask::new("GET", "/v2/")).await;
    let open = wire
        .ask(&house, Ask::new("POST", "/v2/a/blobs/uploads/"))
        .await;
    let session = open.location().unwrap();
    wire.ask(&house, Ask::new("GET", session)).await;
    wire.ask(
        &house,
        Ask::new("PATCH", session)
            .header("content-range", "0-2")
            .sized("hel"),
    )
    .await;
    wire.ask(
        &house,
        Ask::new("PATCH", session)
            .header("content-range", "0-2")
            .sized("hel"),
    )
    .await;
    wire.ask(
        &house,
        Ask::new("PUT", format!("{session}?digest={blob}")).sized("lo"),
    )
    .await;
    let open = house.ask(Ask::new("POST", "/v2/a/blobs/uploads/")).await;
    wire.ask(&house, Ask::new("DELETE", open.location().unwrap()))
        .await;
    wire.same.push((
        open.header("docker-upload-uuid").unwrap().to_owned(),
        "<uuid>".to_owned(),
    ));
    wire.ask(
        &house,
        Ask::new("POST", format!("/v2/a/blobs/uploads/?digest={config}")).sized("{}"),
    )
    .await;
    wire.ask(
        &house,
        Ask::new("POST", format!("/v2/b/blobs/uploads/?mount={blob}&from=a")),
    )
    .await;
    wire.ask(&house, Ask::new("HEAD", format!("/v2/a/blobs/{blob}")))
        .await;
    wire.ask(&house, Ask::new("GET", format!("/v2/a/blobs/{blob}")))
        .await;
    wire.ask(
        &house,
        Ask::new("GET", format!("/v2/a/blobs/{blob}")).header("range", "bytes=1-2"),
    )
    .await;
    wire.ask(
        &house,
        Ask::new("GET", format!("/v2/a/blobs/{blob}")).header("range", "bytes=9-"),
    )
    .await;

    let subject = json!({"mediaType": IMAGE, "digest": blob, "size": 5});
    let manifest = image(
        IMAGE,
        &config,
        2,
        json!({"subject": subject, "artifactType": "some/type"}),
    );
    let named = digest(manifest.as_bytes());
    wire.same.push((named.clone(), "<manifest>".to_owned()));
    let put = |at: String| {
        Ask::new("PUT", at)
            .header("content-type", IMAGE)
            .sized(manifest.clone())
    };
    wire.ask(&house, put(format!("/v2/a/manifests/{named}?tag=1&tag=2")))
        .await;
    wire.ask(&house, put("/v2/a/manifests/v1".to_owned())).await;
    wire.ask(&house, Ask::new("HEAD", "/v2/a/manifests/v1"))
        .await;
    wire.ask(
        &house,
        Ask::new("GET", format!("/v2/a/manifests/{named}?ns=docker.io")),
    )
    .await;
    wire.ask(
        &house,
        Ask::new("GET", "/v2/a/manifests/v1").header("if-none-match", format!("\"{named}\"")),
    )
    .await;
    wire.ask(&house, Ask::new("GET", "/v2/a/tags/list?n=2"))
        .await;
    wire.ask(&house, Ask::new("GET", "/v2/_catalog")).await;
    wire.ask(
        &house,
        Ask::new(
            "GET",
            format!("/v2/a/referrers/{blob}?artifactType=some/type"),
        ),
    )
    .await;
    wire.ask(&house, Ask::new("DELETE", "/v2/a/manifests/v1"))
        .await;
    wire.ask(
        &house,
        Ask::new("DELETE", format!("/v2/a/manifests/{named}")),
    )
    .await;
    wire.ask(&house, Ask::new("DELETE", format!("/v2/a/blobs/{config}")))
        .await;
    wire.ask(&house, Ask::new("GET", "/v2/a/manifests/v1"))
        .await;
    wire.ask(&house, Ask::new("OPTIONS", "/v2/a/manifests/v1"))
        .await;
    wire.ask(&house, Ask::new("POST", "/v2/a/manifests/v1"))
        .await;
    insta::assert_snapshot!(wire.shown());
}
