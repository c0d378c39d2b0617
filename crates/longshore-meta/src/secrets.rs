//! Secrets that were shown once, by their keyed hashes.

use longshore_core::Result;

use crate::tx::Tx;
use crate::values;

const FIND: &str =
    "SELECT id, kind, principal, label, scope, created, expires, used FROM secret WHERE hash = ?1";
const LIST: &str = "SELECT id, kind, principal, label, scope, created, expires, used FROM secret \
                    WHERE principal = ?1 AND kind = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
const PUT: &str = "INSERT INTO secret (id, kind, principal, hash, label, scope, created, expires, version) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const NEXT: &str = "INSERT INTO counter (name, value) VALUES ('secret', 1) \
                    ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value";
const COUNT: &str = "SELECT count(*) FROM secret WHERE principal = ?1 AND kind = ?2";
const USED: &str = "UPDATE secret SET used = ?2, used_from = ?3 WHERE id = ?1";
const EXPIRE: &str =
    "UPDATE secret SET expires = ?2 WHERE id = ?1 AND (expires IS NULL OR expires > ?2)";
const DELETE: &str = "DELETE FROM secret WHERE id = ?1 AND principal = ?2";
const DELETE_OF: &str = "DELETE FROM secret WHERE principal = ?1 AND kind = ?2";
const OLDEST: &str = "DELETE FROM secret WHERE id IN (SELECT id FROM secret WHERE principal = ?1 AND kind = ?2 ORDER BY id LIMIT ?3)";
const EXPIRED: &str = "DELETE FROM secret WHERE id IN (SELECT id FROM secret WHERE expires IS NOT NULL AND expires <= ?1 LIMIT ?2)";

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i64)]
pub enum Kind {
    /// A personal access token.
    Personal = 0,
    /// One of a robot's secrets.
    Robot = 1,
    /// What gets new tokens without a password.
    Refresh = 2,
    /// A session of the web pages.
    Session = 3,
    /// An invitation.
    Invitation = 4,
    /// Proves that mail arrives.
    Confirmation = 5,
    /// Sets a new password.
    Reset = 6,
    /// Makes the first administrator.
    Setup = 7,
}

impl Kind {
    /// As the table has it.
    pub const fn number(self) -> i64 {
        self as i64
    }
}

/// A secret without its hash. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its id.
    pub id: i64,
    /// What it is for, as [`Kind::number`].
    pub kind: i64,
    /// Whose it is.
    pub principal: i64,
    /// What its owner calls it.
    pub label: String,
    /// What narrows it, as JSON.
    pub scope: Option<String>,
    /// When it was made.
    pub created: i64,
    /// When it ends, if it does.
    pub expires: Option<i64>,
    /// When it was last used, to the hour or so.
    pub used: Option<i64>,
}

type Columns = (
    i64,
    i64,
    i64,
    String,
    Option<String>,
    i64,
    Option<i64>,
    Option<i64>,
);

impl From<Columns> for Secret {
    fn from(columns: Columns) -> Self {
        let (id, kind, principal, label, scope, created, expires, used) = columns;
        Secret {
            id,
            kind,
            principal,
            label,
            scope,
            created,
            expires,
            used,
        }
    }
}

/// A secret to be kept.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub principal: i64,
    /// Its keyed hash.
    pub hash: [u8; 32],
    /// What its owner calls it.
    pub label: String,
    /// What narrows it, as JSON.
    pub scope: Option<String>,
    /// When it ends, if it does.
    pub expires: Option<i64>,
    /// The version of its principal.
    pub version: i64,
}

/// The secret with this hash.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Secret>> {
    let found = tx.one::<Columns>(FIND, &values![&hash[..]]).await?;
    Ok(found.map(Secret::from))
}

/// At most `limit` of a principal's secrets of one kind, with ids after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_list(
    tx: &mut Tx<'_>,
    principal: i64,
    kind: Kind,
    after: i64,
    limit: usize,
) -> Result<Vec<Secret>> {
    let values = values![principal, kind.number(), after, limit];
    let found = tx.all::<Columns>(LIST, &values).await?;
    Ok(found.into_iter().map(Secret::from).collect())
}

/// Keeps a secret, and gives its id.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_put(tx: &mut Tx<'_>, secret: &NewSecret, now: i64) -> Result<i64> {
    let (id,) = tx.one::<(i64,)>(NEXT, &[]).await?.unwrap_or((1,));
    let values = values![
        id,
        secret.kind.number(),
        secret.principal,
        &secret.hash[..],
        secret.label.as_str(),
        secret.scope.as_deref(),
        now,
        secret.expires,
        secret.version,
    ];
    tx.exec(PUT, &values).await?;
    Ok(id)
}

/// How many secrets of one kind a principal has.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_count(tx: &mut Tx<'_>, principal: i64, kind: Kind) -> Result<u64> {
    let found = tx
        .one::<(u64,)>(COUNT, &values![principal, kind.number()])
        .await?;
    Ok(found.map_or(0, |(count,)| count))
}

/// Notes the last use of a secret.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_used(tx: &mut Tx<'_>, id: i64, now: i64, from: &str) -> Result<()> {
    tx.exec(USED, &values![id, now, from]).await.map(drop)
}

/// Ends a secret at `at`, if it would have lived longer.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_expire(tx: &mut Tx<'_>, id: i64, at: i64) -> Result<()> {
    tx.exec(EXPIRE, &values![id, at]).await.map(drop)
}

/// Takes one of a principal's secrets away; false when it has no such.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_delete(tx: &mut Tx<'_>, id: i64, principal: i64) -> Result<bool> {
    #[cfg(feature = "broken")]
    if longshore_core::broken::is("secrets-of-anybody") {
        let whose = "DELETE FROM secret WHERE id = ?1 AND ?2 = ?2";
        return Ok(tx.exec(whose, &values![id, principal]).await? > 0);
    }
    Ok(tx.exec(DELETE, &values![id, principal]).await? > 0)
}

/// Takes all of a principal's secrets of one kind away.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_delete_of(tx: &mut Tx<'_>, principal: i64, kind: Kind) -> Result<usize> {
    tx.exec(DELETE_OF, &values![principal, kind.number()]).await
}

/// Takes the oldest `count` of a principal's secrets of one kind away.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_delete_oldest(
    tx: &mut Tx<'_>,
    principal: i64,
    kind: Kind,
    count: u64,
) -> Result<usize> {
    tx.exec(OLDEST, &values![principal, kind.number(), count])
        .await
}

/// Forgets at most `limit` secrets that have ended.
///
/// # Errors
/// `Unavailable`.
pub async fn secret_delete_expired(tx: &mut Tx<'_>, now: i64, limit: usize) -> Result<usize> {
    tx.exec(EXPIRED, &values![now, limit]).await
}
