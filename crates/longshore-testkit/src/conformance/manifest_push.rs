//! Pushing manifests (end-7a, end-7b).

use longshore_spec::digest::Digest;
use longshore_spec::reference::Reference;

use crate::content::Piece;
use crate::wire::Ask;

use super::expect::{Held, Must};
use super::talk::{Place, Talk, with_param};

/// What stands where a digest should, and is none.
pub(super) const MALFORMED: &str = "sha256:notadigest";

/// Pushes a manifest, with tags beside it, and reads it where the answer says that it is.
pub(super) async fn put(
    talk: &mut Talk<'_>,
    piece: &Piece,
    at: &Reference,
    tags: &[String],
    subject: Option<&Digest>,
) -> Held {
    let mut target = talk.path(Place::Repo, &format!("manifests/{at}"));
    for tag in tags {
        target = with_param(&target, "tag", tag);
    }
    let answer = talk.ask(ask(&target, piece)).await?;
    answer.must_be(201)?;
    answer.must_name(&piece.digest)?;
    if let Some(subject) = subject {
        answer.must_have("oci-subject", &subject.to_string())?;
    }
    for tag in tags {
        let named = answer
            .all("oci-tag")
            .flat_map(|line| line.split(','))
            .any(|named| named.trim() == tag);
        if !named {
            return Err(format!("OCI-Tag does not name {tag}"));
        }
    }
    let location = answer.must_lead_on()?;
    let kept = talk
        .ask(Ask::new("GET", location).header("accept", piece.media_type.as_str()))
        .await?;
    kept.must_be(200)?;
    kept.must_have("content-type", piece.media_type.as_str())?;
    kept.must_hold(&piece.bytes)
}

/// Pushes other bytes than those of the digest.
pub(super) async fn refuse_other_bytes(
    talk: &mut Talk<'_>,
    digest: &Digest,
    piece: &Piece,
) -> Held {
    let target = talk.path(Place::Repo, &format!("manifests/{digest}"));
    talk.ask(ask(&target, piece)).await?.must_be(400)?;
    talk.ask(Ask::new("HEAD", target)).await?.must_be(404)
}

/// Pushes a good manifest to a place that is none.
pub(super) async fn refuse_malformed(talk: &mut Talk<'_>, piece: &Piece) -> Held {
    let target = talk.path(Place::Repo, &format!("manifests/{MALFORMED}"));
    talk.ask(ask(&target, piece)).await?.must_be(400)
}

/// Without `Content-Length`, as HTTP clients send a body whose length they were not told.
fn ask(target: &str, piece: &Piece) -> Ask {
    Ask::new("PUT", target)
        .header("content-type", piece.media_type.as_str())
        .chunked(piece.bytes.clone())
}
