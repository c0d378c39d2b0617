//! What answers requests.

use std::future::Future;

use http::{Request, Response};
use hyper::body::Incoming;

use super::body::Body;
use super::peer::Peer;

/// Answers the requests of a server. A closure `|peer, request| async { response }` is one.
///
/// Not hyper's `Service`: that has no place for the [`Peer`] but the request's extensions, which cost three allocations a request.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers `request`, which came by `peer`. Every failure is a response too; a panic is answered by the server.
    fn handle(
        &self,
        peer: Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

impl<F, Answer> Handler for F
where
    F: Fn(Peer, Request<Incoming>) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = Response<Body>> + Send,
{
    fn handle(
        &self,
        peer: Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send {
        self(peer, request)
    }
}
