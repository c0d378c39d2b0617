//! One document from one place that the operator named.
//!
//! Private addresses are fine there. What must not happen is that keys travel where they can be swapped.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use super::{client, send};

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
        let mut client = client().https_only(!plain);
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
        let answer = send(self.client.get(self.url.clone())).await?;
        if answer.status == 200 {
            Ok(answer.body)
        } else {
            Err(format!("the answer is {}", answer.status))
        }
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
