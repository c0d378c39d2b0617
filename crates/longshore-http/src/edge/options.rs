//! What an edge is told at start.

use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;
use http::request::Parts;
use longshore_core::{Children, Finder};
use tracing::Span;

use super::proxies::Network;
use super::urls::{Prefix, PublicUrl};
use super::warnings::Warnings;

/// Everything that can be configured about the protocol's edge. [`Default`] is what a registry with no configuration
/// does.
#[derive(Debug, Clone)]
pub struct EdgeOptions {
    /// The URL at which clients reach this registry. `None`: what the request's `Host` says.
    pub public_url: Option<PublicUrl>,
    /// Whether `Location` holds a path only, for clients behind something that changes host names.
    pub relative_urls: bool,
    /// What stands before `/v2/` in every path.
    pub prefix: Prefix,
    /// Headers for every response that has none of that name already, such as those a browser on another origin needs.
    pub headers: HeaderMap,
    /// Warnings for the people behind clients.
    pub warnings: Warnings,
    /// The proxies whose word about a client's address, host and scheme, and about the request's id, is taken.
    pub trusted_proxies: Vec<Network>,
    /// How long the pages of lists are.
    pub pages: Pages,
    /// The largest manifest, in bytes.
    pub manifest_limit: usize,
    /// The most `tag` parameters of one push.
    pub tags_per_push: usize,
    /// The most requests of one named caller at a time; `None` for no such limit. One more waits for a second. A
    /// request lasts until its response has been sent.
    pub requests_per_user: Option<usize>,
    /// What of a manifest's content must be there when it is pushed.
    pub children: Children,
    /// Whether the registry is asked where a blob lies, so that clients are sent there. Costs a look-up for each pull.
    pub redirects: bool,
    /// What a stranger's ping is answered.
    pub ping: Ping,
    /// What answers searches; `None` where they are not offered.
    pub finder: Option<Arc<dyn Finder>>,
    /// The address of the index that gives out tokens for this registry, where it is elsewhere: it can say what somebody may see.
    pub index: Option<Box<str>>,
    /// Where images are, on a node that has none: it is asked only what there is. `None`: here.
    pub images_at: Option<Box<str>>,
    /// What makes the span of a request from its head and its endpoint's name, where requests are traced. The edge
    /// records the status (`http.response.status_code`).
    pub span: Option<fn(&Parts, &'static str) -> Span>,
    /// The clock.
    pub now: fn() -> SystemTime,
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            public_url: None,
            relative_urls: false,
            prefix: Prefix::default(),
            headers: HeaderMap::new(),
            warnings: Warnings::default(),
            trusted_proxies: Vec::new(),
            pages: Pages::default(),
            manifest_limit: 4 * 1024 * 1024,
            tags_per_push: 50,
            requests_per_user: Some(64),
            children: Children::MustExist,
            redirects: false,
            ping: Ping::default(),
            finder: None,
            index: None,
            images_at: None,
            span: None,
            now: wall_clock,
        }
    }
}

/// The one place below which time is only passed on.
#[expect(clippy::disallowed_methods, reason = "the edge is where time comes in")]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// How long the pages of lists are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The most entries of a page that was asked for with `n`; more is cut to this, with a `Link`.
    pub most: usize,
    /// The most entries where no `n` was sent. Larger, since many clients that do not ask for pages do not follow
    /// `Link` either.
    pub unasked: usize,
    /// The most bytes of a page of referrers, which carry annotations. Clients read no larger manifest.
    pub referrer_bytes: usize,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            most: 1000,
            unasked: 10_000,
            referrer_bytes: 4 * 1024 * 1024,
        }
    }
}

/// What `GET /v2/` is answered to a caller without credentials, where credentials exist.
/// See `docs/decisions/0007-the-ping-of-strangers.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ping {
    /// 401 with a challenge, always: clients that log in, and clients that push, learn here how.
    #[default]
    Challenge,
    /// 200 where strangers may pull: for mirrors, which are given no credentials by the clients that use them.
    Welcome,
}
