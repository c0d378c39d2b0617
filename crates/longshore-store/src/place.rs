//! Where a blob's bytes lie: in the blob store, or in a row beside its own.

use longshore_blob::Location;
use longshore_core::{Error, Result};

/// Where a blob's bytes lie, as the `location` of its row says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the blob store.
    Stored(Location),
    /// In the metadata, as the body of this id.
    Row(i64),
}

impl Place {
    /// Reads what a row says.
    pub(crate) fn of(text: &str) -> Result<Self> {
        match text.strip_prefix(':') {
            Some(id) => id.parse().map(Place::Row).map_err(Error::internal),
            None => text.parse().map(Place::Stored).map_err(Error::internal),
        }
    }

    /// How the row of a blob says that its bytes are the body of this id.
    pub(crate) fn row(id: i64) -> String {
        format!(":{id}")
    }
}

/// Where the file of a blob lies, whose row says this; `None` when its bytes are part of the metadata.
///
/// # Errors
/// `Internal` when it says nothing that is understood.
pub fn file_of(text: &str) -> Result<Option<Location>> {
    Ok(match Place::of(text)? {
        Place::Stored(at) => Some(at),
        Place::Row(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_body_is_no_place_in_a_store() {
        assert_eq!(Place::of(&Place::row(7)).unwrap(), Place::Row(7));
        assert!(Place::row(7).parse::<Location>().is_err());
        let stored = Place::of("blobs/x").unwrap();
        assert_eq!(stored, Place::Stored("blobs/x".parse().unwrap()));
        assert!(Place::of(":x").is_err() && Place::of("").is_err());
    }
}
