//! E: tags, catalog, referrers.

use super::{Body, Has, Row, Step, Who};

const EMPTY: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "E02",
        &[
            Step::new("GET", "/v2/acme/app/tags/list?n=0", &[200])
                .has(&[("link", Has::None)])
                .answers(r#"{"name":"acme/app","tags":[]}"#),
            Step::new("GET", "/v2/_catalog?n=0", &[200])
                .has(&[("link", Has::None)])
                .answers(r#"{"repositories":[]}"#),
            Step::new("GET", "/v2/acme/never/tags/list?n=0", &[404]).code("NAME_UNKNOWN"),
        ],
    ),
    Row::new(
        "E03",
        &[
            bad("/v2/acme/app/tags/list?n=-1"),
            bad("/v2/acme/app/tags/list?n=abc"),
            bad("/v2/acme/app/tags/list?n=1.5"),
            bad("/v2/acme/app/tags/list?n="),
            bad("/v2/acme/app/tags/list?n=0x10"),
            bad("/v2/_catalog?n=-1"),
        ],
    ),
    Row::new(
        "E04",
        &[
            Step::new("GET", "/v2/acme/app/tags/list?n=1000000000", &[200]),
            Step::new("GET", "/v2/_catalog?n=1001", &[200]),
        ],
    ),
    Row::new(
        "E05",
        &[
            Step::new("GET", "/v2/acme/app/tags/list?n=1", &[200]).has(&[
                ("link", Has::Part("</v2/acme/app/tags/list?n=1&last=")),
                ("link", Has::Part(">; rel=\"next\"")),
            ]),
        ],
    ),
    Row::new(
        "E06",
        &[
            Step::new("GET", "/v2/acme/app/tags/list?last=zzzz", &[200])
                .has(&[
                    ("link", Has::None),
                    ("content-type", Has::Is("application/json")),
                ])
                .answers(r#"{"name":"acme/app","tags":[]}"#),
            Step::new("GET", "/v2/_catalog?last=zzzz", &[200]).answers(r#"{"repositories":[]}"#),
        ],
    ),
    Row::new(
        "E07",
        &[
            bad("/v2/acme/app/tags/list?last=%00"),
            bad("/v2/acme/app/tags/list?last=-bad"),
            bad("/v2/acme/app/tags/list?last=<a*4000>"),
            bad("/v2/_catalog?last=UPPER"),
        ],
    ),
    Row::new(
        "E10",
        &[Step::new("GET", "/v2/_catalog", &[401])
            .code("UNAUTHORIZED")
            .has(&[("www-authenticate", Has::Any)])],
    )
    .by(Who::Stranger),
    Row::new(
        "E14",
        &[Step::new("GET", "/v2/acme/app/referrers/<X>", &[200])
            .has(&[(
                "content-type",
                Has::Is("application/vnd.oci.image.index.v1+json"),
            )])
            .answers(EMPTY)],
    ),
    Row::new(
        "E15",
        &[Step::new("GET", "/v2/acme/never/referrers/<X>", &[200]).answers(EMPTY)],
    ),
    Row::new(
        "E16",
        &[
            Step::new("GET", "/v2/acme/app/referrers/bad", &[400]).code("DIGEST_INVALID"),
            Step::new("GET", "/v2/acme/app/referrers/sha256:zz", &[400]).code("DIGEST_INVALID"),
        ],
    ),
    Row::new(
        "E18",
        &[Step::new(
            "GET",
            "/v2/acme/app/referrers/<M>?artifactType=no/match",
            &[200],
        )
        .has(&[("oci-filters-applied", Has::Is("artifactType"))])
        .answers(EMPTY)],
    ),
    Row::new(
        "E19",
        &[
            bad("/v2/acme/app/referrers/<M>?artifactType=a&artifactType=b"),
            bad("/v2/acme/app/referrers/<M>?artifactType=<a*4000>"),
            Step::new(
                "GET",
                "/v2/acme/app/referrers/<M>?artifactType=%27%20OR%201=1--",
                &[200],
            )
            .answers(EMPTY),
            Step::new("GET", "/v2/acme/app/referrers/<M>?artifactType=%", &[200]).answers(EMPTY),
        ],
    ),
    Row::new(
        "E22",
        &[
            not_allowed("POST", "/v2/acme/app/referrers/<M>"),
            not_allowed("DELETE", "/v2/acme/app/tags/list"),
        ],
    ),
];

const fn bad(target: &'static str) -> Step {
    Step::new("GET", target, &[400]).code("UNSUPPORTED")
}

const fn not_allowed(method: &'static str, target: &'static str) -> Step {
    Step::new(method, target, &[405])
        .code("UNSUPPORTED")
        .body(Body::Sized(""))
        .has(&[("allow", Has::Is("GET, HEAD"))])
}
