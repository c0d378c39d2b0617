//! The server on real sockets.

mod damage;
mod end;
mod files;
mod limits;
mod raw;
mod streams;
mod tls;

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use longshore_region::Region;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Address, Body, BodyFault, Drained, Options, Peer, Server, ServerStats};

/// A running server.
pub(super) struct Rig {
    pub(super) addr: SocketAddr,
    pub(super) stats: Arc<ServerStats>,
    pub(super) stop: CancellationToken,
    pub(super) running: JoinHandle<Drained>,
}

/// What the service of the tests has to serve.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) region: Arc<Region>,
    pub(super) len: u64,
}

impl Content {
    /// A file of `len` bytes, each telling its place.
    pub(super) fn of(len: usize) -> (Self, Arc<File>) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&pattern(len)).unwrap();
        let file = Arc::new(file);
        let region = Region::map(Arc::clone(&file), len as u64).unwrap();
        (
            Self {
                region,
                len: len as u64,
            },
            file,
        )
    }
}

pub(super) fn pattern(len: usize) -> Vec<u8> {
    (0..251).cycle().take(len).collect()
}

/// Options for a server on a port of the system's choice.
pub(super) fn options() -> Options {
    Options {
        listen: vec![Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))],
        ..Options::default()
    }
}

pub(super) async fn start(options: Options) -> Rig {
    start_with(options, Content::of(10).0).await
}

pub(super) async fn start_with(options: Options, content: Content) -> Rig {
    let server = Server::bind(options).await.unwrap();
    let Some(Address::Tcp(addr)) = server.addresses().first().cloned() else {
        panic!("no TCP address")
    };
    let (stats, stop) = (server.stats(), CancellationToken::new());
    let handler = move |peer, request| serve(peer, request, content.clone());
    let running = tokio::spawn(server.run(handler, stop.clone()));
    Rig {
        addr,
        stats,
        stop,
        running,
    }
}

async fn serve(peer: Peer, request: Request<Incoming>, content: Content) -> Response<Body> {
    match request.uri().path() {
        "/hello" => Response::new(Body::from("hello")),
        "/length" => length(&peer, request.into_body()).await,
        "/panic" => panic!("as asked"),
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Response::new(Body::from("slept"))
        }
        "/never" => std::future::pending().await,
        "/region" => Response::new(Body::from(content.region.bytes(0..content.len))),
        "/part" => Response::new(Body::from(content.region.bytes(3..content.len - 3))),
        "/pieces" => {
            let half = content.len / 2;
            let pieces = [
                content.region.bytes(0..half),
                content.region.bytes(half..content.len),
            ];
            Response::new(Body::stream(Box::pin(stream::iter(pieces.map(Ok))), None))
        }
        "/endless" => {
            let piece = Bytes::from(vec![b'x'; 64 * 1024]);
            Response::new(Body::stream(
                Box::pin(stream::repeat_with(move || Ok(piece.clone()))),
                None,
            ))
        }
        _ => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}

/// How long the body was, or how it failed.
async fn length(peer: &Peer, body: Incoming) -> Response<Body> {
    let mut body = peer.receive(body);
    let mut length = 0;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => length += bytes.len(),
            Err(error) => {
                let fault = BodyFault::of(&error).unwrap();
                let mut response = Response::new(Body::from(fault.to_string()));
                *response.status_mut() = StatusCode::from_u16(fault.code().wire().0).unwrap();
                return response;
            }
        }
    }
    Response::new(Body::from(length.to_string()))
}

impl Rig {
    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).await.unwrap()
    }

    /// Sends `bytes`, and reads until the server closes.
    pub(super) async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // A server that has made up its mind may close before all is sent.
        let _ = stream.write_all(bytes.as_ref()).await;
        rest(&mut stream).await
    }
}

/// All that comes until the other end closes, which must be soon.
pub(super) async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    let read = read.expect("the connection was not closed");
    assert!(read.is_ok() || !bytes.is_empty(), "{read:?}");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads one answer with a `content-length`.
pub(super) async fn one_answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).await.unwrap();
        text.push(byte[0]);
    }
    let head = String::from_utf8(text.clone()).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    text.extend(body);
    String::from_utf8(text).unwrap()
}
