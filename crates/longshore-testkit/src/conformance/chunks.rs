//! Pushing a blob in chunks (end-5), in order and out of it.

use bytes::Bytes;

use crate::content::Piece;
use crate::wire::{Answer, Ask};

use super::blob_push::put;
use super::expect::{Held, Must};
use super::talk::{Talk, with_param};

/// The length of a chunk. Blobs in chunks are made to have three, the last a little shorter.
pub(super) const CHUNK: usize = 1024;

/// In which order chunks come, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// Before each chunk that fits, one is sent that does not.
    pub(super) disturbed: bool,
    /// The last chunk comes with the closing request.
    pub(super) last_with_put: bool,
}

/// Sends a blob's chunks to an upload, closes it, and gives the last answer.
pub(super) async fn send(
    talk: &mut Talk<'_>,
    piece: &Piece,
    mut upload: String,
    order: Order,
) -> Held<Answer> {
    let whole = &piece.bytes;
    let mut held = 0;
    while held < whole.len() {
        if order.disturbed {
            upload = disturb(talk, piece, &upload, held, order).await?;
        }
        let part = part(whole, held);
        let is_last = held + part.len() == whole.len();
        if is_last && order.last_with_put {
            let target = with_param(&upload, "digest", &piece.digest.to_string());
            return talk.ask(chunk("PUT", &target, held, part)).await;
        }
        held += part.len();
        let answer = talk
            .ask(chunk("PATCH", &upload, held - part.len(), part))
            .await?;
        answer.must_be(202)?;
        answer.must_have("range", &format!("0-{}", held - 1))?;
        upload = answer.must_lead_on()?;
    }
    put(talk, &upload, piece, Bytes::new()).await
}

/// Sends the chunk after the next one, or the first again; the upload must stand where it stood.
async fn disturb(
    talk: &mut Talk<'_>,
    piece: &Piece,
    upload: &str,
    held: usize,
    order: Order,
) -> Held<String> {
    let whole = &piece.bytes;
    let wrong = if held + CHUNK < whole.len() {
        held + CHUNK
    } else {
        0
    };
    let part = part(whole, wrong);
    let closes = order.last_with_put && wrong + part.len() == whole.len();
    let (method, target) = if closes {
        (
            "PUT",
            with_param(upload, "digest", &piece.digest.to_string()),
        )
    } else {
        ("PATCH", upload.to_owned())
    };
    talk.ask(chunk(method, &target, wrong, part))
        .await?
        .must_be(416)?;
    // Asked with the parameters of the refused request, as clients do that keep their URL.
    let state = talk.ask(Ask::new("GET", target)).await?;
    state.must_be(204)?;
    // An empty upload has no last byte; "0-0" is what everybody sends.
    state.must_have("range", &format!("0-{}", held.saturating_sub(1)))?;
    state.must_lead_on()
}

fn part(whole: &Bytes, from: usize) -> Bytes {
    whole.slice(from..whole.len().min(from + CHUNK))
}

fn chunk(method: &'static str, target: &str, at: usize, part: Bytes) -> Ask {
    Ask::new(method, target)
        .header("content-type", "application/octet-stream")
        .header("content-range", format!("{at}-{}", at + part.len() - 1))
        .sized(part)
}
