//! Trust rules: whose tokens make their bearer a robot.

use longshore_core::Result;

use crate::ids::id_next;
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const BY_ISSUER: &str = "SELECT id, principal, issuer, audience, claims, scope, description, expires, used, created_by, created \
                         FROM trust WHERE issuer = ?1 AND (expires IS NULL OR expires > ?2) ORDER BY id LIMIT ?3";
const GET: &str = "SELECT id, principal, issuer, audience, claims, scope, description, expires, used, created_by, created \
                   FROM trust WHERE id = ?1";
const OF: &str = "SELECT id, principal, issuer, audience, claims, scope, description, expires, used, created_by, created \
                  FROM trust WHERE principal = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
const COUNT: &str = "SELECT count(*) FROM trust WHERE principal = ?1";
const COUNT_BY_ISSUER: &str = "SELECT count(*) FROM trust WHERE issuer = ?1";
const PUT: &str = "INSERT INTO trust (id, principal, issuer, audience, claims, scope, description, expires, created_by, created) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const USED: &str = "UPDATE trust SET used = ?2 WHERE id = ?1";
const DELETE: &str = "DELETE FROM trust WHERE id = ?1";
const FORGET: &str = "DELETE FROM trust WHERE principal = ?1";

/// A trust rule's row. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Its id.
    pub id: i64,
    /// The robot.
    pub principal: PrincipalId,
    /// The issuer's URL, to the letter.
    pub issuer: String,
    /// What `aud` must have.
    pub audience: String,
    /// What claims must say, as a JSON object of names to patterns.
    pub claims: String,
    /// What narrows the robot's rights, as JSON.
    pub scope: Option<String>,
    /// What it is for.
    pub description: String,
    /// When it ends.
    pub expires: Option<i64>,
    /// When somebody last came by it, to the hour or so.
    pub used: Option<i64>,
    /// Who made it; 0: the operator.
    pub created_by: PrincipalId,
    /// When.
    pub created: i64,
}

type Columns = (
    i64,
    PrincipalId,
    String,
    String,
    String,
    Option<String>,
    String,
    Option<i64>,
    Option<i64>,
    PrincipalId,
    i64,
);

fn row(columns: Columns) -> Trust {
    let (
        id,
        principal,
        issuer,
        audience,
        claims,
        scope,
        description,
        expires,
        used,
        created_by,
        created,
    ) = columns;
    Trust {
        id,
        principal,
        issuer,
        audience,
        claims,
        scope,
        description,
        expires,
        used,
        created_by,
        created,
    }
}

/// At most `limit` rules about an issuer that count at `now`.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_by_issuer(
    tx: &mut Tx<'_>,
    issuer: &str,
    now: i64,
    limit: usize,
) -> Result<Vec<Trust>> {
    let found = tx
        .all::<Columns>(BY_ISSUER, &values![issuer, now, limit])
        .await?;
    Ok(found.into_iter().map(row).collect())
}

/// The rule of that id.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_get(tx: &mut Tx<'_>, id: i64) -> Result<Option<Trust>> {
    Ok(tx.one::<Columns>(GET, &values![id]).await?.map(row))
}

/// At most `limit` rules of a robot, in the order of their ids, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_of(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    after: i64,
    limit: usize,
) -> Result<Vec<Trust>> {
    let found = tx
        .all::<Columns>(OF, &values![principal, after, limit])
        .await?;
    Ok(found.into_iter().map(row).collect())
}

/// How many rules a robot has, and how many there are about an issuer.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_count(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    issuer: &str,
) -> Result<(u64, u64)> {
    let of = tx.one::<(u64,)>(COUNT, &values![principal]).await?;
    let about = tx.one::<(u64,)>(COUNT_BY_ISSUER, &values![issuer]).await?;
    Ok((of.map_or(0, |(n,)| n), about.map_or(0, |(n,)| n)))
}

/// Writes a rule and gives it its id.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_put(tx: &mut Tx<'_>, rule: &Trust) -> Result<i64> {
    let id = id_next(tx, "trust").await?;
    let values = values![
        id,
        rule.principal,
        rule.issuer.as_str(),
        rule.audience.as_str(),
        rule.claims.as_str(),
        rule.scope.as_deref(),
        rule.description.as_str(),
        rule.expires,
        rule.created_by,
        rule.created,
    ];
    tx.exec(PUT, &values).await?;
    Ok(id)
}

/// Notes when somebody last came by a rule.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_used(tx: &mut Tx<'_>, id: i64, now: i64) -> Result<()> {
    tx.exec(USED, &values![id, now]).await.map(drop)
}

/// Takes a rule back; false when there is no such.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_delete(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![id]).await? > 0)
}

/// Takes all rules of a robot back.
///
/// # Errors
/// `Unavailable`.
pub async fn trust_forget(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<()> {
    tx.exec(FORGET, &values![principal]).await.map(drop)
}
