//! Credentials as registry clients use them: sent when asked for, tokens fetched where the challenge says and kept per
//! repository and kind of access.
//!
//! Source: docker token authentication specification; RFC 9110, section 11.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Answer, Ask};

/// Who a client says it is.
#[derive(Debug, Clone)]
pub enum Login {
    /// Nobody: challenges are left unanswered.
    Nobody,
    /// A token, or anything else that goes into `Authorization` as it is, with every request.
    Always(String),
    /// A name and a password, given to whoever the registry's challenge names: itself (Basic) or a token server
    /// (Bearer).
    Asked(Asked),
}

/// A name, a password, and what they have opened so far.
#[derive(Debug, Clone)]
pub struct Asked {
    basic: String,
    kept: BTreeMap<String, String>,
}

/// What to do about a challenge.
#[derive(Debug)]
pub(super) enum Next {
    Send(String),
    Fetch {
        server: SocketAddr,
        ask: Ask,
        basic: String,
    },
}

impl Login {
    /// A name and a password, to be used as challenges ask.
    pub fn with_password(user: &str, password: &str) -> Self {
        Self::Asked(Asked {
            basic: basic(user, password),
            kept: BTreeMap::new(),
        })
    }

    /// A name and a password in every request, asked for or not.
    pub fn always_basic(user: &str, password: &str) -> Self {
        Self::Always(basic(user, password))
    }

    /// A token in every request.
    pub fn always_bearer(token: &str) -> Self {
        Self::Always(format!("Bearer {token}"))
    }

    /// What to send with `ask` before anybody has challenged it.
    pub(super) fn known(&self, ask: &Ask) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::Always(credentials) => Some(credentials.clone()),
            Self::Asked(asked) => asked.kept.get(&purpose(ask)).cloned(),
        }
    }

    pub(super) fn keep(&mut self, ask: &Ask, credentials: String) {
        if let Self::Asked(asked) = self {
            asked.kept.insert(purpose(ask), credentials);
        }
    }

    /// How to answer a challenge; `None` when this login has nothing to answer with.
    pub(super) fn challenged(
        &self,
        answer: &Answer,
        registry: SocketAddr,
    ) -> io::Result<Option<Next>> {
        let Self::Asked(asked) = self else {
            return Ok(None);
        };
        let challenge = answer
            .header("www-authenticate")
            .ok_or_else(|| bad("a 401 without WWW-Authenticate"))?;
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(Some(Next::Send(asked.basic.clone())));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(bad("a challenge that is neither Basic nor Bearer"));
        }
        let params = params(rest);
        let realm = params
            .get("realm")
            .ok_or_else(|| bad("a Bearer challenge without a realm"))?;
        let (server, mut target) = server_and_path(realm, registry)?;
        for (at, name) in ["service", "scope"].into_iter().enumerate() {
            if let Some(value) = params.get(name) {
                target.push(if at == 0 { '?' } else { '&' });
                target.push_str(name);
                target.push('=');
                target.push_str(&escaped(value));
            }
        }
        let ask = Ask::new("GET", target).header("accept", "application/json");
        Ok(Some(Next::Fetch {
            server,
            ask,
            basic: asked.basic.clone(),
        }))
    }
}

/// The token in a token server's answer, as a header value.
pub(super) fn bearer(answer: &Answer) -> io::Result<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let token = body
        .get("access_token")
        .or_else(|| body.get("token"))
        .and_then(Value::as_str);
    match (answer.status, token) {
        (200, Some(token)) => Ok(format!("Bearer {token}")),
        _ => Err(bad("the token server gave no token")),
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// Credentials are kept per repository and kind of access, as clients do that ask for no more than they need.
fn purpose(ask: &Ask) -> String {
    let path = ask.target.split('?').next().unwrap_or_default();
    let words = ["/blobs/", "/manifests/", "/tags/", "/referrers/"];
    let repo = words
        .iter()
        .filter_map(|word| path.rfind(word))
        .max()
        .and_then(|end| path.get(..end));
    let access = match ask.method {
        "GET" | "HEAD" => "pull",
        "DELETE" => "delete",
        _ => "push",
    };
    format!("{access} {}", repo.unwrap_or(path))
}

/// `a="b",c="d"` as a map, names in lower case.
fn params(text: &str) -> BTreeMap<String, String> {
    let mut params = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let Some((value, after)) = after.split_once('"') else {
            break;
        };
        params.insert(
            name.trim_matches([',', ' ']).to_ascii_lowercase(),
            value.to_owned(),
        );
        rest = after;
    }
    params
}

fn server_and_path(realm: &str, registry: SocketAddr) -> io::Result<(SocketAddr, String)> {
    if realm.starts_with('/') {
        return Ok((registry, realm.to_owned()));
    }
    let rest = realm
        .strip_prefix("http://")
        .ok_or_else(|| bad("a realm this client cannot reach"))?;
    let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
    let server = server
        .replace("localhost", "127.0.0.1")
        .parse()
        .map_err(|_| bad("a realm that is no address"))?;
    Ok((server, format!("/{path}")))
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    out
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}

fn bad(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_with_commas_and_spaces_inside_its_quotes() {
        let read = params(
            r#"realm="http://127.0.0.1:1/token",service="reg", scope="repository:a:pull,push repository:b:pull""#,
        );
        assert_eq!(read.get("service").unwrap(), "reg");
        assert_eq!(
            read.get("scope").unwrap(),
            "repository:a:pull,push repository:b:pull"
        );
    }

    #[test]
    fn a_token_for_pulling_is_not_sent_with_a_push_nor_with_another_repository() {
        let of = |method, target: &str| purpose(&Ask::new(method, target));
        assert_eq!(of("GET", "/v2/a/blobs/x"), of("HEAD", "/v2/a/manifests/y"));
        assert_ne!(
            of("GET", "/v2/a/blobs/x"),
            of("PUT", "/v2/a/blobs/uploads/x")
        );
        assert_ne!(of("GET", "/v2/a/blobs/x"), of("GET", "/v2/b/blobs/x"));
        assert_eq!(
            of("POST", "/v2/a/blobs/uploads/"),
            of("PUT", "/v2/a/manifests/t")
        );
    }
}
