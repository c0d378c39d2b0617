//! What every request passes on its way to the handler, and every response on its way back.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::CONNECTION;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::buffers::Piece;
use super::guard::{Activity, Flight};
use super::handler::{Answering, Handler};
use super::options::Limits;
use super::peer::Peer;
use super::refusal::Refusal;
use super::screen::{REFUSED, Verdict};
use super::stats::ServerStats;

/// The handler as one connection sees it: tells it the [`Peer`], answers refused heads and panics, and makes bodies fit the
/// connection.
pub(super) struct Front<H> {
    pub(super) handler: Arc<H>,
    pub(super) peer: Peer,
    /// The screen's, over HTTP/1.
    pub(super) verdict: Verdict,
    pub(super) limits: Arc<Limits>,
    pub(super) stop: CancellationToken,
    pub(super) stats: Arc<ServerStats>,
}

impl<H> Front<H> {
    fn panicked(&self) -> Refusal {
        self.stats.add_panics(1);
        Refusal::Panic
    }

    fn refusal(&self, request: &Request<Incoming>) -> Option<Refusal> {
        if let Some(refusal) = self.verdict.get()
            && request.method().as_str() == REFUSED
        {
            self.stats.add_malformed(1);
            return Some(refusal);
        }
        if self.stop.is_cancelled() {
            return Some(Refusal::Stopping);
        }
        // The screen has seen to these over HTTP/1; over HTTP/2 the list as a whole is limited below us.
        if request.version() == Version::HTTP_2 {
            if request
                .uri()
                .path_and_query()
                .is_some_and(|target| target.as_str().len() > self.limits.request_line)
            {
                return Some(Refusal::TargetTooLong);
            }
            if request.headers().len() > self.limits.header_count {
                return Some(Refusal::HeadersTooLarge);
            }
        }
        None
    }
}

impl<H: Handler> Service<Request<Incoming>> for Front<H> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answered;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let version = request.version();
        let answering = match self.refusal(&request) {
            Some(refusal) => Err(refusal),
            // The panic hook has logged what and where; so for what the future does.
            None => catch_unwind(AssertUnwindSafe(|| {
                self.handler.handle(self.peer.clone(), request)
            }))
            .map_err(|_| self.panicked()),
        };
        Answered {
            flight: match &answering {
                Ok(_) => self.peer.activity.as_ref().map(Activity::takes_off),
                Err(_) => None,
            },
            answering,
            version,
            regions: self.peer.sendfile,
            stats: Arc::clone(&self.stats),
        }
    }
}

/// The response to one request on its way through the front.
pub(super) struct Answered {
    answering: Result<Answering, Refusal>,
    version: Version,
    /// Whether regions of files leave by sendfile.
    regions: bool,
    flight: Option<Flight>,
    stats: Arc<ServerStats>,
}

impl Answered {
    fn refused(&self, refusal: Refusal) -> Response<Body> {
        let mut response = refusal.response();
        if self.version == Version::HTTP_2 {
            // RFC 9113, 8.2.2: a connection has no options of its own there.
            response.headers_mut().remove(CONNECTION);
        }
        response
    }

    fn fitting(&mut self, body: Body) -> Body {
        let body = if self.regions {
            body
        } else {
            body.without_regions(if self.version == Version::HTTP_2 {
                Piece::Small
            } else {
                Piece::Large
            })
        };
        match self.flight.take() {
            Some(flight) => body.in_flight(flight),
            None => body,
        }
    }
}

impl Future for Answered {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = match &mut this.answering {
            Ok(answering) => catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(cx)))
                .map_err(|_| {
                    this.stats.add_panics(1);
                    Refusal::Panic
                }),
            Err(refusal) => Err(*refusal),
        };
        Poll::Ready(Ok(match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(response)) => response.map(|body| this.fitting(body)),
            Err(refusal) => this.refused(refusal),
        }))
    }
}
