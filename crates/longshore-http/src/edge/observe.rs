//! What is told about each request when it is over, for the access log and the metrics.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use longshore_core::{Actor, ByteStream};
use longshore_spec::name::RepoName;

use crate::server::Body;

/// One request, after its end.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Its id, as in `X-Request-Id`.
    pub request: u128,
    /// What it was about, one of a small fixed set: the endpoint's name, or `other`.
    pub route: &'static str,
    /// The method as sent.
    pub method: Method,
    /// The request target as sent. It holds no secrets: this API has none in its URLs.
    pub target: Uri,
    /// The status of the response; `None` when the client left before there was one.
    pub status: Option<StatusCode>,
    /// Who asked.
    pub actor: Actor,
    /// The repository it was about.
    pub repo: Option<RepoName>,
    /// Bytes of the request's body that were read.
    pub received: u64,
    /// Bytes of the response's body that the connection took.
    pub sent: u64,
    /// From the request's head to the end of the response's body.
    pub duration: Duration,
    /// The client's address, as far as it is believed.
    pub peer: IpAddr,
    /// What the client calls itself.
    pub user_agent: Option<HeaderValue>,
    /// Whether the connection took all of the response.
    pub end: End,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The connection took the whole response; its last bytes may still have been on their way.
    Whole,
    /// The client left, or the content could not be read to its end.
    Cut,
}

/// Where observations go. Called on the connection's task: it must neither block nor panic.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(Observed) + Send + Sync>);

impl Observer {
    /// An observer that calls `f`.
    pub fn new(f: impl Fn(Observed) + Send + Sync + 'static) -> Self {
        Self(Arc::new(f))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

/// Watches one request. Tells what it saw when it is dropped, whichever way that comes about; where nobody wants to
/// know it holds nothing and costs nothing.
#[derive(Debug)]
pub(super) struct Watch(Option<Box<Watching>>);

#[derive(Debug)]
struct Watching {
    observer: Observer,
    start: Instant,
    received: Arc<AtomicU64>,
    seen: Observed,
}

impl Watch {
    pub(super) fn start(
        observer: Option<&Observer>,
        request: u128,
        peer: IpAddr,
        head: &Parts,
    ) -> Self {
        let Some(observer) = observer else {
            return Self(None);
        };
        Self(Some(Box::new(Watching {
            observer: observer.clone(),
            start: Instant::now(),
            received: Arc::default(),
            seen: Observed {
                request,
                route: "other",
                method: head.method.clone(),
                target: head.uri.clone(),
                status: None,
                actor: Actor::Anonymous,
                repo: None,
                received: 0,
                sent: 0,
                duration: Duration::ZERO,
                peer,
                user_agent: head.headers.get(header::USER_AGENT).cloned(),
                end: End::Cut,
            },
        })))
    }

    /// Notes what the request is about.
    pub(super) fn route(&mut self, route: &'static str, repo: Option<&RepoName>) {
        if let Some(watching) = &mut self.0 {
            watching.seen.route = route;
            watching.seen.repo = repo.cloned();
        }
    }

    /// Notes who asks.
    pub(super) fn actor(&mut self, actor: &Actor) {
        if let Some(watching) = &mut self.0 {
            watching.seen.actor = actor.clone();
        }
    }

    /// Counts a request's body as it is read.
    pub(super) fn count(&self, body: ByteStream) -> ByteStream {
        let Some(watching) = &self.0 else { return body };
        if body.size_hint() == (0, Some(0)) {
            return body;
        }
        let received = Arc::clone(&watching.received);
        Box::pin(body.inspect(move |piece| {
            if let Ok(bytes) = piece {
                received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
        }))
    }

    /// Goes on watching with the response, until its body has ended.
    pub(super) fn follow(mut self, response: Response<Body>) -> Response<Body> {
        let Some(watching) = &mut self.0 else {
            return response;
        };
        watching.seen.status = Some(response.status());
        let (head, body) = response.into_parts();
        let body = body.when_done(move |sent| {
            if let Some(watching) = &mut self.0 {
                watching.seen.sent = sent.bytes;
                watching.seen.end = if sent.whole { End::Whole } else { End::Cut };
            }
        });
        Response::from_parts(head, body)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(watching) = self.0.take() else {
            return;
        };
        let Watching {
            observer,
            start,
            received,
            mut seen,
        } = *watching;
        seen.received = received.load(Ordering::Relaxed);
        seen.duration = start.elapsed();
        (observer.0)(seen);
    }
}
