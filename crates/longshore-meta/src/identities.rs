//! How a principal is known elsewhere: by a source, and by what that source never gives to somebody else.

use longshore_core::Result;

use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const FIND: &str =
    "SELECT principal, name, created, seen FROM identity WHERE source = ?1 AND subject = ?2";
const OF: &str =
    "SELECT source, subject, name, created, seen FROM identity WHERE principal = ?1 LIMIT ?2";
const PUT: &str = "INSERT INTO identity (source, subject, principal, name, created, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?5) \
                   ON CONFLICT (source, subject) DO NOTHING";
const SEEN: &str = "UPDATE identity SET name = ?3, seen = ?4 WHERE source = ?1 AND subject = ?2";
const DELETE: &str = "DELETE FROM identity WHERE source = ?1 AND subject = ?2 AND principal = ?3";
const FORGET: &str = "DELETE FROM identity WHERE principal = ?1";

/// How a principal is known elsewhere. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The source.
    pub source: String,
    /// Who it is there.
    pub subject: String,
    /// By which name it logs in there.
    pub name: String,
    /// Since when it is known here.
    pub created: i64,
    /// When it last came, to the hour or so.
    pub seen: i64,
}

/// Whom `subject` of `source` is here, by which name it came, and when that was last noted.
///
/// # Errors
/// `Unavailable`.
pub async fn identity_find(
    tx: &mut Tx<'_>,
    source: &str,
    subject: &str,
) -> Result<Option<(PrincipalId, String, i64)>> {
    let found = tx
        .one::<(PrincipalId, String, i64, i64)>(FIND, &values![source, subject])
        .await?;
    Ok(found.map(|(principal, name, _, seen)| (principal, name, seen)))
}

/// At most `limit` of the ways in which `principal` is known elsewhere.
///
/// # Errors
/// `Unavailable`.
pub async fn identity_of(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    limit: usize,
) -> Result<Vec<Identity>> {
    let rows = tx.all(OF, &values![principal, limit]).await?;
    Ok(rows
        .into_iter()
        .map(|(source, subject, name, created, seen)| Identity {
            source,
            subject,
            name,
            created,
            seen,
        })
        .collect())
}

/// Says that `subject` of `source` is `principal` from now on; false when it is somebody already.
///
/// # Errors
/// `Unavailable`.
pub async fn identity_put(
    tx: &mut Tx<'_>,
    (source, subject): (&str, &str),
    principal: PrincipalId,
    name: &str,
    now: i64,
) -> Result<bool> {
    Ok(tx
        .exec(PUT, &values![source, subject, principal, name, now])
        .await?
        > 0)
}

/// Notes that somebody came by this name.
///
/// # Errors
/// `Unavailable`.
pub async fn identity_seen(
    tx: &mut Tx<'_>,
    (source, subject): (&str, &str),
    name: &str,
    now: i64,
) -> Result<()> {
    tx.exec(SEEN, &values![source, subject, name, now])
        .await
        .map(drop)
}

/// Says that `subject` of `source` is `principal` no more; false when it was not.
///
/// # Errors
/// `Unavailable`.
pub async fn identity_delete(
    tx: &mut Tx<'_>,
    (source, subject): (&str, &str),
    principal: PrincipalId,
) -> Result<bool> {
    Ok(tx
        .exec(DELETE, &values![source, subject, principal])
        .await?
        > 0)
}

/// Forgets how `principal` is known elsewhere.
///
/// # Errors
/// `Unavailable`.
pub async fn identity_forget(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<()> {
    tx.exec(FORGET, &values![principal]).await.map(drop)
}
