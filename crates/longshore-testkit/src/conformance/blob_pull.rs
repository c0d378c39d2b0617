//! Reading blobs, whole and in part (end-2).

use std::ops::Range;

use longshore_spec::digest::Digest;

use crate::content::Piece;
use crate::wire::Ask;

use super::expect::{Held, Must};
use super::talk::{Place, Talk};

/// A blob that is not there.
pub(super) async fn absent(talk: &mut Talk<'_>, digest: &Digest) -> Held {
    let blob = talk.blob(Place::Repo, digest);
    talk.ask(Ask::new("GET", blob)).await?.must_be(404)
}

/// A blob's length and digest.
pub(super) async fn head(talk: &mut Talk<'_>, piece: &Piece) -> Held {
    let answer = talk
        .ask(Ask::new("HEAD", talk.blob(Place::Repo, &piece.digest)))
        .await?;
    answer.must_be(200)?;
    answer.must_announce(piece.size())?;
    answer.must_name(&piece.digest)
}

/// A blob's bytes.
pub(super) async fn get(talk: &mut Talk<'_>, piece: &Piece) -> Held {
    let answer = talk
        .ask(Ask::new("GET", talk.blob(Place::Repo, &piece.digest)))
        .await?;
    answer.must_be(200)?;
    answer.must_hold(&piece.bytes)?;
    answer.must_name(&piece.digest)
}

/// Some of a blob's bytes; none where `gets` has none.
pub(super) async fn range(
    talk: &mut Talk<'_>,
    piece: &Piece,
    asked: &str,
    gets: Option<&Range<usize>>,
) -> Held {
    let ask = Ask::new("GET", talk.blob(Place::Repo, &piece.digest))
        .header("range", format!("bytes={asked}"));
    let answer = talk.ask(ask).await?;
    match gets {
        None => answer.must_be(416),
        Some(bytes) => {
            answer.must_be(206)?;
            let (first, last, size) = (bytes.start, bytes.end - 1, piece.size());
            answer.must_have("content-range", &format!("bytes {first}-{last}/{size}"))?;
            answer.must_hold(&piece.bytes[bytes.clone()])
        }
    }
}
