//! The one way out: a client that fetches one document from one place.
//!
//! The place is named by the operator, so private addresses are fine; what must not happen is that the other side sends
//! us elsewhere, keeps us waiting, fills our memory, or that keys travel where they can be swapped. Hence no redirects,
//! short time-outs, a cap on the body, and plain HTTP to this machine only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::redirect::Policy;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(8);
/// The largest document. A key set has some hundred bytes a key.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Chooses the process-wide TLS implementation. The binary calls this before anything else makes a connection; where
/// one was chosen before, that one stays.
pub fn install_crypto_provider() {
    // An error says that there is one already.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

/// Fetches one document.
#[derive(Debug)]
pub(crate) struct Document {
    url: Url,
    client: reqwest::Client,
}

impl Document {
    /// # Errors
    /// Why the URL cannot be used, or no client can be made.
    pub(crate) fn at(url: &str) -> Result<Self, String> {
        let (url, plain) = check(url)?;
        install_crypto_provider();
        let mut client = reqwest::Client::builder()
            .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .https_only(!plain)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT);
        if plain {
            // Neither a proxy nor a name service has a say in what this machine is.
            let here = [
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ]
            .map(|ip| SocketAddr::new(ip, 0));
            client = client.no_proxy().resolve_to_addrs("localhost", &here);
        }
        let client = client
            .build()
            .map_err(|problem| format!("no connection can be made: {problem}"))?;
        Ok(Document { url, client })
    }

    /// Fetches the document as it is now.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub(crate) async fn fetch(&self) -> Result<Vec<u8>, String> {
        let request = self
            .client
            .get(self.url.clone())
            .header("accept", "application/json");
        let mut response = request.send().await.map_err(|error| chain(&error))?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(format!("the answer is {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| chain(&error))? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(format!("the answer is larger than {MAX_BODY_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The URL, and whether it is plain HTTP.
fn check(url: &str) -> Result<(Url, bool), String> {
    let url = Url::parse(url).map_err(|problem| format!("it is not a URL: {problem}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not have a user name or password".to_owned());
    }
    match url.scheme() {
        "https" => Ok((url, false)),
        "http" if is_loopback(&url) => Ok((url, true)),
        "http" => Err(
            "`http` is for loopback only, since keys could be swapped on the way; use `https`"
                .to_owned(),
        ),
        _ => Err("it must be an `https` URL".to_owned()),
    }
}

/// An error with its causes: the outermost one says only that something failed.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_nothing_but_http_is_spoken() {
        for good in [
            "https://id.example/keys",
            "http://127.0.0.1:8080/keys",
            "http://[::1]/k",
            "http://localhost:9/k",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example/keys",
            "http://127.0.0.1.example/keys",
            "http://localhost.example/keys",
            "http://10.0.0.1/keys",
            "http://[::ffff:10.0.0.1]/keys",
            "https://user:secret@id.example/keys",
            "file:///etc/passwd",
            "ftp://id.example/keys",
            "keys",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
