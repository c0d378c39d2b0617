//! From a path to an endpoint and the values in it.
//!
//! Names of namespaces and repositories have slashes. They may be written as such or as `%2F`; what comes after such a name comes
//! after `/-/`, which is in no name.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::endpoint::{Endpoint, endpoints};
use crate::problem::{NOT_ALLOWED, NOT_FOUND, Problem};

/// The values in a path, by their names.
pub(crate) type Values = Vec<(&'static str, String)>;

/// The endpoint that a request is for.
pub(crate) fn find(method: &Method, path: &str) -> Result<(&'static Endpoint, Values), Problem> {
    let mut allowed: Vec<&str> = Vec::new();
    // An answer without its body is asked for by another method, and is the same.
    let wanted = match method.as_str() {
        "HEAD" => "GET",
        wanted => wanted,
    };
    for endpoint in endpoints() {
        let Some(values) = values(endpoint.path, path) else {
            continue;
        };
        if endpoint.method.as_str() == wanted {
            return Ok((endpoint, values));
        }
        allowed.push(endpoint.method.as_str());
    }
    if allowed.is_empty() {
        return Err(Problem::new(
            NOT_FOUND,
            "there is nothing of that path; /api/v1/openapi.json says what there is",
        ));
    }
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    Err(
        Problem::new(NOT_ALLOWED, format!("{method} cannot be used here"))
            .allowing(allowed.join(", ")),
    )
}

/// The values of a path that looks like the template.
fn values(template: &'static str, path: &str) -> Option<Values> {
    let mut found = Vec::new();
    let (mut of, mut left) = (template.split("/-/"), path.split("/-/"));
    loop {
        match (of.next(), left.next()) {
            (None, None) => return Some(found),
            (Some(of), Some(left)) => part(of, left, &mut found)?,
            _ => return None,
        }
    }
}

/// One part between two `/-/`.
fn part(template: &'static str, path: &str, found: &mut Values) -> Option<()> {
    let (mut of, mut left) = (template.split('/').peekable(), path);
    while let Some(word) = of.next() {
        let name = word.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
        let is_last = of.peek().is_none();
        // The last name takes the slashes along, where it may have some.
        let (head, rest) = match left.split_once('/') {
            Some(_) if is_last && name.is_some_and(has_slashes) => (left, None),
            Some((head, rest)) => (head, Some(rest)),
            None => (left, None),
        };
        match name {
            Some(_) if head.is_empty() => return None,
            Some(name) => {
                let text = percent_decode_str(head).decode_utf8().ok()?;
                found.push((name, text.into_owned()));
            }
            None if head == word => {}
            None => return None,
        }
        match (is_last, rest) {
            (true, None) => return Some(()),
            (false, Some(rest)) => left = rest,
            _ => return None,
        }
    }
    None
}

/// Whether what such a name stands for may have slashes.
pub(crate) fn has_slashes(name: &str) -> bool {
    matches!(name, "namespace" | "repository" | "path")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &Method, path: &str) -> Option<(&'static str, Vec<String>)> {
        let (endpoint, values) = find(method, path).ok()?;
        let values = values.into_iter().map(|(_, value)| value).collect();
        Some((endpoint.id, values))
    }

    #[test]
    fn names_keep_their_slashes_and_what_is_theirs_comes_after_a_dash() {
        let get = &Method::GET;
        let told = |id, values: &[&str]| {
            let values = values.iter().map(|it| (*it).to_owned()).collect();
            Some((id, values))
        };
        assert_eq!(
            of(get, "/repositories/acme/web/api"),
            told("repository-get", &["acme/web/api"])
        );
        assert_eq!(
            of(get, "/repositories/acme%2Fapi"),
            told("repository-get", &["acme/api"])
        );
        assert_eq!(
            of(get, "/repositories/acme/-/tags"),
            told("repository-tags", &["acme"])
        );
        assert_eq!(
            of(get, "/repositories/a/tags"),
            told("repository-get", &["a/tags"])
        );
        assert_eq!(of(get, "/users/alice"), told("user-get", &["alice"]));
        assert_eq!(of(&Method::HEAD, "/users"), told("user-list", &[]));
        for nothing in [
            "",
            "/",
            "/users/",
            "/users/a/b",
            "/user",
            "/users//",
            "/repositories/",
            "//users",
            "/repositories/-/tags",
        ] {
            assert_eq!(of(get, nothing), None, "{nothing}");
        }
        assert!(find(&Method::DELETE, "/users").is_err());
    }

    #[test]
    fn no_two_endpoints_have_one_name_or_one_path_and_method() {
        let all: Vec<_> = endpoints().collect();
        for (at, one) in all.iter().enumerate() {
            for other in all.iter().skip(at + 1) {
                assert_ne!(one.id, other.id);
                assert!(
                    one.method != other.method || one.path != other.path,
                    "{}",
                    one.id
                );
            }
        }
    }
}
