//! F: deletes.

use super::{Body, Has, Row, Step};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "F01",
        &[
            Step::new("DELETE", "/v2/acme/app/manifests/nosuch", &[404]).code("MANIFEST_UNKNOWN"),
            Step::new("DELETE", "/v2/acme/app/manifests/<X>", &[404]).code("MANIFEST_UNKNOWN"),
        ],
    ),
    Row::new(
        "F02",
        &[
            Step::new("DELETE", "/v2/acme/never/manifests/v1", &[404]).code("NAME_UNKNOWN"),
            Step::new("DELETE", "/v2/acme/never/blobs/<D>", &[404]).code("NAME_UNKNOWN"),
        ],
    ),
    Row::new(
        "F05",
        &[
            Step::new("PUT", "/v2/acme/app/manifests/gone", &[201])
                .with(&[("content-type", IMAGE)])
                .body(Body::Sized("<image>")),
            Step::new("DELETE", "/v2/acme/app/manifests/<image-digest>", &[202]),
            Step::new("GET", "/v2/acme/app/manifests/gone", &[404]).code("MANIFEST_UNKNOWN"),
            Step::new("DELETE", "/v2/acme/app/manifests/<image-digest>", &[404])
                .code("MANIFEST_UNKNOWN"),
        ],
    )
    .changing(),
    Row::new(
        "F06",
        &[Step::new("DELETE", "/v2/acme/app/manifests/<M>", &[403]).code("DENIED")],
    ),
    Row::new(
        "F07",
        &[Step::new("DELETE", "/v2/acme/app/blobs/<D>", &[403]).code("DENIED")],
    ),
    Row::new(
        "F08",
        &[
            Step::new("POST", "/v2/acme/app/blobs/uploads/?digest=<hello>", &[201])
                .body(Body::Sized("hello"))
                .has(&[
                    ("docker-content-digest", Has::Is("<hello>")),
                    ("location", Has::Any),
                ]),
            Step::new("HEAD", "/v2/acme/app/blobs/<hello>", &[200]),
            Step::new("DELETE", "/v2/acme/app/blobs/<hello>", &[202]),
            Step::new("HEAD", "/v2/acme/app/blobs/<hello>", &[404]),
        ],
    ),
    Row::new(
        "F09",
        &[Step::new("DELETE", "/v2/acme/app/blobs/<X>", &[404]).code("BLOB_UNKNOWN")],
    ),
    Row::new(
        "F11",
        &[
            Step::new("DELETE", "/v2/acme/app/manifests/sha256:zz", &[400]).code("DIGEST_INVALID"),
            Step::new("DELETE", "/v2/acme/app/blobs/sha256:zz", &[400]).code("DIGEST_INVALID"),
        ],
    ),
];
