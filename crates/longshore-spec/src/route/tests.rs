//! The rows of the API's grammar, and what every wrong URL is told.

use proptest::prelude::*;

use super::*;

const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const D512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// Reads `<method> <target>`.
fn read(line: &str) -> Result<Request, RouteError> {
    let (method, target) = line.split_once(' ').unwrap();
    match target.split_once('?') {
        Some((path, query)) => parse(method, path, Some(query)),
        None => parse(method, target, None),
    }
}

fn repo(name: &str) -> RepoName {
    name.parse().unwrap()
}

fn digest() -> Digest {
    D.parse().unwrap()
}

fn tag(tag: &str) -> Tag {
    tag.parse().unwrap()
}

fn start(digest: Option<Digest>, mount: Option<Mount>, algorithm: Algorithm) -> Request {
    Request::StartUpload {
        repo: repo("acme/app"),
        digest,
        mount,
        algorithm,
    }
}

#[test]
fn every_endpoint_of_the_specification_is_read_and_written_back() {
    let app = || repo("acme/app");
    let id: UploadId = ID.parse().unwrap();
    let ns = Some("docker.io".parse().unwrap());
    for (line, request) in [
        ("GET /v2/".to_owned(), Request::Ping),
        (
            "GET /v2/_catalog?n=5&last=a/b".into(),
            Request::Catalog {
                n: Some(5),
                last: Some(repo("a/b")),
            },
        ),
        (
            "GET /v2/acme/app/tags/list".into(),
            Request::Tags {
                repo: app(),
                n: None,
                last: None,
            },
        ),
        (
            "GET /v2/acme/app/tags/list?n=0&last=1.0".into(),
            Request::Tags {
                repo: app(),
                n: Some(0),
                last: Some(tag("1.0")),
            },
        ),
        (
            format!(
                "GET /v2/acme/app/referrers/{D}?artifactType=application/vnd.foo%2Bjson&n=3&last={D}"
            ),
            Request::Referrers {
                repo: app(),
                digest: digest(),
                artifact_type: Some("application/vnd.foo+json".parse().unwrap()),
                n: Some(3),
                last: Some(digest()),
            },
        ),
        (
            format!("GET /v2/acme/app/blobs/{D}"),
            Request::GetBlob {
                repo: app(),
                digest: digest(),
                ns: None,
            },
        ),
        (
            format!("HEAD /v2/acme/app/blobs/{D}?ns=docker.io"),
            Request::HeadBlob {
                repo: app(),
                digest: digest(),
                ns: ns.clone(),
            },
        ),
        (
            format!("DELETE /v2/acme/app/blobs/{D}"),
            Request::DeleteBlob {
                repo: app(),
                digest: digest(),
            },
        ),
        (
            "GET /v2/acme/app/manifests/latest?ns=docker.io".into(),
            Request::GetManifest {
                repo: app(),
                reference: tag("latest").into(),
                ns,
            },
        ),
        (
            format!("HEAD /v2/acme/app/manifests/{D}"),
            Request::HeadManifest {
                repo: app(),
                reference: digest().into(),
                ns: None,
            },
        ),
        (
            "PUT /v2/acme/app/manifests/latest".into(),
            Request::PutManifest {
                repo: app(),
                reference: tag("latest").into(),
                tags: vec![],
            },
        ),
        (
            format!("PUT /v2/acme/app/manifests/{D}?tag=b&tag=a"),
            Request::PutManifest {
                repo: app(),
                reference: digest().into(),
                tags: vec![tag("b"), tag("a")],
            },
        ),
        (
            "DELETE /v2/acme/app/manifests/latest".into(),
            Request::DeleteManifest {
                repo: app(),
                reference: tag("latest").into(),
            },
        ),
        (
            "POST /v2/acme/app/blobs/uploads/".into(),
            start(None, None, Algorithm::Sha256),
        ),
        (
            format!("POST /v2/acme/app/blobs/uploads/?digest={D512}"),
            start(D512.parse().ok(), None, Algorithm::Sha512),
        ),
        (
            "POST /v2/acme/app/blobs/uploads/?digest-algorithm=sha512".into(),
            start(None, None, Algorithm::Sha512),
        ),
        (
            format!("POST /v2/acme/app/blobs/uploads/?mount={D}&from=acme/other"),
            start(
                None,
                Some(Mount {
                    digest: digest(),
                    from: Some(repo("acme/other")),
                }),
                Algorithm::Sha256,
            ),
        ),
        (
            format!("POST /v2/acme/app/blobs/uploads/?mount={D}"),
            start(
                None,
                Some(Mount {
                    digest: digest(),
                    from: None,
                }),
                Algorithm::Sha256,
            ),
        ),
        (
            format!("GET /v2/acme/app/blobs/uploads/{ID}"),
            Request::UploadStatus { repo: app(), id },
        ),
        (
            format!("PATCH /v2/acme/app/blobs/uploads/{ID}"),
            Request::AppendUpload { repo: app(), id },
        ),
        (
            format!("PUT /v2/acme/app/blobs/uploads/{ID}?digest={D}"),
            Request::FinishUpload {
                repo: app(),
                id,
                digest: digest(),
            },
        ),
        (
            format!("DELETE /v2/acme/app/blobs/uploads/{ID}"),
            Request::AbortUpload { repo: app(), id },
        ),
    ] {
        assert_eq!(read(&line).as_ref(), Ok(&request), "{line}");
        assert_eq!(format!("{} {}", request.method(), request.target()), line);
    }
}

#[test]
fn what_clients_write_otherwise_means_the_same() {
    for (other, usual) in [
        ("GET /v2".to_owned(), "GET /v2/".to_owned()),
        ("HEAD /v2/".into(), "GET /v2/".into()),
        (
            "HEAD /v2/acme/app/tags/list".into(),
            "GET /v2/acme/app/tags/list".into(),
        ),
        (
            "POST /v2/acme/app/blobs/uploads".into(),
            "POST /v2/acme/app/blobs/uploads/".into(),
        ),
        (
            format!("GET /v2/acme/app/blobs/{}", D.replace(':', "%3A")),
            format!("GET /v2/acme/app/blobs/{D}"),
        ),
        (
            format!(
                "PUT /v2/acme/app/blobs/uploads/{ID}?digest={}&_state=x",
                D.replace(':', "%3a")
            ),
            format!("PUT /v2/acme/app/blobs/uploads/{ID}?digest={D}"),
        ),
        (
            format!("GET /v2/a/referrers/{D}?artifactType=a/b+json"),
            format!("GET /v2/a/referrers/{D}?artifactType=a/b%2Bjson"),
        ),
        (
            format!("GET /v2/a/referrers/{D}?artifactType=&last=&x"),
            format!("GET /v2/a/referrers/{D}"),
        ),
        (
            "GET /v2/a/manifests/1?ns=a%20b".into(),
            "GET /v2/a/manifests/1".into(),
        ),
        (
            "GET /v2/a/manifests/1?ns=a&ns=b".into(),
            "GET /v2/a/manifests/1".into(),
        ),
        (
            "PUT /v2/a/manifests/1?tag=2".into(),
            "PUT /v2/a/manifests/1".into(),
        ),
        (
            format!("PUT /v2/a/manifests/{D}?tag=2&tag=2"),
            format!("PUT /v2/a/manifests/{D}?tag=2"),
        ),
        (
            format!("POST /v2/a/blobs/uploads/?mount={D}&from=UPPER"),
            "POST /v2/a/blobs/uploads/".into(),
        ),
        (
            format!("POST /v2/a/blobs/uploads/?mount={D}&from=../x"),
            "POST /v2/a/blobs/uploads/".into(),
        ),
        (
            format!("POST /v2/a/blobs/uploads/?digest={D512}&digest-algorithm=sha512"),
            format!("POST /v2/a/blobs/uploads/?digest={D512}"),
        ),
    ] {
        assert!(read(&other).is_ok(), "{other}");
        assert_eq!(read(&other), read(&usual), "{other}");
    }
}

#[test]
fn repositories_named_like_the_apis_words_are_found_from_the_right() {
    for name in [
        "manifests",
        "blobs",
        "uploads",
        "tags",
        "list",
        "tags/list",
        "blobs/uploads",
        "a/manifests/b",
        "referrers/x",
        "a/blobs/uploads/b",
        "v2",
    ] {
        for (line, request) in [
            (
                format!("GET /v2/{name}/tags/list"),
                Request::Tags {
                    repo: repo(name),
                    n: None,
                    last: None,
                },
            ),
            (
                format!("GET /v2/{name}/manifests/list"),
                Request::GetManifest {
                    repo: repo(name),
                    reference: tag("list").into(),
                    ns: None,
                },
            ),
            (
                format!("GET /v2/{name}/blobs/{D}"),
                Request::GetBlob {
                    repo: repo(name),
                    digest: digest(),
                    ns: None,
                },
            ),
            (
                format!("GET /v2/{name}/blobs/uploads/{ID}"),
                Request::UploadStatus {
                    repo: repo(name),
                    id: ID.parse().unwrap(),
                },
            ),
            (
                format!("POST /v2/{name}/blobs/uploads/"),
                Request::StartUpload {
                    repo: repo(name),
                    digest: None,
                    mount: None,
                    algorithm: Algorithm::Sha256,
                },
            ),
        ] {
            assert_eq!(read(&line), Ok(request), "{line}");
        }
    }
}

#[test]
fn a_name_outside_the_grammar_is_refused_however_it_is_written() {
    let long = "a".repeat(256);
    let deep = vec!["a"; 300].join("/");
    for name in [
        "UPPER",
        "a..b",
        "a___b",
        "-a",
        "a-",
        ".a",
        "a_",
        "a/../b",
        "%2e%2e/%2e%2e/etc/passwd",
        "",
        "a//b",
        "/",
        "\u{430}",
        "%D0%B0",
        "a%252fb",
        "a%2Fb",
        "a%2fb",
        "%61",
        "_oci",
        "_catalog",
        "a b",
        "a%00",
        "a\\b",
        &long,
        &deep,
    ] {
        for line in [
            format!("GET /v2/{name}/tags/list"),
            format!("GET /v2/{name}/manifests/latest"),
            format!("GET /v2/{name}/blobs/{D}"),
            format!("POST /v2/{name}/blobs/uploads/"),
            format!("PATCH /v2/{name}/blobs/uploads/{ID}"),
        ] {
            assert!(
                matches!(read(&line), Err(RouteError::NameInvalid(_))),
                "{line}"
            );
        }
    }
    assert!(matches!(
        read("POST /v2/blobs/uploads/"),
        Err(RouteError::NameInvalid(NameError::Empty))
    ));
}

#[test]
fn what_is_no_endpoint_is_not_found() {
    for target in [
        "/",
        "",
        "/v1/_ping",
        "/v3/",
        "/V2/acme/app/tags/list",
        "/v2x",
        "/v2/acme",
        "/v2/acme/app",
        "/v2/acme/app/tags",
        "/v2/acme/app/tags/list/",
        "/v2/acme/app/manifests/",
        "/v2/acme/app/blobs/",
        "/v2/acme/app/_oci/ext",
        "/%2F%2F%2F..%2F..%2Fetc%2Fpasswd",
        "v2/",
    ] {
        assert_eq!(
            parse("GET", target, None),
            Err(RouteError::NotFound),
            "{target}"
        );
    }
}

#[test]
fn a_method_that_an_endpoint_has_not_is_told_the_ones_it_has() {
    for (line, allow) in [
        ("POST /v2/_catalog".to_owned(), "GET, HEAD"),
        ("PUT /v2/".into(), "GET, HEAD"),
        ("DELETE /v2/a/tags/list".into(), "GET, HEAD"),
        (format!("POST /v2/a/referrers/{D}"), "GET, HEAD"),
        (format!("PUT /v2/a/blobs/{D}"), "GET, HEAD, DELETE"),
        (format!("PATCH /v2/a/blobs/{D}"), "GET, HEAD, DELETE"),
        ("POST /v2/a/manifests/1".into(), "GET, HEAD, PUT, DELETE"),
        ("GET /v2/a/blobs/uploads/".into(), "POST"),
        (
            format!("POST /v2/a/blobs/uploads/{ID}"),
            "GET, HEAD, PATCH, PUT, DELETE",
        ),
        ("get /v2/a/manifests/1".into(), "GET, HEAD, PUT, DELETE"),
    ] {
        assert_eq!(read(&line), Err(RouteError::NotAllowed { allow }), "{line}");
    }
}

#[test]
fn a_bad_reference_is_absent_on_pull_and_invalid_on_push() {
    use RouteError::{DigestInvalid, ManifestInvalid, ManifestUnknown};
    let long = "a".repeat(129);
    for reference in [
        "-bad",
        ".x",
        &long,
        "a%20b",
        "a/b",
        "a%2Fb",
        &format!("tag@{D}"),
        "foo+bar:abc",
        "tag:1",
    ] {
        for method in ["GET", "HEAD", "DELETE"] {
            let line = format!("{method} /v2/a/manifests/{reference}");
            assert_eq!(read(&line), Err(ManifestUnknown), "{line}");
        }
        let line = format!("PUT /v2/a/manifests/{reference}");
        assert!(matches!(read(&line), Err(ManifestInvalid(_))), "{line}");
    }
    for reference in [
        "sha256:baddigeststring",
        &D[..70],
        &D.to_uppercase().replace("SHA", "sha"),
        "md5:00",
        "sha1:00",
    ] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let line = format!("{method} /v2/a/manifests/{reference}");
            assert!(matches!(read(&line), Err(DigestInvalid(_))), "{line}");
        }
    }
}

#[test]
fn a_bad_digest_of_a_blob_or_subject_is_invalid() {
    for line in [
        "GET /v2/a/blobs/sha256:zz",
        "GET /v2/a/blobs/x",
        "HEAD /v2/a/blobs/md5:00",
        "GET /v2/a/referrers/bad",
        "GET /v2/a/referrers/sha256:zz",
    ] {
        assert!(
            matches!(
                read(line),
                Err(RouteError::DigestInvalid(DigestFault::Invalid(_)))
            ),
            "{line}"
        );
    }
    assert_eq!(
        read("GET /v2/a/blobs/foo+bar:abc"),
        Err(RouteError::BlobUnknown)
    );
}

#[test]
fn the_parameters_of_an_upload_are_checked() {
    use DigestFault::{Disagreeing, Invalid, Missing, Repeated};
    let malformed = Invalid(DigestError::Malformed);
    for (line, fault) in [
        ("POST /v2/a/blobs/uploads/?digest=bad".to_owned(), malformed),
        ("POST /v2/a/blobs/uploads/?digest=".into(), malformed),
        ("POST /v2/a/blobs/uploads/?mount=bad".into(), malformed),
        (
            "POST /v2/a/blobs/uploads/?digest-algorithm=".into(),
            malformed,
        ),
        (
            "POST /v2/a/blobs/uploads/?digest-algorithm=sha256,sha512".into(),
            malformed,
        ),
        (
            "POST /v2/a/blobs/uploads/?digest-algorithm=md5".into(),
            Invalid(DigestError::Unsupported),
        ),
        (
            format!("POST /v2/a/blobs/uploads/?digest={D}&digest-algorithm=sha512"),
            Disagreeing,
        ),
        (
            format!("POST /v2/a/blobs/uploads/?digest={D}&digest={D}"),
            Repeated,
        ),
        (format!("PUT /v2/a/blobs/uploads/{ID}"), Missing),
        (format!("PUT /v2/a/blobs/uploads/{ID}?digest="), malformed),
        (
            format!("PUT /v2/a/blobs/uploads/{ID}?digest={D}&digest={D512}"),
            Repeated,
        ),
    ] {
        assert_eq!(read(&line), Err(RouteError::DigestInvalid(fault)), "{line}");
    }
    assert_eq!(
        read(&format!("POST /v2/a/blobs/uploads/?mount={D}&mount={D}")),
        Err(RouteError::BlobUploadInvalid { parameter: "mount" })
    );
    for id in ["x", "..", "%2e%2e", &ID.to_uppercase(), &ID[1..]] {
        assert_eq!(
            read(&format!("PATCH /v2/a/blobs/uploads/{id}")),
            Err(RouteError::BlobUploadUnknown),
            "{id}"
        );
    }
}

#[test]
fn the_parameters_of_a_list_are_checked() {
    for n in [
        "-1",
        "abc",
        "1.5",
        "",
        "0x10",
        "+5",
        "100000000000000000000",
        "5&n=5",
    ] {
        assert_eq!(
            read(&format!("GET /v2/a/tags/list?n={n}")),
            Err(RouteError::BadPageSize),
            "{n}"
        );
    }
    assert!(matches!(
        read("GET /v2/a/tags/list?n=1000000000"),
        Ok(Request::Tags {
            n: Some(1_000_000_000),
            ..
        })
    ));
    for last in ["%00", "-bad", "a&last=b"] {
        let line = format!("GET /v2/a/tags/list?last={last}");
        assert_eq!(
            read(&line),
            Err(RouteError::BadParameter { parameter: "last" }),
            "{line}"
        );
    }
    for artifact_type in ["a&artifactType=b", "%0a", &"a".repeat(10_240)] {
        let line = format!("GET /v2/a/referrers/{D}?artifactType={artifact_type}");
        assert_eq!(
            read(&line),
            Err(RouteError::BadParameter {
                parameter: "artifactType"
            }),
            "{line}"
        );
    }
}

#[test]
fn one_push_sets_fifty_tags_and_no_more() {
    let tags = |count: usize| (0..count).map(|n| format!("&tag=t{n}")).collect::<String>();
    let line = |count| format!("PUT /v2/a/manifests/{D}?x{}", tags(count));
    assert!(matches!(read(&line(50)), Ok(Request::PutManifest { tags, .. }) if tags.len() == 50));
    assert_eq!(read(&line(51)), Err(RouteError::TagsTooMany));
    assert_eq!(
        read(&format!("PUT /v2/a/manifests/{D}?tag=ok&tag=-bad")),
        Err(RouteError::ManifestInvalid(TagError::Start))
    );
}

proptest! {
    #[test]
    fn a_request_is_printed_as_a_url_that_means_the_same(
        line in "(GET|HEAD|PUT|POST|PATCH|DELETE) /v2/([a-z0-9_.%/-]{0,9}/)?(tags/list|_catalog|(manifests|blobs|referrers)/(sha256:[0-9a-f]{64}|[a-zA-Z0-9.:%]{0,9})|blobs/uploads/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?)(\\?((n|last|digest|mount|from|tag|ns|artifactType|digest-algorithm)=(sha512|sha256:[0-9a-f]{64}|[a-z0-9+%/]{0,5})&?){0,3})?"
    ) {
        crate::fuzzing::routes(line.as_bytes());
    }

    #[test]
    fn no_request_line_panics(line in "[A-Z]{1,4} \\PC{0,40}") {
        crate::fuzzing::routes(line.as_bytes());
    }
}
