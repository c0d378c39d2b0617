//! What was done: rows that are only ever added, each with a hash over itself and the one before it.

use longshore_core::{Code, Error, Result};
use longshore_spec::digest::{Algorithm, Digest};

use crate::namespaces::NamespaceId;
use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const LAST: &str = "SELECT seq, hash FROM audit WHERE seq > 0 ORDER BY seq DESC LIMIT 1";
const INSERT: &str = "INSERT INTO audit (seq, at, actor, actor_name, via, origin, action, object, namespace, result, detail, request, hash) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
const WINDOW: &str = "SELECT seq, at, actor, actor_name, via, origin, action, object, namespace, result, detail, request, hash \
                      FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const BACK: &str = "SELECT seq, at, actor, actor_name, via, origin, action, object, namespace, result, detail, request, hash \
                    FROM audit WHERE seq < ?1 AND seq > 0 ORDER BY seq DESC LIMIT ?2";
const OF: &str = "SELECT seq, at, actor, actor_name, via, origin, action, object, namespace, result, detail, request, hash \
                  FROM audit WHERE namespace = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
const OF_BACK: &str = "SELECT seq, at, actor, actor_name, via, origin, action, object, namespace, result, detail, request, hash \
                       FROM audit WHERE namespace = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
const CHECKPOINT: &str = "INSERT INTO audit_checkpoint (seq, at, hash, kid, signature) VALUES (?1, ?2, ?3, ?4, ?5) \
                          ON CONFLICT (seq) DO NOTHING";
const CHECKPOINTS: &str = "SELECT seq, at, hash, kid, signature FROM audit_checkpoint WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
const SIGNED: &str = "SELECT seq, at, hash, kid, signature FROM audit_checkpoint WHERE seq > 0 ORDER BY seq DESC LIMIT ?1";
const THIN: &str = "DELETE FROM audit_checkpoint WHERE seq = ?1 \
                    AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.seq = ?1 AND audit.object = ?2)";
const DROP_CHECKPOINTS: &str = "DELETE FROM audit_checkpoint WHERE seq >= ?1";
const OLD: &str =
    "SELECT seq FROM audit_checkpoint WHERE seq > 0 AND at < ?1 ORDER BY seq DESC LIMIT 1";
const TRIM: &str = "DELETE FROM audit WHERE seq <= ?1 AND seq > 0";
const FIRST: &str = "SELECT seq FROM audit WHERE seq > 0 ORDER BY seq LIMIT 1";
const TRIM_CHECKPOINTS: &str = "DELETE FROM audit_checkpoint WHERE seq < ?1";

/// What rows about the log itself are about.
pub const LOG: &str = "audit log";
/// How many rows may lie between two signed hashes that are kept, for as long as hashes are signed in time.
const ROWS_APART: i64 = 1000;

/// What was done. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: i64,
    /// By whom; 0: a stranger, or the operator.
    pub actor: PrincipalId,
    /// What they were called then.
    pub actor_name: String,
    /// How they showed who they are.
    pub via: String,
    /// From where.
    pub origin: String,
    /// What it was: the name of an action.
    pub action: String,
    /// To what.
    pub object: String,
    /// In which namespace; 0: in none.
    pub namespace: NamespaceId,
    /// `done` or `denied`; `broken` about the log itself.
    pub result: String,
    /// More, as a JSON object.
    pub detail: String,
    /// The id of the request.
    pub request: String,
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number: one more than that of the row before.
    pub seq: i64,
    /// What was done.
    pub entry: Entry,
    /// The hash over the one before it and this.
    pub hash: Vec<u8>,
}

/// A hash of the log that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of the row whose hash it is.
    pub seq: i64,
    /// When it was signed.
    pub at: i64,
    /// The hash.
    pub hash: Vec<u8>,
    /// The key it was signed with.
    pub kid: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// The hash of a row that says `entry`, after a row of the hash `before`.
pub fn chain(before: &[u8], seq: i64, entry: &Entry) -> Vec<u8> {
    let mut bytes = before.to_vec();
    bytes.extend(seq.to_be_bytes());
    bytes.extend(entry.at.to_be_bytes());
    bytes.extend(entry.actor.0.to_be_bytes());
    bytes.extend(entry.namespace.0.to_be_bytes());
    for text in [
        &entry.actor_name,
        &entry.via,
        &entry.origin,
        &entry.action,
        &entry.object,
        &entry.result,
        &entry.detail,
        &entry.request,
    ] {
        // With its length, so that nothing can move from one text to the next.
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    Digest::of(Algorithm::Sha256, &bytes).to_key().to_vec()
}

/// The number and hash of the last row; 0 and nothing where there is none.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_last(tx: &mut Tx<'_>) -> Result<(i64, Vec<u8>)> {
    Ok(tx
        .one::<(i64, Vec<u8>)>(LAST, &[])
        .await?
        .unwrap_or_default())
}

/// Adds a row and gives its number.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_put(tx: &mut Tx<'_>, entry: &Entry) -> Result<i64> {
    let (last, before) = audit_last(tx).await?;
    let seq = last.checked_add(1).ok_or_else(|| {
        Error::new(Code::Unavailable, "the audit log is full").because("its numbers have ended")
    })?;
    let hash = chain(&before, seq, entry);
    let values = values![
        seq,
        entry.at,
        entry.actor,
        entry.actor_name.as_str(),
        entry.via.as_str(),
        entry.origin.as_str(),
        entry.action.as_str(),
        entry.object.as_str(),
        entry.namespace,
        entry.result.as_str(),
        entry.detail.as_str(),
        entry.request.as_str(),
        hash.as_slice(),
    ];
    tx.exec(INSERT, &values).await?;
    Ok(seq)
}

/// At most `limit` rows after the one numbered `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_window(tx: &mut Tx<'_>, after: i64, limit: usize) -> Result<Vec<AuditRow>> {
    Ok(rows(tx.all(WINDOW, &values![after, limit]).await?))
}

/// At most `limit` rows before the one numbered `before`, the last one first.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_back(tx: &mut Tx<'_>, before: i64, limit: usize) -> Result<Vec<AuditRow>> {
    Ok(rows(tx.all(BACK, &values![before, limit]).await?))
}

/// At most `limit` rows about a namespace after the one numbered `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_of(
    tx: &mut Tx<'_>,
    namespace: NamespaceId,
    after: i64,
    limit: usize,
) -> Result<Vec<AuditRow>> {
    Ok(rows(tx.all(OF, &values![namespace, after, limit]).await?))
}

/// At most `limit` rows about a namespace before the one numbered `before`, the last one first.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_of_back(
    tx: &mut Tx<'_>,
    namespace: NamespaceId,
    before: i64,
    limit: usize,
) -> Result<Vec<AuditRow>> {
    Ok(rows(
        tx.all(OF_BACK, &values![namespace, before, limit]).await?,
    ))
}

type Columns = (
    i64,
    i64,
    PrincipalId,
    String,
    String,
    String,
    String,
    String,
    NamespaceId,
    String,
    String,
    String,
    Vec<u8>,
);

fn rows(rows: Vec<Columns>) -> Vec<AuditRow> {
    rows.into_iter()
        .map(
            |(
                seq,
                at,
                actor,
                actor_name,
                via,
                origin,
                action,
                object,
                namespace,
                result,
                detail,
                request,
                hash,
            )| AuditRow {
                seq,
                entry: Entry {
                    at,
                    actor,
                    actor_name,
                    via,
                    origin,
                    action,
                    object,
                    namespace,
                    result,
                    detail,
                    request,
                },
                hash,
            },
        )
        .collect()
}

type Signed = (i64, i64, Vec<u8>, String, Vec<u8>);

fn checkpoint((seq, at, hash, kid, signature): Signed) -> Checkpoint {
    Checkpoint {
        seq,
        at,
        hash,
        kid,
        signature,
    }
}

/// Keeps a signed hash, and the one before it only if that is `apart` microseconds or a thousand rows from the one before that, or is
/// that of a row about the log itself ([`LOG`]): a signature says what all before it say, and older ones serve for forgetting rows up
/// to them.
///
/// # Errors
/// `Unavailable`.
pub async fn checkpoint_put(tx: &mut Tx<'_>, put: &Checkpoint, apart: i64) -> Result<()> {
    let last = tx.all::<Signed>(SIGNED, &values![2_i64]).await?;
    let mut last = last.into_iter().map(checkpoint);
    if let (Some(last), Some(other)) = (last.next(), last.next())
        && last.at.saturating_sub(other.at).abs() < apart
        && last.seq - other.seq < ROWS_APART
        && last.seq < put.seq
    {
        tx.exec(THIN, &values![last.seq, LOG]).await?;
    }
    let values = values![
        put.seq,
        put.at,
        put.hash.as_slice(),
        put.kid.as_str(),
        put.signature.as_slice(),
    ];
    tx.exec(CHECKPOINT, &values).await.map(drop)
}

/// Forgets signed hashes of the row numbered `from` and of later ones.
///
/// # Errors
/// `Unavailable`.
pub async fn checkpoint_drop(tx: &mut Tx<'_>, from: i64) -> Result<usize> {
    tx.exec(DROP_CHECKPOINTS, &values![from]).await
}

/// The last hash that was signed.
///
/// # Errors
/// `Unavailable`.
pub async fn checkpoint_last(tx: &mut Tx<'_>) -> Result<Option<Checkpoint>> {
    Ok(tx.one(SIGNED, &values![1_i64]).await?.map(checkpoint))
}

/// At most `limit` signed hashes of the row numbered `from` and of later ones.
///
/// # Errors
/// `Unavailable`.
pub async fn checkpoint_list(tx: &mut Tx<'_>, from: i64, limit: usize) -> Result<Vec<Checkpoint>> {
    let rows = tx.all(CHECKPOINTS, &values![from, limit]).await?;
    Ok(rows.into_iter().map(checkpoint).collect())
}

/// The number of the first row that is kept; none where there is none.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_first(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    Ok(tx.one::<(i64,)>(FIRST, &[]).await?.map(|(seq,)| seq))
}

/// Up to which row the log can be forgotten, `limit` at a time: to a hash that was signed before `before`. None: nothing is old enough.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_old(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<Option<i64>> {
    let Some((old,)) = tx.one::<(i64,)>(OLD, &values![before]).await? else {
        return Ok(None);
    };
    let Some(first) = audit_first(tx).await? else {
        return Ok(None);
    };
    // The last row stays, whatever its age: the next one's hash is made from it.
    let (last, _) = audit_last(tx).await?;
    let old = old.min(last - 1);
    // Only up to a hash that is signed, or what is left could not be checked.
    let signed = checkpoint_list(tx, first, 10_000).await?;
    let mut ends = signed.iter().map(|it| it.seq).filter(|seq| *seq <= old);
    // More than a few at a time where fewer lie between no two signed hashes, or else they would stay for ever.
    let next = ends.next();
    let few = ends.take_while(|seq| *seq < first.saturating_add(limit));
    Ok(few.last().or(next))
}

/// Forgets the rows up to the one numbered `end`, whose hash is signed ([`audit_old`]). That hash stays: the rows after it are checked
/// from there. Gives how many went.
///
/// # Errors
/// `Unavailable`.
pub async fn audit_trim(tx: &mut Tx<'_>, end: i64) -> Result<usize> {
    let gone = tx.exec(TRIM, &values![end]).await?;
    tx.exec(TRIM_CHECKPOINTS, &values![end]).await?;
    Ok(gone)
}
