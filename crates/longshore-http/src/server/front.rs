//! What every request passes on its way to the service, and every response on its way back.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::CONNECTION;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::guard::Activity;
use super::options::Limits;
use super::peer::Peer;
use super::refusal::Refusal;
use super::screen::{REFUSED, Verdict};
use super::stats::ServerStats;

/// The service of one connection: tells it the [`Peer`], answers refused heads and panics, and makes bodies fit the
/// connection.
pub(super) struct Front<S> {
    pub(super) service: S,
    pub(super) peer: Peer,
    /// The screen's, over HTTP/1.
    pub(super) verdict: Verdict,
    pub(super) limits: Arc<Limits>,
    pub(super) stop: CancellationToken,
    pub(super) stats: Arc<ServerStats>,
}

impl<S> Front<S> {
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

impl<S> Service<Request<Incoming>> for Front<S>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
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
        let stats = Arc::clone(&self.stats);
        request.extensions_mut().insert(self.peer.clone());
        let called = catch_unwind(AssertUnwindSafe(|| self.service.call(request)));
        Box::pin(async move {
            let response = match called {
                Ok(future) => AssertUnwindSafe(future).catch_unwind().await,
                Err(panic) => Err(panic),
            };
            let Ok(Ok(response)) = response else {
                // The panic hook has logged what and where.
                stats.add_panics(1);
                return Ok(answer(Refusal::Panic));
            };
            Ok(response.map(|body| {
                let body = if regions {
                    body
                } else {
                    body.without_regions()
                };
                match flight {
                    Some(flight) => body.in_flight(flight),
                    None => body,
                }
            }))
        })
    }
}
