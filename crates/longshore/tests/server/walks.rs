//! The walks of `docs/ARCHITECTURE.md`, step by step over the real binary.

use longshore_spec::digest::{Algorithm, Digest};
use longshore_testkit::content::{Dress, Maker};
use longshore_testkit::wire::Ask;

use super::harness::{Start, expect};

#[tokio::test]
async fn a_blob_push() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    let mut client = server.client();
    let blob = Maker::new(1).blob(3_000_000);

    let session = expect(
        &mut client,
        Ask::new("POST", "/v2/acme/app/blobs/uploads/"),
        202,
    )
    .await;
    let session = session.location().unwrap().to_owned();
    let (first, rest) = (blob.bytes.slice(..2_000_000), blob.bytes.slice(2_000_000..));
    let state = expect(
        &mut client,
        Ask::new("PATCH", session.clone()).chunked(first),
        202,
    )
    .await;
    assert_eq!(state.header("range"), Some("0-1999999"));
    let state = expect(&mut client, Ask::new("GET", session.clone()), 204).await;
    assert_eq!(state.header("range"), Some("0-1999999"));
    let last = Ask::new("PATCH", session.clone()).header("content-range", "2000000-2999999");
    expect(&mut client, last.sized(rest), 202).await;
    let done = expect(
        &mut client,
        Ask::new("PUT", format!("{session}?digest={}", blob.digest)),
        201,
    )
    .await;
    assert_eq!(
        done.header("docker-content-digest"),
        Some(blob.digest.to_string().as_str())
    );
    let got = expect(&mut client, Ask::new("GET", done.location().unwrap()), 200).await;
    assert_eq!(got.body, blob.bytes);
}

#[tokio::test]
async fn a_manifest_push() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    let mut client = server.client();
    let mut maker = Maker::new(1);
    let (config, layer) = (maker.config("amd64"), maker.blob(100));
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    let put = |at: &str| {
        Ask::new("PUT", format!("/v2/acme/app/manifests/{at}"))
            .header("content-type", image.media_type.as_str())
            .sized(image.bytes.clone())
    };
    let refused = expect(&mut client, put("1.0"), 400).await;
    assert!(
        String::from_utf8_lossy(&refused.body).contains("MANIFEST_BLOB_UNKNOWN"),
        "{refused}"
    );
    for piece in [&config, &layer] {
        let post = Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", piece.digest),
        );
        expect(&mut client, post.sized(piece.bytes.clone()), 201).await;
    }
    expect(&mut client, put("1.0"), 201).await;

    let about = maker.image(&config, &[], &Dress::about(&image));
    let put = Ask::new(
        "PUT",
        format!("/v2/acme/app/manifests/{}?tag=a&tag=b", about.digest),
    )
    .header("content-type", about.media_type.as_str())
    .sized(about.bytes.clone());
    let done = expect(&mut client, put, 201).await;
    assert_eq!(
        done.header("oci-subject"),
        Some(image.digest.to_string().as_str())
    );
    assert_eq!(done.all("oci-tag").collect::<Vec<_>>().join(","), "a, b");
    let referrers = expect(
        &mut client,
        Ask::new("GET", format!("/v2/acme/app/referrers/{}", image.digest)),
        200,
    )
    .await;
    assert!(
        String::from_utf8_lossy(&referrers.body).contains(&about.digest.to_string()),
        "{referrers}"
    );
}

#[tokio::test]
async fn a_pull_by_tag() {
    let data = tempfile::tempdir().unwrap();
    let server = Start::over(data.path()).run();
    let mut client = server.client();
    let mut maker = Maker::new(1);
    let (config, layer) = (maker.config("amd64"), maker.blob(5_000_000));
    let image = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
    for piece in [&config, &layer] {
        let post = Ask::new(
            "POST",
            format!("/v2/acme/app/blobs/uploads/?digest={}", piece.digest),
        );
        expect(&mut client, post.sized(piece.bytes.clone()), 201).await;
    }
    let put = Ask::new("PUT", "/v2/acme/app/manifests/1.0")
        .header("content-type", image.media_type.as_str());
    expect(&mut client, put.sized(image.bytes.clone()), 201).await;

    let got = expect(
        &mut client,
        Ask::new("GET", "/v2/acme/app/manifests/1.0"),
        200,
    )
    .await;
    assert_eq!(Digest::of(Algorithm::Sha256, &got.body), image.digest);
    let etag = got.header("etag").unwrap().to_owned();
    let again = Ask::new("GET", "/v2/acme/app/manifests/1.0").header("if-none-match", etag);
    expect(&mut client, again, 304).await;
    let blob = format!("/v2/acme/app/blobs/{}", layer.digest);
    let got = expect(&mut client, Ask::new("GET", blob.clone()), 200).await;
    assert_eq!(got.body, layer.bytes);
    let part = expect(
        &mut client,
        Ask::new("GET", blob).header("range", "bytes=1000000-2999999"),
        206,
    )
    .await;
    assert_eq!(part.body, layer.bytes.slice(1_000_000..3_000_000));
}
