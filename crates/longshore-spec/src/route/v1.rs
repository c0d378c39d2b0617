//! What is left of Docker's V1 protocol: the search that engines still ask for with it.
//!
//! Source: moby, `daemon/pkg/registry/search_endpoint_v1.go` and `search_session.go`.

use super::query::decode;
use super::{Request, RouteError};

/// Reads what stands behind `/v1/`.
pub(super) fn parse(method: &str, rest: &str, query: Option<&str>) -> Result<Request, RouteError> {
    let request = match rest {
        "_ping" => Request::V1Ping,
        "search" => search(query)?,
        _ => return Err(RouteError::V1),
    };
    match method {
        "GET" | "HEAD" => Ok(request),
        _ => Err(RouteError::NotAllowed { allow: "GET, HEAD" }),
    }
}

/// Forms write a blank as `+`, and so does the engine.
fn search(query: Option<&str>) -> Result<Request, RouteError> {
    let (mut words, mut n) = (None, None);
    for pair in query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        match name {
            "q" if words.is_none() => words = Some(decode(&value).into_owned()),
            "q" => return Err(RouteError::BadParameter { parameter: "q" }),
            "n" if n.is_none() => {
                if !value.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(RouteError::BadPageSize);
                }
                n = Some(value.parse().map_err(|_| RouteError::BadPageSize)?);
            }
            "n" => return Err(RouteError::BadPageSize),
            _ => {}
        }
    }
    Ok(Request::V1Search {
        words: words.unwrap_or_default(),
        n,
    })
}
