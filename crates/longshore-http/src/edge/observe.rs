//! What is told about each request when it is over, for the access log and the metrics.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use http_body::Body as _;
use longshore_auth::IdentityKind;
use longshore_core::{Actor, ByteStream, Cx, Way};
use longshore_spec::name::RepoName;

use super::places::Place;
use super::routes::OTHER;
use crate::server::Body;

/// One request, after its end.
#[derive(Debug, Clone)]
pub struct Observed {
    /// When its head had come, by the wall clock.
    pub begun: SystemTime,
    /// Its id, as in `X-Request-Id`.
    pub request: u128,
    /// What it was about: one of [`ROUTES`](super::ROUTES).
    pub route: &'static str,
    /// The method as sent.
    pub method: Method,
    /// The request target as sent, or what of it holds no secret. The distribution API has none in its URLs.
    pub target: Uri,
    /// The status of the response; `None` when the client left before there was one.
    pub status: Option<StatusCode>,
    /// The error code in the response, where it is a failure.
    pub error: Option<&'static str>,
    /// Who asked.
    pub actor: Actor,
    /// What their identity rests on.
    pub kind: IdentityKind,
    /// How they have shown who they are, and by which credential.
    pub way: Way,
    /// The repository it was about.
    pub repo: Option<RepoName>,
    /// Bytes of the request's body that were read.
    pub received: u64,
    /// Bytes of the response's body that the connection took.
    pub sent: u64,
    /// From the request's head to the end of the response's body, or to its last byte's leaving where it is long.
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
pub struct Observer(Arc<dyn Fn(&Observed) + Send + Sync>);

impl Observer {
    /// An observer that calls `f`.
    pub fn new(f: impl Fn(&Observed) + Send + Sync + 'static) -> Self {
        Self(Arc::new(f))
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

/// Bodies from here on are watched until their last byte has left, not only until the connection has taken them: a blob
/// of gigabytes is one frame, taken at once and sent for minutes. In bytes; below it the difference is not worth a look.
const LONG: u64 = 256 * 1024;

/// Watches one request. Tells what it saw when the last holder lets go of it, whichever way that comes about; where
/// nobody wants to know it holds nothing and costs nothing.
#[derive(Debug, Clone)]
pub(super) struct Watch(Option<Arc<Watching>>);

#[derive(Debug)]
struct Watching {
    observer: Observer,
    start: Instant,
    received: AtomicU64,
    seen: Mutex<Option<Observed>>,
}

impl Watch {
    pub(super) fn start(
        observer: Option<&Observer>,
        (request, begun): (u128, SystemTime),
        peer: IpAddr,
        head: &Parts,
    ) -> Self {
        let Some(observer) = observer else {
            return Self(None);
        };
        let seen = Observed {
            begun,
            request,
            route: OTHER,
            method: head.method.clone(),
            target: head.uri.clone(),
            status: None,
            error: None,
            actor: Actor::Anonymous,
            kind: IdentityKind::Anonymous,
            way: Way::default(),
            repo: None,
            received: 0,
            sent: 0,
            duration: Duration::ZERO,
            peer,
            user_agent: head.headers.get(header::USER_AGENT).cloned(),
            end: End::Cut,
        };
        Self(Some(Arc::new(Watching {
            observer: observer.clone(),
            start: Instant::now(),
            received: AtomicU64::new(0),
            seen: Mutex::new(Some(seen)),
        })))
    }

    fn note(&self, note: impl FnOnce(&mut Observed)) {
        if let Some(watching) = &self.0
            && let Some(seen) = &mut *watching.seen.lock().unwrap_or_else(PoisonError::into_inner)
        {
            note(seen);
        }
    }

    /// Notes what the request is about.
    pub(super) fn route(&self, route: &'static str, repo: Option<&RepoName>) {
        self.note(|seen| {
            seen.route = route;
            seen.repo = repo.cloned();
        });
    }

    /// Replaces the target, where that of the request may hold a secret.
    pub(super) fn target(&self, target: Option<Uri>) {
        if let Some(target) = target {
            self.note(|seen| seen.target = target);
        }
    }

    /// Notes who asks.
    pub(super) fn actor(&self, actor: &Actor) {
        self.note(|seen| seen.actor = actor.clone());
    }

    /// Notes who asks, and how that is known.
    pub(super) fn identity(&self, cx: &Cx, kind: IdentityKind) {
        self.note(|seen| {
            seen.actor = cx.actor.clone();
            seen.way = cx.origin.way;
            seen.kind = kind;
        });
    }

    /// Notes how it failed.
    pub(super) fn error(&self, code: &'static str) {
        self.note(|seen| seen.error = Some(code));
    }

    /// Counts a request's body as it is read.
    pub(super) fn count(&self, body: ByteStream) -> ByteStream {
        let Some(watching) = &self.0 else { return body };
        if body.size_hint() == (0, Some(0)) {
            return body;
        }
        // Not a holder: a body that nobody reads any more must not keep the request from ending.
        let watching = Arc::downgrade(watching);
        Box::pin(body.inspect(move |piece| {
            if let (Ok(bytes), Some(watching)) = (piece, watching.upgrade()) {
                watching
                    .received
                    .fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
        }))
    }

    /// Goes on watching with the response, and keeps its request's place, until its body has ended.
    pub(super) fn follow(self, response: Response<Body>, place: Option<Place>) -> Response<Body> {
        if self.0.is_none() && place.is_none() {
            return response;
        }
        let status = response.status();
        self.note(|seen| seen.status = Some(status));
        let kept = Kept {
            watch: self,
            _place: place.map(Arc::new),
        };
        response.map(|body| {
            let length = body.len();
            let body = if length.is_none_or(|length| length >= LONG) {
                Body::stream(
                    Box::pin(Held {
                        body,
                        kept: kept.clone(),
                    }),
                    length,
                )
            } else {
                body
            };
            body.when_done(move |sent| {
                // Named as a whole, or the closure would hold the watch only.
                let kept = kept;
                kept.watch.note(|seen| {
                    seen.sent = sent.bytes;
                    seen.end = if sent.whole { End::Whole } else { End::Cut };
                });
            })
        })
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let seen = self.seen.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut seen) = seen.take() {
            seen.received = self.received.load(Ordering::Relaxed);
            seen.duration = self.start.elapsed();
            (self.observer.0)(&seen);
        }
    }
}

/// What lasts as long as a request.
#[derive(Clone)]
struct Kept {
    watch: Watch,
    _place: Option<Arc<Place>>,
}

/// A long body, each piece of which holds on to what is kept until it has been sent. The pieces stay where they are in
/// memory, so a connection still recognises the regions of files among them.
struct Held {
    body: Body,
    kept: Kept,
}

impl Stream for Held {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
            return Poll::Ready(match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => Some(Ok(Bytes::from_owner(Piece {
                        bytes,
                        _kept: self.kept.clone(),
                    }))),
                    Err(_) => continue,
                },
                Some(Err(error)) => Some(Err(error)),
                None => None,
            });
        }
    }
}

/// Bytes that are being sent.
struct Piece {
    bytes: Bytes,
    _kept: Kept,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
