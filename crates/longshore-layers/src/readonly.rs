//! A registry that may be read and not changed, as during maintenance.

use longshore_core::{Code, Cx, Error, Op, Result};

use crate::gate::{Gate, Outcome};

/// Refuses every operation that changes something, with `Unsupported`.
///
/// The decision hangs on [`Op::writes`], which the compiler keeps complete: no path can be forgotten.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOnly;

impl Gate for ReadOnly {
    type Ticket = ();

    async fn enter(&self, _: &Cx, op: &Op<'_>) -> Result<()> {
        if op.writes() {
            return Err(Error::new(
                Code::Unsupported,
                "the registry is read-only at present: content can be pulled, but not pushed or deleted",
            ));
        }
        Ok(())
    }

    fn leave(&self, _: &Cx, _: &Op<'_>, (): (), _: Outcome) {}
}
