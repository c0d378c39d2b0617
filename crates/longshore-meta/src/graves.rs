//! Bytes that are to be removed.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

/// Files have a place of their own each. A row of bytes may have the number of an earlier one, which is gone then, and what is still
/// to be removed of that one with it.
const PUT: &str = "INSERT INTO grave (due, location, digest, generation, size, tries) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                   ON CONFLICT (due, location) DO UPDATE SET digest = excluded.digest, generation = excluded.generation, \
                   size = excluded.size, tries = excluded.tries";
const DUE: &str = "SELECT due, location, digest, generation, size, tries FROM grave WHERE due <= ?1 ORDER BY due, location LIMIT ?2";
const DELETE: &str = "DELETE FROM grave WHERE due = ?1 AND location = ?2";
const SUM: &str = "SELECT count(*), coalesce(sum(size), 0), min(due), max(due) FROM grave";
const LOCATIONS: &str = "SELECT due, location FROM grave WHERE (due, location) > (?1, ?2) ORDER BY due, location LIMIT ?3";

/// Bytes that are to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grave {
    /// Not before this.
    pub due: i64,
    /// Where they lie, as the blob's row said it.
    pub location: String,
    /// What they are.
    pub digest: Digest,
    /// The generation of the blob's row that goes with them.
    pub generation: i64,
    /// How many they are.
    pub size: u64,
    /// How often it was tried.
    pub tries: i64,
}

/// How much waits to be removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Graves {
    /// How many blobs.
    pub count: u64,
    /// How many bytes.
    pub bytes: u64,
    /// When the first of them is due.
    pub first: Option<i64>,
    /// When the last of them is due.
    pub last: Option<i64>,
}

/// Has bytes removed.
///
/// # Errors
/// `Unavailable`.
pub async fn grave_put(tx: &mut Tx<'_>, grave: &Grave) -> Result<()> {
    let at = values![
        grave.due,
        grave.location.as_str(),
        &grave.digest,
        grave.generation,
        grave.size,
        grave.tries
    ];
    tx.exec(PUT, &at).await.map(drop)
}

/// What is due at `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn grave_due(tx: &mut Tx<'_>, now: i64, limit: usize) -> Result<Vec<Grave>> {
    let found = tx
        .all::<(i64, String, Digest, i64, u64, i64)>(DUE, &values![now, limit])
        .await?;
    Ok(found
        .into_iter()
        .map(|(due, location, digest, generation, size, tries)| Grave {
            due,
            location,
            digest,
            generation,
            size,
            tries,
        })
        .collect())
}

/// Forgets bytes that were removed, or are to be removed at another time.
///
/// # Errors
/// `Unavailable`.
pub async fn grave_delete(tx: &mut Tx<'_>, grave: &Grave) -> Result<bool> {
    Ok(tx
        .exec(DELETE, &values![grave.due, grave.location.as_str()])
        .await?
        > 0)
}

/// How much waits to be removed.
///
/// # Errors
/// `Unavailable`.
pub async fn grave_sum(tx: &mut Tx<'_>) -> Result<Graves> {
    let sum = tx
        .one::<(u64, u64, Option<i64>, Option<i64>)>(SUM, &[])
        .await?;
    Ok(sum
        .map(|(count, bytes, first, last)| Graves {
            count,
            bytes,
            first,
            last,
        })
        .unwrap_or_default())
}

/// The places of what waits to be removed, strictly after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn grave_locations(
    tx: &mut Tx<'_>,
    after: Option<&(i64, String)>,
    limit: usize,
) -> Result<Vec<(i64, String)>> {
    let (due, location) = after.map_or((i64::MIN, ""), |(due, at)| (*due, at.as_str()));
    tx.all(LOCATIONS, &values![due, location, limit]).await
}
