//! The way out to places whose names others choose: issuers of tokens, login providers.
//!
//! A name is resolved once, all of its addresses are looked at, and the connection goes to one of those; so a name server
//! that answers differently the second time changes nothing. There are no redirects and no proxies, time and body are
//! bounded, and only `https` on its own port is spoken, but for the origins that the operator has listed: those may be
//! inside.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Origin, Url};

use super::addresses::is_public;
use super::{Answer, client, send};
use crate::options::SetupError;

/// The longest URL, in bytes.
const MAX_URL_BYTES: usize = 2048;

/// The way out. Cloning copies pointers.
#[derive(Clone)]
pub struct Web {
    client: Client,
    allowed: Arc<[Origin]>,
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.allowed.iter().map(Origin::ascii_serialization);
        f.debug_list().entries(allowed).finish()
    }
}

impl Web {
    /// A way out. `allowed` are origins (`https://id.corp.example:8443`) that may be inside; plain `http` is for such on
    /// loopback only. `ca_file` has certificates that are trusted beside the system's.
    ///
    /// # Errors
    /// An origin or the file cannot be used.
    pub fn new(allowed: &[String], ca_file: Option<&Path>) -> Result<Self, SetupError> {
        let allowed: Arc<[Origin]> = allowed
            .iter()
            .map(|text| origin(text))
            .collect::<Result<_, _>>()?;
        let inside = allowed.iter().filter_map(|origin| match origin {
            Origin::Tuple(_, Host::Domain(name), _) => Some(name.clone()),
            _ => None,
        });
        let mut client = client().no_proxy().dns_resolver(Resolver {
            inside: inside.collect(),
        });
        if let Some(path) = ca_file {
            let bytes = std::fs::read(path).map_err(|source| SetupError::Unreadable {
                path: path.to_owned(),
                hint: "give a PEM file with the certificates of your own authorities",
                source,
            })?;
            let certificates = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|error| {
                SetupError::Broken {
                    path: path.to_owned(),
                    problem: error.to_string(),
                }
            })?;
            client = client.tls_certs_merge(certificates);
        }
        let client = client.build().map_err(|error| SetupError::Option {
            option: "ca_file",
            problem: format!("no connection can be made: {error}"),
        })?;
        Ok(Web { client, allowed })
    }

    /// The URL, if we would go there.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(&self, url: &str) -> Result<Url, &'static str> {
        if url.len() > MAX_URL_BYTES {
            return Err("it is too long");
        }
        let url = Url::parse(url).map_err(|_| "it is not a URL")?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a user name or password");
        }
        if url.fragment().is_some() {
            return Err("it has a fragment");
        }
        if self.allowed.contains(&url.origin()) {
            return Ok(url);
        }
        if url.scheme() != "https" {
            return Err("it is not `https`");
        }
        if url.port().is_some() {
            return Err("it has a port of its own, and is not in the list of what is allowed");
        }
        let is_outside = match url.host() {
            Some(Host::Domain(name)) => !name.is_empty(),
            Some(Host::Ipv4(ip)) => is_public(ip.into()),
            Some(Host::Ipv6(ip)) => is_public(ip.into()),
            None => false,
        };
        if is_outside {
            Ok(url)
        } else {
            Err("it leads inside, and is not in the list of what is allowed")
        }
    }

    /// Gets a JSON document.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub(crate) async fn get(&self, url: &str, bearer: Option<&str>) -> Result<Vec<u8>, String> {
        let url = self
            .check(url)
            .map_err(|problem| format!("`{}` is not asked: {problem}", shown(url)))?;
        let mut request = self.client.get(url.clone());
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        let answer = send(request).await?;
        if answer.status == 200 {
            Ok(answer.body)
        } else {
            Err(format!(
                "`{}` answers {}",
                shown(url.as_str()),
                answer.status
            ))
        }
    }

    /// Posts a form, as `basic` where that is given.
    ///
    /// # Errors
    /// What went wrong, for the log. Any status is an answer.
    pub(crate) async fn post(
        &self,
        url: &str,
        form: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Result<Answer, String> {
        let url = self
            .check(url)
            .map_err(|problem| format!("`{}` is not asked: {problem}", shown(url)))?;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut request = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        if let Some((user, password)) = basic {
            request = request.basic_auth(user, Some(password));
        }
        send(request).await
    }
}

/// A URL as logs may have it: what is in its query may be secret.
fn shown(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// An origin of the list.
fn origin(text: &str) -> Result<Origin, SetupError> {
    let wrong = |problem: &str| SetupError::Option {
        option: "allowed",
        problem: format!("`{text}`: {problem}"),
    };
    let url = Url::parse(text).map_err(|_| wrong("it is not a URL"))?;
    let is_loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() {
        "https" | "http" if !is_bare => Err(wrong(
            "give scheme, host and port alone, as in `https://id.corp.example:8443`",
        )),
        "https" => Ok(url.origin()),
        "http" if is_loopback => Ok(url.origin()),
        _ => Err(wrong("it must begin with `https://`")),
    }
}

/// Resolves names, and gives no address that is inside unless its name is in the list.
struct Resolver {
    inside: Arc<[String]>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let may_be_inside = self.inside.iter().any(|inside| inside == name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses = judge(found, may_be_inside)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// All of the addresses, or none where one of them is inside.
fn judge(found: Vec<SocketAddr>, may_be_inside: bool) -> Result<Vec<SocketAddr>, &'static str> {
    if !may_be_inside && found.iter().any(|address| !is_public(address.ip())) {
        return Err("the name leads inside, and is not in the list of what is allowed");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_out_into_the_world_and_what_is_listed_is_asked() {
        let allowed = [
            "https://id.corp.example:8443",
            "http://127.0.0.1:4000",
            "https://10.0.0.1",
        ]
        .map(str::to_owned);
        let web = Web::new(&allowed, None).unwrap();
        for good in [
            "https://id.example/keys",
            "https://id.example:443/keys?x=1",
            "https://8.8.8.8/keys",
            "https://id.corp.example:8443/keys",
            "http://127.0.0.1:4000/keys",
            "https://10.0.0.1/keys",
        ] {
            assert!(web.check(good).is_ok(), "{good}");
        }
        let long = format!("https://id.example/{}", "x".repeat(3000));
        for bad in [
            "http://id.example/keys",
            "https://id.example:8443/keys",
            "https://id.example:22/keys",
            "http://127.0.0.1:4001/keys",
            "https://127.0.0.1/keys",
            "https://2130706433/keys",
            "https://0x7f000001/keys",
            "https://0177.0.0.1/keys",
            "https://127.1/keys",
            "https://[::1]/keys",
            "https://[::ffff:169.254.169.254]/keys",
            "https://[::ffff:a9fe:a9fe]/keys",
            "https://[64:ff9b::a9fe:a9fe]/keys",
            "https://169.254.169.254/latest/meta-data",
            "https://１２７.0.0.1/keys",
            "https://10.0.0.2/keys",
            "http://10.0.0.1/keys",
            "https://user@id.example/keys",
            "https://user:secret@id.example/keys",
            "https://id.example/keys#x",
            "file:///etc/passwd",
            "gopher://id.example/",
            "ftp://id.example/",
            "data:application/json,{}",
            "id.example/keys",
            "https://",
            &long,
        ] {
            assert!(web.check(bad).is_err(), "{bad}");
        }
        for bad in [
            "http://id.example",
            "http://localhost:1",
            "https://id.example/path",
            "https://u@id.example",
            "id.example",
            "ftp://x",
        ] {
            assert!(Web::new(&[bad.to_owned()], None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_of_which_one_address_is_inside_is_not_asked() {
        let addresses = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter()
                .map(|ip| format!("{ip}:0").parse().unwrap())
                .collect()
        };
        let both = addresses(&["8.8.8.8", "169.254.169.254"]);
        assert!(judge(both.clone(), false).is_err());
        assert_eq!(judge(both.clone(), true), Ok(both));
        let outside = addresses(&["8.8.8.8", "[2606:4700:4700::1111]"]);
        assert_eq!(judge(outside.clone(), false), Ok(outside));
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_asked_and_a_redirect_is_an_answer() {
        let web = Web::new(&[], None).unwrap();
        let refused = web.get("https://localhost/keys", None).await.unwrap_err();
        assert!(refused.contains("leads inside"), "{refused}");
        let refused = web.get("https://localhost./keys", None).await.unwrap_err();
        assert!(!refused.contains("answers"), "{refused}");
    }
}
