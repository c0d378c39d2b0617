//! Named values the installation remembers about itself.

use longshore_core::Result;

use crate::tx::Tx;
use crate::values;

const GET: &str = "SELECT value FROM setting WHERE name = ?1";
const PUT: &str = "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

const DELETE: &str = "DELETE FROM setting WHERE name = ?1";

/// The value of `name`, where there is one.
///
/// # Errors
/// `Unavailable`.
pub async fn setting_get(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>> {
    Ok(tx
        .one::<(String,)>(GET, &values![name])
        .await?
        .map(|(value,)| value))
}

/// Sets `name` to `value`.
///
/// # Errors
/// `Unavailable`.
pub async fn setting_put(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<()> {
    tx.exec(PUT, &values![name, value]).await.map(drop)
}

/// Forgets `name`.
///
/// # Errors
/// `Unavailable`.
pub async fn setting_delete(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    tx.exec(DELETE, &values![name]).await.map(drop)
}
