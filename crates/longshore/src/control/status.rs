//! Which server is running.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};

/// Asks the server what it is.
#[derive(Debug)]
pub struct Status;

/// What is asked: nothing in particular.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Args {}

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// The directory it keeps everything in.
    pub data: String,
    /// When it was started, in seconds since the Unix epoch.
    pub started: u64,
}

impl Operation for Status {
    const NAME: &'static str = "status";
    type Args = Args;
    type Step = ();
    type Done = Running;

    async fn run(state: &State, _args: Args, _steps: Steps<()>) -> anyhow::Result<Running> {
        let data = std::path::absolute(&state.config.data)?;
        Ok(Running {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            data: data.display().to_string(),
            started: seconds(state.started),
        })
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
