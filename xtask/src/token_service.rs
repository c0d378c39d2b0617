//! A small token service for the tests: answers `GET /token` as the Docker token specification says, and `POST /token` as its OAuth2 one.
//!
//! It signs with a key it makes itself. It knows one name and password, grants them whatever they ask for, and grants others nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answering::{Answer, Port, Request};
use crate::server::{ISSUER, PASSWORD, SERVICE, USER};
use crate::signing::{self, Signer};

/// How long a token lives, in seconds: longer than any test, shorter than a working day.
const LIFE_SECS: u64 = 600;

/// A running service; its threads end with the process.
#[derive(Debug)]
pub(crate) struct TokenService {
    port: u16,
}

struct Granter {
    signer: Signer,
    /// What [`USER`] may pull besides what it asks for.
    readable: Vec<String>,
}

/// What a client asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// `repository:NAME:ACTIONS` each.
    scopes: Vec<String>,
    /// `name:password`, from `Authorization: Basic` or from a form.
    login: Option<String>,
}

impl TokenService {
    /// Listens on a free port of this machine and writes the public key as a JSON Web Key Set to `jwks`.
    ///
    /// Every token of the known user also lets it pull the repositories in `readable`: a registry knows of rights
    /// only what the token says, and mounts only from where the caller may read.
    ///
    /// # Errors
    /// When no port is free, no key can be made or the file cannot be written.
    pub(crate) fn start(jwks: &Path, readable: &[&str]) -> Result<Self> {
        let granter = Granter::new(readable)?;
        fs::write(jwks, granter.signer.jwks().to_string())
            .with_context(|| format!("{} cannot be written", jwks.display()))?;
        let port = Port::new()?;
        let number = port.number;
        port.serve(move |request| granter.answer(&asked(request), signing::now()?));
        Ok(Self { port: number })
    }

    /// The address that a registry names in its challenge. The host has a name: crane and cosign go to no private IP address for tokens.
    pub(crate) fn realm(&self) -> String {
        format!("http://localhost:{}/token", self.port)
    }
}

impl Granter {
    fn new(readable: &[&str]) -> Result<Self> {
        Ok(Self {
            signer: Signer::new()?,
            readable: readable.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    fn token(&self, subject: &str, access: &[Value], now: u64) -> Result<String> {
        self.signer.token(&json!({
            "iss": ISSUER, "sub": subject, "aud": SERVICE, "iat": now, "nbf": now, "exp": now + LIFE_SECS,
            "jti": format!("{now}-{}", access.len()), "access": access,
        }))
    }

    /// The status and the body for what was asked.
    fn answer(&self, asked: &Asked, now: u64) -> Result<Answer> {
        let known = asked.login.as_deref() == Some(&format!("{USER}:{PASSWORD}"));
        if asked.login.is_some() && !known {
            return Ok((
                "401 Unauthorized",
                json!({"details": "incorrect username or password"}),
            ));
        }
        let besides = self
            .readable
            .iter()
            .map(|name| format!("repository:{name}:pull"));
        let access: Vec<Value> = if known {
            asked
                .scopes
                .iter()
                .cloned()
                .chain(besides)
                .filter_map(|scope| granted(&scope))
                .collect()
        } else {
            Vec::new()
        };
        let token = self.token(if known { USER } else { "" }, &access, now)?;
        Ok((
            "200 OK",
            json!({"token": token, "access_token": token, "expires_in": LIFE_SECS}),
        ))
    }
}

/// The entry of `access` for one scope; a name may hold colons, a type and a list of actions may not.
fn granted(scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    Some(json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()}))
}

/// What a request asks for in its query or, where it has one, in its form.
fn asked(request: &Request) -> Asked {
    let query = request
        .target()
        .split_once('?')
        .map_or("", |(_, query)| query);
    let fields: Vec<(&str, String)> = query
        .split('&')
        .chain(request.body.split('&'))
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key, decoded(value)))
        .collect();
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name);
    let scopes = fields.iter().filter(|(key, _)| *key == "scope");
    // One parameter may hold several scopes.
    let scopes = scopes.flat_map(|(_, value)| value.split(' ').map(str::to_owned));
    let basic = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "));
    let basic = basic.map(|value| STANDARD.decode(value).unwrap_or_default());
    let typed = || {
        let ((_, name), (_, password)) = (field("username")?, field("password")?);
        Some(format!("{name}:{password}"))
    };
    Asked {
        scopes: scopes.collect(),
        login: basic
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .or_else(typed),
    }
}

/// A query value without its escapes.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, tail @ ..]) => {
                bytes.extend(hex::decode([*high, *low]).unwrap_or_default());
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn ask(first: &str, login: &str) -> Asked {
        asked(&Request {
            first: first.to_owned(),
            headers: vec![format!("authorization: Basic {}", STANDARD.encode(login))],
            ..Request::default()
        })
    }

    /// What the token says that this is answered with.
    fn claims(granter: &Granter, asked: &Asked) -> Value {
        let (status, body) = granter.answer(asked, 1000).unwrap();
        assert_eq!(status, "200 OK");
        let part = body["token"].as_str().unwrap().split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn scopes_are_read_whether_repeated_or_joined() {
        let asked = ask(
            "GET /token?scope=repository%3Aa/b%3Apull&service=x&scope=x:y:z+k:l:m HTTP/1.1",
            "u:p",
        );
        assert_eq!(asked.scopes, ["repository:a/b:pull", "x:y:z", "k:l:m"]);
        assert_eq!(asked.login.as_deref(), Some("u:p"));
    }

    #[test]
    fn a_form_asks_like_a_query() {
        let form = "grant_type=password&username=u&password=p+%26&scope=a%3Ab%3Ac+x:y:z&service=x";
        let asked = asked(&Request {
            first: "POST /token HTTP/1.1".to_owned(),
            body: form.to_owned(),
            ..Request::default()
        });
        assert_eq!(asked.scopes, ["a:b:c", "x:y:z"]);
        assert_eq!(asked.login.as_deref(), Some("u:p &"));
    }

    #[test]
    fn a_token_holds_what_was_asked_for() {
        let granter = Granter::new(&[]).unwrap();
        let asked = ask(
            "GET /token?scope=repository:a:5/b:pull,push HTTP/1.1",
            &format!("{USER}:{PASSWORD}"),
        );
        let claims = claims(&granter, &asked);
        assert_eq!(
            claims["access"],
            json!([{"type": "repository", "name": "a:5/b", "actions": ["pull", "push"]}])
        );
        assert_eq!(claims["exp"], json!(1000 + LIFE_SECS));
    }

    #[test]
    fn what_is_readable_besides_is_in_every_token_of_the_known_user() {
        let granter = Granter::new(&["x/y"]).unwrap();
        let asked = ask(
            "GET /token?scope=repository:a:push HTTP/1.1",
            &format!("{USER}:{PASSWORD}"),
        );
        assert_eq!(
            claims(&granter, &asked)["access"][1],
            json!({"type": "repository", "name": "x/y", "actions": ["pull"]})
        );
    }

    #[test]
    fn a_wrong_password_is_refused_and_nobody_gets_nothing() {
        let granter = Granter::new(&[]).unwrap();
        let (status, _) = granter
            .answer(&ask("GET /token HTTP/1.1", "alice:wrong"), 0)
            .unwrap();
        assert!(status.starts_with("401"));
        let nobody = asked(&Request {
            first: "GET /token?scope=repository:a:pull HTTP/1.1".to_owned(),
            ..Request::default()
        });
        assert_eq!(claims(&granter, &nobody)["access"], json!([]));
    }
}
