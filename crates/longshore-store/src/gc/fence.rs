//! One at a time: who collects holds a lease in the database, and everything it decides is fenced by the lease's token.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::Result;
use longshore_meta::time::span;
use longshore_meta::{Durability, Tx, leader, settings};

use crate::store::Inner;

/// The name of the lease.
pub(crate) const NAME: &str = "gc";
/// How long it lasts without a sign of life.
const LEASE: Duration = Duration::from_mins(1);
/// The latest time that was believed.
pub(super) const MARK: &str = "gc.clock";

/// The right to collect, as long as nobody else has taken it.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    holder: Arc<str>,
    token: i64,
    until: i64,
}

impl Fence {
    /// Holds on to the right, in the transaction that uses it; false when it is lost, and then the transaction must change
    /// nothing.
    pub(crate) async fn hold(&self, tx: &mut Tx<'_>) -> Result<bool> {
        leader::leader_renew(tx, NAME, &self.holder, self.token, self.until).await
    }

    /// The same right, held until a minute from `now`.
    pub(crate) fn at(&self, now: i64) -> Self {
        Self {
            until: now.saturating_add(span(LEASE)),
            ..self.clone()
        }
    }
}

impl Inner {
    /// Takes the right to collect, and keeps the time that is believed; `None` when another process has the right.
    pub(super) async fn lead(&self, now: i64, mark: i64) -> Result<Option<Fence>> {
        let holder = self.gc.holder.clone();
        let until = now.saturating_add(span(LEASE));
        let args = (holder.clone(), now, until, mark);
        let token = self
            .db
            .write(
                Durability::Process,
                args,
                |tx, (holder, now, until, mark)| {
                    Box::pin(async move {
                        settings::setting_put(tx, MARK, &mark.to_string()).await?;
                        leader::leader_take(tx, NAME, holder, *now, *until).await
                    })
                },
            )
            .await?;
        Ok(token.map(|token| Fence {
            holder,
            token,
            until,
        }))
    }
}
