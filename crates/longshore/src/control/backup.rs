//! Backing a registry up while it runs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use crate::assemble;
use crate::upkeep::backup::about::{About, Copies};
use crate::upkeep::backup::write::{Job, Progress};

/// Makes a backup.
#[derive(Debug)]
pub struct Backup;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Args {
    /// The directory to write to, from the root: the server's working directory is its own.
    pub to: PathBuf,
    /// What is done about files.
    pub copies: Copies,
}

impl Operation for Backup {
    const NAME: &'static str = "backup";
    type Args = Args;
    type Step = Progress;
    type Done = About;

    async fn run(state: &State, args: Args, steps: Steps<Progress>) -> anyhow::Result<About> {
        // What the copy of the metadata names must still be there when its turn comes.
        let _held = state.store.hold_bytes();
        let job = Job {
            db: state.db.clone(),
            data: state.config.data.clone(),
            to: args.to,
            copies: args.copies,
            now: assemble::now(),
        };
        job.run(|progress| steps.offer(progress)).await
    }
}
