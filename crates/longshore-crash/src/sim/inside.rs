//! A client's way to an edge in the same thread.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use longshore_http::edge::Edge;
use longshore_http::server::Peer;
use longshore_testkit::wire::{Answer, Ask, Body};

use super::world::World;
use crate::way::Way;

/// A connection to an edge, which breaks when the machine goes.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) edge: Edge,
    pub(crate) world: Arc<World>,
}

impl Way for Inside {
    async fn ask(&mut self, ask: &Ask) -> io::Result<Answer> {
        let gone = || io::Error::from(io::ErrorKind::ConnectionReset);
        tokio::select! {
            biased;
            () = self.world.gone() => Err(gone()),
            answer = call(&self.edge, ask) => answer,
        }
    }
}

async fn call(edge: &Edge, ask: &Ask) -> io::Result<Answer> {
    let mut request = Request::builder()
        .method(ask.method)
        .uri(&ask.target)
        .header("host", "registry.example");
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    let body = match &ask.body {
        Body::Absent => Bytes::new(),
        Body::Sized(bytes) => {
            request = request.header("content-length", bytes.len());
            bytes.clone()
        }
        Body::Chunked(bytes) => {
            request = request.header("transfer-encoding", "chunked");
            bytes.clone()
        }
    };
    let request = request.body(Full::new(body)).map_err(io::Error::other)?;
    let (head, body) = edge.call(Peer::default(), request).await.into_parts();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: body.collect().await.map_err(io::Error::other)?.to_bytes(),
    })
}
