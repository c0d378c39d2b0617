//! Looking at a blob's bytes: are they there, and are they those of its digest?

use longshore_blob::{BlobStore, Pace, Unpaced};
use longshore_core::{Error, Result};
use longshore_meta::blobs::BlobRow;
use longshore_meta::{Db, bodies};
use longshore_spec::digest::Digest;

use crate::place::Place;

/// What a look at a copy found.
#[derive(Debug)]
pub(crate) enum Copy {
    /// It is what its row says.
    Whole,
    /// There is nothing.
    Gone,
    /// It has that many bytes, and its row says another number.
    OfLength(u64),
    /// It has other bytes than its digest says.
    Wrong,
    /// It could not be read, which says nothing about it.
    Unreadable(Error),
}

impl Copy {
    /// What is wrong with it, in words that follow "the bytes of a blob are"; `None` when nothing is, or nothing is known.
    pub(crate) fn wrong(&self) -> Option<String> {
        match self {
            Copy::Whole | Copy::Unreadable(_) => None,
            Copy::Gone => Some("not there".to_owned()),
            Copy::OfLength(found) => Some(format!("{found} and not as many as they were")),
            Copy::Wrong => Some("not those of its digest".to_owned()),
        }
    }
}

/// Reads all of the copy a row names, at a pace.
///
/// # Errors
/// `Internal` when the row's location cannot be understood.
pub(crate) async fn examine(
    db: &Db,
    store: &dyn BlobStore,
    digest: &Digest,
    row: &BlobRow,
    pace: &dyn Pace,
) -> Result<Copy> {
    let found = match Place::of(&row.location)? {
        Place::Stored(at) => store.digest(&at, digest.algorithm(), pace).await,
        Place::Row(id) => body(db, id, digest).await,
    };
    Ok(match found {
        Err(error) => Copy::Unreadable(error),
        Ok(None) => Copy::Gone,
        Ok(Some((size, _))) if size != row.size => Copy::OfLength(size),
        Ok(Some((_, found))) if found != *digest => Copy::Wrong,
        Ok(Some(_)) => Copy::Whole,
    })
}

/// Looks only at whether the copy is there and how long it is.
///
/// # Errors
/// `Internal` when the row's location cannot be understood.
pub(crate) async fn glance(
    db: &Db,
    store: &dyn BlobStore,
    digest: &Digest,
    row: &BlobRow,
) -> Result<Copy> {
    let found = match Place::of(&row.location)? {
        Place::Stored(at) => store.size(&at).await,
        // Small as it is, to have found it is to have read it.
        Place::Row(_) => return examine(db, store, digest, row, &Unpaced).await,
    };
    Ok(match found {
        Err(error) => Copy::Unreadable(error),
        Ok(None) => Copy::Gone,
        Ok(Some(size)) if size != row.size => Copy::OfLength(size),
        Ok(Some(_)) => Copy::Whole,
    })
}

async fn body(db: &Db, id: i64, digest: &Digest) -> Result<Option<(u64, Digest)>> {
    let bytes = db
        .read(&(id, *digest), |tx, (id, digest)| {
            Box::pin(bodies::body_get(tx, *id, digest))
        })
        .await?;
    Ok(bytes.map(|bytes| (bytes.len() as u64, Digest::of(digest.algorithm(), &bytes))))
}
