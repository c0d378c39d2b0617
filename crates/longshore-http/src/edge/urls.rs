//! The URLs this registry gives out, and the prefix it takes off those it is asked for.
//!
//! `Location` is absolute unless the operator wants paths: some old clients do not resolve relative ones. The host in
//! it is the operator's; without a configured URL it is the one the client asked for, which is then only told what it
//! said itself. `Link` is a path always.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use http::request::Parts;
use http::{HeaderValue, Uri, header};
use longshore_spec::host::Host;
use longshore_spec::route::Request;

use super::options::EdgeOptions;
use super::proxies::Sender;

/// The URL at which clients reach the registry, such as `https://reg.example` or `https://example.org/registry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme and host: `https://reg.example:5000`.
    origin: String,
    /// What a proxy in front takes off each path; empty, or starting with a slash and not ending with one.
    path: String,
}

/// What stands before `/v2/` in every path; empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefix(String);

/// Why a text is no [`PublicUrl`] or no [`Prefix`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL with scheme and host.
    #[error("a public URL is written https://host, with a port and a path if need be")]
    PublicUrl,
    /// A character that would have to be escaped, an empty part, or one made of dots.
    #[error(
        "a path prefix is written /one/or/more/parts, in letters, digits, '-', '_', '.' and '~'"
    )]
    Path,
}

impl FromStr for PublicUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.parse().map_err(|_| UrlError::PublicUrl)?;
        let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(UrlError::PublicUrl);
        };
        authority
            .as_str()
            .parse::<Host>()
            .map_err(|_| UrlError::PublicUrl)?;
        if uri.query().is_some() {
            return Err(UrlError::PublicUrl);
        }
        let Prefix(path) = uri.path().parse()?;
        let scheme = uri.scheme_str().unwrap_or("https");
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            path,
        })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

impl FromStr for Prefix {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let path = text.trim_end_matches('/');
        if path.is_empty() {
            return Ok(Self::default());
        }
        let parts = path.strip_prefix('/').ok_or(UrlError::Path)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(plain);
        if !parts.split('/').all(is_part) {
            return Err(UrlError::Path);
        }
        Ok(Self(path.to_owned()))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes that are enough for most values of `Location`.
const LOCATION: usize = 192;

/// Prints URLs as one edge does.
#[derive(Debug)]
pub(super) struct Urls {
    /// Scheme and host, where the operator said them.
    origin: Option<String>,
    relative: bool,
    /// What the server takes off the paths that reach it.
    prefix: String,
    /// What stands before `/v2/` in the paths that clients use: what proxies take off, then the prefix.
    base: String,
}

impl Urls {
    pub(super) fn new(options: &EdgeOptions) -> Self {
        let Prefix(prefix) = options.prefix.clone();
        let outside = options.public_url.as_ref().map_or("", |url| &url.path);
        Self {
            origin: options.public_url.as_ref().map(|url| url.origin.clone()),
            relative: options.relative_urls,
            base: format!("{outside}{prefix}"),
            prefix,
        }
    }

    /// The path below the prefix; `None` for one that is not there.
    pub(super) fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.prefix.as_str())
    }

    /// What stands before all paths that clients use.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The path with query of `target`, for `Link`.
    pub(super) fn path(&self, target: &Request) -> String {
        format!("{}{target}", self.base)
    }

    /// `Location` for a target.
    pub(super) fn location(
        &self,
        head: &Parts,
        sender: &Sender<'_>,
        target: &Request,
    ) -> HeaderValue {
        let base = &self.base;
        // Every answer to a push has one, so it is written in one piece.
        let mut text = String::with_capacity(LOCATION);
        // Writing to a string does not fail.
        let _ = if self.relative {
            write!(text, "{base}{target}")
        } else if let Some(origin) = &self.origin {
            write!(text, "{origin}{base}{target}")
        } else if let Some(host) = asked_host(head, sender) {
            let scheme = if sender.secure { "https" } else { "http" };
            write!(text, "{scheme}://{host}{base}{target}")
        } else {
            write!(text, "{base}{target}")
        };
        value(text)
    }
}

impl Urls {
    /// The absolute URL of a path of this server below its prefix, as the client knows it. Where nothing says by which
    /// host that is, the path alone.
    pub(super) fn here(&self, head: &Parts, sender: &Sender<'_>, path: &str) -> String {
        let base = &self.base;
        if let Some(origin) = &self.origin {
            return format!("{origin}{base}{path}");
        }
        let scheme = if sender.secure { "https" } else { "http" };
        match asked_host(head, sender) {
            Some(host) => format!("{scheme}://{host}{base}{path}"),
            None => format!("{base}{path}"),
        }
    }
}

/// The host the client asked for. An absolute request target and `:authority` go before `Host` (RFC 9112, 3.2.2).
fn asked_host<'a>(head: &'a Parts, sender: &Sender<'a>) -> Option<&'a str> {
    let said = match (sender.host, head.uri.authority()) {
        (Some(host), _) => host,
        (None, Some(authority)) => authority.as_str(),
        (None, None) => head.headers.get(header::HOST)?.to_str().ok()?,
    };
    Host::is_one(said).then_some(said)
}

/// A header value made of parsed words, which have no character that a header may not have.
pub(super) fn value(text: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn location(options: &EdgeOptions, host: Option<&str>, sender: Sender<'_>) -> String {
        let mut request = http::Request::builder().uri("/v2/a/tags/list");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let target = Request::Tags {
            repo: "a".parse().unwrap(),
            n: None,
            last: None,
        };
        let value = Urls::new(options).location(&head, &sender, &target);
        value.to_str().unwrap().to_owned()
    }

    fn sender(secure: bool, host: Option<&str>) -> Sender<'_> {
        Sender {
            address: Ipv4Addr::LOCALHOST.into(),
            secure,
            host,
            request: None,
            certificate: None,
        }
    }

    #[test]
    fn without_a_public_url_a_client_is_told_the_host_it_asked_for() {
        let options = EdgeOptions::default();
        let at = |host, sender| location(&options, host, sender);
        assert_eq!(
            at(Some("reg:5000"), sender(false, None)),
            "http://reg:5000/v2/a/tags/list"
        );
        assert_eq!(
            at(Some("reg"), sender(true, None)),
            "https://reg/v2/a/tags/list"
        );
        assert_eq!(
            at(Some("inner"), sender(true, Some("outer"))),
            "https://outer/v2/a/tags/list"
        );
        for nonsense in [
            None,
            Some("a b"),
            Some("user@host"),
            Some("evil/x"),
            Some(""),
        ] {
            assert_eq!(
                at(nonsense, sender(false, None)),
                "/v2/a/tags/list",
                "{nonsense:?}"
            );
        }
    }

    #[test]
    fn a24_the_public_url_is_all_that_counts_where_there_is_one() {
        let options = EdgeOptions {
            public_url: Some("https://reg.example/base/".parse().unwrap()),
            prefix: "/inner".parse().unwrap(),
            ..EdgeOptions::default()
        };
        let got = location(&options, Some("evil"), sender(false, Some("evil")));
        assert_eq!(got, "https://reg.example/base/inner/v2/a/tags/list");
        let options = EdgeOptions {
            relative_urls: true,
            ..options
        };
        assert_eq!(
            location(&options, Some("evil"), sender(false, None)),
            "/base/inner/v2/a/tags/list"
        );
    }

    #[test]
    fn only_what_is_below_the_prefix_is_asked_for() {
        let urls = |prefix: &str| {
            Urls::new(&EdgeOptions {
                prefix: prefix.parse().unwrap(),
                ..EdgeOptions::default()
            })
        };
        assert_eq!(urls("/").below("/v2/"), Some("/v2/"));
        assert_eq!(urls("/a/b/").below("/a/b/v2/"), Some("/v2/"));
        assert_eq!(urls("/a").below("/v2/"), None);
    }

    #[test]
    fn what_is_no_url_or_prefix_is_refused() {
        for text in [
            "",
            "reg.example",
            "ftp://reg.example",
            "https://",
            "https://a b",
            "https://u@h",
            "https://h/?q",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
        for text in ["a", "/a//b", "/../a", "/a b", "/a%2f", "/é"] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
        assert_eq!(
            "http://[::1]:5000/"
                .parse::<PublicUrl>()
                .unwrap()
                .to_string(),
            "http://[::1]:5000"
        );
    }
}
