//! What of an answer must be the same everywhere.

use std::fmt::Debug;

use futures_util::TryStreamExt;
use longshore_core::{Blob, Code, Error, Manifest, Result, Upload};
use longshore_spec::descriptor::Descriptor;

/// A success as it prints, or what the failure means.
pub(super) fn shown<T: Debug>(answer: &Result<T>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(error) => failure(error),
    }
}

/// Whether it is there; which absence it is depends on when a repository begins to exist.
fn failure(error: &Error) -> String {
    match error.code() {
        Code::BlobUnknown | Code::ManifestUnknown | Code::NameUnknown => "absent".to_owned(),
        code => match error.offset() {
            Some(offset) if code != Code::BodyLost => format!("{code:?} at {offset}"),
            _ => format!("{code:?}"),
        },
    }
}

/// A push that breaks two rules may be refused for either.
pub(super) fn pushed<T: Debug>(answer: &Result<T>) -> String {
    match answer {
        Err(error)
            if matches!(
                error.code(),
                Code::ManifestBlobUnknown | Code::SizeInvalid | Code::ConditionFailed
            ) =>
        {
            "against a rule".to_owned()
        }
        answer => shown(answer),
    }
}

/// How far an upload is. Its id and the least chunk are the registry's own affair.
pub(super) fn upload(answer: &Result<Upload>) -> String {
    shown(&answer.as_ref().map(|upload| upload.offset).map_err(copy))
}

/// Type, digest, size.
pub(super) fn plain(answer: &Result<Descriptor>) -> String {
    let plain = |found: &Descriptor| (found.media_type.clone(), found.digest, found.size);
    shown(&answer.as_ref().map(plain).map_err(copy))
}

/// Type, digest and bytes, these by their length and whether they are those of the digest.
pub(super) fn manifest(answer: &Result<Manifest>) -> String {
    let plain = |found: &Manifest| {
        let named = longshore_spec::digest::Digest::of(found.digest.algorithm(), &found.bytes);
        (
            found.media_type.clone(),
            found.digest,
            found.bytes.len(),
            named == found.digest,
        )
    };
    shown(&answer.as_ref().map(plain).map_err(copy))
}

/// Size, range and bytes.
pub(super) async fn blob(answer: Result<Blob>) -> String {
    match answer {
        Err(error) => failure(&error),
        Ok(blob) => {
            let (info, range) = (blob.info, blob.range.clone());
            let body: std::io::Result<Vec<_>> = blob.body.try_collect().await;
            format!(
                "{info:?} {range:?} {:?}",
                body.map(|parts| parts.concat())
                    .map_err(|error| error.kind())
            )
        }
    }
}

/// The part of an error that is compared.
fn copy(error: &Error) -> Error {
    let copy = Error::new(error.code(), "");
    match error.offset() {
        Some(offset) => copy.at_offset(offset),
        None => copy,
    }
}
