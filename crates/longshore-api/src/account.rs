//! The page that letters lead to: it sends the code of the link to the API, with what its reader types.
//!
//! There is nothing of anybody in it: the code stands behind the `#` of the address, which no server sees. What it may do is
//! said to the browser: its own script, requests to this host, nothing else.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};

/// What stands before all paths here.
const PREFIX: &str = "/account/";
const PAGE: &str = include_str!("account/page.html");
const SCRIPT: &str = include_str!("account/page.js");
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-cache"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Whether a path is one of the page's.
pub fn is_for(path: &str) -> bool {
    found(path).is_some()
}

fn found(path: &str) -> Option<(&'static str, &'static str)> {
    match path.strip_prefix(PREFIX)? {
        "join" | "reset" | "confirm" | "forgot" => Some(("text/html; charset=utf-8", PAGE)),
        "page.js" => Some(("text/javascript; charset=utf-8", SCRIPT)),
        _ => None,
    }
}

/// The page, or its script; to `HEAD` with the body that `GET` would have.
pub fn answer(method: &Method, path: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let Some((kind, body)) = found(path) else {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if method == Method::GET || method == Method::HEAD {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        *response.body_mut() = Bytes::from_static(body.as_bytes());
    } else {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{Needs, Way, endpoints};

    #[test]
    fn each_page_of_a_letter_is_there_and_runs_nothing_but_its_own_script() {
        for path in [
            "/account/join",
            "/account/reset",
            "/account/confirm",
            "/account/forgot",
            "/account/page.js",
        ] {
            assert!(is_for(path), "{path}");
            let answer = answer(&Method::GET, path);
            assert_eq!(answer.status(), 200);
            let policy = &answer.headers()[header::CONTENT_SECURITY_POLICY];
            let policy = policy.to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'"));
            assert!(!policy.contains("unsafe"));
        }
        assert_eq!(answer(&Method::POST, "/account/join").status(), 405);
        for path in ["/account/", "/account", "/account/join/", "/account/../x"] {
            assert!(!is_for(path), "{path}");
        }
        // What runs stands in the script alone.
        assert_eq!(PAGE.matches("<script").count(), 1);
        for inline in ["onclick", "onsubmit", "onload", "javascript:", "style="] {
            assert!(!PAGE.contains(inline), "{inline}");
        }
        assert!(!SCRIPT.contains("innerHTML"));
    }

    #[test]
    fn the_script_asks_endpoints_that_are_there_and_need_no_login() {
        for path in [
            "/sign-up/complete",
            "/password-resets/complete",
            "/mail-confirmations",
            "/password-resets",
        ] {
            assert!(SCRIPT.contains(&format!("\"{}\"", &path[1..])), "{path}");
            let known = endpoints()
                .any(|it| it.path == path && it.method == Way::Post && it.needs == Needs::Anybody);
            assert!(known, "{path}");
        }
    }
}
