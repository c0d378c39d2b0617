//! The audit log: signed as it grows, checked from end to end, exported, kept for a time.
//!
//! Each row's hash is over the one before it, and the last one is signed every few seconds: `sign` does that and never signs what does
//! not go on from what was signed before; `check` looks at all of it; `head` remembers outside the database what was signed last.

mod check;
mod head;
mod old;
mod sign;

use longshore_core::Result;
use longshore_meta::audit::{AuditRow, Checkpoint, audit_last, audit_window};

use crate::hub::Hub;

pub(crate) use self::head::Ledger;
pub use self::sign::SIGNED_WITHIN;

/// How many rows are read at once.
const WINDOW: usize = 1000;

/// Who signs hashes of the log, with the keys that tokens are signed with.
pub trait Sign: Send + Sync {
    /// The name of a key and its signature of `bytes`.
    ///
    /// # Errors
    /// `Unavailable` when there is no key to sign with.
    fn sign(&self, bytes: &[u8]) -> Result<(String, Vec<u8>)>;

    /// Whether `signature` is that of `bytes` by the key `kid`. `None`: the key is not known (any more).
    fn verify(&self, kid: &str, bytes: &[u8], signature: &[u8]) -> Option<bool>;
}

/// What a check of the log found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verified {
    /// How many rows were checked.
    pub rows: u64,
    /// How many signatures were right.
    pub signatures: u64,
    /// How many were made by keys that are not known here. They prove nothing.
    pub unknown_keys: u64,
    /// How many rows at the end are not signed yet. Nothing vouches for them but each for the one before it.
    pub unsigned: u64,
    /// What was wrong before somebody said to go on all the same, in the words of then and of now.
    #[serde(default)]
    pub accepted: Vec<String>,
    /// What is wrong, each in a sentence; the first hundred.
    pub wrong: Vec<String>,
}

/// What is signed: the number of a row and its hash.
fn signed(seq: i64, hash: &[u8]) -> Vec<u8> {
    about(b"longshore audit checkpoint 1\n", seq, hash)
}

/// What is signed where the log goes on although it was found broken. No signature of the usual kind can be taken for it.
fn accepted(seq: i64, hash: &[u8]) -> Vec<u8> {
    about(b"longshore audit accepted 1\n", seq, hash)
}

fn about(what: &[u8], seq: i64, hash: &[u8]) -> Vec<u8> {
    let mut bytes = what.to_vec();
    bytes.extend(seq.to_be_bytes());
    bytes.extend(hash);
    bytes
}

/// Whether a checkpoint was signed by a key of here, as the log was or as somebody said to go on with it.
fn holds(point: &Checkpoint, sign: &dyn Sign) -> bool {
    let Checkpoint { seq, hash, .. } = point;
    let right = |bytes: Vec<u8>| sign.verify(&point.kid, &bytes, &point.signature) == Some(true);
    [signed(*seq, hash), accepted(*seq, hash)]
        .into_iter()
        .any(right)
}

/// A checkpoint at a row, whose signature is of `bytes`.
fn checkpoint(
    (seq, hash): (i64, &[u8]),
    bytes: &[u8],
    sign: &dyn Sign,
    now: i64,
) -> Result<Checkpoint> {
    let (kid, signature) = sign.sign(bytes)?;
    Ok(Checkpoint {
        seq,
        at: now,
        hash: hash.to_vec(),
        kid,
        signature,
    })
}

impl Hub {
    /// Rows of the log, in order: at most `limit`, after the one numbered `after`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_rows(&self, after: i64, limit: usize) -> Result<Vec<AuditRow>> {
        let args = (after, limit);
        self.db
            .read(&args, |tx, (after, limit)| {
                Box::pin(audit_window(tx, *after, *limit))
            })
            .await
    }

    /// The number of the last row; 0 where there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_last(&self) -> Result<i64> {
        let (seq, _) = self.db.read(&(), |tx, ()| Box::pin(audit_last(tx))).await?;
        Ok(seq)
    }
}

/// A row as one line of JSON.
pub fn line(row: &AuditRow) -> String {
    let entry = &row.entry;
    let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    serde_json::json!({
        "seq": row.seq,
        "at": entry.at,
        "actor": entry.actor.0,
        "actor_name": entry.actor_name,
        "via": entry.via,
        "origin": entry.origin,
        "action": entry.action,
        "object": entry.object,
        "namespace": entry.namespace.0,
        "result": entry.result,
        "detail": detail,
        "request": entry.request,
        "hash": hex::encode(&row.hash),
    })
    .to_string()
}
