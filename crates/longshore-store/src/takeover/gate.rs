//! What keeps requests from a repository until it is taken over.

use longshore_core::{Cx, Op, Result};
use longshore_layers::gate::{Gate, Outcome};

use super::Takeover;

/// Lets no call through to a repository that is still to be taken over: it is taken over first, or the caller told to come
/// again. So nobody is told that something is absent because nobody has looked yet.
#[derive(Debug)]
pub struct Arriving(pub Takeover);

impl Gate for Arriving {
    type Ticket = ();

    async fn enter(&self, _: &Cx, op: &Op<'_>) -> Result<()> {
        if matches!(op, Op::Repositories) {
            return self.0.listed();
        }
        for (repo, _) in op.needs().into_iter().flatten() {
            if let Some(repo) = repo {
                self.0.ready(repo).await?;
            }
        }
        Ok(())
    }

    fn leave(&self, _: &Cx, _: &Op<'_>, (): (), _: Outcome) {}
}
