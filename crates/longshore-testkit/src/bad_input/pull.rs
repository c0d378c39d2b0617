//! B: pulls of manifests and blobs.

use super::{Body, Has, Row, Step};

const BLOB: &str = "/v2/acme/app/blobs/<D>";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// A range that is met: which, where it lies, how long it is. Macros, because a `const fn` cannot make the slices.
macro_rules! part {
    ($range:literal, $place:literal, $length:literal) => {
        Step::new("GET", BLOB, &[206])
            .with(&[("range", $range)])
            .has(&[
                ("content-range", Has::Is($place)),
                ("content-length", Has::Is($length)),
            ])
    };
}

/// A range that no byte of the blob lies in.
macro_rules! beyond {
    ($range:literal) => {
        Step::new("GET", BLOB, &[416])
            .code("UNSUPPORTED")
            .with(&[("range", $range)])
            .has(&[("content-range", Has::Is("bytes */3000"))])
    };
}

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "B01",
        &[
            unknown("/v2/acme/app/manifests/nosuch"),
            unknown("/v2/acme/app/manifests/<X>"),
            Step::new("HEAD", "/v2/acme/app/manifests/nosuch", &[404]),
        ],
    ),
    Row::new(
        "B03",
        &[invalid("/v2/acme/app/manifests/sha256:baddigeststring")],
    ),
    Row::new(
        "B04",
        &[
            invalid("/v2/acme/app/manifests/sha256:<a*63>"),
            invalid("/v2/acme/app/manifests/sha256:<a*65>"),
            invalid("/v2/acme/app/manifests/sha512:<a*64>"),
        ],
    ),
    Row::new("B05", &[invalid("/v2/acme/app/manifests/sha256:<A*64>")]),
    Row::new(
        "B07",
        &[
            invalid("/v2/acme/app/manifests/md5:<a*32>"),
            invalid("/v2/acme/app/manifests/sha1:<a*40>"),
        ],
    ),
    Row::new("B08", &[unknown("/v2/acme/app/manifests/foo+bar:abc")]),
    Row::new(
        "B09",
        &[
            unknown("/v2/acme/app/manifests/-bad"),
            unknown("/v2/acme/app/manifests/.x"),
            unknown("/v2/acme/app/manifests/<a*129>"),
            unknown("/v2/acme/app/manifests/a%20b"),
            unknown("/v2/acme/app/manifests/tag@<M>"),
        ],
    ),
    Row::new(
        "B11",
        &[
            list().with(&[("accept", "text/plain")]),
            list().with(&[("accept", "*/*")]),
            list(),
            list().with(&[(
                "accept",
                "application/vnd.docker.distribution.manifest.v2+json",
            )]),
            // Several lines are one list.
            list().with(&[("accept", IMAGE), ("accept", INDEX)]),
            Step::new("GET", "/v2/acme/app/manifests/<I>", &[200])
                .with(&[("accept", IMAGE)])
                .has(&[
                    ("docker-content-digest", Has::Is("<I>")),
                    ("content-type", Has::Is(INDEX)),
                ]),
        ],
    ),
    Row::new(
        "B12",
        &[
            list().with(&[("accept", "<a/b;q=NaN,*700>")]),
            list().with(&[("accept", ",,;;q=,/;=,\"")]),
        ],
    ),
    Row::new(
        "B13",
        &[
            Step::new("GET", "/v2/acme/never/manifests/v1", &[404]).code("NAME_UNKNOWN"),
            Step::new("GET", "/v2/acme/never/tags/list", &[404]).code("NAME_UNKNOWN"),
        ],
    ),
    Row::new(
        "B16",
        &[
            Step::new("GET", "/v2/acme/app/blobs/<X>", &[404]).code("BLOB_UNKNOWN"),
            Step::new("GET", "/v2/acme/app/blobs/<X512>", &[404]).code("BLOB_UNKNOWN"),
            Step::new("HEAD", "/v2/acme/app/blobs/<X>", &[404]),
        ],
    ),
    Row::new(
        "B17",
        &[
            invalid("/v2/acme/app/blobs/sha256:zz"),
            invalid("/v2/acme/app/blobs/sha256"),
            invalid("/v2/acme/app/blobs/..%2f..%2fetc"),
        ],
    ),
    Row::new(
        "B19",
        &[Step::new("GET", "/v2/acme/app/blobs/<O>", &[404]).code("BLOB_UNKNOWN")],
    ),
    Row::new(
        "B20",
        &[
            part!("bytes=0-0", "bytes 0-0/3000", "1"),
            part!("bytes=500-", "bytes 500-2999/3000", "2500"),
            part!("bytes=-500", "bytes 2500-2999/3000", "500"),
            part!("bytes=2000-5000", "bytes 2000-2999/3000", "1000"),
            part!("bytes=-5000", "bytes 0-2999/3000", "3000"),
        ],
    ),
    Row::new(
        "B21",
        &[
            beyond!("bytes=500-0"),
            beyond!("bytes=5000-10000"),
            beyond!("bytes=3000-"),
            beyond!("bytes=-0"),
        ],
    ),
    Row::new(
        "B23",
        &[
            whole().with(&[("range", "bytes=<0-1,*1000>")]),
            whole().with(&[("range", "bytes=0-1,5-6")]),
            whole().with(&[("range", "lines=0-1")]),
            whole().with(&[("range", "bytes=a-b")]),
        ],
    ),
    Row::new(
        "B24",
        &[
            part!("bytes=0-18446744073709551616", "bytes 0-2999/3000", "3000"),
            beyond!("bytes=18446744073709551616-"),
            part!("bytes=-99999999999999999999", "bytes 0-2999/3000", "3000"),
        ],
    ),
    Row::new(
        "B25",
        &[
            Step::new("GET", BLOB, &[304])
                .with(&[("if-none-match", "\"<D>\"")])
                .answers(""),
            Step::new("HEAD", BLOB, &[304]).with(&[("if-none-match", "\"<D>\"")]),
            whole().with(&[("if-none-match", "\"<X>\"")]),
            Step::new("GET", "/v2/acme/app/blobs/<X>", &[404])
                .with(&[("if-none-match", "\"<X>\"")]),
            Step::new("GET", "/v2/acme/app/manifests/v1", &[304])
                .with(&[("if-none-match", "\"<M>\"")])
                .has(&[("etag", Has::Is("\"<M>\""))]),
            whole().with(&[("range", "bytes=0-1"), ("if-range", "\"<X>\"")]),
            Step::new("GET", BLOB, &[206]).with(&[("range", "bytes=0-1"), ("if-range", "\"<D>\"")]),
        ],
    ),
    Row::new(
        "B27",
        &[
            Step::new("GET", "/v2/acme/app/blobs/<E>", &[200])
                .has(&[("content-length", Has::Is("0"))])
                .answers(""),
            Step::new("GET", "/v2/acme/app/blobs/<E>", &[416])
                .with(&[("range", "bytes=0-")])
                .has(&[("content-range", Has::Is("bytes */0"))]),
        ],
    ),
    Row::new(
        "B28",
        &[
            Step::new("POST", BLOB, &[405])
                .code("UNSUPPORTED")
                .body(Body::Sized("x")),
            Step::new("PUT", BLOB, &[405])
                .code("UNSUPPORTED")
                .body(Body::Sized("x")),
            Step::new("PATCH", BLOB, &[405])
                .code("UNSUPPORTED")
                .body(Body::Sized("x")),
        ],
    ),
    Row::new(
        "B30",
        &[
            Step::new("HEAD", BLOB, &[200])
                .with(&[("range", "bytes=0-0")])
                .has(&[
                    ("content-length", Has::Is("<len>")),
                    ("docker-content-digest", Has::Is("<D>")),
                    ("accept-ranges", Has::Is("bytes")),
                    ("content-disposition", Has::Is("attachment")),
                    ("content-security-policy", Has::Part("sandbox")),
                    ("docker-distribution-api-version", Has::Is("registry/2.0")),
                ]),
            Step::new("HEAD", "/v2/acme/app/manifests/v1", &[200]).has(&[
                ("content-length", Has::Any),
                ("docker-content-digest", Has::Is("<M>")),
                ("content-type", Has::Is(IMAGE)),
            ]),
        ],
    ),
    Row::new(
        "B31",
        &[whole()
            .with(&[("accept-encoding", "zstd, gzip, deflate")])
            .has(&[("content-encoding", Has::None)])],
    ),
    Row::new(
        "B32",
        &[
            Step::new("HEAD", "/v2/acme/app/manifests/v1?ns=docker.io", &[200])
                .has(&[("oci-namespace", Has::Is("docker.io"))]),
            Step::new(
                "HEAD",
                "/v2/acme/app/manifests/v1?ns=%0d%0aset-cookie:x",
                &[200],
            )
            .has(&[("oci-namespace", Has::None), ("set-cookie", Has::None)]),
        ],
    ),
];

const fn unknown(target: &'static str) -> Step {
    Step::new("GET", target, &[404]).code("MANIFEST_UNKNOWN")
}

const fn invalid(target: &'static str) -> Step {
    Step::new("GET", target, &[400]).code("DIGEST_INVALID")
}

const fn list() -> Step {
    Step::new("GET", "/v2/acme/app/manifests/list", &[200]).has(&[
        ("docker-content-digest", Has::Is("<I>")),
        ("content-type", Has::Is(INDEX)),
    ])
}

const fn whole() -> Step {
    Step::new("GET", BLOB, &[200]).has(&[
        ("content-length", Has::Is("<len>")),
        ("content-range", Has::None),
    ])
}
