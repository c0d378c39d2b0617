//! An issuer of tokens for the jobs of a CI, as a trust rule expects one: it describes itself over HTTP (OpenID Connect Discovery),
//! and its tokens say which job has them.

use anyhow::Result;
use serde_json::{Value, json};

use crate::answering::{Answer, Port};
use crate::signing::{self, Signer};

/// How long a job's token lives, in seconds: longer than a client is tried.
const LIFE_SECS: u64 = 1800;

/// A running issuer; its threads end with the process.
pub(crate) struct CiIssuer {
    url: String,
    signer: Signer,
}

impl CiIssuer {
    /// Listens on a free port of this machine.
    ///
    /// # Errors
    /// When no port is free or no key can be made.
    pub(crate) fn start() -> Result<Self> {
        let signer = Signer::new()?;
        let port = Port::new()?;
        let url = format!("http://127.0.0.1:{}", port.number);
        let shown = (url.clone(), signer.jwks().clone());
        port.serve(move |request| Ok(answer(request.target(), &shown)));
        Ok(Self { url, signer })
    }

    /// Its name, to the letter.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What a job about `subject` presents to `audience`.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) fn token(&self, audience: &str, subject: &str) -> Result<String> {
        let now = signing::now()?;
        self.signer.token(&json!({
            "iss": self.url, "aud": audience, "sub": subject, "iat": now, "nbf": now, "exp": now + LIFE_SECS,
        }))
    }
}

fn answer(target: &str, (url, keys): &(String, Value)) -> Answer {
    match target {
        "/.well-known/openid-configuration" => (
            "200 OK",
            json!({"issuer": url, "jwks_uri": format!("{url}/keys")}),
        ),
        "/keys" => ("200 OK", keys.clone()),
        _ => ("404 Not Found", json!({})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_its_keys_are() {
        let shown = ("http://x".to_owned(), json!({"keys": []}));
        let (status, about) = answer("/.well-known/openid-configuration", &shown);
        assert_eq!((status, &about["issuer"]), ("200 OK", &json!("http://x")));
        let keys = about["jwks_uri"].as_str().unwrap();
        let keys = keys.strip_prefix("http://x").unwrap();
        assert_eq!(answer(keys, &shown).1, shown.1);
        assert!(answer("/else", &shown).0.starts_with("404"));
    }
}
