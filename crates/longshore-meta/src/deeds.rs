//! What was asked for under a key and done, so that asking again does not do it again. Bounded, for each who asks and in time.

use longshore_core::Result;

use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const GET: &str = "SELECT asked, at, answer FROM deed WHERE principal = ?1 AND key = ?2";
const PUT: &str = "INSERT INTO deed (principal, key, asked, at) VALUES (?1, ?2, ?3, ?4)";
const ANSWER: &str = "UPDATE deed SET answer = ?3 WHERE principal = ?1 AND key = ?2";
const COUNT: &str = "SELECT count(*) FROM deed WHERE principal = ?1";
const SURPLUS: &str = "DELETE FROM deed WHERE (principal, key) IN (SELECT principal, key FROM deed WHERE principal = ?1 ORDER BY at LIMIT ?2)";
const EXPIRED: &str = "DELETE FROM deed WHERE (principal, key) IN (SELECT principal, key FROM deed WHERE at < ?1 ORDER BY at LIMIT ?2)";

/// How many are kept for each who asks.
pub const MOST: u64 = 1000;
/// How long they are kept, in microseconds.
pub const KEPT: i64 = 24 * 3600 * 1_000_000;
/// How many that are older are forgotten with each new one.
const FORGET: usize = 100;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// A hash of what was asked.
    pub asked: Vec<u8>,
    /// When.
    pub at: i64,
    /// What was answered, where that may be said again.
    pub answer: Option<String>,
}

/// What was done for somebody under a key.
///
/// # Errors
/// `Unavailable`.
pub async fn deed_get(tx: &mut Tx<'_>, who: PrincipalId, key: &str) -> Result<Option<Deed>> {
    let row = tx
        .one::<(Vec<u8>, i64, Option<String>)>(GET, &values![who, key])
        .await?;
    Ok(row.map(|(asked, at, answer)| Deed { asked, at, answer }))
}

/// Notes what is done, and forgets what is too old or too much.
///
/// # Errors
/// `Unavailable`, also when the key is taken: look first, in the same transaction.
pub async fn deed_put(tx: &mut Tx<'_>, who: PrincipalId, key: &str, deed: &Deed) -> Result<()> {
    tx.exec(PUT, &values![who, key, deed.asked.as_slice(), deed.at])
        .await?;
    let count = tx.one::<(u64,)>(COUNT, &values![who]).await?;
    let surplus = count.map_or(0, |(count,)| count).saturating_sub(MOST);
    if surplus > 0 {
        tx.exec(SURPLUS, &values![who, surplus]).await?;
    }
    let before = deed.at.saturating_sub(KEPT);
    tx.exec(EXPIRED, &values![before, FORGET]).await.map(drop)
}

/// Notes what was answered.
///
/// # Errors
/// `Unavailable`.
pub async fn deed_answer(tx: &mut Tx<'_>, who: PrincipalId, key: &str, answer: &str) -> Result<()> {
    tx.exec(ANSWER, &values![who, key, answer]).await.map(drop)
}
