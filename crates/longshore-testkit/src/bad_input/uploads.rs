//! C: upload sessions. Each row that speaks of `<U>` has a session of its own.

use super::{Body, Has, Row, Step, Who};

const OPEN: &str = "/v2/acme/app/blobs/uploads/";
const OUT_OF_ORDER: &[u16] = &[416];

/// Five bytes for `<U>` that say where they belong. A macro, because a `const fn` cannot make the slice.
macro_rules! patch {
    ($range:literal, $status:expr) => {
        Step::new("PATCH", "<U>", $status)
            .with(&[("content-range", $range)])
            .body(Body::Sized("hello"))
            .code("BLOB_UPLOAD_INVALID")
    };
}

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "C01",
        &[Step::new("POST", "/v2/acme/app/blobs/uploads", &[202, 308]).body(Body::Sized(""))],
    ),
    Row::new(
        "C03",
        &[post("/v2/acme/app/blobs/uploads/?digest=bad", &[400])
            .code("DIGEST_INVALID")
            .body(Body::Sized("hello"))],
    ),
    Row::new(
        "C04",
        &[
            post("/v2/acme/app/blobs/uploads/?digest=<X>", &[400])
                .code("DIGEST_INVALID")
                .body(Body::Sized("hello")),
            Step::new("HEAD", "/v2/acme/app/blobs/<X>", &[404]),
        ],
    ),
    Row::new(
        "C06",
        &[
            Step::new("POST", "/v2/acme/app/blobs/uploads/?digest=<hello>", &[411])
                .code("SIZE_INVALID"),
        ],
    ),
    Row::new(
        "C07",
        &[
            post("/v2/acme/app/blobs/uploads/?digest-algorithm=md5", &[400]).code("DIGEST_INVALID"),
            post("/v2/acme/app/blobs/uploads/?digest-algorithm=", &[400]).code("DIGEST_INVALID"),
            post(
                "/v2/acme/app/blobs/uploads/?digest-algorithm=sha256,sha512",
                &[400],
            )
            .code("DIGEST_INVALID"),
            post(
                "/v2/acme/app/blobs/uploads/?digest-algorithm=sha512&digest=<hello>",
                &[400],
            )
            .code("DIGEST_INVALID")
            .body(Body::Sized("hello")),
        ],
    ),
    Row::new(
        "C09",
        &[
            mount("/v2/acme/app/blobs/uploads/?mount=<X>&from=acme/other"),
            mount("/v2/acme/app/blobs/uploads/?mount=<X>&from=acme/never"),
            mount("/v2/acme/app/blobs/uploads/?mount=<X>"),
            mount("/v2/acme/app/blobs/uploads/?mount=<D>&from=acme/other"),
        ],
    ),
    Row::new(
        "C11",
        &[
            mount("/v2/acme/app/blobs/uploads/?mount=<D>&from=UPPER"),
            mount("/v2/acme/app/blobs/uploads/?mount=<D>&from=../x"),
            mount("/v2/acme/app/blobs/uploads/?mount=<D>&from="),
        ],
    ),
    Row::new(
        "C12",
        &[post(
            "/v2/acme/app/blobs/uploads/?mount=bad&from=acme/other",
            &[400],
        )
        .code("DIGEST_INVALID")],
    ),
    Row::new(
        "C13",
        &[
            post("/v2/acme/app/blobs/uploads/?mount=<D>&mount=<E>", &[400])
                .code("BLOB_UPLOAD_INVALID"),
            post(
                "/v2/acme/app/blobs/uploads/?mount=<D>&from=a&from=b",
                &[400],
            )
            .code("BLOB_UPLOAD_INVALID"),
        ],
    ),
    Row::new(
        "C14",
        &[post(
            "/v2/acme/app/blobs/uploads/?mount=<D>&from=acme/app",
            &[201],
        )
        .has(&[
            ("docker-content-digest", Has::Is("<D>")),
            ("location", Has::Part("/v2/acme/app/blobs/<D>")),
        ])],
    ),
    Row::new(
        "C15",
        &[
            Step::new(
                "PATCH",
                "/v2/acme/app/blobs/uploads/01234567-89ab-7def-8123-456789abcdef",
                &[404],
            )
            .code("BLOB_UPLOAD_UNKNOWN")
            .body(Body::Sized("hello")),
            Step::new(
                "GET",
                "/v2/acme/app/blobs/uploads/01234567-89ab-7def-8123-456789abcdef",
                &[404],
            )
            .code("BLOB_UPLOAD_UNKNOWN"),
            Step::new("PATCH", "/v2/acme/app/blobs/uploads/..%2f..%2fx", &[404])
                .code("BLOB_UPLOAD_UNKNOWN")
                .body(Body::Sized("hello")),
        ],
    ),
    // `<V>` is a session of `acme/other`, `<V-here>` its id asked for in `acme/app`.
    Row::new(
        "C17",
        &[
            Step::new("GET", "<V>", &[204]),
            Step::new("PATCH", "<V-here>", &[404])
                .code("BLOB_UPLOAD_UNKNOWN")
                .body(Body::Sized("hello")),
            Step::new("GET", "<V-here>", &[404]).code("BLOB_UPLOAD_UNKNOWN"),
            Step::new("DELETE", "<V-here>", &[404]).code("BLOB_UPLOAD_UNKNOWN"),
            Step::new("GET", "<V>", &[204]).has(&[("range", Has::Is("0-0"))]),
        ],
    ),
    Row::new(
        "C18",
        &[
            Step::new("PATCH", "<U>", &[404])
                .code("BLOB_UPLOAD_UNKNOWN")
                .body(Body::Sized("hello")),
            Step::new("PUT", "<U>?digest=<hello>", &[404])
                .code("BLOB_UPLOAD_UNKNOWN")
                .body(Body::Sized("hello")),
            Step::new("GET", "<U>", &[404]).code("BLOB_UPLOAD_UNKNOWN"),
            Step::new("DELETE", "<U>", &[404]).code("BLOB_UPLOAD_UNKNOWN"),
        ],
    )
    .by(Who::Colleague),
    Row::new(
        "C19",
        &[
            patch!("5-9", OUT_OF_ORDER).has(&[
                ("range", Has::Is("0-0")),
                ("location", Has::Part("/blobs/uploads/")),
                ("docker-upload-uuid", Has::Any),
            ]),
            Step::new("GET", "<U>", &[204]).has(&[("range", Has::Is("0-0"))]),
        ],
    ),
    Row::new(
        "C20",
        &[
            patch!("0-4", &[202]).has(&[("range", Has::Is("0-4"))]),
            // The same chunk again is refused with the true offset, and so is one that leaves a gap.
            patch!("0-4", OUT_OF_ORDER).has(&[("range", Has::Is("0-4"))]),
            patch!("6-10", OUT_OF_ORDER).has(&[("range", Has::Is("0-4"))]),
            patch!("5-9", &[202]).has(&[("range", Has::Is("0-9"))]),
        ],
    ),
    Row::new(
        "C21",
        &[
            patch!("0-", OUT_OF_ORDER),
            patch!("9-0", OUT_OF_ORDER),
            patch!("a-b", OUT_OF_ORDER),
            patch!("-1-5", OUT_OF_ORDER),
            patch!("", OUT_OF_ORDER),
            Step::new("GET", "<U>", &[204]).has(&[("range", Has::Is("0-0"))]),
        ],
    ),
    Row::new(
        "C22",
        &[
            patch!("0-9", &[400]).code("SIZE_INVALID"),
            Step::new("GET", "<U>", &[204]).has(&[("range", Has::Is("0-0"))]),
        ],
    ),
    Row::new("C23", &[patch!("0-99999999999999999999", OUT_OF_ORDER)]),
    Row::new(
        "C27",
        &[
            Step::new("PATCH", "<U>", &[202])
                .body(Body::Sized(""))
                .has(&[("range", Has::Is("0-0"))]),
            Step::new("PATCH", "<U>", &[202])
                .body(Body::Chunked("hello"))
                .has(&[("range", Has::Is("0-4"))]),
            Step::new("PATCH", "<U>", &[202])
                .body(Body::Chunked(""))
                .has(&[("range", Has::Is("0-4"))]),
        ],
    ),
    Row::new(
        "C30",
        &[
            Step::new("PUT", "<U>", &[400])
                .code("DIGEST_INVALID")
                .body(Body::Sized("hello")),
            Step::new("GET", "<U>", &[204]).has(&[("range", Has::Is("0-0"))]),
        ],
    ),
    Row::new(
        "C31",
        &[
            Step::new("PUT", "<U>?digest=<X>", &[400])
                .code("DIGEST_INVALID")
                .body(Body::Sized("hello")),
            Step::new("GET", "<U>", &[404]).code("BLOB_UPLOAD_UNKNOWN"),
            Step::new("HEAD", "/v2/acme/app/blobs/<X>", &[404]),
            Step::new("HEAD", "/v2/acme/app/blobs/<hello>", &[404]),
        ],
    ),
    Row::new(
        "C33",
        &[Step::new("PUT", "<U>?digest=<D>&digest=<X>", &[400])
            .code("DIGEST_INVALID")
            .body(Body::Sized("hello"))],
    ),
    Row::new(
        "C34",
        &[
            Step::new("PUT", "<U>?digest=<hello>", OUT_OF_ORDER)
                .code("BLOB_UPLOAD_INVALID")
                .with(&[("content-range", "5-9")])
                .body(Body::Sized("hello"))
                .has(&[("range", Has::Is("0-0")), ("location", Has::Any)]),
            Step::new("GET", "<U>", &[204]),
        ],
    ),
    Row::new(
        "C35",
        &[
            Step::new("PUT", "<U>?digest=<hello512>", &[201])
                .body(Body::Sized("hello"))
                .has(&[("docker-content-digest", Has::Is("<hello512>"))]),
            Step::new("HEAD", "/v2/acme/app/blobs/<hello512>", &[200])
                .has(&[("docker-content-digest", Has::Is("<hello512>"))]),
        ],
    )
    .changing(),
    Row::new(
        "C37",
        &[
            Step::new("DELETE", "<U>", &[204]),
            Step::new("PUT", "<U>?digest=<hello>", &[404])
                .code("BLOB_UPLOAD_UNKNOWN")
                .body(Body::Sized("hello")),
        ],
    ),
    Row::new(
        "C41",
        &[Step::new("GET", "<U>", &[204]).has(&[
            ("range", Has::Is("0-0")),
            ("location", Has::Any),
            ("docker-upload-uuid", Has::Any),
        ])],
    ),
    Row::new(
        "C42",
        &[
            Step::new("DELETE", "<U>", &[204]),
            Step::new("DELETE", "<U>", &[404]).code("BLOB_UPLOAD_UNKNOWN"),
        ],
    ),
    Row::new(
        "C43",
        &[
            Step::new("PATCH", "<U>?_state=tampered&x=y", &[202]).body(Body::Sized("hello")),
            Step::new("GET", "<U>?_state=", &[204]).has(&[("range", Has::Is("0-4"))]),
        ],
    ),
    Row::new(
        "C45",
        &[
            Step::new("PUT", "<U>?digest=<hello>", &[415])
                .code("UNSUPPORTED")
                .with(&[("content-encoding", "gzip")])
                .body(Body::Sized("hello")),
            Step::new("GET", "<U>", &[204]).has(&[("range", Has::Is("0-0"))]),
        ],
    ),
];

const fn post(target: &'static str, status: &'static [u16]) -> Step {
    Step::new("POST", target, status).body(Body::Sized(""))
}

/// A mount that finds nothing is an upload.
const fn mount(target: &'static str) -> Step {
    post(target, &[202]).has(&[
        ("location", Has::Part(OPEN)),
        ("docker-content-digest", Has::None),
    ])
}
