//! A small token service for the tests: answers `GET /token` as the Docker token specification says, and `POST /token` as its OAuth2 one.
//!
//! It signs with a key it makes itself and builds tokens by hand, on purpose: a service that used the server's own token library could
//! not show a mistake that both share. It knows one name and password, grants them whatever they ask for, and grants others nothing.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::{ISSUER, PASSWORD, SERVICE, USER};

/// How long a token lives, in seconds: longer than any test, shorter than a working day.
const LIFE_SECS: u64 = 600;
/// No request of a client is longer, its form included.
const REQUEST_BYTES: u64 = 64 << 10;

/// A running service; its threads end with the process.
#[derive(Debug)]
pub(crate) struct TokenService {
    port: u16,
}

struct Signer {
    pair: EcdsaKeyPair,
    kid: String,
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
        let (signer, keys) = Signer::new(readable)?;
        fs::write(jwks, keys.to_string())
            .with_context(|| format!("{} cannot be written", jwks.display()))?;
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
        let port = listener
            .local_addr()
            .context("a port has no number")?
            .port();
        let signer = Arc::new(signer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let signer = Arc::clone(&signer);
                // A client that goes away in the middle is its own affair.
                thread::spawn(move || serve(stream, &signer).ok());
            }
        });
        Ok(Self { port })
    }

    /// The address that a registry names in its challenge. The host has a name: crane and cosign go to no private IP address for tokens.
    pub(crate) fn realm(&self) -> String {
        format!("http://localhost:{}/token", self.port)
    }
}

impl Signer {
    fn new(readable: &[&str]) -> Result<(Self, Value)> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .context("no key could be made")?;
        // An uncompressed point: one byte of form, then the two coordinates.
        let point = pair.public_key().as_ref();
        let coordinates = point.get(1..).context("a public key is empty")?;
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638: the hash of the required members, in this order and without spaces.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        let key = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256"});
        let readable = readable.iter().map(|name| (*name).to_owned()).collect();
        Ok((
            Self {
                pair,
                kid,
                readable,
            },
            json!({ "keys": [key] }),
        ))
    }

    fn token(&self, subject: &str, access: &[Value], now: u64) -> Result<String> {
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": self.kid});
        let claims = json!({
            "iss": ISSUER, "sub": subject, "aud": SERVICE, "iat": now, "nbf": now, "exp": now + LIFE_SECS,
            "jti": format!("{now}-{}", access.len()), "access": access,
        });
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .context("signing failed")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The status and the body for what was asked.
    fn answer(&self, asked: &Asked, now: u64) -> Result<(&'static str, Value)> {
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

fn serve(stream: TcpStream, signer: &Signer) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(REQUEST_BYTES));
    let mut lines = reader.by_ref().lines();
    let first = lines.next().context("an empty request")??;
    let headers: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let length = header(&headers, "content-length").map_or(Ok(0), str::parse)?;
    let mut form = String::new();
    reader.take(length).read_to_string(&mut form)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "this is a service of its own, at the edge; its clock is the machine's"
    )]
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs();
    let (status, body) = signer.answer(&asked(&first, &headers, &form), now)?;
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    Ok(stream.write_all(body.as_bytes())?)
}

/// The value of the header with this name, which is given in small letters.
fn header<'a>(headers: &'a [String], name: &str) -> Option<&'a str> {
    headers.iter().find_map(|header| {
        let (key, value) = header.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// What a request asks for in its query or, where it has one, in its form.
fn asked(first: &str, headers: &[String], form: &str) -> Asked {
    let target = first.split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let fields: Vec<(&str, String)> = query
        .split('&')
        .chain(form.split('&'))
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key, decoded(value)))
        .collect();
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name);
    let scopes = fields.iter().filter(|(key, _)| *key == "scope");
    // One parameter may hold several scopes.
    let scopes = scopes.flat_map(|(_, value)| value.split(' ').map(str::to_owned));
    let basic = header(headers, "authorization").and_then(|value| value.strip_prefix("Basic "));
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
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    fn ask(first: &str, login: &str) -> Asked {
        asked(
            first,
            &[format!("authorization: Basic {}", STANDARD.encode(login))],
            "",
        )
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
        let asked = asked("POST /token HTTP/1.1", &[], form);
        assert_eq!(asked.scopes, ["a:b:c", "x:y:z"]);
        assert_eq!(asked.login.as_deref(), Some("u:p &"));
    }

    #[test]
    fn a_token_holds_what_was_asked_for_and_its_signature_fits_the_published_key() {
        let (signer, keys) = Signer::new(&[]).unwrap();
        let login = format!("{USER}:{PASSWORD}");
        let (status, body) = signer
            .answer(
                &ask(
                    "GET /token?scope=repository:a:5/b:pull,push HTTP/1.1",
                    &login,
                ),
                1000,
            )
            .unwrap();
        assert_eq!(status, "200 OK");
        let token = body["token"].as_str().unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let part = |name: &str| {
            URL_SAFE_NO_PAD
                .decode(keys["keys"][0][name].as_str().unwrap())
                .unwrap()
        };
        let point = [vec![4], part("x"), part("y")].concat();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
        let claims = URL_SAFE_NO_PAD
            .decode(signed.split_once('.').unwrap().1)
            .unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            claims["access"],
            json!([{"type": "repository", "name": "a:5/b", "actions": ["pull", "push"]}])
        );
        assert_eq!(claims["exp"], json!(1000 + LIFE_SECS));
    }

    #[test]
    fn what_is_readable_besides_is_in_every_token_of_the_known_user() {
        let (signer, _) = Signer::new(&["x/y"]).unwrap();
        let login = format!("{USER}:{PASSWORD}");
        let (_, body) = signer
            .answer(
                &ask("GET /token?scope=repository:a:push HTTP/1.1", &login),
                0,
            )
            .unwrap();
        let claims = body["token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(
            claims["access"][1],
            json!({"type": "repository", "name": "x/y", "actions": ["pull"]})
        );
    }

    #[test]
    fn a_wrong_password_is_refused_and_nobody_gets_nothing() {
        let (signer, _) = Signer::new(&[]).unwrap();
        let (status, _) = signer
            .answer(&ask("GET /token HTTP/1.1", "alice:wrong"), 0)
            .unwrap();
        assert!(status.starts_with("401"));
        let nobody = asked("GET /token?scope=repository:a:pull HTTP/1.1", &[], "");
        let (_, body) = signer.answer(&nobody, 0).unwrap();
        let claims = body["token"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims["access"], json!([]));
    }
}
