//! Upload sessions between requests.

use longshore_core::Result;
use longshore_spec::digest::Digest;
use longshore_spec::upload::UploadId;

use crate::tx::Tx;
use crate::values;

const INSERT: &str = "INSERT INTO upload (id, repo, actor, stage, size, fence, lease_until, created, touched) \
                      VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?6)";
const GET: &str = "SELECT stage, size, touched, finished FROM upload \
                   WHERE repo = ?1 AND id = ?2 AND actor = ?3 AND touched >= 0";
const TAKE: &str = "UPDATE upload SET fence = fence + 1, lease_until = ?4, touched = ?5 \
                    WHERE repo = ?1 AND id = ?2 AND actor = ?3 AND lease_until < ?5 AND finished IS NULL \
                    AND touched >= 0 RETURNING fence";
const RENEW: &str = "UPDATE upload SET lease_until = ?3, touched = ?4 WHERE id = ?1 AND fence = ?2 AND finished IS NULL";
const SAVE: &str = "UPDATE upload SET stage = ?3, size = ?4, lease_until = 0, touched = ?5 WHERE id = ?1 AND fence = ?2";
const FINISH: &str = "UPDATE upload SET finished = ?3, size = ?4, stage = ?6, lease_until = 0, touched = ?5 \
                      WHERE id = ?1 AND fence = ?2 AND finished IS NULL";
/// A session that was touched before time began has ended: nobody finds it, its writer has lost it, and the next sweep removes it.
const END: &str = "UPDATE upload SET touched = -1, lease_until = 0, fence = fence + 1 WHERE id = ?1 AND finished IS NULL";
const DELETE: &str = "DELETE FROM upload WHERE id = ?1";
const OPEN_IN: &str = "SELECT count(*) FROM (SELECT 1 FROM upload WHERE repo = ?1 AND finished IS NULL LIMIT ?2) AS open";
const OPEN_ALL: &str = "SELECT count(*) FROM upload WHERE finished IS NULL";
const STAGES: &str =
    "SELECT id, stage FROM upload WHERE id > ?1 AND finished IS NULL ORDER BY id LIMIT ?2";
const OPEN_BY: &str = "SELECT count(*) FROM (SELECT 1 FROM upload WHERE actor = ?1 AND finished IS NULL LIMIT ?2) AS open";
const FORGET: &str = "UPDATE upload SET lease_until = 0 WHERE touched > ?1 AND lease_until > 0";
const FINISHED: &str = "SELECT id, stage, finished FROM upload WHERE touched < ?1 AND finished IS NOT NULL ORDER BY touched LIMIT ?2";
const ABANDONED: &str = "SELECT id, stage, finished FROM upload WHERE finished IS NULL AND (touched < ?1 OR created < ?2) \
                         AND lease_until < ?3 LIMIT ?4";

/// An upload session's row.
#[derive(Debug, Clone)]
pub struct UploadRow {
    /// Where the bytes are, in the words of the one who keeps them; nothing once it is finished.
    pub stage: Vec<u8>,
    /// How many bytes are held.
    pub size: u64,
    /// When somebody last wrote to it, in microseconds.
    pub touched: i64,
    /// The digest of the blob it became, when it is finished.
    pub finished: Option<Digest>,
}

/// Whose session it is: a session answers to its repository and its actor together, never to its id alone.
#[derive(Debug, Clone)]
pub struct UploadKey {
    /// The repository.
    pub repo: i64,
    /// The session.
    pub id: UploadId,
    /// Who opened it.
    pub actor: String,
}

/// A session nobody will come back to: its id, its stage, the digest of the blob it became.
pub type Stale = (Vec<u8>, Vec<u8>, Option<Digest>);

fn key(id: &UploadId) -> [u8; 16] {
    id.as_u128().to_be_bytes()
}

/// Opens a session that holds `size` bytes.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_insert(
    tx: &mut Tx<'_>,
    at: &UploadKey,
    stage: &[u8],
    size: u64,
    now: i64,
) -> Result<()> {
    tx.exec(
        INSERT,
        &values![
            key(&at.id).as_slice(),
            at.repo,
            at.actor.as_str(),
            stage,
            size,
            now
        ],
    )
    .await
    .map(drop)
}

/// The session.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_get(tx: &mut Tx<'_>, at: &UploadKey) -> Result<Option<UploadRow>> {
    Ok(tx
        .one::<(Vec<u8>, u64, i64, Option<Digest>)>(
            GET,
            &values![at.repo, key(&at.id).as_slice(), at.actor.as_str()],
        )
        .await?
        .map(|(stage, size, touched, finished)| UploadRow {
            stage,
            size,
            touched,
            finished,
        }))
}

/// Takes the session for one writer until `lease_until` and gives its fence; `None` when there is none such, another
/// writer has it, or it is finished.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_take(
    tx: &mut Tx<'_>,
    at: &UploadKey,
    lease_until: i64,
    now: i64,
) -> Result<Option<i64>> {
    let found = tx
        .one::<(i64,)>(
            TAKE,
            &values![
                at.repo,
                key(&at.id).as_slice(),
                at.actor.as_str(),
                lease_until,
                now
            ],
        )
        .await?;
    Ok(found.map(|(fence,)| fence))
}

/// Keeps the session for its writer; false when it is no longer his.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_renew(
    tx: &mut Tx<'_>,
    id: &UploadId,
    fence: i64,
    lease_until: i64,
    now: i64,
) -> Result<bool> {
    Ok(tx
        .exec(RENEW, &values![key(id).as_slice(), fence, lease_until, now])
        .await?
        > 0)
}

/// Records what the writer staged and lets the session go; false when it was no longer his.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_save(
    tx: &mut Tx<'_>,
    id: &UploadId,
    fence: i64,
    stage: &[u8],
    size: u64,
    now: i64,
) -> Result<bool> {
    Ok(tx
        .exec(SAVE, &values![key(id).as_slice(), fence, stage, size, now])
        .await?
        > 0)
}

/// Records that the session became a blob; false when it was no longer the writer's.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_finish(
    tx: &mut Tx<'_>,
    id: &UploadId,
    fence: i64,
    digest: &Digest,
    size: u64,
    now: i64,
) -> Result<bool> {
    Ok(tx
        .exec(
            FINISH,
            &values![key(id).as_slice(), fence, digest, size, now, [].as_slice()],
        )
        .await?
        > 0)
}

/// Forgets the session.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_delete(tx: &mut Tx<'_>, id: &[u8]) -> Result<()> {
    tx.exec(DELETE, &values![id]).await.map(drop)
}

/// Ends the session called `id` for everybody; its row stays for whoever removes its bytes, and is stale.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_end(tx: &mut Tx<'_>, id: &UploadId) -> Result<()> {
    tx.exec(END, &values![key(id).as_slice()]).await.map(drop)
}

/// Forgets the session called `id`.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_forget(tx: &mut Tx<'_>, id: &UploadId) -> Result<()> {
    upload_delete(tx, &key(id)).await
}

/// How many sessions are open in a repository, counted up to `most`.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_count(tx: &mut Tx<'_>, repo: i64, most: usize) -> Result<usize> {
    let (open,) = tx
        .one::<(u64,)>(OPEN_IN, &values![repo, most])
        .await?
        .unwrap_or((0,));
    Ok(usize::try_from(open).unwrap_or(usize::MAX))
}

/// How many sessions are open in all.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_count_all(tx: &mut Tx<'_>) -> Result<usize> {
    let (open,) = tx.one::<(u64,)>(OPEN_ALL, &[]).await?.unwrap_or((0,));
    Ok(usize::try_from(open).unwrap_or(usize::MAX))
}

/// What open sessions have staged, with their ids, strictly after `after`, in the order of ids.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_stages(
    tx: &mut Tx<'_>,
    after: &[u8],
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    tx.all(STAGES, &values![after, limit]).await
}

/// How many sessions an actor has open, counted up to `most`.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_count_of(tx: &mut Tx<'_>, actor: &str, most: usize) -> Result<usize> {
    let (open,) = tx
        .one::<(u64,)>(OPEN_BY, &values![actor, most])
        .await?
        .unwrap_or((0,));
    Ok(usize::try_from(open).unwrap_or(usize::MAX))
}

/// Takes all sessions from their writers that were touched after `since` (microseconds): for a start after which no writer of
/// before can be alive. Who takes or renews a session touches it, so one that was not touched for a lease's length is free anyway.
///
/// # Errors
/// `Unavailable`.
pub async fn upload_forget_writers(tx: &mut Tx<'_>, since: i64) -> Result<()> {
    tx.exec(FORGET, &values![since]).await.map(drop)
}

/// At most `limit` sessions that nobody will come back to: untouched since `idle`, older than `old`, or finished before
/// `finished` (microseconds).
///
/// # Errors
/// `Unavailable`.
pub async fn upload_stale(
    tx: &mut Tx<'_>,
    idle: i64,
    old: i64,
    finished: i64,
    now: i64,
    limit: usize,
) -> Result<Vec<Stale>> {
    let mut stale: Vec<Stale> = tx.all(FINISHED, &values![finished, limit]).await?;
    let room = limit.saturating_sub(stale.len());
    if room > 0 {
        // Few are open, so all of them are looked at.
        stale.extend(
            tx.all::<Stale>(ABANDONED, &values![idle, old, now, room])
                .await?,
        );
    }
    Ok(stale)
}

#[cfg(test)]
mod tests;
