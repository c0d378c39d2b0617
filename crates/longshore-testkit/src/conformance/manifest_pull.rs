//! Reading manifests (end-3).

use longshore_spec::media::MediaType;
use longshore_spec::reference::Reference;

use crate::content::Piece;
use crate::wire::{Answer, Ask};

use super::expect::{Held, Must};
use super::manifest_push::MALFORMED;
use super::talk::{Place, Talk};

/// A manifest's length, type and digest.
pub(super) async fn head(talk: &mut Talk<'_>, piece: &Piece, at: &Reference) -> Held {
    let answer = talk.ask(ask(talk, "HEAD", &at.to_string())).await?;
    is(&answer, piece)?;
    answer.must_announce(piece.size())
}

/// A manifest's bytes.
pub(super) async fn get(talk: &mut Talk<'_>, piece: &Piece, at: &Reference) -> Held {
    let answer = talk.ask(ask(talk, "GET", &at.to_string())).await?;
    is(&answer, piece)?;
    answer.must_hold(&piece.bytes)
}

/// A manifest that is not there.
pub(super) async fn absent(talk: &mut Talk<'_>, at: &Reference) -> Held {
    talk.ask(ask(talk, "GET", &at.to_string()))
        .await?
        .must_be(404)
}

/// A digest that is none.
pub(super) async fn malformed(talk: &mut Talk<'_>) -> Held {
    talk.ask(ask(talk, "GET", MALFORMED))
        .await?
        .must_be_one_of(&[400, 404])
}

fn is(answer: &Answer, piece: &Piece) -> Held {
    answer.must_be(200)?;
    answer.must_have("content-type", piece.media_type.as_str())?;
    answer.must_name(&piece.digest)
}

/// Accepts both kinds of manifest, in two lines.
fn ask(talk: &Talk<'_>, method: &'static str, at: &str) -> Ask {
    Ask::new(method, talk.path(Place::Repo, &format!("manifests/{at}")))
        .header("accept", MediaType::OCI_INDEX.as_str())
        .header("accept", MediaType::OCI_MANIFEST.as_str())
}
