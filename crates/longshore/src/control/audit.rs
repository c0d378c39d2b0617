//! The audit log: shown, checked, exported.

use std::collections::VecDeque;

use longshore_auth::rights::Object;
use longshore_hub::audit::{Verified, line};
use longshore_hub::views::Part;
use longshore_meta::time::micros;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use crate::assemble;

/// How many rows are read at once.
const PAGE: usize = 1000;

/// Tells rows of the log, each as a line of JSON.
#[derive(Debug)]
pub struct Rows;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RowsArgs {
    /// About this namespace only.
    pub namespace: Option<String>,
    /// After the row with this number.
    pub after: i64,
    /// At most so many; none: all.
    pub limit: Option<usize>,
    /// The last ones, and not the first.
    pub last: bool,
}

impl Operation for Rows {
    const NAME: &'static str = "audit-rows";
    type Args = RowsArgs;
    type Step = String;
    type Done = usize;

    async fn run(state: &State, args: RowsArgs, steps: Steps<String>) -> anyhow::Result<usize> {
        let (hub, caller) = (state.hub()?, state.operator());
        let of = match &args.namespace {
            Some(path) => Object::Namespace(state.place(path).await?),
            None => Object::System,
        };
        let (mut at, limit) = (args.after, args.limit.unwrap_or(usize::MAX));
        if args.last && of == Object::System {
            // Their numbers have no gaps, so the last are known without reading the others.
            let last = hub.audit_last().await?;
            at = at.max(last.saturating_sub(i64::try_from(limit).unwrap_or(i64::MAX)));
        }
        let (mut told, mut kept) = (0, VecDeque::new());
        while args.last || told < limit {
            let few = if args.last {
                PAGE
            } else {
                PAGE.min(limit - told)
            };
            let part = Part::After(at);
            let page = hub.audit_list(&caller, &of, part, few).await?.items;
            let Some(last) = page.last() else { break };
            at = last.seq;
            for row in &page {
                if args.last {
                    kept.push_back(line(row));
                    if kept.len() > limit {
                        kept.pop_front();
                    }
                } else {
                    steps.tell(line(row)).await;
                    told += 1;
                }
            }
        }
        told += kept.len();
        for line in kept {
            steps.tell(line).await;
        }
        Ok(told)
    }
}

/// Checks the log from end to end.
#[derive(Debug)]
pub struct Verify;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct VerifyArgs {}

impl Operation for Verify {
    const NAME: &'static str = "audit-verify";
    type Args = VerifyArgs;
    type Step = ();
    type Done = Verified;

    async fn run(state: &State, _args: VerifyArgs, _steps: Steps<()>) -> anyhow::Result<Verified> {
        let hub = state.hub()?;
        let now = assemble::now();
        let notary = hub.notary(now).await?;
        Ok(hub.audit_verify(&notary, micros(now)).await?)
    }
}

/// Goes on from the log as it is, although something is wrong with it.
#[derive(Debug)]
pub struct Accept;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AcceptArgs {
    /// Why that is so, for the log.
    pub why: String,
}

impl Operation for Accept {
    const NAME: &'static str = "audit-accept";
    type Args = AcceptArgs;
    type Step = ();
    type Done = Verified;

    async fn run(state: &State, args: AcceptArgs, _steps: Steps<()>) -> anyhow::Result<Verified> {
        let (hub, caller) = (state.hub()?, state.operator());
        let notary = hub.notary(caller.now).await?;
        Ok(hub.audit_accept(&caller, &notary, &args.why).await?)
    }
}
