//! Brings outside programs while cargo compiles: Debian packages first, then the pinned tools one after the other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::packages;
use crate::process;
use crate::tools::{self, Pace, Pins};
use crate::workspace::Workspace;

/// Three times what a new machine needs while it compiles the workspace beside.
const LIMIT: Duration = Duration::from_mins(45);

/// What was brought, and why the rest was not.
#[derive(Clone, Debug, Default)]
pub(super) struct Brought {
    /// Per tool its folder, or the reason why there is none.
    pub(super) tools: BTreeMap<String, Result<PathBuf, String>>,
    /// Debian packages that are not installed, with the reason.
    pub(super) missing: Vec<String>,
    pub(super) reason: String,
}

/// The work of the thread, awaited by the first step that needs it.
#[derive(Debug)]
pub(super) struct Provision {
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Working(JoinHandle<Brought>),
    Done(Brought),
}

impl Provision {
    /// Starts the thread when `wanted`; `install` lets it install Debian packages.
    ///
    /// # Errors
    /// When the pins cannot be read.
    pub(super) fn start(workspace: &Workspace, wanted: bool, install: bool) -> Result<Self> {
        if !wanted {
            return Ok(Self {
                state: Mutex::new(State::Done(Brought::default())),
            });
        }
        let pins = Pins::load(workspace)?;
        let workspace = workspace.clone();
        let thread = thread::spawn(move || bring(&workspace, &pins, install));
        Ok(Self {
            state: Mutex::new(State::Working(thread)),
        })
    }

    /// What was brought; waits for it. The thread has a limit, so the wait ends.
    ///
    /// # Errors
    /// When the thread broke down.
    pub(super) fn brought(&self) -> Result<Brought> {
        let broken = || anyhow::anyhow!("the thread that brings outside programs broke down");
        let mut state = self.state.lock().map_err(|_| broken())?;
        let brought = match std::mem::replace(&mut *state, State::Done(Brought::default())) {
            State::Working(thread) => thread.join().map_err(|_| broken())?,
            State::Done(brought) => brought,
        };
        *state = State::Done(brought.clone());
        Ok(brought)
    }
}

fn bring(workspace: &Workspace, pins: &Pins, install: bool) -> Brought {
    process::allow(LIMIT);
    let mut brought = Brought {
        missing: packages::missing(&pins.debian.packages),
        ..Brought::default()
    };
    if !brought.missing.is_empty() {
        let installed = if install {
            let log = workspace
                .scratch("log")
                .map(|folder| folder.join("debian.log"));
            log.and_then(|log| packages::install(&brought.missing, &log))
        } else {
            Err(anyhow::anyhow!("not installed; --install brings it"))
        };
        if let Err(error) = installed.context("Debian packages") {
            brought.reason = format!("{error:#}");
        }
        brought.missing = packages::missing(&pins.debian.packages);
    }
    for name in pins.programs() {
        let folder = tools::ensure(workspace, pins, name, Pace::Background);
        brought.tools.insert(
            name.to_owned(),
            folder.map_err(|error| format!("{error:#}")),
        );
    }
    brought
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_that_asks_gets_what_was_brought() {
        let thread = thread::spawn(|| Brought {
            reason: "one".into(),
            ..Brought::default()
        });
        let provision = Provision {
            state: Mutex::new(State::Working(thread)),
        };
        for _ in 0..3 {
            assert_eq!(provision.brought().unwrap().reason, "one");
        }
    }
}
