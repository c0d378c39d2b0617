//! Logins of command lines that wait for somebody at a browser.

use longshore_core::Result;

use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO device (device, code, client, scope, origin, network, created, expires, pace) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const BY_DEVICE: &str = "SELECT client, scope, origin, network, created, expires, polled, pace, state, principal, version \
                         FROM device WHERE device = ?1";
const BY_CODE: &str = "SELECT client, scope, origin, network, created, expires, polled, pace, state, principal, version \
                       FROM device WHERE code = ?1";
const FROM: &str = "SELECT count(*) FROM device WHERE network = ?1 AND created > ?2";
const COUNT: &str = "SELECT count(*) FROM device";
const POLLED: &str = "UPDATE device SET polled = ?2, pace = ?3 WHERE device = ?1";
const DECIDE: &str = "UPDATE device SET state = ?2, principal = ?3, version = ?4 WHERE code = ?1 AND state = 0 AND expires > ?5";
const DELETE: &str = "DELETE FROM device WHERE device = ?1";
const OLDEST: &str =
    "DELETE FROM device WHERE device IN (SELECT device FROM device ORDER BY created LIMIT ?1)";
const FORGET: &str = "DELETE FROM device WHERE device IN (SELECT device FROM device WHERE created <= ?1 ORDER BY created LIMIT ?2)";

/// What became of a login that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nobody has said anything yet.
    Waiting,
    /// Somebody said that it is theirs.
    Approved,
    /// Somebody said that it is not.
    Denied,
}

impl Decision {
    const fn number(self) -> i64 {
        match self {
            Decision::Waiting => 0,
            Decision::Approved => 1,
            Decision::Denied => 2,
        }
    }
}

/// A login that waits, without its codes. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What the client calls itself.
    pub client: String,
    /// What it asks for, in words; empty: everything.
    pub scope: String,
    /// The address it began from.
    pub origin: String,
    /// What that address counts for.
    pub network: String,
    /// When it began.
    pub created: i64,
    /// When it ends.
    pub expires: i64,
    /// When it last asked.
    pub polled: Option<i64>,
    /// How long it has to wait before it asks again, in microseconds.
    pub pace: i64,
    /// What became of it.
    pub decision: Decision,
    /// Who approved it; 0: nobody.
    pub principal: i64,
    /// The version of whoever approved it, at that time.
    pub version: i64,
}

type Columns = (
    String,
    String,
    String,
    String,
    i64,
    i64,
    Option<i64>,
    i64,
    i64,
    i64,
    i64,
);

impl From<Columns> for Device {
    fn from(columns: Columns) -> Self {
        let (
            client,
            scope,
            origin,
            network,
            created,
            expires,
            polled,
            pace,
            state,
            principal,
            version,
        ) = columns;
        Device {
            client,
            scope,
            origin,
            network,
            created,
            expires,
            polled,
            pace,
            decision: match state {
                0 => Decision::Waiting,
                1 => Decision::Approved,
                _ => Decision::Denied,
            },
            principal,
            version,
        }
    }
}

/// The hashes of the two codes of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codes {
    /// Of the code that the client asks with.
    pub device: [u8; 32],
    /// Of the code that a person types.
    pub user: [u8; 32],
}

/// Keeps a login that waits.
///
/// # Errors
/// `Unavailable`, also when a code is taken.
pub async fn device_put(tx: &mut Tx<'_>, codes: &Codes, device: &Device) -> Result<()> {
    let values = values![
        &codes.device[..],
        &codes.user[..],
        device.client.as_str(),
        device.scope.as_str(),
        device.origin.as_str(),
        device.network.as_str(),
        device.created,
        device.expires,
        device.pace,
    ];
    tx.exec(PUT, &values).await.map(drop)
}

/// The login that a client asks about.
///
/// # Errors
/// `Unavailable`.
pub async fn device_find(tx: &mut Tx<'_>, device: &[u8; 32]) -> Result<Option<Device>> {
    let found = tx.one::<Columns>(BY_DEVICE, &values![&device[..]]).await?;
    Ok(found.map(Device::from))
}

/// The login that a person has typed the code of.
///
/// # Errors
/// `Unavailable`.
pub async fn device_by_code(tx: &mut Tx<'_>, code: &[u8; 32]) -> Result<Option<Device>> {
    let found = tx.one::<Columns>(BY_CODE, &values![&code[..]]).await?;
    Ok(found.map(Device::from))
}

/// How many there are that began in a network after `since`, and in all.
///
/// # Errors
/// `Unavailable`.
pub async fn device_count(tx: &mut Tx<'_>, network: &str, since: i64) -> Result<(u64, u64)> {
    let from = tx.one::<(u64,)>(FROM, &values![network, since]).await?;
    let all = tx.one::<(u64,)>(COUNT, &[]).await?;
    Ok((from.map_or(0, |(n,)| n), all.map_or(0, |(n,)| n)))
}

/// Notes when a client asked, and how long it has to wait from then on.
///
/// # Errors
/// `Unavailable`.
pub async fn device_polled(tx: &mut Tx<'_>, device: &[u8; 32], now: i64, pace: i64) -> Result<()> {
    tx.exec(POLLED, &values![&device[..], now, pace])
        .await
        .map(drop)
}

/// Approves or denies a login that waits. False when it was decided before, has ended, or is none.
///
/// # Errors
/// `Unavailable`.
pub async fn device_decide(
    tx: &mut Tx<'_>,
    code: &[u8; 32],
    decision: Decision,
    (principal, version): (i64, i64),
    now: i64,
) -> Result<bool> {
    let values = values![&code[..], decision.number(), principal, version, now];
    Ok(tx.exec(DECIDE, &values).await? > 0)
}

/// Takes a login away; false when somebody else just did.
///
/// # Errors
/// `Unavailable`.
pub async fn device_delete(tx: &mut Tx<'_>, device: &[u8; 32]) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![&device[..]]).await? > 0)
}

/// Takes the oldest `count` away.
///
/// # Errors
/// `Unavailable`.
pub async fn device_drop_oldest(tx: &mut Tx<'_>, count: u64) -> Result<usize> {
    tx.exec(OLDEST, &values![count]).await
}

/// Forgets at most `limit` that began at `before` or earlier.
///
/// # Errors
/// `Unavailable`.
pub async fn device_forget(tx: &mut Tx<'_>, before: i64, limit: usize) -> Result<usize> {
    tx.exec(FORGET, &values![before, limit]).await
}
