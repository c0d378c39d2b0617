//! The audit log: signed now and then, checked from end to end, exported, kept for a time.

use longshore_core::Result;
use longshore_meta::Durability;
use longshore_meta::audit::{
    AuditRow, Checkpoint, audit_last, audit_trim, audit_window, chain, checkpoint_last,
    checkpoint_list, checkpoint_put,
};

use crate::hub::Hub;

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
    /// How many were made by keys that are not known any more.
    pub unknown_keys: u64,
    /// What is wrong, each in a sentence; the first hundred.
    pub wrong: Vec<String>,
}

/// What is signed: the number of a row and its hash.
fn signed(seq: i64, hash: &[u8]) -> Vec<u8> {
    let mut bytes = b"longshore audit checkpoint 1\n".to_vec();
    bytes.extend(seq.to_be_bytes());
    bytes.extend(hash);
    bytes
}

impl Hub {
    /// Signs the log as it is, unless nothing was added since the last time. Gives the number of its last row.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_sign(&self, sign: &dyn Sign, now: i64) -> Result<i64> {
        let (last, signed_last) = self
            .db
            .read(&(), |tx, ()| {
                Box::pin(async move { Ok((audit_last(tx).await?, checkpoint_last(tx).await?)) })
            })
            .await?;
        let (seq, hash) = last;
        if seq == 0 || signed_last.is_some_and(|(signed, _)| signed == seq) {
            return Ok(seq);
        }
        let (kid, signature) = sign.sign(&signed(seq, &hash))?;
        let checkpoint = Checkpoint {
            seq,
            at: now,
            hash,
            kid,
            signature,
        };
        self.db
            .write(Durability::Power, checkpoint, |tx, checkpoint| {
                Box::pin(checkpoint_put(tx, checkpoint))
            })
            .await?;
        Ok(seq)
    }

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

    /// Forgets rows older than `before`, as far as what is left can still be checked. Gives how many went; asks for little at a time.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_trim(&self, before: i64) -> Result<usize> {
        self.db
            .write(Durability::Process, before, |tx, before| {
                Box::pin(audit_trim(tx, *before, 10_000))
            })
            .await
    }

    /// Checks each row against the one before it, and each signature.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_verify(&self, sign: Option<&dyn Sign>) -> Result<Verified> {
        let mut found = Verified::default();
        let mut wrong = |text: String| {
            if found.wrong.len() < 100 {
                found.wrong.push(text);
            }
        };
        let (mut rows, mut signatures, mut unknown_keys) = (0, 0, 0);
        let first = self.audit_rows(0, 1).await?;
        let start = first.first().map_or(1, |row| row.seq) - 1;
        let mut signs = self
            .db
            .read(&start, |tx, start| {
                Box::pin(checkpoint_list(tx, *start, usize::MAX))
            })
            .await?
            .into_iter()
            .peekable();
        let mut before: Option<Vec<u8>> = (start == 0).then(Vec::new);
        let mut at = start;
        // Where rows were forgotten, the signed hash of the last of them is where the check begins.
        if let Some(sign) = signs.next_if(|it| it.seq == start) {
            before = Some(sign.hash);
        }
        if before.is_none() {
            wrong(format!(
                "the rows up to {start} are gone, and no signed hash says what they were"
            ));
        }
        loop {
            let window = self.audit_rows(at, WINDOW).await?;
            let Some(last) = window.last().map(|row| row.seq) else {
                break;
            };
            for row in window {
                rows += 1;
                if row.seq != at + 1 {
                    wrong(format!(
                        "the rows from {} to {} are missing",
                        at + 1,
                        row.seq - 1
                    ));
                }
                if let Some(before) = &before
                    && chain(before, row.seq, &row.entry) != row.hash
                {
                    wrong(format!("row {} is not what was written", row.seq));
                }
                while let Some(point) = signs.next_if(|it| it.seq <= row.seq) {
                    if point.seq != row.seq || point.hash != row.hash {
                        wrong(format!(
                            "row {} has not the hash that was signed",
                            point.seq
                        ));
                    }
                    let bytes = signed(point.seq, &point.hash);
                    match sign.map(|it| it.verify(&point.kid, &bytes, &point.signature)) {
                        Some(Some(true)) => signatures += 1,
                        Some(Some(false)) => {
                            wrong(format!("the signature at row {} is wrong", point.seq));
                        }
                        Some(None) | None => unknown_keys += 1,
                    }
                }
                before = Some(row.hash);
                at = row.seq;
            }
            at = last;
        }
        for point in signs {
            wrong(format!("row {} was signed and is missing", point.seq));
        }
        found.rows = rows;
        found.signatures = signatures;
        found.unknown_keys = unknown_keys;
        Ok(found)
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
        "hash": hex(&row.hash),
    })
    .to_string()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
