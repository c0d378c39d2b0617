//! Whose certificate is whose: names in certificates, and the accounts they stand for.

use longshore_core::Result;

use crate::ids::id_next;
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const FIND: &str = "SELECT id, principal, subject, scope, description, expires, used, created_by, created FROM certificate WHERE subject = ?1";
const OF: &str = "SELECT id, principal, subject, scope, description, expires, used, created_by, created FROM certificate \
                  WHERE principal = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
const PUT: &str = "INSERT INTO certificate (id, principal, subject, scope, description, expires, created_by, created) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const USED: &str = "UPDATE certificate SET used = ?2 WHERE id = ?1";
const DELETE: &str = "DELETE FROM certificate WHERE id = ?1 AND principal = ?2";
const FORGET: &str = "DELETE FROM certificate WHERE principal = ?1";

/// A rule's row. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRule {
    /// Its id.
    pub id: i64,
    /// Who shows such a certificate.
    pub principal: PrincipalId,
    /// What the certificate says, such as `dns:ci.acme.example`.
    pub subject: String,
    /// What narrows the account's rights, as JSON.
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
    Option<String>,
    String,
    Option<i64>,
    Option<i64>,
    PrincipalId,
    i64,
);

fn row(columns: Columns) -> CertificateRule {
    let (id, principal, subject, scope, description, expires, used, created_by, created) = columns;
    CertificateRule {
        id,
        principal,
        subject,
        scope,
        description,
        expires,
        used,
        created_by,
        created,
    }
}

/// The rule about what a certificate says.
///
/// # Errors
/// `Unavailable`.
pub async fn certificate_find(tx: &mut Tx<'_>, subject: &str) -> Result<Option<CertificateRule>> {
    Ok(tx.one::<Columns>(FIND, &values![subject]).await?.map(row))
}

/// At most `limit` rules of an account, in the order of their ids, after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn certificate_of(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    after: i64,
    limit: usize,
) -> Result<Vec<CertificateRule>> {
    let values = values![principal, after, limit];
    let found = tx.all::<Columns>(OF, &values).await?;
    Ok(found.into_iter().map(row).collect())
}

/// Writes a rule and gives it its id.
///
/// # Errors
/// `Unavailable`, also when there is one about the same: look first, in the same transaction.
pub async fn certificate_put(tx: &mut Tx<'_>, rule: &CertificateRule) -> Result<i64> {
    let id = id_next(tx, "certificate").await?;
    let values = values![
        id,
        rule.principal,
        rule.subject.as_str(),
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
pub async fn certificate_used(tx: &mut Tx<'_>, id: i64, now: i64) -> Result<()> {
    tx.exec(USED, &values![id, now]).await.map(drop)
}

/// Takes a rule of an account's back; false when it has no such.
///
/// # Errors
/// `Unavailable`.
pub async fn certificate_delete(tx: &mut Tx<'_>, id: i64, principal: PrincipalId) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![id, principal]).await? > 0)
}

/// Takes all rules of an account back.
///
/// # Errors
/// `Unavailable`.
pub async fn certificate_forget(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<()> {
    tx.exec(FORGET, &values![principal]).await.map(drop)
}
