//! The steps that need outside programs.

use anyhow::Result;

use super::{Outcome, Session};
use crate::tools::Pins;
use crate::workspace::in_ci;

/// Says what is there and what is not; what is required and missing fails in CI.
pub(super) fn tools(session: &Session<'_>) -> Result<Outcome> {
    let pins = Pins::load(session.workspace)?;
    let brought = session.provision.brought()?;
    let mut outcome = Outcome::default();
    for (name, folder) in &brought.tools {
        match folder {
            Ok(folder) => {
                println!("{name:<12} {}", folder.display());
                outcome.add(Outcome::pass());
            }
            Err(reason) if in_ci() && pins.required.contains(name) => {
                outcome.add(Outcome::fail(format!(
                    "{name} is required and cannot be had: {reason}"
                )));
            }
            Err(reason) => outcome.add(Outcome::skip(format!("{name}: {reason}"))),
        }
    }
    if brought.missing.is_empty() {
        outcome.add(Outcome::pass());
    } else {
        let missing = brought.missing.join(", ");
        outcome.add(Outcome::skip_required(format!(
            "{missing}: {}",
            brought.reason
        )));
    }
    Ok(outcome)
}
