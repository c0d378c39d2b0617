//! What else is answered at this address: a port for APIs that know other crates than this one.
//!
//! A neighbour gets what an edge has found out about a request (who sent it, its id, when it came) and gives a response. What is on
//! every response and what is told of every request is the edge's matter here too.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use longshore_auth::certificate::Presented;
use longshore_core::{Actor, ByteStream};

use super::observe::Watch;
use super::proxies::Sender;
use super::routes::API;
use super::{Edge, intake};
use crate::server::{Body, Peer};

/// Answers requests for paths of its own.
#[async_trait]
pub trait Neighbour: fmt::Debug + Send + Sync + 'static {
    /// Whether `path`, which is below the prefix of all paths here, is one of its own.
    fn is_for(&self, path: &str) -> bool;

    /// The answer. Every failure is a response too; a body that is answered to `HEAD` is not sent.
    async fn answer(&self, asked: Asked) -> Told;
}

/// A request, and what is known of it.
pub struct Asked {
    /// Method, target and headers, as they came.
    pub head: Parts,
    /// The body, not read yet.
    pub body: ByteStream,
    /// The path below what stands before all paths here.
    pub path: String,
    /// What clients put before such a path, for links.
    pub base: String,
    /// The address it came from, as far as it is believed.
    pub address: IpAddr,
    /// Its id.
    pub request: u128,
    /// When it came in.
    pub now: SystemTime,
    /// What the certificate says that the client itself has shown, if any.
    pub certificate: Option<Presented>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// An answer, and what is to be told of it.
#[derive(Debug)]
pub struct Told {
    /// The response.
    pub response: Response<Bytes>,
    /// Who asked.
    pub actor: Actor,
    /// The code of the failure, where it is one.
    pub error: Option<&'static str>,
}

/// A neighbour behind an edge, which observes, names and counts its requests.
#[derive(Debug, Clone)]
pub(super) struct Door {
    edge: Edge,
    neighbour: Arc<dyn Neighbour>,
}

impl Door {
    pub(super) fn new(edge: Edge, neighbour: Arc<dyn Neighbour>) -> Self {
        Self { edge, neighbour }
    }

    pub(super) fn is_for(&self, path: &str) -> bool {
        let below = self.edge.0.urls.below(path);
        below.is_some_and(|path| self.neighbour.is_for(path))
    }

    pub(super) async fn call<B>(&self, peer: Peer, request: http::Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let body = peer.receive(body);
        let inner = &self.edge.0;
        let now = (inner.options.now)();
        let (id, address, certificate) = {
            let sender = Sender::of(&peer, &head.headers, &inner.options.trusted_proxies);
            let id = inner.ids.id(sender.request);
            (id, sender.address, sender.presented(now).cloned())
        };
        let watch = Watch::start(inner.observer.as_ref(), (id, now), address, &head);
        watch.route(API, None);
        let is_head = head.method == Method::HEAD;
        let asked = Asked {
            path: inner
                .urls
                .below(head.uri.path())
                .unwrap_or_default()
                .to_owned(),
            base: inner.urls.base().to_owned(),
            head,
            body: watch.count(intake::in_our_words(body)),
            address,
            request: id,
            now,
            certificate,
        };
        let told = self.neighbour.answer(asked).await;
        watch.actor(&told.actor);
        if let Some(code) = told.error {
            watch.error(code);
        }
        let mut response = told
            .response
            .map(|bytes| if is_head { Body::empty() } else { bytes.into() });
        self.edge.dress(&mut response, id);
        watch.follow(response, None)
    }
}
