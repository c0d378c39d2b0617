//! All edges of one address: which of them a request is for.

use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;

use super::Edge;
use super::device::DeviceEdge;
use super::neighbour::{Door, Neighbour};
use super::signin::SignInEdge;
use super::token::TokenEdge;
use crate::server::{Body, Handler, Peer};

/// A registry's edge, and those beside it. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct Site {
    edge: Edge,
    token: Option<TokenEdge>,
    beside: Vec<Door>,
    sign_in: Option<SignInEdge>,
    device: Option<DeviceEdge>,
}

impl Site {
    /// A site of this edge alone.
    pub fn new(edge: Edge) -> Self {
        Site {
            edge,
            token: None,
            beside: Vec::new(),
            sign_in: None,
            device: None,
        }
    }

    /// With the token service of an index.
    #[must_use]
    pub fn with_tokens(mut self, token: TokenEdge) -> Self {
        self.token = Some(token);
        self
    }

    /// With what answers other paths than these.
    #[must_use]
    pub fn with_neighbour(mut self, neighbour: Arc<dyn Neighbour>) -> Self {
        self.beside.push(Door::new(self.edge.clone(), neighbour));
        self
    }

    /// With logins of browsers.
    #[must_use]
    pub fn with_sign_in(mut self, sign_in: SignInEdge) -> Self {
        self.sign_in = Some(sign_in);
        self
    }

    /// With logins of command lines.
    #[must_use]
    pub fn with_devices(mut self, device: DeviceEdge) -> Self {
        self.device = Some(device);
        self
    }

    /// Answers a request that came by `peer`. Every failure is a response too.
    pub async fn call<B>(&self, peer: Peer, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let path = request.uri().path();
        if let Some(door) = self.beside.iter().find(|door| door.is_for(path)) {
            return Box::pin(door.call(peer, request)).await;
        }
        if let Some(sign_in) = &self.sign_in
            && sign_in.is_for(request.uri().path())
        {
            return Box::pin(sign_in.call(peer, request)).await;
        }
        if let Some(device) = &self.device
            && device.is_for(request.uri().path())
        {
            return Box::pin(device.call(peer, request)).await;
        }
        match &self.token {
            // Boxed: a pull would carry room for it.
            Some(token) if token.is_for(request.uri().path()) => {
                Box::pin(token.call(peer, request)).await
            }
            _ => self.edge.call(peer, request).await,
        }
    }
}

impl Handler for Site {
    fn handle(
        &self,
        peer: Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send {
        self.call(peer, request)
    }
}
