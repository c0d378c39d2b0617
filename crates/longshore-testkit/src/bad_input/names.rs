//! A: paths, names, routing.

use super::{Body, Has, Row, Step};

const INVALID: &str = "NAME_INVALID";

pub(super) const ROWS: &[Row] = &[
    Row::new("A01", &[tags("/v2/UPPER/tags/list")]),
    Row::new("A02", &[tags("/v2/a..b/tags/list")]),
    Row::new("A04", &[tags("/v2/a___b/tags/list")]),
    Row::new(
        "A05",
        &[
            tags("/v2/-a/tags/list"),
            tags("/v2/a-/tags/list"),
            tags("/v2/.a/tags/list"),
            tags("/v2/a_/tags/list"),
        ],
    ),
    Row::new(
        "A06",
        &[tags("/v2/a/../b/tags/list"), tags("/v2/a/./b/tags/list")],
    ),
    Row::new(
        "A08",
        &[
            tags("/v2/%2e%2e/%2e%2e/etc/passwd/tags/list"),
            tags("/v2/..%2f..%2fetc%2fpasswd/tags/list"),
        ],
    ),
    Row::new(
        "A09",
        &[
            Step::new("GET", "/%2F%2F%2F..%2F..%2Fetc%2Fpasswd", &[404]),
            Step::new("GET", "/..%2f..%2fv2/", &[404]),
        ],
    ),
    Row::new("A10", &[tags("/v2//tags/list"), tags("/v2/a//b/tags/list")]),
    Row::new(
        "A12",
        &[tags("/v2/%D0%B0/tags/list"), tags("/v2/b%D0%B0r/tags/list")],
    ),
    Row::new(
        "A13",
        &[tags("/v2/a%252fb/tags/list"), tags("/v2/a%2fb/tags/list")],
    ),
    Row::new(
        "A14",
        &[
            tags("/v2/<a*256>/tags/list"),
            tags("/v2/<a/*299>a/tags/list"),
        ],
    ),
    Row::new(
        "A16",
        &[
            not_allowed("POST", "/v2/_catalog"),
            not_allowed("PUT", "/v2/"),
            not_allowed("DELETE", "/v2/_catalog"),
            not_allowed("PATCH", "/v2/acme/app/manifests/v1"),
        ],
    ),
    Row::new("A17", &[Step::new("GET", "/v2", &[200, 301])]),
    Row::new(
        "A18",
        &[
            Step::new("GET", "/v3/", &[404]),
            Step::new("GET", "/v1/_ping", &[200, 404]),
            Step::new("GET", "/v2x/", &[404]),
        ],
    ),
    Row::new(
        "A20",
        &[
            Step::new("GET", "/v2/blobs/uploads/", &[400, 404, 405]),
            Step::new("POST", "/v2/blobs/uploads/", &[400])
                .code(INVALID)
                .body(Body::Sized("")),
        ],
    ),
    Row::new(
        "A21",
        &[
            Step::new("GET", "/v2/manifests/tags/list", &[404]).code("NAME_UNKNOWN"),
            Step::new("GET", "/v2/tags/list/tags/list", &[404]).code("NAME_UNKNOWN"),
            Step::new("GET", "/v2/a/blobs/uploads/tags/list", &[404]).code("NAME_UNKNOWN"),
            Step::new("GET", "/v2/a/manifests/b/manifests/v1", &[404]).code("NAME_UNKNOWN"),
        ],
    ),
    Row::new("A22", &[Step::new("GET", "/V2/acme/app/tags/list", &[404])]),
    Row::new(
        "A25",
        &[tags("/v2/_oci/tags/list"), tags("/v2/a/_catalog/tags/list")],
    ),
    Row::new(
        "A26",
        &[
            Step::new("GET", "/v2/acme/app/nothing/here", &[404]),
            Step::new("GET", "/v2/acme/app/blobs/", &[404]),
            Step::new("GET", "/v2/acme/app/tags/", &[404]),
        ],
    ),
    Row::new(
        "A27",
        &[Step::new("POST", "/v2/UPPER/blobs/uploads/", &[400])
            .code(INVALID)
            .body(Body::Sized(""))],
    ),
];

const fn tags(target: &'static str) -> Step {
    Step::new("GET", target, &[400]).code(INVALID)
}

const fn not_allowed(method: &'static str, target: &'static str) -> Step {
    Step::new(method, target, &[405])
        .code("UNSUPPORTED")
        .has(&[("allow", Has::Part("GET"))])
}
