//! All robots of somebody at once.

use longshore_core::Result;

use crate::principals::{Kind, PrincipalId};
use crate::secrets;
use crate::tx::Tx;
use crate::values;

const BUMP: &str =
    "UPDATE principal SET version = version + 1 WHERE owner = ?1 AND kind = ?2 AND state <> 3";
const VOID: &str = "DELETE FROM secret WHERE kind = ?3 AND principal IN (SELECT id FROM principal WHERE owner = ?1 AND kind = ?2 AND state <> 3)";

/// Makes void what was issued to the robots of somebody, and their refresh tokens.
///
/// # Errors
/// `Unavailable`.
pub async fn robots_void(tx: &mut Tx<'_>, owner: PrincipalId) -> Result<()> {
    tx.exec(BUMP, &values![owner, Kind::Robot as i64]).await?;
    let refresh = secrets::Kind::Refresh.number();
    let values = values![owner, Kind::Robot as i64, refresh];
    tx.exec(VOID, &values).await.map(drop)
}
