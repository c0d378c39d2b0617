//! What answers requests.

use std::future::Future;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;

use super::body::Body;
use super::peer::Peer;

/// An answer under way.
///
/// Boxed where the handler is written, and not by the server: the compiler makes the code of a future once more in each crate that
/// knows its type, and all of an edge, with the rights and the store behind it, was in the program twice.
pub type Answering = BoxFuture<'static, Response<Body>>;

/// Answers the requests of a server. A closure `|peer, request| async { response }` is one.
///
/// Not hyper's `Service`: that has no place for the [`Peer`] but the request's extensions, which cost three allocations a request.
pub trait Handler: Send + Sync + 'static {
    /// Answers `request`, which came by `peer`. Every failure is a response too; a panic is answered by the server.
    fn handle(&self, peer: Peer, request: Request<Incoming>) -> Answering;
}

impl<F, Answer> Handler for F
where
    F: Fn(Peer, Request<Incoming>) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Response<Body>> + Send + 'static,
{
    fn handle(&self, peer: Peer, request: Request<Incoming>) -> Answering {
        Box::pin(self(peer, request))
    }
}
