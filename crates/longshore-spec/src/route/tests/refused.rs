//! URLs that are none, and what is answered.

use super::*;

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
        "/v1",
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
fn of_the_old_protocol_only_its_search_is_answered() {
    for target in [
        "/v1/",
        "/v1/users/",
        "/v1/search/",
        "/v1/repositories/a/b/images",
    ] {
        assert_eq!(parse("POST", target, None), Err(RouteError::V1), "{target}");
    }
    for (line, error) in [
        ("GET /v1/search?n=x", RouteError::BadPageSize),
        ("GET /v1/search?n=1&n=1", RouteError::BadPageSize),
        (
            "GET /v1/search?q=a&q=b",
            RouteError::BadParameter { parameter: "q" },
        ),
        (
            "PUT /v1/search?q=a",
            RouteError::NotAllowed { allow: "GET, HEAD" },
        ),
    ] {
        assert_eq!(read(line), Err(error), "{line}");
    }
    let plus = Request::V1Search {
        words: "a b".to_owned(),
        n: None,
    };
    assert_eq!(read("GET /v1/search?q=a+b"), Ok(plus));
}
