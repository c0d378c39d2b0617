//! Rows of B, C and G that are about who asks.

use super::{Body, Has, Row, Step, Who};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "B14",
        &[
            stranger("GET", "/v2/").has(&[
                ("www-authenticate", Has::Any),
                ("docker-distribution-api-version", Has::Any),
            ]),
            stranger("GET", "/v2/acme/app/manifests/v1"),
            stranger("GET", "/v2/acme/never/manifests/v1"),
            stranger("GET", "/v2/acme/app/blobs/<D>"),
            Step::new("HEAD", "/v2/acme/app/blobs/<X>", &[401])
                .has(&[("www-authenticate", Has::Any)]),
        ],
    )
    .by(Who::Stranger),
    Row::new(
        "B15",
        &[
            outsider("GET", "/v2/acme/app/manifests/v1"),
            outsider("GET", "/v2/acme/never/manifests/v1"),
            outsider("GET", "/v2/acme/app/blobs/<D>"),
            outsider("GET", "/v2/acme/app/blobs/<X>"),
        ],
    )
    .by(Who::Outsider),
    Row::new(
        "C02",
        &[outsider("POST", "/v2/acme/app/blobs/uploads/").body(Body::Sized(""))],
    )
    .by(Who::Outsider),
    // Whoever may not send a body is not let send it: the answer comes before it is read.
    Row::new(
        "C08",
        &[
            stranger("POST", "/v2/acme/app/blobs/uploads/").body(Body::Sized("")),
            stranger("PUT", "/v2/acme/app/manifests/v1").body(Body::Sized("< *4194305>")),
            stranger("PATCH", "<U>").body(Body::Sized("hello")),
            stranger("DELETE", "<U>"),
        ],
    )
    .by(Who::Stranger),
    Row::new(
        "G17",
        &[
            stranger("GET", "/v2/").with(&[("authorization", "Basic !!!")]),
            stranger("GET", "/v2/").with(&[("authorization", "Basic bm9jb2xvbg==")]),
            stranger("GET", "/v2/").with(&[
                ("authorization", "Basic YTpi"),
                ("authorization", "Basic YTpi"),
            ]),
        ],
    )
    .by(Who::Stranger),
    Row::new(
        "G18",
        &[
            stranger("GET", "/v2/").with(&[("authorization", "Digest x")]),
            stranger("GET", "/v2/").with(&[("authorization", "Bearer ")]),
            stranger("GET", "/v2/").with(&[("authorization", "bearer x")]),
        ],
    )
    .by(Who::Stranger),
    Row::new(
        "G20",
        &[Step::new("OPTIONS", "/v2/acme/app/manifests/v1", &[204])
            .with(&[
                ("origin", "https://evil.example"),
                ("access-control-request-method", "PUT"),
            ])
            .has(&[
                ("access-control-allow-origin", Has::None),
                ("allow", Has::Part("GET")),
            ])],
    ),
];

/// A request of somebody who has not said who they are.
const fn stranger(method: &'static str, target: &'static str) -> Step {
    Step::new(method, target, &[401])
        .code("UNAUTHORIZED")
        .has(&[("www-authenticate", Has::Any)])
}

/// A request with a token that is good for something else: what is not there looks like what is not theirs.
const fn outsider(method: &'static str, target: &'static str) -> Step {
    Step::new(method, target, &[401])
        .code("UNAUTHORIZED")
        .has(&[(
            "www-authenticate",
            Has::Part("error=\"insufficient_scope\""),
        )])
}
