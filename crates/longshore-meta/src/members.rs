//! Who is in which organisation or team.

use longshore_core::Result;

use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO member (party, principal, source, created) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (party, principal, source) DO NOTHING";
const DELETE: &str = "DELETE FROM member WHERE party = ?1 AND principal = ?2 AND source = ?3";
const OF: &str = "SELECT p.id, p.owner FROM member m JOIN principal p ON p.id = m.party LEFT JOIN principal o ON o.id = p.owner \
                  WHERE m.principal = ?1 AND p.state = 0 AND (o.state IS NULL OR o.state = 0)";
const QUIT: &str = "DELETE FROM member WHERE principal = ?1 AND source = '' \
                    AND party IN (SELECT id FROM principal WHERE owner = ?2 AND state <> 3)";
const LIST: &str = "SELECT m.principal, p.name, m.source, m.created FROM member m JOIN principal p ON p.id = m.principal \
                    WHERE m.party = ?1 AND m.principal > ?2 ORDER BY m.principal LIMIT ?3";
const FROM_SOURCE: &str = "SELECT party FROM member WHERE principal = ?1 AND source = ?2";
const IS: &str = "SELECT 1 FROM member WHERE party = ?1 AND principal = ?2 LIMIT 1";
const LEAVE: &str = "DELETE FROM member WHERE principal = ?1";
const DISSOLVE: &str = "DELETE FROM member WHERE party = ?1";

/// A member of an organisation or team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub principal: PrincipalId,
    /// Its name.
    pub name: String,
    /// The directory that says so; empty where a person did.
    pub source: String,
    /// Since when, in microseconds.
    pub created: i64,
}

/// Makes `principal` a member of `party`, says `source`. Tells whether it was not yet, by that source.
///
/// # Errors
/// `Unavailable`.
pub async fn member_put(
    tx: &mut Tx<'_>,
    party: PrincipalId,
    principal: PrincipalId,
    source: &str,
    now: i64,
) -> Result<bool> {
    Ok(tx
        .exec(PUT, &values![party, principal, source, now])
        .await?
        > 0)
}

/// Takes back what `source` says of `principal` and `party`. Another source may say it still.
///
/// # Errors
/// `Unavailable`.
pub async fn member_delete(
    tx: &mut Tx<'_>,
    party: PrincipalId,
    principal: PrincipalId,
    source: &str,
) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![party, principal, source]).await? > 0)
}

/// Takes back what people said of `principal` and the teams of an organisation, also while that is switched off.
///
/// # Errors
/// `Unavailable`.
pub async fn member_quit(
    tx: &mut Tx<'_>,
    organisation: PrincipalId,
    principal: PrincipalId,
) -> Result<()> {
    tx.exec(QUIT, &values![principal, organisation])
        .await
        .map(drop)
}

/// The active organisations and teams that `principal` is in, each with the organisation that a team is of, else 0. A team of an
/// organisation that is switched off is none.
///
/// # Errors
/// `Unavailable`.
pub async fn member_of(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
) -> Result<Vec<(PrincipalId, PrincipalId)>> {
    tx.all(OF, &values![principal]).await
}

/// At most `limit` members of `party`, in the order of their ids, after `after`. Who is one by two sources comes twice.
///
/// # Errors
/// `Unavailable`.
pub async fn member_list(
    tx: &mut Tx<'_>,
    party: PrincipalId,
    after: PrincipalId,
    limit: usize,
) -> Result<Vec<Member>> {
    let rows = tx.all(LIST, &values![party, after, limit]).await?;
    Ok(rows
        .into_iter()
        .map(|(principal, name, source, created)| Member {
            principal,
            name,
            source,
            created,
        })
        .collect())
}

/// What `principal` is in because `source` says so.
///
/// # Errors
/// `Unavailable`.
pub async fn member_from(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    source: &str,
) -> Result<Vec<PrincipalId>> {
    let rows = tx
        .all::<(PrincipalId,)>(FROM_SOURCE, &values![principal, source])
        .await?;
    Ok(rows.into_iter().map(|(party,)| party).collect())
}

/// Whether `principal` is in `party`, whoever says so.
///
/// # Errors
/// `Unavailable`.
pub async fn member_is(
    tx: &mut Tx<'_>,
    party: PrincipalId,
    principal: PrincipalId,
) -> Result<bool> {
    Ok(tx
        .one::<(i64,)>(IS, &values![party, principal])
        .await?
        .is_some())
}

/// Takes `principal` out of everything it is in.
///
/// # Errors
/// `Unavailable`.
pub async fn member_leave(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<()> {
    tx.exec(LEAVE, &values![principal]).await.map(drop)
}

/// Takes everybody out of `party`.
///
/// # Errors
/// `Unavailable`.
pub async fn member_dissolve(tx: &mut Tx<'_>, party: PrincipalId) -> Result<()> {
    tx.exec(DISSOLVE, &values![party]).await.map(drop)
}
