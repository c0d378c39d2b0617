//! What must hold for any token and any set of keys.
//!
//! A token that was accepted is read a second time here, by a general JSON reader: what it was taken to say must be what
//! it says to others, and no right may come from anything but an entry of its own.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use longshore_core::{Actor, On, Rights, Verb, Verbs};
use rustls_pki_types::CertificateDer;
use serde_json::Value;

use super::chain::Roots;
use super::claims::{Claims, Expected, Leeway};
use super::jws::Jws;
use super::key::Key;
use super::keys::{Bundle, JwkSet};
use crate::header::{self, Credentials};
use crate::options::Limits;
use crate::watched::Parsed as _;

const ISSUER: &str = "issuer";
const SERVICE: &str = "service";
/// A moment at which the certificates among the first inputs are valid, in seconds since 1970.
const NOW_SECS: u64 = 1_900_000_010;

/// What a stranger sends as `Authorization`, as a token in it, and as the parts of such a token.
///
/// The input is tried as each of the first two. It is also taken for the two parts of a token without their encoding,
/// the header up to the first line break and the claims after it: a fuzzer does not see through base64.
///
/// # Panics
/// When one of these does not hold, or a parser panics.
pub fn tokens(input: &[u8]) {
    authorization(input);
    if let Ok(jws) = Jws::parse(input) {
        assert!(input.starts_with(jws.signed));
        check_chain(&jws);
    }
    let at = input.iter().position(|byte| *byte == b'\n');
    let (header, claims) = match at {
        Some(at) => input.split_at(at),
        None => (input, &[][..]),
    };
    let claims = claims.get(1..).unwrap_or_default();
    let [first, second, third] =
        [header, claims, &[1; 64]].map(|part| URL_SAFE_NO_PAD.encode(part));
    let token = format!("{first}.{second}.{third}");
    if let Ok(jws) = Jws::parse(token.as_bytes()) {
        assert_eq!(jws.payload().as_deref(), Ok(claims));
        assert_eq!(jws.signed, format!("{first}.{second}").as_bytes());
        assert_eq!(jws.signature, [1; 64]);
        check_header(header, &jws);
        check_chain(&jws);
    }
    check_claims(claims);
}

/// Sets of keys: a token server's answer, the operator's files, and the certificates and keys in them.
///
/// The input is tried as each.
///
/// # Panics
/// When one of these does not hold, or a parser panics.
pub fn keys(input: &[u8]) {
    if JwkSet::parse(input).is_ok() {
        let other: Option<Value> = serde_json::from_slice(input).ok();
        let listed = other.as_ref().and_then(|set| set.get("keys")?.as_array());
        assert!(listed.is_some_and(|keys| !keys.is_empty()));
    }
    drop(Bundle::parse(input));
    if let Ok(key) = Key::from_spki(input) {
        assert_eq!(key.thumbprint.len(), 43);
        assert_eq!(key.libtrust.len(), 59);
        assert!(!key.verify(b"", &[]));
    }
    let mut roots = Roots::default();
    roots.trust(&CertificateDer::from(input));
    let chain = [input.to_vec()];
    assert!(Roots::default().key_of(&chain, now()).is_err());
    if let Ok((_, until)) = roots.key_of(&chain, now()) {
        assert!(until >= now());
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_SECS)
}

/// Credentials are inside their bounds, and are the same when they are written once more.
fn authorization(value: &[u8]) {
    let limits = Limits::default();
    match Credentials::parse([value], &limits) {
        Ok(Credentials::Basic { user, password }) => {
            assert!((1..=header::MAX_USER_BYTES).contains(&user.len()));
            assert!(!user.contains(':') && !user.chars().any(char::is_control));
            let most = limits.password_bytes.max(limits.assertion_bytes);
            assert!((1..=most).contains(&password.len()));
            let plain = [user.as_bytes(), b":", &password].concat();
            let again = format!("Basic {}", STANDARD.encode(plain));
            let again = Credentials::parse([again.as_bytes()], &limits);
            assert!(again == Ok(Credentials::Basic { user, password }));
        }
        Ok(Credentials::Bearer(token)) => {
            assert!((1..=limits.token_bytes).contains(&token.len()));
            assert!(value.trim_ascii().ends_with(token));
        }
        Ok(Credentials::None) | Err(_) => {}
    }
}

/// Nothing chooses the rules, and the algorithm and name are those that anybody would read there.
fn check_header(header: &[u8], jws: &Jws<'_>) {
    let header: Value = serde_json::from_slice(header).unwrap_or_default();
    let algorithm = header.get("alg").and_then(Value::as_str);
    assert!(matches!(
        algorithm,
        Some("RS256" | "ES256" | "ES384" | "EdDSA")
    ));
    assert_eq!(
        header.get("kid").and_then(Value::as_str),
        jws.kid.as_deref()
    );
    assert_eq!(header.get("x5c").is_some(), jws.chain.is_some());
    for refused in ["jwk", "jku", "x5u", "crit", "zip", "b64"] {
        assert!(header.get(refused).is_none(), "{refused}");
    }
}

/// A chain leads nowhere without roots, and under a root no further than time allows.
fn check_chain(jws: &Jws<'_>) {
    let Some(chain) = &jws.chain else { return };
    assert!(Roots::default().key_of(chain, now()).is_err());
    let mut roots = Roots::default();
    if let Some(last) = chain.last() {
        roots.trust(&CertificateDer::from(last.as_slice()));
    }
    if let Ok((_, until)) = roots.key_of(chain, now()) {
        assert!(until >= now());
    }
}

/// Claims are for us, end, and give what their own entries name.
fn check_claims(payload: &[u8]) {
    let expected = Expected {
        issuer: ISSUER.to_owned(),
        audience: SERVICE.to_owned(),
        entries: Limits::default().token_access,
        strangers: Rights::Nothing,
        looked_up: false,
    };
    let Ok(claims) = Claims::read(payload, &expected) else {
        return;
    };
    let other: Value = serde_json::from_slice(payload).unwrap_or_default();
    assert_eq!(other.get("iss").and_then(Value::as_str), Some(ISSUER));
    assert!(match other.get("aud") {
        Some(Value::Array(names)) => names.iter().any(|name| name == SERVICE),
        name => name.and_then(Value::as_str) == Some(SERVICE),
    });
    let expires = other.get("exp").and_then(Value::as_u64);
    assert!(expires.is_some(), "claims without an end were accepted");
    let leeway = Duration::from_mins(1);
    let over = SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(expires.unwrap_or_default()))
        .and_then(|end| end.checked_add(leeway));
    if let Some(over) = over {
        let leeway = Leeway {
            early: leeway,
            late: leeway,
        };
        assert!(claims.check_time(over, leeway).is_err());
    }
    let subject = other.get("sub").and_then(Value::as_str).unwrap_or_default();
    match &claims.actor {
        Actor::Named(name) => assert!(&**name == subject && !subject.contains('\n')),
        other => assert!(*other == Actor::Anonymous && subject.is_empty()),
    }
    check_rights(&claims.rights, other.get("access"));
}

/// Each verb on each repository stands in an entry for it.
fn check_rights(rights: &Rights, access: Option<&Value>) {
    let grants = match rights {
        Rights::Listed(grants) => grants.as_ref(),
        Rights::Nothing | Rights::Everything => &[],
    };
    assert!(*rights != Rights::Everything, "a token gave everything");
    let entries = access
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    for grant in grants {
        let (kind, name) = match &grant.on {
            On::Repo(name) => ("repository", name.to_string()),
            // No entry can name every repository.
            On::Catalog | On::EveryRepo | On::Within(_) => ("registry", "catalog".to_owned()),
        };
        // The list of repositories says which there are, and lets nobody into them.
        let only_lists = grant.verbs == Verbs::NONE.with(Verb::Catalog);
        assert!(
            !matches!(grant.on, On::Within(_)) && (grant.on != On::EveryRepo || only_lists),
            "a token gave repositories that it does not name"
        );
        for verb in [Verb::Pull, Verb::Push, Verb::Delete, Verb::Catalog] {
            let says_so = |entry: &Value| {
                let text = |member| entry.get(member).and_then(Value::as_str);
                let actions = entry.get("actions").and_then(Value::as_array);
                text("type").is_some_and(|text| text.starts_with(kind))
                    && text("name") == Some(&name)
                    && actions.is_some_and(|actions| {
                        actions.iter().any(|a| a == verb.action() || a == "*")
                    })
            };
            assert!(!grant.verbs.has(verb) || entries.iter().any(says_so));
        }
    }
}
