//! The bytes of small blobs.
//!
//! They are part of the transaction that writes the blob's row: there is no file to make, to name and to sync, and a row
//! without bytes cannot be, nor bytes without a row.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO blob_body (digest, bytes) VALUES (?1, ?2) RETURNING id";
const GET: &str = "SELECT bytes FROM blob_body WHERE id = ?1 AND digest = ?2";
const DELETE: &str = "DELETE FROM blob_body WHERE id = ?1 AND digest = ?2";

/// Keeps `bytes`, which are those of `digest`, and gives the id they are found by.
///
/// # Errors
/// `Unavailable`.
pub async fn body_put(tx: &mut Tx<'_>, digest: &Digest, bytes: &[u8]) -> Result<i64> {
    let (id,) = tx
        .one::<(i64,)>(PUT, &values![digest, bytes])
        .await?
        .unwrap_or_default();
    Ok(id)
}

/// The bytes of `digest` that were kept as `id`; `None` when they are gone.
///
/// # Errors
/// `Unavailable`.
pub async fn body_get(tx: &mut Tx<'_>, id: i64, digest: &Digest) -> Result<Option<Vec<u8>>> {
    Ok(tx
        .one::<(Vec<u8>,)>(GET, &values![id, digest])
        .await?
        .map(|(bytes,)| bytes))
}

/// Removes them; false when they were gone.
///
/// # Errors
/// `Unavailable`.
pub async fn body_delete(tx: &mut Tx<'_>, id: i64, digest: &Digest) -> Result<bool> {
    Ok(tx.exec(DELETE, &values![id, digest]).await? > 0)
}

#[cfg(test)]
mod tests {
    use longshore_spec::digest::Algorithm;

    use super::*;
    use crate::{Db, Durability};

    #[tokio::test]
    async fn bytes_are_found_by_their_id_and_their_digest_together() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        db.write(Durability::Process, (), |tx, ()| {
            Box::pin(async move {
                let (one, other) = (b"one".as_slice(), b"other".as_slice());
                let of = |bytes| Digest::of(Algorithm::Sha256, bytes);
                let id = body_put(tx, &of(one), one).await?;
                assert_eq!(body_get(tx, id, &of(one)).await?.as_deref(), Some(one));
                assert_eq!(body_get(tx, id, &of(other)).await?, None);
                assert!(!body_delete(tx, id, &of(other)).await?);
                assert!(body_delete(tx, id, &of(one)).await?);
                // SQLite gives the id to the next; whoever remembers the old one must not read another blob's bytes.
                assert_eq!(body_put(tx, &of(other), other).await?, id);
                assert_eq!(body_get(tx, id, &of(one)).await?, None);
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}
