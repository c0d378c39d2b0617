//! What is said of a request's endpoint: its name, and how it can be read.

use longshore_spec::route::Request;

/// The names of endpoints in logs and metrics. The last is everything that is no endpoint.
pub const ROUTES: [&str; 14] = [
    "ping",
    "catalog",
    "tags",
    "referrers",
    "blob",
    "manifest",
    "uploads",
    "upload",
    "search",
    TOKEN,
    KEYS,
    API,
    SIGN_IN,
    OTHER,
];

/// Where tokens are given out.
pub(super) const TOKEN: &str = "token";

/// Where the keys of tokens are shown.
pub(super) const KEYS: &str = "keys";

/// Everything that is not of the distribution API and has a crate of its own.
pub(super) const API: &str = "api";

/// Where browsers log in.
pub(super) const SIGN_IN: &str = "signin";

/// What is no endpoint, or none that the request's grammar could tell.
pub(super) const OTHER: &str = "other";

/// The endpoint's name in logs and metrics.
pub(super) const fn endpoint(request: &Request) -> &'static str {
    match request {
        Request::Ping => "ping",
        Request::V1Ping | Request::V1Search { .. } => "search",
        Request::Catalog { .. } => "catalog",
        Request::Tags { .. } => "tags",
        Request::Referrers { .. } => "referrers",
        Request::GetBlob { .. } | Request::HeadBlob { .. } | Request::DeleteBlob { .. } => "blob",
        Request::GetManifest { .. }
        | Request::HeadManifest { .. }
        | Request::PutManifest { .. }
        | Request::DeleteManifest { .. } => "manifest",
        Request::StartUpload { .. } => "uploads",
        Request::UploadStatus { .. }
        | Request::AppendUpload { .. }
        | Request::FinishUpload { .. }
        | Request::AbortUpload { .. } => "upload",
    }
}

/// The methods with which a request's endpoint can be read: what is left when an operation is not offered.
pub(super) const fn reading(request: &Request) -> &'static str {
    match request {
        Request::StartUpload { .. } => "",
        _ => "GET, HEAD",
    }
}

#[cfg(test)]
mod tests {
    use longshore_spec::route::parse;

    use super::*;

    #[test]
    fn every_endpoint_has_a_name_of_the_list_and_every_name_an_endpoint() {
        let digest = longshore_spec::Digest::of(longshore_spec::Algorithm::Sha256, b"");
        let upload = "/v2/a/blobs/uploads/01234567-89ab-7def-8123-456789abcdef";
        let mut names = Vec::new();
        for (method, path) in [
            ("GET", "/v2/"),
            ("GET", "/v2/_catalog"),
            ("GET", "/v2/a/tags/list"),
            ("GET", &format!("/v2/a/referrers/{digest}")),
            ("GET", &format!("/v2/a/blobs/{digest}")),
            ("HEAD", &format!("/v2/a/blobs/{digest}")),
            ("DELETE", &format!("/v2/a/blobs/{digest}")),
            ("GET", "/v2/a/manifests/1"),
            ("HEAD", "/v2/a/manifests/1"),
            ("PUT", "/v2/a/manifests/1"),
            ("DELETE", "/v2/a/manifests/1"),
            ("POST", "/v2/a/blobs/uploads/"),
            ("GET", upload),
            ("PATCH", upload),
            ("DELETE", upload),
            ("GET", "/v1/_ping"),
            ("GET", "/v1/search"),
        ] {
            let name = endpoint(&parse(method, path, None).unwrap());
            assert!(ROUTES.contains(&name), "{name}");
            names.push(name);
        }
        names.dedup();
        // Not of the distribution API, so not of its grammar.
        names.extend([TOKEN, KEYS, API, SIGN_IN, OTHER]);
        assert_eq!(names, ROUTES);
    }
}
