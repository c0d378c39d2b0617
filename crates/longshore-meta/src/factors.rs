//! Second factors of local accounts, and codes for the day one is lost.

use longshore_core::Result;

use crate::principals::PrincipalId;
use crate::tx::Tx;
use crate::values;

const GET: &str = "SELECT sealed, confirmed, step FROM second_factor WHERE principal = ?1";
const BEGIN: &str = "INSERT INTO second_factor (principal, sealed, created) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (principal) DO UPDATE SET sealed = excluded.sealed, created = excluded.created, step = 0 \
                     WHERE second_factor.confirmed IS NULL";
const CONFIRM: &str =
    "UPDATE second_factor SET confirmed = ?3, step = ?2 WHERE principal = ?1 AND confirmed IS NULL";
const STEP: &str = "UPDATE second_factor SET step = ?2 WHERE principal = ?1 AND step < ?2 AND confirmed IS NOT NULL";
const DELETE: &str = "DELETE FROM second_factor WHERE principal = ?1";
const CODE_PUT: &str = "INSERT INTO recovery_code (principal, hash) VALUES (?1, ?2)";
const CODE_TAKE: &str = "DELETE FROM recovery_code WHERE principal = ?1 AND hash = ?2";
const CODE_COUNT: &str = "SELECT count(*) FROM recovery_code WHERE principal = ?1";
const CODE_FORGET: &str = "DELETE FROM recovery_code WHERE principal = ?1";

/// A second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// The secret that account and telephone share, sealed.
    pub sealed: Vec<u8>,
    /// Since when it is asked for, in microseconds; none: it is not yet.
    pub confirmed: Option<i64>,
    /// The step of the last code that was accepted.
    pub step: u64,
}

/// The second factor of a principal, confirmed or not.
///
/// # Errors
/// `Unavailable`.
pub async fn factor_get(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<Option<Factor>> {
    let found = tx.one(GET, &values![principal]).await?;
    Ok(found.map(|(sealed, confirmed, step)| Factor {
        sealed,
        confirmed,
        step,
    }))
}

/// Keeps a factor that is to be confirmed, in the place of one that was not; false when there is one that was.
///
/// # Errors
/// `Unavailable`.
pub async fn factor_begin(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    sealed: &[u8],
    now: i64,
) -> Result<bool> {
    Ok(tx.exec(BEGIN, &values![principal, sealed, now]).await? > 0)
}

/// Confirms a factor by the code of `step`; false when there is none to confirm.
///
/// # Errors
/// `Unavailable`.
pub async fn factor_confirm(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    step: u64,
    now: i64,
) -> Result<bool> {
    Ok(tx.exec(CONFIRM, &values![principal, step, now]).await? > 0)
}

/// Accepts the code of `step`; false when it or a later one was accepted before, by whatever node.
///
/// # Errors
/// `Unavailable`.
pub async fn factor_step(tx: &mut Tx<'_>, principal: PrincipalId, step: u64) -> Result<bool> {
    Ok(tx.exec(STEP, &values![principal, step]).await? > 0)
}

/// Takes a principal's factor and its recovery codes away; false when it had none.
///
/// # Errors
/// `Unavailable`.
pub async fn factor_delete(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<bool> {
    tx.exec(CODE_FORGET, &values![principal]).await?;
    Ok(tx.exec(DELETE, &values![principal]).await? > 0)
}

/// Keeps these recovery codes, by their hashes, in the place of all before.
///
/// # Errors
/// `Unavailable`.
pub async fn recovery_put(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    hashes: &[[u8; 32]],
) -> Result<()> {
    tx.exec(CODE_FORGET, &values![principal]).await?;
    for hash in hashes {
        tx.exec(CODE_PUT, &values![principal, &hash[..]]).await?;
    }
    Ok(())
}

/// Uses up a recovery code; false when there is no such.
///
/// # Errors
/// `Unavailable`.
pub async fn recovery_take(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    hash: &[u8; 32],
) -> Result<bool> {
    Ok(tx.exec(CODE_TAKE, &values![principal, &hash[..]]).await? > 0)
}

/// How many recovery codes are left.
///
/// # Errors
/// `Unavailable`.
pub async fn recovery_count(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<u64> {
    let found = tx.one::<(u64,)>(CODE_COUNT, &values![principal]).await?;
    Ok(found.map_or(0, |(count,)| count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, Db, Durability};

    const WHO: PrincipalId = PrincipalId(1);

    async fn write<A: Send + Sync + 'static, T: Send + 'static>(
        db: &Db,
        args: A,
        body: Body<A, T>,
    ) -> T {
        db.write(Durability::Process, args, body).await.unwrap()
    }

    #[tokio::test]
    async fn of_two_that_accept_one_code_one_is_refused_and_none_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_file(&folder.path().join("meta.db")).unwrap();
        let step = async |step: u64| {
            write(&db, step, |tx, step| Box::pin(factor_step(tx, WHO, *step))).await
        };
        assert!(!step(10).await, "there is none");
        let begin = async |sealed: &'static [u8]| {
            write(&db, sealed, |tx, sealed| {
                Box::pin(factor_begin(tx, WHO, sealed, 1))
            })
            .await
        };
        assert!(begin(b"a").await && begin(b"b").await);
        assert!(!step(10).await, "it is not confirmed");
        let confirm =
            async || write(&db, (), |tx, ()| Box::pin(factor_confirm(tx, WHO, 10, 2))).await;
        assert!(confirm().await && !confirm().await);
        assert!(!begin(b"c").await, "one that is confirmed stays");
        let kept = write(&db, (), |tx, ()| Box::pin(factor_get(tx, WHO))).await;
        assert_eq!(
            kept,
            Some(Factor {
                sealed: b"b".to_vec(),
                confirmed: Some(2),
                step: 10
            })
        );
        assert!(!step(10).await && !step(9).await);
        assert!(step(11).await && !step(11).await && step(13).await && !step(12).await);
    }

    #[tokio::test]
    async fn a_recovery_code_is_used_once_and_new_ones_take_the_place_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_file(&folder.path().join("meta.db")).unwrap();
        let put = async |codes: Vec<[u8; 32]>| {
            write(&db, codes, |tx, codes| {
                Box::pin(recovery_put(tx, WHO, codes))
            })
            .await;
        };
        let take = async |who: PrincipalId, code: u8| {
            write(&db, (who, [code; 32]), |tx, (who, code)| {
                Box::pin(recovery_take(tx, *who, code))
            })
            .await
        };
        put(vec![[1; 32], [2; 32]]).await;
        assert!(!take(PrincipalId(2), 1).await, "another's");
        assert!(take(WHO, 1).await && !take(WHO, 1).await);
        put(vec![[3; 32]]).await;
        assert!(!take(WHO, 2).await && take(WHO, 3).await);
        let left = write(&db, (), |tx, ()| Box::pin(recovery_count(tx, WHO))).await;
        assert_eq!(left, 0);
    }
}
