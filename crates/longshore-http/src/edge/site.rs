//! All edges of one address: which of them a request is for.

use std::error::Error as StdError;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;

use super::Edge;
use super::device::DeviceEdge;
use super::neighbour::{Door, Neighbour};
use super::signin::SignInEdge;
use super::token::TokenEdge;
use crate::server::{Answering, Handler, Peer};

/// A registry's edge, and those beside it. Cloning copies a pointer.
#[derive(Debug, Clone)]
pub struct Site(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    edge: Edge,
    token: Option<TokenEdge>,
    beside: Vec<Door>,
    sign_in: Option<SignInEdge>,
    device: Option<DeviceEdge>,
}

impl Site {
    /// A site of this edge alone.
    pub fn new(edge: Edge) -> Self {
        Self(Arc::new(Inner {
            edge,
            token: None,
            beside: Vec::new(),
            sign_in: None,
            device: None,
        }))
    }

    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }

    /// With the token service of an index.
    #[must_use]
    pub fn with_tokens(mut self, token: TokenEdge) -> Self {
        self.inner().token = Some(token);
        self
    }

    /// With what answers other paths than these.
    #[must_use]
    pub fn with_neighbour(mut self, neighbour: Arc<dyn Neighbour>) -> Self {
        let door = Door::new(self.0.edge.clone(), neighbour);
        self.inner().beside.push(door);
        self
    }

    /// With logins of browsers.
    #[must_use]
    pub fn with_sign_in(mut self, sign_in: SignInEdge) -> Self {
        self.inner().sign_in = Some(sign_in);
        self
    }

    /// With logins of command lines.
    #[must_use]
    pub fn with_devices(mut self, device: DeviceEdge) -> Self {
        self.inner().device = Some(device);
        self
    }

    /// Answers a request that came by `peer`. Every failure is a response too.
    pub fn call<B>(&self, peer: Peer, request: Request<B>) -> Answering
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let inner = &*self.0;
        let path = request.uri().path();
        if let Some(door) = inner.beside.iter().find(|door| door.is_for(path)) {
            let door = door.clone();
            return Box::pin(async move { door.call(peer, request).await });
        }
        if let Some(sign_in) = inner.sign_in.as_ref().filter(|edge| edge.is_for(path)) {
            let sign_in = sign_in.clone();
            return Box::pin(async move { sign_in.call(peer, request).await });
        }
        if let Some(device) = inner.device.as_ref().filter(|edge| edge.is_for(path)) {
            let device = device.clone();
            return Box::pin(async move { device.call(peer, request).await });
        }
        if let Some(token) = inner.token.as_ref().filter(|edge| edge.is_for(path)) {
            let token = token.clone();
            return Box::pin(async move { token.call(peer, request).await });
        }
        inner.edge.call(peer, request)
    }
}

impl Handler for Site {
    fn handle(&self, peer: Peer, request: Request<Incoming>) -> Answering {
        self.call(peer, request)
    }
}
