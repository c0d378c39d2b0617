//! Checking a registry while it runs.

use std::time::Duration;

use async_trait::async_trait;
use longshore_store::check::{Check, Finding, Report};

use super::operation::{Operation, State, Steps};
use crate::upkeep::check::{Asked, Sum, Told};

/// How long to wait before what seems wrong is looked at again: longer than any change of several parts takes.
const SETTLE: Duration = Duration::from_secs(3);

/// Checks everything, and repairs it where that is asked for.
#[derive(Debug)]
pub struct Fsck;

impl Operation for Fsck {
    const NAME: &'static str = "fsck";
    type Args = Asked;
    type Step = Told;
    type Done = Sum;

    async fn run(state: &State, asked: Asked, steps: Steps<Told>) -> anyhow::Result<Sum> {
        let options = asked.options(&state.config, Some(SETTLE));
        let check = Check::of_running(&state.store, options);
        let summary = check.run(&mut Lines(steps)).await?;
        Ok(summary.into())
    }
}

struct Lines(Steps<Told>);

#[async_trait]
impl Report for Lines {
    async fn found(&mut self, finding: &Finding) {
        self.0.tell(finding.into()).await;
    }

    async fn looked(&mut self, _part: &'static str, _count: u64) {}
}
