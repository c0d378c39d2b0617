//! Ids, which are never used twice.

use longshore_core::{Code, Error, Result};

use crate::tx::Tx;
use crate::values;

const NEXT: &str = "INSERT INTO counter (name, value) VALUES (?1, 1) \
                    ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value";

/// The next id of a kind of thing, such as `principal`.
///
/// # Errors
/// `Unavailable`.
pub async fn id_next(tx: &mut Tx<'_>, kind: &str) -> Result<i64> {
    match tx.one::<(i64,)>(NEXT, &values![kind]).await? {
        Some((id,)) => Ok(id),
        None => Err(
            Error::new(Code::Unavailable, "the metadata database cannot be written")
                .because("a counter gave no number"),
        ),
    }
}
