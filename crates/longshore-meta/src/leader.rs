//! Who may do what one at a time may do, fenced by a token.

use longshore_core::Result;

use crate::tx::Tx;
use crate::values;

const INSERT: &str = "INSERT INTO leader (name, token, holder, lease_until) VALUES (?1, 0, '', 0) ON CONFLICT (name) DO NOTHING";
const TAKE: &str = "UPDATE leader SET token = CASE WHEN holder = ?2 THEN token ELSE token + 1 END, holder = ?2, lease_until = ?4 \
                    WHERE name = ?1 AND (holder = ?2 OR lease_until < ?3) RETURNING token";
const RENEW: &str =
    "UPDATE leader SET lease_until = ?4 WHERE name = ?1 AND holder = ?2 AND token = ?3";
const FREE: &str = "UPDATE leader SET lease_until = 0 WHERE name = ?1";

/// Makes `holder` the leader until `until`, if nobody else is one; gives its token.
///
/// # Errors
/// `Unavailable`.
pub async fn leader_take(
    tx: &mut Tx<'_>,
    name: &str,
    holder: &str,
    now: i64,
    until: i64,
) -> Result<Option<i64>> {
    tx.exec(INSERT, &values![name]).await?;
    Ok(tx
        .one::<(i64,)>(TAKE, &values![name, holder, now, until])
        .await?
        .map(|(token,)| token))
}

/// Keeps `holder` the leader until `until`; false when another one is leader, or was meanwhile. What a leader writes is to be in the
/// transaction of this: then a former leader writes nothing.
///
/// # Errors
/// `Unavailable`.
pub async fn leader_renew(
    tx: &mut Tx<'_>,
    name: &str,
    holder: &str,
    token: i64,
    until: i64,
) -> Result<bool> {
    Ok(tx.exec(RENEW, &values![name, holder, token, until]).await? > 0)
}

/// Lets anybody become the leader at once.
///
/// # Errors
/// `Unavailable`.
pub async fn leader_free(tx: &mut Tx<'_>, name: &str) -> Result<()> {
    tx.exec(FREE, &values![name]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Db, Durability};

    #[tokio::test]
    async fn a_leader_whose_time_is_over_is_told_by_its_token() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        db.write(Durability::Process, (), |tx, ()| {
            Box::pin(async move {
                let first = leader_take(tx, "gc", "a", 100, 200).await?.unwrap();
                assert_eq!(leader_take(tx, "gc", "b", 150, 250).await?, None);
                assert_eq!(leader_take(tx, "gc", "a", 150, 250).await?, Some(first));
                assert!(leader_renew(tx, "gc", "a", first, 300).await?);
                let second = leader_take(tx, "gc", "b", 301, 400).await?.unwrap();
                assert_eq!(second, first + 1);
                assert!(!leader_renew(tx, "gc", "a", first, 500).await?);
                assert_eq!(leader_take(tx, "gc", "a", 302, 400).await?, None);
                leader_free(tx, "gc").await?;
                let third = leader_take(tx, "gc", "a", 303, 400).await?.unwrap();
                assert!(!leader_renew(tx, "gc", "a", first, 500).await?, "of before");
                assert!(leader_renew(tx, "gc", "a", third, 500).await?);
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}
