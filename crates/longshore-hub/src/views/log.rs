//! The audit log, for those who may read it.

use longshore_auth::rights::{Action, Object};
use longshore_core::Result;
use longshore_meta::audit::{AuditRow, audit_back, audit_of, audit_of_back, audit_window};

use super::Listed;
use crate::caller::Caller;
use crate::hub::Hub;

const READ: u8 = Action::AuditRead as u8;

/// Which part of the log, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What came after that row, the first one first.
    After(i64),
    /// What came before that row, the last one first.
    Before(i64),
}

impl Hub {
    /// Rows of the log: of all of it for the system, of what was done in a namespace for that.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn audit_list(
        &self,
        caller: &Caller,
        object: &Object,
        part: Part,
        limit: usize,
    ) -> Result<Listed<AuditRow, i64>> {
        self.see::<READ, _, _>(caller, object, (part, limit), |tx, permit, args| {
            Box::pin(async move {
                let (part, limit) = *args;
                let rows = match (permit.object(), part) {
                    (Object::Namespace(id), Part::After(seq)) => {
                        audit_of(tx, *id, seq, limit + 1).await?
                    }
                    (Object::Namespace(id), Part::Before(seq)) => {
                        audit_of_back(tx, *id, seq, limit + 1).await?
                    }
                    (_, Part::After(seq)) => audit_window(tx, seq, limit + 1).await?,
                    (_, Part::Before(seq)) => audit_back(tx, seq, limit + 1).await?,
                };
                Ok(Listed::of(rows, limit, |row| row.seq))
            })
        })
        .await
    }
}
