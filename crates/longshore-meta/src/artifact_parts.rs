//! What manifests are made of and how they are run: more than search needs, for whoever looks at one.

use longshore_core::Result;
use longshore_spec::digest::Digest;

use crate::tx::Tx;
use crate::values;

const PUT: &str = "INSERT INTO artifact_part (digest, unpacked, run, layers) VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT (digest) DO UPDATE SET unpacked = excluded.unpacked, run = excluded.run, layers = excluded.layers";
const GET: &str = "SELECT unpacked, run, layers FROM artifact_part WHERE digest = ?1";
const UNPACKED: &str = "SELECT unpacked FROM artifact_part WHERE digest = ?1";
const GONE: &str = "DELETE FROM artifact_part WHERE digest = ?1 AND NOT EXISTS (SELECT 1 FROM manifest m WHERE m.digest = ?1)";

/// What a manifest is made of, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The bytes of all of it when unpacked, with what it lists; `None` where that cannot be known.
    pub unpacked: Option<u64>,
    /// How it is run, as its config says: JSON.
    pub run: String,
    /// Its layers: JSON.
    pub layers: String,
}

impl Default for Parts {
    /// Of what nothing is known.
    fn default() -> Self {
        Self {
            unpacked: None,
            run: "{}".to_owned(),
            layers: "[]".to_owned(),
        }
    }
}

/// Writes what a manifest is made of.
///
/// # Errors
/// `Unavailable`.
pub async fn part_put(tx: &mut Tx<'_>, digest: &Digest, parts: &Parts) -> Result<()> {
    let values = values![
        digest,
        parts.unpacked,
        parts.run.as_str(),
        parts.layers.as_str()
    ];
    tx.exec(PUT, &values).await.map(drop)
}

/// What a manifest is made of; `None` while nobody has read it.
///
/// # Errors
/// `Unavailable`.
pub async fn part_get(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<Parts>> {
    let row = tx
        .one::<(Option<u64>, String, String)>(GET, &values![digest])
        .await?;
    Ok(row.map(|(unpacked, run, layers)| Parts {
        unpacked,
        run,
        layers,
    }))
}

/// The bytes of all of a manifest when unpacked; `None` where that is not known.
///
/// # Errors
/// `Unavailable`.
pub async fn part_unpacked(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<u64>> {
    let row = tx.one::<(Option<u64>,)>(UNPACKED, &values![digest]).await?;
    Ok(row.and_then(|(unpacked,)| unpacked))
}

/// Forgets what a manifest was made of that no repository has any more.
///
/// # Errors
/// `Unavailable`.
pub async fn part_gone(tx: &mut Tx<'_>, digest: &Digest) -> Result<()> {
    tx.exec(GONE, &values![digest]).await.map(drop)
}
