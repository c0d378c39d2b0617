//! Mail that is to go out.

use longshore_core::Result;

use crate::ids::id_next;
use crate::tx::Tx;
use crate::values;

const PUT: &str =
    "INSERT INTO outbox (id, task, stranger, created, due, ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const COUNT: &str = "SELECT count(*) FROM outbox WHERE stranger = ?1";
const TAKE: &str = "UPDATE outbox SET due = ?2, tries = tries + 1 WHERE id = (SELECT id FROM outbox WHERE due <= ?1 ORDER BY due, id LIMIT 1) \
                    RETURNING id, task, created, ends, tries";
const LATER: &str = "UPDATE outbox SET due = ?2, why = ?3 WHERE id = ?1";
const UNTAKE: &str = "UPDATE outbox SET due = ?2, tries = tries - 1, why = ?3 WHERE id = ?1";
const DELETE: &str = "DELETE FROM outbox WHERE id = ?1";
const NEXT: &str = "SELECT due FROM outbox ORDER BY due, id LIMIT 1";
const RELEASE: &str = "UPDATE outbox SET due = ?1 WHERE due > ?1";
const LIST: &str = "SELECT id, task, created, ends, tries, due, why FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2";

/// Mail that is to be.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// Which letter to whom, as JSON.
    pub task: String,
    /// Whether nobody who is known here asked for it.
    pub stranger: bool,
    /// Now.
    pub now: i64,
    /// From when on it is sent.
    pub due: i64,
    /// When it is given up.
    pub ends: i64,
}

/// Mail that somebody has taken out to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its id.
    pub id: i64,
    /// Which letter to whom, as JSON.
    pub task: String,
    /// When it was asked for.
    pub created: i64,
    /// When it is given up.
    pub ends: i64,
    /// How often it was tried, with this time.
    pub tries: i64,
}

/// Mail that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The mail.
    pub mail: Mail,
    /// When it is tried next.
    pub due: i64,
    /// What failed the last time.
    pub why: Option<String>,
}

/// Adds mail, and gives its id.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_put(tx: &mut Tx<'_>, new: &NewMail) -> Result<i64> {
    let id = id_next(tx, "outbox").await?;
    let values = values![
        id,
        new.task.as_str(),
        i64::from(new.stranger),
        new.now,
        new.due,
        new.ends
    ];
    tx.exec(PUT, &values).await?;
    Ok(id)
}

/// How much mail waits that was asked for by strangers, or by others.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_count(tx: &mut Tx<'_>, stranger: bool) -> Result<u64> {
    let found = tx
        .one::<(u64,)>(COUNT, &values![i64::from(stranger)])
        .await?;
    Ok(found.map_or(0, |(count,)| count))
}

/// Takes the mail out that has been due for longest. Nobody else gets it before `until`.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_take(tx: &mut Tx<'_>, now: i64, until: i64) -> Result<Option<Mail>> {
    let found = tx
        .one::<(i64, String, i64, i64, i64)>(TAKE, &values![now, until])
        .await?;
    Ok(found.map(|(id, task, created, ends, tries)| Mail {
        id,
        task,
        created,
        ends,
        tries,
    }))
}

/// Puts mail back that failed, to be tried again at `due`. `counts`: whether the try was one of its own.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_later(tx: &mut Tx<'_>, id: i64, due: i64, why: &str, counts: bool) -> Result<()> {
    let sql = if counts { LATER } else { UNTAKE };
    tx.exec(sql, &values![id, due, why]).await.map(drop)
}

/// Forgets mail: it was sent, or is given up, or withdrawn. False when it was not there.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_delete(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![id]).await? > 0)
}

/// When the next mail is due.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_next(tx: &mut Tx<'_>) -> Result<Option<i64>> {
    Ok(tx.one::<(i64,)>(NEXT, &[]).await?.map(|(due,)| due))
}

/// At most `limit` of what waits, with ids after `after`.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_list(tx: &mut Tx<'_>, after: i64, limit: usize) -> Result<Vec<Waiting>> {
    let rows = tx
        .all::<(i64, String, i64, i64, i64, i64, Option<String>)>(LIST, &values![after, limit])
        .await?;
    let waiting = |(id, task, created, ends, tries, due, why)| Waiting {
        mail: Mail {
            id,
            task,
            created,
            ends,
            tries,
        },
        due,
        why,
    };
    Ok(rows.into_iter().map(waiting).collect())
}

/// Makes all mail due that somebody has taken out or that is to be tried later: whoever had it is gone.
///
/// # Errors
/// `Unavailable`.
pub async fn mail_release(tx: &mut Tx<'_>, now: i64) -> Result<()> {
    tx.exec(RELEASE, &values![now]).await.map(drop)
}
