//! Forgetting what is old of the audit log, so that what is left can still be checked.

use longshore_core::Result;
use longshore_meta::Durability;
use longshore_meta::audit::{audit_old, audit_trim, chain, checkpoint_list};

use super::{Sign, holds};
use crate::hub::Hub;

/// How many rows go at a time, where as few have a signed hash.
const FEW: i64 = 10_000;

impl Hub {
    /// Forgets rows older than `before`, as far as what is left can still be checked. Gives how many went; asks for little at a time.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_trim(&self, sign: &dyn Sign, before: i64) -> Result<usize> {
        let mut state = self.ledger.state().await;
        let Some(head) = state.head.clone() else {
            return Ok(0);
        };
        let end = self
            .db
            .read(&before, |tx, before| Box::pin(audit_old(tx, *before, FEW)))
            .await?;
        let Some(end) = end.filter(|end| *end <= head.seq) else {
            return Ok(0);
        };
        if !self.is_old(end, before, sign).await? {
            tracing::error!(
                row = end,
                "the audit log is not shortened: the row up to which it is old is not what was signed; see `longshore admin audit verify`"
            );
            return Ok(0);
        }
        if end > head.base {
            // Before they go: what is missing without this was taken by somebody else.
            let (hash, at) = (head.hash(), head.at);
            self.remember(&mut state, sign, (head.seq, hash, end), at)
                .await?;
        }
        self.db
            .write(Durability::Process, end, |tx, end| {
                Box::pin(audit_trim(tx, *end))
            })
            .await
    }

    /// Whether a row is as it was signed, and says itself that it is older than `before`: nothing signed says when it was.
    async fn is_old(&self, seq: i64, before: i64, sign: &dyn Sign) -> Result<bool> {
        let rows = self.audit_rows(seq - 2, 2).await?;
        let points = self
            .db
            .read(&seq, |tx, seq| {
                Box::pin(checkpoint_list(tx, (*seq - 1).max(1), 2))
            })
            .await?;
        let (Some(row), Some(point)) = (
            rows.iter().find(|row| row.seq == seq),
            points.iter().find(|point| point.seq == seq),
        ) else {
            return Ok(false);
        };
        let last = rows.iter().find(|row| row.seq == seq - 1);
        let forgotten = points.iter().find(|point| point.seq == seq - 1);
        let last = last
            .map(|row| &row.hash)
            .or(forgotten.map(|point| &point.hash));
        let linked = chain(last.map_or(&[], Vec::as_slice), seq, &row.entry) == row.hash;
        Ok(linked && row.hash == point.hash && row.entry.at < before && holds(point, sign))
    }
}
