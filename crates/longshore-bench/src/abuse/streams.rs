//! HTTP/2 as it should not be spoken: streams that are reset as soon as they are open, and streams that nobody reads.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use h2::Reason;
use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio::time::{Interval, sleep};
use tokio_rustls::TlsConnector;

use super::front::{Doing, Front, crowd, pace};

/// Connections of each kind.
const CONNECTIONS: usize = 8;
/// Resets in a row, and such rows a second of all connections together.
const RESETS: usize = 50;
const ROWS: u32 = 100;
/// Streams that are opened on each connection that reads nothing, as far as the server allows.
const STREAMS: usize = 1_000;
/// Before somebody who was thrown out comes again: a handshake costs the server more than a reset.
const PAUSE: Duration = Duration::from_millis(500);

/// Half of the connections reset streams, the others open streams for a blob of 100 MiB and leave them.
pub(super) fn both(front: Arc<Front>) -> Doing {
    Box::pin(async move {
        crowd(&front, 2 * CONNECTIONS, |front, at| async move {
            let mut ticks = pace(ROWS, CONNECTIONS, at / 2);
            loop {
                // The server may end the connection, and should.
                let _ = speak(&front, at % 2 == 0, &mut ticks).await;
                sleep(PAUSE).await;
            }
        })
        .await
    })
}

async fn speak(front: &Front, reset: bool, ticks: &mut Interval) -> Result<()> {
    let dial = front.tls.as_ref().context("the server speaks no TLS")?;
    let socket = TcpStream::connect(front.address).await?;
    let connector = TlsConnector::from(Arc::clone(&dial.config));
    let stream = connector.connect(dial.name(), socket).await?;
    let mut builder = h2::client::Builder::new();
    if !reset {
        builder.initial_window_size(1);
    }
    let (client, connection) = builder.handshake::<_, Bytes>(stream).await?;
    tokio::select! {
        ended = connection => Ok(ended?),
        spoken = async {
            if reset {
                resets(front, client, ticks).await
            } else {
                streams(front, client).await
            }
        } => spoken,
    }
}

async fn resets(front: &Front, mut client: SendRequest<Bytes>, ticks: &mut Interval) -> Result<()> {
    loop {
        ticks.tick().await;
        for _ in 0..RESETS {
            poll_fn(|cx| client.poll_ready(cx)).await?;
            let (_, mut stream) = client.send_request(get(front, &front.manifest)?, true)?;
            stream.send_reset(Reason::CANCEL);
            front.act(CONNECTIONS);
        }
    }
}

async fn streams(front: &Front, mut client: SendRequest<Bytes>) -> Result<()> {
    let mut held = Vec::new();
    for _ in 0..STREAMS {
        poll_fn(|cx| client.poll_ready(cx)).await?;
        held.push(client.send_request(get(front, &front.blob)?, true)?);
        front.act(CONNECTIONS);
    }
    std::future::pending().await
}

fn get(front: &Front, path: &str) -> Result<http::Request<()>> {
    let mut request = http::Request::get(format!("https://{}{path}", front.address));
    for (name, value) in &front.headers {
        request = request.header(name, value);
    }
    Ok(request.body(())?)
}
