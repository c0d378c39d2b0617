//! URLs that are requests.

use proptest::prelude::*;

use super::*;

#[test]
fn every_endpoint_of_the_specification_is_read_and_written_back() {
    let app = || repo("acme/app");
    let id: UploadId = ID.parse().unwrap();
    let ns = Some("docker.io".parse().unwrap());
    for (line, request) in [
        ("GET /v2/".to_owned(), Request::Ping),
        ("GET /v1/_ping".into(), Request::V1Ping),
        (
            "GET /v1/search?q=web%20api%2B%E6%95%B0&n=25".into(),
            Request::V1Search {
                words: "web api+数".into(),
                n: Some(25),
            },
        ),
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
fn one_push_sets_fifty_tags_and_no_more_unless_told_otherwise() {
    let tags = |count| {
        (0..count).fold(String::new(), |tags: String, n: usize| {
            tags + &format!("&tag=t{n}")
        })
    };
    let line = |count| format!("PUT /v2/a/manifests/{D}?x{}", tags(count));
    assert!(matches!(read(&line(50)), Ok(Request::PutManifest { tags, .. }) if tags.len() == 50));
    assert_eq!(read(&line(51)), Err(RouteError::TagsTooMany { most: 50 }));
    let path = format!("/v2/a/manifests/{D}");
    let few = |count| parse_with_tags("PUT", &path, Some(&tags(count)), 3);
    assert!(few(3).is_ok());
    assert_eq!(few(4), Err(RouteError::TagsTooMany { most: 3 }));
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
