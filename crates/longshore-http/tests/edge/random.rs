//! Requests put together by chance from the pieces that requests are made of.

use longshore_testkit::content::Draw;
use longshore_testkit::wire::{Answer, Ask, Body};

use super::house::{House, digest};

const METHODS: &[&str] = &[
    "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
];
const PIECES: &[&str] = &[
    "/",
    "//",
    "v2",
    "/v2/",
    "_catalog",
    "a",
    "acme/app",
    "UPPER",
    "..",
    "%2e",
    "%00",
    "%ff",
    "%",
    "/tags/list",
    "/manifests/",
    "/blobs/",
    "/blobs/uploads/",
    "/referrers/",
    "v1",
    "sha256:",
    "md5:",
    ":",
    "@",
    "zz",
    "01234567-89ab-7def-8123-456789abcdef",
    "?",
    "&",
    "=",
    "n=",
    "last=",
    "digest=",
    "mount=",
    "from=",
    "tag=",
    "artifactType=",
    "digest-algorithm=",
    "ns=",
    "force=true",
    "0",
    "99999999999999999999",
    "-1",
];
const HEADERS: &[&str] = &[
    "range",
    "range",
    "range",
    "content-range",
    "if-range",
    "if-none-match",
    "if-match",
    "content-range",
    "content-type",
    "content-encoding",
    "accept",
    "authorization",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-request-id",
    "host",
    "cookie",
];
const VALUES: &[&str] = &[
    "",
    "*",
    "bytes=",
    "bytes=9-",
    "bytes 0-4",
    "0-4",
    "4-0",
    "-",
    ",",
    ";",
    "q=0",
    "\"",
    "W/",
    "gzip",
    "identity",
    "*/*",
    "application/vnd.oci.image.manifest.v1+json",
    "Basic ",
    "Bearer ",
    "18446744073709551615",
    "sha256:",
    "\u{e9}",
    "a/b",
];

fn chain(draw: &mut Draw, pieces: &[&str], more: &[&str], most: usize) -> String {
    let length = draw.below(most + 1);
    (0..length)
        .map(|_| match draw.below(5) {
            0 => *draw.pick(more).unwrap_or(&""),
            _ => *draw.pick(pieces).unwrap_or(&""),
        })
        .collect()
}

fn is_json_error(answer: &Answer) -> bool {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(&answer.body) else {
        return false;
    };
    json["errors"][0]["code"].is_string() && json["errors"][0]["message"].is_string()
}

#[tokio::test]
async fn no_request_is_answered_with_a_fault_of_ours_or_without_the_shape_of_an_error() {
    let house = House::open();
    let blob = house.blob("acme/app", b"hello").await;
    let absent = digest(b"absent");
    let known = [blob.as_str(), absent.as_str(), "/v2/acme/app"];
    let open = Ask::new("POST", "/v2/acme/app/blobs/uploads/");
    let session = house.ask(open).await.location().unwrap().to_owned();
    let starts = [
        "/".to_owned(),
        "/v2/".to_owned(),
        "/v2/a/b/c".to_owned(),
        "/v2/acme/app".to_owned(),
        "/v2/acme/app/manifests/v1".to_owned(),
        format!("/v2/acme/app/blobs/{blob}"),
        format!("/v2/acme/app/blobs/uploads/?digest={blob}"),
        format!("{session}?digest={blob}"),
        session,
    ];
    let mut draw = Draw::new(3);
    let mut statuses = std::collections::BTreeSet::new();
    for _ in 0..60_000 {
        let start = draw.pick(&starts).unwrap();
        let most = [0, 1, 6][draw.below(3)];
        let target = format!("{start}{}", chain(&mut draw, PIECES, &known, most));
        let mut ask = Ask::new(METHODS[draw.below(METHODS.len())], target);
        if ask.target.parse::<http::Uri>().is_err() {
            continue;
        }
        for _ in 0..draw.below(4) {
            let most = [1, 1, 1, 4][draw.below(4)];
            let value = chain(&mut draw, VALUES, &known, most);
            if http::HeaderValue::from_str(&value).is_ok() {
                ask = ask.header(HEADERS[draw.below(HEADERS.len())], value);
            }
        }
        ask = match draw.below(4) {
            0 => ask.sized("hello"),
            1 => ask.chunked("{}"),
            2 => Ask {
                body: Body::Absent,
                ..ask
            },
            _ => ask,
        };
        let answer = house.ask(ask.clone()).await;
        statuses.insert(answer.status);
        assert!(answer.status < 500, "{ask}{answer}");
        assert!(answer.header("x-request-id").is_some(), "{ask}{answer}");
        if answer.status >= 400 && ask.method != "HEAD" {
            assert!(is_json_error(&answer), "{ask}{answer}");
        }
        if ask.method == "HEAD" {
            assert!(answer.body.is_empty(), "{ask}{answer}");
        }
    }
    // Chance has been everywhere: otherwise this proves little.
    for status in [200, 201, 202, 204, 400, 404, 405, 411, 415, 416] {
        assert!(
            statuses.contains(&status),
            "{status} was never answered: {statuses:?}"
        );
    }
}
