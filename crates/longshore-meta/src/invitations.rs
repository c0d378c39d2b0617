//! Who may make an account of their own, or join an organisation: invited by somebody, or signed up and not yet confirmed.

use longshore_core::Result;

use crate::ids::id_next;
use crate::namespaces::NamespaceId;
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO invitation (id, hash, mail, name, full_name, place, team, own, invited_by, created, expires) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const GET: &str = "SELECT id, mail, name, full_name, place, team, own, invited_by, created, expires, CASE WHEN hash IS NULL THEN 0 ELSE 1 END FROM invitation WHERE id = ?1";
const FIND: &str = "SELECT id, mail, name, full_name, place, team, own, invited_by, created, expires, CASE WHEN hash IS NULL THEN 0 ELSE 1 END FROM invitation WHERE hash = ?1";
const LIST: &str = "SELECT id, mail, name, full_name, place, team, own, invited_by, created, expires, CASE WHEN hash IS NULL THEN 0 ELSE 1 END FROM invitation \
                    WHERE place = ?1 AND own = 0 AND id > ?2 ORDER BY id LIMIT ?3";
const MAILED: &str = "SELECT id, mail, name, full_name, place, team, own, invited_by, created, expires, CASE WHEN hash IS NULL THEN 0 ELSE 1 END FROM invitation \
                      WHERE mail = ?1 AND mail <> '' ORDER BY id DESC LIMIT ?2";
const COUNT: &str = "SELECT count(*) FROM invitation WHERE place = ?1 AND own = 0";
const HASH: &str = "UPDATE invitation SET hash = ?2 WHERE id = ?1";
const DELETE: &str = "DELETE FROM invitation WHERE id = ?1";
const EXPIRED: &str =
    "DELETE FROM invitation WHERE id IN (SELECT id FROM invitation WHERE expires <= ?1 LIMIT ?2)";

/// An invitation. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: i64,
    /// The address it is for; empty: whoever has the secret.
    pub mail: String,
    /// The name that was wished for, or empty.
    pub name: String,
    /// The full name, or empty.
    pub full_name: String,
    /// The namespace of the organisation that it leads into; 0: none.
    pub place: NamespaceId,
    /// The team of it; 0: none.
    pub team: PrincipalId,
    /// Whether somebody signed up, and nobody invited them.
    pub own: bool,
    /// Who invited; 0: the operator, or nobody.
    pub by: PrincipalId,
    /// When.
    pub created: i64,
    /// When it ends.
    pub expires: i64,
    /// Whether its secret was made.
    pub has_secret: bool,
}

type Columns = (
    i64,
    String,
    String,
    String,
    NamespaceId,
    PrincipalId,
    i64,
    PrincipalId,
    i64,
    i64,
    i64,
);

fn row(columns: Columns) -> Invitation {
    let (id, mail, name, full_name, place, team, own, by, created, expires, secret) = columns;
    Invitation {
        id,
        mail,
        name,
        full_name,
        place,
        team,
        own: own != 0,
        by,
        created,
        expires,
        has_secret: secret != 0,
    }
}

/// Keeps an invitation, whose id and `has_secret` are not looked at, with the hash of its secret where there is one; gives its id.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_put(
    tx: &mut Tx<'_>,
    new: &Invitation,
    hash: Option<&[u8; 32]>,
) -> Result<i64> {
    let id = id_next(tx, "invitation").await?;
    let values = values![
        id,
        hash.map(|hash| &hash[..]),
        new.mail.as_str(),
        new.name.as_str(),
        new.full_name.as_str(),
        new.place,
        new.team,
        i64::from(new.own),
        new.by,
        new.created,
        new.expires,
    ];
    tx.exec(PUT, &values).await?;
    Ok(id)
}

/// The invitation of that id.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_get(tx: &mut Tx<'_>, id: i64) -> Result<Option<Invitation>> {
    Ok(tx.one::<Columns>(GET, &values![id]).await?.map(row))
}

/// The invitation whose secret has this hash.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Invitation>> {
    Ok(tx.one::<Columns>(FIND, &values![&hash[..]]).await?.map(row))
}

/// At most `limit` invitations into a place (0: those into none), with ids after `after`; not those that signed up.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_list(
    tx: &mut Tx<'_>,
    place: NamespaceId,
    after: i64,
    limit: usize,
) -> Result<Vec<Invitation>> {
    let rows = tx
        .all::<Columns>(LIST, &values![place, after, limit])
        .await?;
    Ok(rows.into_iter().map(row).collect())
}

/// At most `limit` that are for an address, the newest first.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_mailed(
    tx: &mut Tx<'_>,
    mail: &str,
    limit: usize,
) -> Result<Vec<Invitation>> {
    let rows = tx.all::<Columns>(MAILED, &values![mail, limit]).await?;
    Ok(rows.into_iter().map(row).collect())
}

/// How many invitations into a place there are.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_count(tx: &mut Tx<'_>, place: NamespaceId) -> Result<u64> {
    let found = tx.one::<(u64,)>(COUNT, &values![place]).await?;
    Ok(found.map_or(0, |(count,)| count))
}

/// Gives an invitation a secret, in the place of one that it had; none takes it away.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_secret(tx: &mut Tx<'_>, id: i64, hash: Option<&[u8; 32]>) -> Result<bool> {
    let values = values![id, hash.map(|hash| &hash[..])];
    Ok(tx.exec(HASH, &values).await? > 0)
}

/// Ends an invitation: it was used, or withdrawn. False when it was not there.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_delete(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![id]).await? > 0)
}

/// Forgets at most `limit` that have ended.
///
/// # Errors
/// `Unavailable`.
pub async fn invitation_forget(tx: &mut Tx<'_>, now: i64, limit: usize) -> Result<usize> {
    tx.exec(EXPIRED, &values![now, limit]).await
}
