//! D: manifests on their way in.

use super::{Body, Has, Row, Step};

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const INVALID: &str = "MANIFEST_INVALID";

/// A push of an image manifest that is refused: its body, and by default its code. Macros, because a `const fn` cannot
/// make the slices.
macro_rules! refused {
    ($body:expr) => {
        refused!($body, INVALID)
    };
    ($body:expr, $code:expr) => {
        put(&[400])
            .code($code)
            .with(&[("content-type", IMAGE)])
            .body($body)
    };
}

/// An image manifest with other fields in the place of `layers`.
macro_rules! image {
    ($rest:literal) => {
        Body::Sized(concat!(
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":<config>,"#,
            $rest,
            "}"
        ))
    };
}

/// An image manifest with one layer.
macro_rules! layer {
    ($digest:expr, $size:expr, $rest:expr) => {
        Body::Sized(concat!(
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":<config>,"#,
            r#""layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":""#,
            $digest,
            r#"","size":"#,
            $size,
            $rest,
            "}]}"
        ))
    };
}

/// An image manifest whose one layer has this size.
macro_rules! layer_of_size {
    ($size:literal) => {
        layer!("<D>", $size, "")
    };
}

/// An image manifest whose one layer has this digest.
macro_rules! digest {
    ($digest:literal) => {
        layer!($digest, "5", "")
    };
}

/// An image manifest whose one layer is said to be at this place.
macro_rules! url {
    ($url:literal) => {
        layer!("<D>", "3000", concat!(r#","urls":[""#, $url, r#""]"#))
    };
}

pub(super) const ROWS: &[Row] = &[
    Row::new("D01", &[refused!(Body::Sized("")), refused!(Body::Chunked(""))]),
    Row::new(
        "D02",
        &[
            refused!(Body::Sized("{")),
            refused!(Body::Sized("null")),
            refused!(Body::Sized("[]")),
            refused!(Body::Sized("\"x\"")),
            refused!(Body::Sized("1")),
        ],
    ),
    Row::new(
        "D04",
        &[
            put(&[413]).code(INVALID).with(&[("content-type", IMAGE)]).body(Body::Sized("< *4194305>")),
            put(&[413]).code(INVALID).with(&[("content-type", IMAGE)]).body(Body::Chunked("< *4194305>")),
        ],
    ),
    Row::new(
        "D05",
        &[put(&[201]).with(&[("content-type", IMAGE)]).body(image!(
            r#""layers":[<layer>],"annotations":{"a":"<x*3900000>"}"#
        ))],
    )
    .changing(),
    Row::new("D06", &[refused!(Body::Sized("<[*10000>")), refused!(Body::Sized("{\"a\":<[*10000><]*10000>}"))]),
    Row::new(
        "D08",
        &[
            refused!(Body::Bytes(b"{\"schemaVersion\":2,\"mediaType\":\"\xff\xfe\"}")),
            refused!(Body::Bytes(b"\xef\xbb\xbf{\"schemaVersion\":2}")),
            refused!(Body::Bytes(b"\xff\xfe{\x00}\x00")),
        ],
    ),
    Row::new("D09", &[refused!(image!(r#""layers":[],"annotations":{"a":"\ud800"}"#))]),
    Row::new(
        "D10",
        &[
            refused!(image!(r#""layers":[],"x":NaN"#)),
            refused!(layer_of_size!("1e999")),
            refused!(layer_of_size!("1.5")),
            refused!(layer_of_size!("\"10\"")),
            refused!(layer_of_size!("-1")),
        ],
    ),
    Row::new(
        "D12",
        &[refused!(
            image!(r#""layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"<D>","size":1}]"#),
            "SIZE_INVALID"
        )],
    ),
    Row::new(
        "D13",
        &[
            refused!(Body::Sized(r#"{"schemaVersion":1,"config":<config>,"layers":[]}"#)),
            refused!(Body::Sized(r#"{"schemaVersion":3,"config":<config>,"layers":[]}"#)),
            refused!(Body::Sized(r#"{"schemaVersion":"2","config":<config>,"layers":[]}"#)),
            refused!(Body::Sized(r#"{"config":<config>,"layers":[]}"#)),
        ],
    ),
    Row::new(
        "D14",
        &[
            put(&[400])
                .code(INVALID)
                .with(&[("content-type", "application/vnd.docker.distribution.manifest.v1+prettyjws")])
                .body(Body::Sized(r#"{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"signatures":[]}"#)),
        ],
    ),
    Row::new("D16", &[refused!(image!(r#""layers":[<layer>],"manifests":[<child>]"#))]),
    Row::new("D17", &[refused!(Body::Sized(r#"{"schemaVersion":2,"manifests":[<child>]}"#))]),
    Row::new(
        "D18",
        &[
            put(&[201]).body(Body::Sized("<image>")).has(&[("docker-content-digest", Has::Is("<image-digest>"))]),
            Step::new("GET", "/v2/acme/app/manifests/<image-digest>", &[200])
                .has(&[("content-type", Has::Is(IMAGE))])
                .answers("<image>"),
        ],
    )
    .changing(),
    Row::new("D19", &[put(&[400]).code(INVALID).with(&[("content-type", "nonsense")]).body(Body::Sized("<image>"))]),
    Row::new(
        "D20",
        &[
            put(&[201])
                .with(&[("content-type", "application/vnd.oci.image.manifest.v1+json; charset=utf-8")])
                .body(Body::Sized("<image>")),
            Step::new("GET", "/v2/acme/app/manifests/bad-input", &[200]).has(&[("content-type", Has::Is(IMAGE))]),
        ],
    )
    .changing(),
    Row::new(
        "D21",
        &[put(&[400]).code(INVALID).with(&[("content-type", "application/vnd.foo+json")]).body(Body::Sized("{}"))],
    ),
    Row::new(
        "D22",
        &[
            put(&[201])
                .with(&[("content-type", IMAGE)])
                .body(image!(r#""layers":[],"artifactType":"some/thing","unknown":{"deep":[1,null]}  "#)),
            Step::new("GET", "/v2/acme/app/manifests/bad-input", &[200]).answers(
                r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":<config>,"layers":[],"artifactType":"some/thing","unknown":{"deep":[1,null]}  }"#,
            ),
        ],
    )
    .changing(),
    Row::new("D24", &[refused!(image!(r#""layers":[<foreign>]"#), "MANIFEST_BLOB_UNKNOWN")]),
    // A registry may be told to take indexes whose manifests are elsewhere.
    Row::new(
        "D25",
        &[put(&[400, 201]).code("MANIFEST_BLOB_UNKNOWN").with(&[("content-type", INDEX)]).body(Body::Sized(
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"<X>","size":5}]}"#,
        ))],
    )
    .changing(),
    Row::new(
        "D26",
        &[put(&[201]).with(&[("content-type", IMAGE)]).body(image!(
            r#""layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip","digest":"<X>","size":5,"urls":["https://example.org/x"]}]"#
        ))],
    )
    .changing(),
    Row::new("D28", &[refused!(url!("file:///etc/passwd")), refused!(url!("javascript:alert(1)"))]),
    Row::new("D29", &[refused!(digest!("sha256:../../x")), refused!(digest!("")), refused!(digest!("<a*10240>"))]),
    Row::new(
        "D30",
        &[
            refused!(image!(
                r#""layers":[{"mediaType":"a/b","digest":"<hello>","size":5,"data":"not base64!"}]"#
            )),
            refused!(image!(r#""layers":[{"mediaType":"a/b","digest":"<hello>","size":5,"data":"d29ybGQ="}]"#)),
        ],
    ),
    Row::new(
        "D32",
        &[
            refused!(image!(r#""layers":[],"subject":{"mediaType":"a/b","digest":"sha256:x","size":1}"#)),
            refused!(image!(r#""layers":[],"subject":"x""#)),
        ],
    ),
    Row::new(
        "D33",
        &[
            refused!(image!(r#""layers":[],"annotations":{"a":1}"#)),
            refused!(image!(r#""layers":[],"annotations":{"a":null}"#)),
            refused!(image!(r#""layers":[],"annotations":[]"#)),
        ],
    ),
    Row::new(
        "D34",
        &[put(&[201]).with(&[("content-type", IMAGE)]).body(image!(
            r#""layers":[],"annotations":{"a":"<script>alert(1)</script>\r\n<x*10240>"}"#
        ))],
    )
    .changing(),
    Row::new(
        "D36",
        &[
            at("/v2/acme/app/manifests/sha256:baddigeststring").code("DIGEST_INVALID"),
            at("/v2/acme/app/manifests/<X>").code("DIGEST_INVALID"),
        ],
    ),
    Row::new(
        "D37",
        &[
            at("/v2/acme/app/manifests/-x").code(INVALID),
            at("/v2/acme/app/manifests/.x").code(INVALID),
            at("/v2/acme/app/manifests/<a*129>").code(INVALID),
            at("/v2/acme/app/manifests/a/b").code(INVALID),
            at("/v2/acme/app/manifests/tag:1").code(INVALID),
            at("/v2/acme/app/manifests/a%20b").code(INVALID),
        ],
    ),
    Row::new(
        "D38",
        &[Step::new("PUT", "/v2/acme/app/manifests/sha256-<a*64>", &[201])
            .with(&[("content-type", IMAGE)])
            .body(Body::Sized("<image>"))],
    )
    .changing(),
    Row::new(
        "D39",
        &[Step::new("PUT", "/v2/acme/app/manifests/<image-digest>?tag=t1&tag=t2&tag=t1", &[201])
            .with(&[("content-type", IMAGE)])
            .body(Body::Sized("<image>"))
            .has(&[("oci-tag", Has::Is("t1, t2")), ("docker-content-digest", Has::Is("<image-digest>"))])],
    )
    .changing(),
    Row::new(
        "D40",
        &[Step::new("PUT", "/v2/acme/app/manifests/<image-digest>?<tag=t&*51>", &[414])
            .code(INVALID)
            .with(&[("content-type", IMAGE)])
            .body(Body::Sized("<image>"))],
    ),
    Row::new(
        "D41",
        &[Step::new("PUT", "/v2/acme/app/manifests/bad-input?tag=ignored", &[201])
            .with(&[("content-type", IMAGE)])
            .body(Body::Sized("<image>"))
            .has(&[("oci-tag", Has::None)])],
    )
    .changing(),
    Row::new(
        "D44",
        &[
            Step::new("PUT", "/v2/acme/app/manifests/v1", &[412])
                .code(INVALID)
                .with(&[("content-type", IMAGE), ("if-none-match", "*")])
                .body(Body::Sized("<image>")),
            Step::new("PUT", "/v2/acme/app/manifests/v1", &[412])
                .code(INVALID)
                .with(&[("content-type", IMAGE), ("if-match", "\"<X>\"")])
                .body(Body::Sized("<image>")),
            Step::new("PUT", "/v2/acme/app/manifests/v1", &[400])
                .code("UNSUPPORTED")
                .with(&[("content-type", IMAGE), ("if-none-match", "\"<X>\"")])
                .body(Body::Sized("<image>")),
        ],
    ),
    Row::new("D46", &[refused!(image!(r#""layers":[<<layer>,*10000><layer>]"#))]),
    Row::new(
        "D47",
        &[put(&[415])
            .code("UNSUPPORTED")
            .with(&[("content-type", IMAGE), ("content-encoding", "gzip")])
            .body(Body::Sized("<image>"))],
    ),
];

/// A push of the tag that the rows share.
const fn put(status: &'static [u16]) -> Step {
    Step::new("PUT", "/v2/acme/app/manifests/bad-input", status)
}

/// A whole manifest pushed under a name that is refused.
const fn at(target: &'static str) -> Step {
    Step::new("PUT", target, &[400])
        .with(&[("content-type", IMAGE)])
        .body(Body::Sized("<image>"))
}
