//! Export and import by command: beside a running server, and without one.

use std::path::Path;
use std::process::Output;

use longshore_testkit::content::{Dress, Maker, Piece};
use longshore_testkit::wire::{Ask, Wire};

use super::harness::{Start, binary, expect};

fn command(data: &Path, args: &[&str]) -> Output {
    let mut command = binary();
    command.args(args).arg("--data").arg(data);
    command.env("LONGSHORE__STORAGE__UNSAFE_STORAGE", "true");
    command.output().unwrap()
}

fn json(out: &Output) -> serde_json::Value {
    assert!(out.status.success(), "{out:?}");
    serde_json::from_slice(&out.stdout).unwrap()
}

async fn push(client: &mut Wire, repo: &str) -> (Piece, Piece) {
    let mut maker = Maker::new(1);
    let (config, layer) = (maker.config("amd64"), maker.blob(70_000));
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    for piece in [&config, &layer] {
        let post = format!("/v2/{repo}/blobs/uploads/?digest={}", piece.digest);
        let post = Ask::new("POST", post).sized(piece.bytes.clone());
        expect(client, post, 201).await;
    }
    let put = Ask::new("PUT", format!("/v2/{repo}/manifests/1.0"))
        .header("content-type", image.media_type.as_str())
        .sized(image.bytes.clone());
    expect(client, put, 201).await;
    (image, layer)
}

#[tokio::test]
async fn images_go_out_and_come_in_beside_a_running_server_and_without_one() {
    let data = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    let layout = out.path().join("layout");
    let layout = layout.to_str().unwrap();
    let server = Start::over(data.path()).run();
    let mut client = server.client();
    let (image, layer) = push(&mut client, "acme/app").await;
    let args = [
        "export",
        "--json",
        "--layout",
        "oci",
        layout,
        "acme/app:1.0",
    ];
    let done = json(&command(data.path(), &args));
    assert_eq!((&done["manifests"], &done["blobs"]), (&1.into(), &2.into()));
    let done = json(&command(
        data.path(),
        &["import", "--json", layout, "copy/of"],
    ));
    assert_eq!(done["tags"][0][0], "1.0");
    let got = Ask::new("GET", "/v2/copy/of/manifests/1.0");
    let got = expect(&mut client, got, 200).await;
    assert_eq!(got.body, image.bytes);
    assert_eq!(server.stop(), Some(0));

    let tree = out.path().join("tree");
    let args = [
        "export",
        "--json",
        "--layout",
        "distribution",
        tree.to_str().unwrap(),
    ];
    let done = json(&command(data.path(), &args));
    assert_eq!(
        (&done["repositories"], &done["tags"]),
        (&2.into(), &2.into())
    );
    let done = json(&command(
        data.path(),
        &["import", "--json", layout, "third:2.0"],
    ));
    assert_eq!(done["tags"][0][0], "2.0");
    // The way out and the way in are one.
    let server = Start::over(&tree).run();
    let mut client = server.client();
    let got = Ask::new("GET", "/v2/acme/app/manifests/1.0");
    let got = expect(&mut client, got, 200).await;
    assert_eq!(got.body, image.bytes);
    let got = Ask::new("GET", format!("/v2/copy/of/blobs/{}", layer.digest));
    let got = expect(&mut client, got, 200).await;
    assert_eq!(got.body, layer.bytes);
}

#[test]
fn what_cannot_be_exported_or_imported_says_why_and_makes_nothing() {
    let data = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("to");
    let to = to.to_str().unwrap();
    let said = |out: &Output| {
        assert_eq!(out.status.code(), Some(1), "{out:?}");
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let text = said(&command(data.path(), &["export", "--layout", "oci", to]));
    assert!(text.contains("there is no registry in"), "{text}");
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
    let server = Start::over(data.path()).run();
    let inside = data.path().join("x");
    let inside = inside.to_str().unwrap();
    let text = said(&command(
        data.path(),
        &["export", "--layout", "distribution", inside],
    ));
    assert!(text.contains("lies in the data directory"), "{text}");
    let text = said(&command(
        data.path(),
        &["export", "--layout", "oci", to, "a:1"],
    ));
    assert!(text.contains("the repository a does not exist"), "{text}");
    let text = said(&command(data.path(), &["import", to, "localhost:5000/a"]));
    assert!(text.contains("localhost:5000/a"), "{text}");
    let text = said(&command(data.path(), &["import", to, "a"]));
    assert!(text.contains("no OCI image layout"), "{text}");
    assert_eq!(server.stop(), Some(0));
}
