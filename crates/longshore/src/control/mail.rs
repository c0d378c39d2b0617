//! Mail: whether it can be sent, and what waits.

use longshore_hub::mail::WaitingMail;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use crate::assemble;

/// How much is listed at most.
const MOST: usize = 20_000;

/// Sends a letter to an address at once.
#[derive(Debug)]
pub struct Test;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TestArgs {
    /// The address.
    pub address: String,
}

impl Operation for Test {
    const NAME: &'static str = "mail-test";
    type Args = TestArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: TestArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let hub = state.hub()?;
        if hub.post_stats().is_none() {
            anyhow::bail!(
                "no mail server is configured; set `index.mail.server` and `index.mail.from`, and start the server anew"
            );
        }
        hub.mail_test(&args.address, assemble::now()).await?;
        Ok(())
    }
}

/// Lists what waits to be sent.
#[derive(Debug)]
pub struct Waiting;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct WaitingArgs {}

impl Operation for Waiting {
    const NAME: &'static str = "mail-waiting";
    type Args = WaitingArgs;
    type Step = ();
    type Done = Vec<WaitingMail>;

    async fn run(
        state: &State,
        _args: WaitingArgs,
        _steps: Steps<()>,
    ) -> anyhow::Result<Vec<WaitingMail>> {
        Ok(state.hub()?.mail_waiting(0, MOST).await?)
    }
}
