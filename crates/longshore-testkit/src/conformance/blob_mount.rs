//! Blobs of one repository made part of another (end-11).

use crate::content::Piece;
use crate::wire::Ask;

use super::blob_push::{comes_back, put};
use super::expect::{Held, Must};
use super::talk::{Place, Talk, with_param};

/// Mounts a blob that the other repository holds, with or without saying which one that is.
pub(super) async fn mount(talk: &mut Talk<'_>, piece: &Piece, named: bool) -> Held {
    let target = target(talk, piece, named);
    let answer = talk.ask(Ask::new("POST", target)).await?;
    answer.must_be(201)?;
    answer.must_name(&piece.digest)?;
    comes_back(talk, &answer, piece).await
}

/// Asks for a blob that is not there: an upload begins instead, and it works.
pub(super) async fn missing(talk: &mut Talk<'_>, piece: &Piece) -> Held {
    let target = target(talk, piece, true);
    let answer = talk.ask(Ask::new("POST", target)).await?;
    answer.must_be(202)?;
    let upload = answer.must_lead_on()?;
    let answer = put(talk, &upload, piece, piece.bytes.clone()).await?;
    answer.must_be(201)?;
    answer.must_name(&piece.digest)?;
    comes_back(talk, &answer, piece).await
}

fn target(talk: &Talk<'_>, piece: &Piece, named: bool) -> String {
    let uploads = talk.path(Place::Repo, "blobs/uploads/");
    let target = with_param(&uploads, "mount", &piece.digest.to_string());
    if named {
        with_param(&target, "from", talk.name(Place::Other))
    } else {
        target
    }
}
