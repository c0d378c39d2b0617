//! What is asked of a registry and its index for a login by a browser.
//!
//! The registry says where its index is; all that follows goes to that origin, which must be `https` unless it is this machine.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{Logged, text};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const METADATA: &str = ".well-known/oauth-authorization-server";
/// The largest answer, in bytes.
const MOST: usize = 64 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);

/// A registry, as clients name it.
#[derive(Debug)]
pub(super) struct Place {
    name: String,
    /// Its addresses, the better first.
    urls: Vec<Url>,
}

impl Place {
    /// Reads `reg.example`, `localhost:5000`; a URL for who writes one.
    pub(super) fn parse(said: &str) -> anyhow::Result<Self> {
        let (scheme, name) = match said.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest.trim_end_matches('/')),
            None => (None, said),
        };
        let wrong = || {
            anyhow!("`{said}` is no registry: give its host, such as reg.example or localhost:5000")
        };
        let is_host = !name.is_empty() && !name.contains(['/', '@', '?', '#', ' ', '\\']);
        if !is_host {
            return Err(wrong());
        }
        let at = |scheme: &str| Url::parse(&format!("{scheme}://{name}/")).map_err(|_| wrong());
        let secure = at("https")?;
        let urls = match (scheme, is_own(&secure)) {
            (Some("https"), _) | (None, false) => vec![secure],
            (Some("http"), true) => vec![at("http")?],
            // As docker does: a registry of this machine may have no certificate.
            (None, true) => vec![secure, at("http")?],
            (Some("http"), false) => {
                bail!("`{said}` is asked with https only: what it gives is a password")
            }
            (Some(_), _) => return Err(wrong()),
        };
        let name = name.to_owned();
        Ok(Place { name, urls })
    }

    /// As clients name it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Whether a URL leads to this machine.
fn is_own(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Where an index is asked.
#[derive(Debug)]
pub(super) struct Index {
    device: Url,
    token: Url,
    /// Where tokens are taken back, if it says so.
    revocation: Option<Url>,
}

/// A login that was begun.
#[derive(Debug)]
pub(super) struct Started {
    device_code: Zeroizing<String>,
    pub(super) code: String,
    pub(super) page: String,
    pub(super) complete: String,
    pub(super) expires_in: Duration,
    pub(super) interval: Duration,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Asked {
    Waiting,
    Slower,
    NoAnswer,
    Given(Logged),
}

/// The connections.
#[derive(Debug)]
pub(super) struct Wire(reqwest::Client);

/// A status, the challenge, and JSON if it is such.
struct Answer {
    status: u16,
    challenge: Option<String>,
    json: Value,
}

impl Wire {
    pub(super) fn new(ca_file: Option<&Path>) -> anyhow::Result<Self> {
        longshore_auth::install_crypto_provider();
        let mut client = reqwest::Client::builder()
            .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT);
        if let Some(path) = ca_file {
            let shown = path.display();
            let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
            let list = reqwest::Certificate::from_pem_bundle(&bytes)
                .with_context(|| format!("{shown} has no certificates in PEM"))?;
            client = client.tls_certs_merge(list);
        }
        Ok(Wire(client.build()?))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let request = request.header("accept", "application/json");
        let mut response = request.send().await?;
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.and_then(|it| it.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(piece) = response.chunk().await? {
            if body.len() + piece.len() > MOST {
                break;
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer {
            status,
            challenge,
            json: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    /// Finds the index of a registry: by what it is challenged with.
    pub(super) async fn find(&self, place: &Place) -> anyhow::Result<Index> {
        let mut failed = None;
        for url in &place.urls {
            match self.send(self.0.get(url.join("v2/")?)).await {
                // A port without TLS answers its handshake with a plain 400, which is no answer here.
                Ok(answer) => return self.index(url, &answer).await,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let error = failed.context("there is nowhere to ask")?;
        Err(anyhow::Error::new(error).context(format!(
            "`{}` cannot be asked; is the name right, and its certificate one that this machine trusts (--ca-file)?",
            place.name
        )))
    }

    async fn index(&self, registry: &Url, ping: &Answer) -> anyhow::Result<Index> {
        let none = || {
            anyhow!(
                "`{}` has no logins by a browser; use `docker login` with a name and a password",
                registry.host_str().unwrap_or_default()
            )
        };
        let realm = ping.challenge.as_deref().and_then(realm).ok_or_else(none)?;
        let realm = Url::parse(realm).map_err(|_| none())?;
        let base = realm.as_str().strip_suffix("token").ok_or_else(none)?;
        let described = Url::parse(base)?.join(METADATA)?;
        check(&described)?;
        let answer = self.send(self.0.get(described.clone())).await?;
        if answer.status != 200 {
            return Err(none());
        }
        let endpoint = |name: &str| {
            let url = Url::parse(&text(&answer.json, name).map_err(|_| none())?)?;
            // Nothing of a login goes to a place that the index only named.
            if url.origin() != described.origin() {
                bail!(
                    "the index `{described}` says that `{name}` is elsewhere, at `{url}`; this is not followed"
                );
            }
            Ok(url)
        };
        Ok(Index {
            device: endpoint("device_authorization_endpoint")?,
            token: endpoint("token_endpoint")?,
            revocation: match answer.json.get("revocation_endpoint") {
                Some(_) => Some(endpoint("revocation_endpoint")?),
                None => None,
            },
        })
    }

    async fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<Answer, reqwest::Error> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self
            .0
            .post(url.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    /// Takes a token back (RFC 7009), whether it was good or not.
    pub(super) async fn revoke(&self, index: &Index, token: &str) -> anyhow::Result<()> {
        let Some(url) = &index.revocation else {
            bail!("the server does not take tokens back by themselves; it may be an older one");
        };
        let answer = self.post(url, &[("token", token)]).await?;
        if answer.status != 200 {
            bail!("{}", said(&answer));
        }
        Ok(())
    }

    /// Begins a login.
    pub(super) async fn begin(
        &self,
        index: &Index,
        client: &str,
        scope: &str,
    ) -> anyhow::Result<Started> {
        let form = [("client_id", client), ("scope", scope)];
        let answer = self.post(&index.device, &form).await?;
        if answer.status != 200 {
            bail!("the login cannot be begun: {}", said(&answer));
        }
        let json = &answer.json;
        let seconds = |name: &str| json.get(name).and_then(Value::as_u64);
        let page = shown_page(&text(json, "verification_uri")?)?;
        let complete = match text(json, "verification_uri_complete") {
            Ok(url) => shown_page(&url)?,
            Err(_) => page.clone(),
        };
        Ok(Started {
            device_code: Zeroizing::new(text(json, "device_code")?),
            code: text(json, "user_code")?,
            page,
            complete,
            expires_in: Duration::from_secs(seconds("expires_in").unwrap_or(600).min(3600)),
            interval: Duration::from_secs(seconds("interval").unwrap_or(5).clamp(1, 60)),
        })
    }

    /// Asks what became of it.
    pub(super) async fn poll(
        &self,
        index: &Index,
        client: &str,
        started: &Started,
    ) -> anyhow::Result<Asked> {
        let form = [
            ("grant_type", GRANT),
            ("client_id", client),
            ("device_code", &started.device_code),
        ];
        let Ok(answer) = self.post(&index.token, &form).await else {
            return Ok(Asked::NoAnswer);
        };
        if answer.status >= 500 || answer.status == 429 {
            return Ok(Asked::NoAnswer);
        }
        let json = &answer.json;
        if answer.status == 200 {
            let scope = json.get("scope").and_then(Value::as_str);
            return Ok(Asked::Given(Logged {
                user: text(json, "username")?,
                token: Zeroizing::new(text(json, "access_token")?),
                expires_in: json.get("expires_in").and_then(Value::as_u64),
                scope: scope.unwrap_or_default().to_owned(),
            }));
        }
        match json.get("error").and_then(Value::as_str) {
            Some("authorization_pending") => Ok(Asked::Waiting),
            Some("slow_down") => Ok(Asked::Slower),
            Some("access_denied") => bail!(
                "the login was denied at the browser, or the account changed meanwhile; run the command again"
            ),
            Some("expired_token") => {
                bail!("nobody approved the login in time; run the command again")
            }
            _ => bail!("the login failed: {}", said(&answer)),
        }
    }
}

/// What a server said went wrong, safe to print.
fn said(answer: &Answer) -> String {
    let text = ["error_description", "error"]
        .iter()
        .find_map(|name| text(&answer.json, name).ok())
        .or_else(|| text(answer.json.get("errors")?.get(0)?, "message").ok());
    text.unwrap_or_else(|| format!("the server answered {}", answer.status))
}

/// The realm of a Bearer challenge (RFC 9110, 11.2).
fn realm(challenge: &str) -> Option<&str> {
    let rest = challenge.strip_prefix("Bearer ")?;
    let (_, rest) = rest.split_once("realm=\"")?;
    rest.split('"').next()
}

/// Whether an index may be asked for a password.
fn check(url: &Url) -> anyhow::Result<()> {
    if url.scheme() == "https" || url.scheme() == "http" && is_own(url) {
        return Ok(());
    }
    bail!("the registry's index is at `{url}`, which is not https; nothing is asked there")
}

/// A page that people are told to open.
fn shown_page(text: &str) -> anyhow::Result<String> {
    let url = Url::parse(text).context("the server names no page to open")?;
    check(&url)?;
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_asked_with_https_but_on_this_machine() {
        let urls = |said: &str| -> Vec<String> {
            let place = Place::parse(said).unwrap();
            place.urls.iter().map(ToString::to_string).collect()
        };
        assert_eq!(urls("reg.example"), ["https://reg.example/"]);
        assert_eq!(
            urls("https://reg.example:8443/"),
            ["https://reg.example:8443/"]
        );
        assert_eq!(
            urls("localhost:5000"),
            ["https://localhost:5000/", "http://localhost:5000/"]
        );
        assert_eq!(urls("http://127.0.0.1:5000"), ["http://127.0.0.1:5000/"]);
        assert_eq!(
            Place::parse("https://reg.example:8443/").unwrap().name(),
            "reg.example:8443"
        );
        for bad in [
            "",
            "http://reg.example",
            "reg.example/acme",
            "me@reg.example",
            "ftp://reg.example",
            "reg example",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nobody_is_asked_or_sent_where_a_password_could_be_read() {
        for (url, may) in [
            ("https://index.example/", true),
            ("http://localhost:5000/device", true),
            ("http://index.example/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(check(&Url::parse(url).unwrap()).is_ok(), may, "{url}");
        }
        assert_eq!(
            realm(r#"Bearer realm="https://index.example/token",service="x""#),
            Some("https://index.example/token")
        );
        assert_eq!(realm(r#"Basic realm="x""#), None);
    }
}
