//! Passwords of people, and what a login needs to know of whoever logs in.

use longshore_core::Result;

use crate::tx::Tx;
use crate::values;

const BY_NAME: &str = "SELECT p.id, p.kind, p.owner, p.name, p.state, p.version, p.expires, o.name, o.state, o.expires, w.hash, w.changed, f.confirmed \
                       FROM principal p LEFT JOIN principal o ON o.id = p.owner LEFT JOIN password w ON w.principal = p.id \
                       LEFT JOIN second_factor f ON f.principal = p.id WHERE p.owner = ?1 AND p.name = ?2 AND p.state <> 3";
const BY_ID: &str = "SELECT p.id, p.kind, p.owner, p.name, p.state, p.version, p.expires, o.name, o.state, o.expires, w.hash, w.changed, f.confirmed \
                     FROM principal p LEFT JOIN principal o ON o.id = p.owner LEFT JOIN password w ON w.principal = p.id \
                     LEFT JOIN second_factor f ON f.principal = p.id WHERE p.id = ?1 AND p.state <> 3";
const VERSION: &str = "SELECT p.state, p.version, p.expires, o.state, o.expires FROM principal p \
                       LEFT JOIN principal o ON o.id = p.owner WHERE p.id = ?1";
const PUT: &str = "INSERT INTO password (principal, hash, changed) VALUES (?1, ?2, ?3) \
                   ON CONFLICT (principal) DO UPDATE SET hash = excluded.hash, changed = excluded.changed, must_change = FALSE";
const REMOVE: &str = "DELETE FROM password WHERE principal = ?1";
const UPGRADE: &str = "UPDATE password SET hash = ?3 WHERE principal = ?1 AND hash = ?2";
const SEEN: &str = "UPDATE principal SET seen = ?2 WHERE id = ?1 AND (seen IS NULL OR seen < ?2)";

/// Whoever may log in. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The principal.
    pub id: i64,
    /// 0 user, 3 robot; see the table `principal`.
    pub kind: i64,
    /// The user or organisation it belongs to; 0 for users and robots of the system.
    pub owner: i64,
    /// What that is called; none where it belongs to nobody.
    pub owner_name: Option<String>,
    /// Its name.
    pub name: String,
    /// 0 when it may log in.
    pub state: i64,
    /// Grows with all that takes a right away.
    pub version: i64,
    /// When it ends, if it does: the earlier end of its own and its owner's.
    pub expires: Option<i64>,
    /// 0 when whom it belongs to may do anything, or it belongs to nobody.
    pub owner_state: i64,
    /// The hash of its password, if it has one, and when that was set.
    pub password: Option<(String, i64)>,
    /// Whether a second factor is asked for beside the password.
    pub second_factor: bool,
}

type Columns = (
    i64,
    i64,
    i64,
    String,
    i64,
    i64,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

/// The state, version and end of a principal, and the state and end of whom it belongs to.
type Version = (i64, i64, Option<i64>, Option<i64>, Option<i64>);

impl From<Columns> for Login {
    fn from(columns: Columns) -> Self {
        let (
            id,
            kind,
            owner,
            name,
            state,
            version,
            expires,
            owner_name,
            owner_state,
            owner_expires,
            hash,
            changed,
            confirmed,
        ) = columns;
        Login {
            id,
            kind,
            owner,
            owner_name,
            name,
            state,
            version,
            expires: earlier(expires, owner_expires),
            owner_state: owner_state.unwrap_or(0),
            password: hash.zip(changed),
            second_factor: confirmed.is_some(),
        }
    }
}

/// The earlier of two ends; none is no end.
fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// Whoever has this name at `owner` (0 for users and robots of the system) and is not deleted.
///
/// # Errors
/// `Unavailable`.
pub async fn login_by_name(tx: &mut Tx<'_>, owner: i64, name: &str) -> Result<Option<Login>> {
    let found = tx.one::<Columns>(BY_NAME, &values![owner, name]).await?;
    Ok(found.map(Login::from))
}

/// Whoever has this id and is not deleted.
///
/// # Errors
/// `Unavailable`.
pub async fn login_by_id(tx: &mut Tx<'_>, id: i64) -> Result<Option<Login>> {
    let found = tx.one::<Columns>(BY_ID, &values![id]).await?;
    Ok(found.map(Login::from))
}

/// State, version and end of a principal. What belongs to somebody who may do nothing has the state of its owner.
///
/// # Errors
/// `Unavailable`.
pub async fn login_version(tx: &mut Tx<'_>, id: i64) -> Result<Option<(i64, i64, Option<i64>)>> {
    let found = tx.one::<Version>(VERSION, &values![id]).await?;
    Ok(
        found.map(|(state, version, expires, owner_state, owner_expires)| {
            let state = if state == 0 {
                owner_state.unwrap_or(0)
            } else {
                state
            };
            (state, version, earlier(expires, owner_expires))
        }),
    )
}

/// Sets the password of a principal, as a PHC or bcrypt string.
///
/// # Errors
/// `Unavailable`.
pub async fn password_put(tx: &mut Tx<'_>, principal: i64, hash: &str, now: i64) -> Result<()> {
    tx.exec(PUT, &values![principal, hash, now]).await.map(drop)
}

/// Takes the password of a principal away; false when it had none.
///
/// # Errors
/// `Unavailable`.
pub async fn password_delete(tx: &mut Tx<'_>, principal: i64) -> Result<bool> {
    Ok(tx.exec(REMOVE, &values![principal]).await? > 0)
}

/// Keeps the same password in another way, unless it was changed meanwhile.
///
/// # Errors
/// `Unavailable`.
pub async fn password_upgrade(tx: &mut Tx<'_>, principal: i64, old: &str, new: &str) -> Result<()> {
    tx.exec(UPGRADE, &values![principal, old, new])
        .await
        .map(drop)
}

/// Notes when a principal was last seen, unless something later is noted: nodes note it each for themselves.
///
/// # Errors
/// `Unavailable`.
pub async fn login_seen(tx: &mut Tx<'_>, principal: i64, now: i64) -> Result<()> {
    tx.exec(SEEN, &values![principal, now]).await.map(drop)
}
