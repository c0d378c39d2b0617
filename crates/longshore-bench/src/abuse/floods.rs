//! Requests that are too large, and pushes that are given up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::front::{Doing, Front, Talk, crowd, pace};

const FLOODERS: usize = 16;
/// Floods a second of all together.
const FLOODS: u32 = 500;
/// Who aborts uploads, and how many a second they abort together.
const ABORTERS: usize = 64;
const ABORTED: u32 = 1_000;
/// Bytes that an upload says it has; half of them are sent.
const WHOLE: usize = 64 << 10;
/// A session may still be held by the connection that broke when its end is asked for.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Heads without measure: one header of 1 MiB, 10,000 headers, a path of 64 KiB; 500 a second.
pub(super) fn headers(front: Arc<Front>) -> Doing {
    Box::pin(async move {
        let target = "x".repeat(64 << 10);
        let one = format!("X-Flood: {}\r\n\r\n", "x".repeat(1 << 20));
        let many = format!("{}\r\n", "X-Flood: 1\r\n".repeat(10_000));
        let heads = [
            front.head("GET", &front.manifest) + &one,
            front.head("GET", &front.manifest) + &many,
            front.request("GET", &format!("/v2/{target}/tags/list")),
        ];
        let heads = Arc::new(heads);
        crowd(&front, FLOODERS, |front, at| {
            let heads = Arc::clone(&heads);
            async move {
                let mut ticks = pace(FLOODS, FLOODERS, at);
                for head in heads.iter().cycle().skip(at) {
                    ticks.tick().await;
                    let _ = flood(&front, head).await;
                    front.act(1);
                }
                Ok(())
            }
        })
        .await
    })
}

async fn flood(front: &Front, head: &str) -> Result<()> {
    let mut talk = Talk::open(front).await?;
    // The server need not read all of it, nor answer.
    let said = talk.say(head.as_bytes()).await;
    if let Ok(heard) = talk.hear().await
        && !(400..500).contains(&heard.status)
    {
        front.wrong(format!("a flood of headers was answered {}", heard.status));
    }
    said
}

/// Uploads that break off in the middle, 1,000 a second: half of them are ended by `DELETE` afterwards, the others forgotten.
pub(super) fn uploads(front: Arc<Front>) -> Doing {
    Box::pin(async move {
        crowd(&front, ABORTERS, |front, at| async move {
            let mut ticks = pace(ABORTED, ABORTERS, at);
            for number in at.. {
                ticks.tick().await;
                if let Err(error) = abort(&front, number % 2 == 0).await {
                    front.wrong(format!("an upload could not be aborted: {error:#}"));
                }
                front.act(ABORTERS);
            }
            Ok(())
        })
        .await
    })
}

async fn abort(front: &Front, delete: bool) -> Result<()> {
    let mut talk = Talk::open(front).await?;
    let place = front.upload(&mut talk).await?;
    let head = front.head("PATCH", &place);
    let mut half = format!("{head}Content-Length: {WHOLE}\r\n\r\n").into_bytes();
    half.resize(half.len() + WHOLE / 2, 7);
    talk.say(&half).await?;
    drop(talk);
    if !delete {
        return Ok(());
    }
    let mut status = 0;
    for _ in 0..TRIES {
        let mut talk = Talk::open(front).await?;
        talk.say(front.request("DELETE", &place).as_bytes()).await?;
        status = talk.hear().await?.status;
        if matches!(status, 204 | 404) {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
    anyhow::bail!("DELETE {place}: {status}")
}
