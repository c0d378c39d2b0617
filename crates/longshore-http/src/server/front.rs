//! What every request passes on its way to the handler, and every response on its way back.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::CONNECTION;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::buffers::Piece;
use super::guard::Activity;
use super::handler::Handler;
use super::options::Limits;
use super::peer::Peer;
use super::refusal::Refusal;
use super::screen::{REFUSED, Verdict};
use super::stats::ServerStats;

/// The handler as one connection sees it: tells it the [`Peer`], answers refused heads and panics, and makes bodies fit the
/// connection.
pub(super) struct Front<H> {
    pub(super) handler: H,
    pub(super) peer: Peer,
    /// The screen's, over HTTP/1.
    pub(super) verdict: Verdict,
    pub(super) limits: Arc<Limits>,
    pub(super) stop: CancellationToken,
    pub(super) stats: Arc<ServerStats>,
}

impl<H> Front<H> {
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
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let version = request.version();
        let answer = move |refusal: Refusal| {
            let mut response = refusal.response();
            if version == Version::HTTP_2 {
                // RFC 9113, 8.2.2: a connection has no options of its own there.
                response.headers_mut().remove(CONNECTION);
            }
            response
        };
        if let Some(refusal) = self.refusal(&request) {
            return Box::pin(std::future::ready(Ok(answer(refusal))));
        }
        let flight = self.peer.activity.as_ref().map(Activity::takes_off);
        let regions = self.peer.sendfile;
        let piece = if version == Version::HTTP_2 {
            Piece::Small
        } else {
            Piece::Large
        };
        let stats = Arc::clone(&self.stats);
        let (handler, peer) = (self.handler.clone(), self.peer.clone());
        Box::pin(async move {
            // Made in here and not moved in: a future is kilobytes, and each move copies them.
            let handled = async { handler.handle(peer, request).await };
            let Ok(response) = AssertUnwindSafe(handled).catch_unwind().await else {
                // The panic hook has logged what and where.
                stats.add_panics(1);
                return Ok(answer(Refusal::Panic));
            };
            Ok(response.map(|body| {
                let body = if regions {
                    body
                } else {
                    body.without_regions(piece)
                };
                match flight {
                    Some(flight) => body.in_flight(flight),
                    None => body,
                }
            }))
        })
    }
}
