//! A registry that nothing is deleted from.

use longshore_core::{Code, Cx, Error, Op, Result, Verb};

use crate::gate::{Gate, Outcome};

/// Refuses to delete tags, manifests and blobs alike, with `Unsupported`.
///
/// Asked at the operation and not at a path, because a registry that guarded its digests and forgot its tags is how
/// CVE-2026-41888 came about. Cancelling an upload is not deleting: what it frees was never content.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDeletes;

impl Gate for NoDeletes {
    type Ticket = ();

    async fn enter(&self, _: &Cx, op: &Op<'_>) -> Result<()> {
        if op
            .needs()
            .into_iter()
            .flatten()
            .any(|(_, verb)| verb == Verb::Delete)
        {
            return Err(Error::new(
                Code::Unsupported,
                "deletion is disabled on this registry",
            ));
        }
        Ok(())
    }

    fn leave(&self, _: &Cx, _: &Op<'_>, (): (), _: Outcome) {}
}
