//! Clients that take their time, and clients that never come to an end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpSocket;
use tokio::time::{interval, sleep};

use super::front::{Doing, Front, Talk, crowd, pace};

/// As many of each kind.
const SLOW: usize = 64;
/// What a slow client moves in a second.
const SIP: usize = 1024;
const SECOND: Duration = Duration::from_secs(1);
/// Bytes of the blob that slow writers begin to push.
const BLOB: u64 = 100 << 20;
/// Clients whose bodies do not end.
const ENDLESS: usize = 8;
/// Bytes of one of their chunks, and chunks a second of all together.
const CHUNK: usize = 1 << 20;
const CHUNKS: u32 = 128;
/// The limit for a blob is half of so many chunks; what is on its way when the server stops it is a few.
const FAR_BEYOND: u32 = 64;
/// Between two tries of somebody who was thrown out.
const PAUSE: Duration = Duration::from_millis(100);

/// Readers of a blob of 100 MiB who take 1 KiB a second, with the smallest buffers.
pub(super) fn readers(front: Arc<Front>) -> Doing {
    Box::pin(async move { crowd(&front, SLOW, |front, _| read(front)).await })
}

async fn read(front: Arc<Front>) -> Result<()> {
    loop {
        // A server may hang up on somebody so slow; then he comes again.
        let _ = sip(&front).await;
        sleep(PAUSE).await;
    }
}

async fn sip(front: &Front) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    let mut talk = Talk::over(socket, front).await?;
    talk.say(front.request("GET", &front.blob).as_bytes())
        .await?;
    let mut bytes = [0; SIP];
    let mut first = true;
    loop {
        if talk.stream.read(&mut bytes).await? == 0 {
            return Ok(());
        }
        if first {
            if !bytes.starts_with(b"HTTP/1.1 200") {
                front.wrong("a slow reader got no blob".to_owned());
            }
            front.act(SLOW);
            first = false;
        }
        sleep(SECOND).await;
    }
}

/// Writers of blobs of 100 MiB who send 1 KiB a second, and as many who send their heads byte by byte.
pub(super) fn writers(front: Arc<Front>) -> Doing {
    Box::pin(async move {
        crowd(&front, 2 * SLOW, |front, at| async move {
            loop {
                let _ = if at % 2 == 0 {
                    drip(&front).await
                } else {
                    spell(&front).await
                };
                sleep(PAUSE).await;
            }
        })
        .await
    })
}

async fn drip(front: &Front) -> Result<()> {
    let mut talk = Talk::open(front).await?;
    let place = front.upload(&mut talk).await?;
    let head = front.head("PATCH", &place);
    talk.say(format!("{head}Content-Length: {BLOB}\r\n\r\n").as_bytes())
        .await?;
    front.act(2 * SLOW);
    loop {
        talk.say(&[7; SIP]).await?;
        sleep(SECOND).await;
    }
}

async fn spell(front: &Front) -> Result<()> {
    let mut talk = Talk::open(front).await?;
    front.act(2 * SLOW);
    for byte in front.request("GET", &front.manifest).bytes() {
        talk.say(&[byte]).await?;
        sleep(SECOND / 4).await;
    }
    Ok(())
}

/// Uploads in chunks that do not end, 128 MiB a second together; whoever is stopped begins another one.
pub(super) fn endless(front: Arc<Front>) -> Doing {
    Box::pin(async move {
        crowd(&front, ENDLESS, |front, at| async move {
            let mut chunk = format!("{CHUNK:x}\r\n").into_bytes();
            chunk.resize(chunk.len() + CHUNK, 7);
            chunk.extend_from_slice(b"\r\n");
            let mut ticks = pace(CHUNKS, ENDLESS, at);
            loop {
                let _ = flow(&front, &chunk, &mut ticks).await;
                sleep(PAUSE).await;
            }
        })
        .await
    })
}

async fn flow(front: &Front, chunk: &[u8], ticks: &mut tokio::time::Interval) -> Result<()> {
    let mut talk = Talk::open(front).await?;
    let place = front.upload(&mut talk).await?;
    let head = front.head("PATCH", &place);
    talk.say(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes())
        .await?;
    for sent in 0.. {
        ticks.tick().await;
        front.act(ENDLESS);
        if sent == FAR_BEYOND {
            front.wrong(format!("{sent} MiB were taken for a blob"));
        }
        if let Err(broken) = talk.say(chunk).await {
            // The server stopped it; 413 is what it should have said.
            if let Ok(heard) = talk.hear().await
                && heard.status != 413
            {
                front.wrong(format!("an endless body was answered {}", heard.status));
            }
            return Err(broken);
        }
    }
    Ok(())
}

/// As many connections as there can be, each of which asked for something once and is silent since.
pub(super) fn idle(front: Arc<Front>) -> Doing {
    /// Who opens them.
    const HANDS: usize = 64;
    Box::pin(async move {
        let all = front.connections;
        crowd(&front, HANDS, |front, at| async move {
            let mut held = Vec::new();
            let request = front.request("GET", "/v2/");
            for _ in (at..all).step_by(HANDS) {
                let mut talk = Talk::open(&front).await?;
                talk.say(request.as_bytes()).await?;
                let heard = talk.hear().await?;
                if heard.status != 200 {
                    front.wrong(format!("connection {} was refused", front.acts()));
                }
                held.push(talk);
                front.act(all);
            }
            // They are held until everything is over.
            let mut rest = interval(SECOND);
            loop {
                rest.tick().await;
            }
        })
        .await
    })
}
