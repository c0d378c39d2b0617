//! Pushing blobs: in one request, in two, as a stream; and giving up. Chunks are in [`super::chunks`].

use crate::content::Piece;
use crate::wire::{Answer, Ask};

use super::chunks::{self, Order};
use super::expect::{Held, Must};
use super::talk::{Place, Talk, with_param};

/// How a blob is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// One request with digest and body.
    PostOnly,
    /// A session, and one request with digest and body.
    PostPut,
    /// A session, and its content in one request that does not say how long it is.
    Stream,
    /// A session, and its content in chunks.
    Chunks(Order),
}

const TYPE: (&str, &str) = ("content-type", "application/octet-stream");

/// Pushes a blob, and reads it where the answer says that it is.
pub(super) async fn push(talk: &mut Talk<'_>, piece: &Piece, way: Way, to: Place) -> Held {
    let answer = send(talk, piece, way, to).await?;
    answer.must_be(201)?;
    answer.must_name(&piece.digest)?;
    comes_back(talk, &answer, piece).await
}

/// Pushes bytes under a digest that is not theirs.
pub(super) async fn refuse(talk: &mut Talk<'_>, piece: &Piece, way: Way) -> Held {
    send(talk, piece, way, Place::Repo).await?.must_be(400)?;
    let blob = talk.blob(Place::Repo, &piece.digest);
    talk.ask(Ask::new("HEAD", blob)).await?.must_be(404)
}

/// Starts an upload and gives it up (end-14).
pub(super) async fn cancel(talk: &mut Talk<'_>) -> Held {
    let upload = start(talk, Place::Repo).await?;
    talk.ask(Ask::new("DELETE", &upload)).await?.must_be(204)?;
    talk.ask(Ask::new("GET", &upload)).await?.must_be(404)
}

/// `Location` leads to the blob.
pub(super) async fn comes_back(talk: &mut Talk<'_>, answer: &Answer, piece: &Piece) -> Held {
    let location = answer.must_lead_on()?;
    let blob = talk.ask(Ask::new("GET", location)).await?;
    blob.must_be(200)?;
    blob.must_hold(&piece.bytes)
}

/// Starts an upload and gives its place (end-4a).
pub(super) async fn start(talk: &mut Talk<'_>, to: Place) -> Held<String> {
    let answer = talk
        .ask(Ask::new("POST", talk.path(to, "blobs/uploads/")))
        .await?;
    answer.must_be(202)?;
    answer.must_lead_on()
}

/// Sends what an upload wants at last: the digest, and perhaps bytes (end-6).
pub(super) async fn put(
    talk: &mut Talk<'_>,
    upload: &str,
    piece: &Piece,
    bytes: bytes::Bytes,
) -> Held<Answer> {
    let target = with_param(upload, "digest", &piece.digest.to_string());
    talk.ask(Ask::new("PUT", target).header(TYPE.0, TYPE.1).sized(bytes))
        .await
}

async fn send(talk: &mut Talk<'_>, piece: &Piece, way: Way, to: Place) -> Held<Answer> {
    match way {
        Way::PostOnly => {
            let uploads = talk.path(to, "blobs/uploads/");
            let target = with_param(&uploads, "digest", &piece.digest.to_string());
            talk.ask(
                Ask::new("POST", target)
                    .header(TYPE.0, TYPE.1)
                    .sized(piece.bytes.clone()),
            )
            .await
        }
        Way::PostPut => {
            let upload = start(talk, to).await?;
            put(talk, &upload, piece, piece.bytes.clone()).await
        }
        Way::Stream => {
            let upload = start(talk, to).await?;
            let stream = Ask::new("PATCH", upload)
                .header(TYPE.0, TYPE.1)
                .chunked(piece.bytes.clone());
            let answer = talk.ask(stream).await?;
            answer.must_be(202)?;
            let upload = answer.must_lead_on()?;
            put(talk, &upload, piece, bytes::Bytes::new()).await
        }
        Way::Chunks(order) => {
            let upload = start(talk, to).await?;
            chunks::send(talk, piece, upload, order).await
        }
    }
}
