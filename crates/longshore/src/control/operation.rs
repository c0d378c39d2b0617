//! What an operation is, and what it works on.

use std::fmt;
use std::future::Future;
use std::time::{SystemTime, UNIX_EPOCH};

use longshore_hub::{Caller, Hub};
use longshore_meta::Db;
use longshore_meta::namespaces::NamespaceId;
use longshore_store::Store;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::line::Line;
use crate::assemble;
use crate::config::Config;

/// How much of a list is read at once.
pub(crate) const PART: usize = 1000;

/// The parts of the running server that operations work on.
#[derive(Debug, Clone)]
pub struct State {
    /// What it was started with.
    pub config: Config,
    /// The metadata.
    pub db: Db,
    /// The registry that keeps things.
    pub store: Store,
    /// The use cases of accounts and rights, where this node has them.
    pub hub: Option<Hub>,
    /// When it was started.
    pub started: SystemTime,
}

impl State {
    /// Whoever can open the socket: the operator, now.
    pub fn operator(&self) -> Caller {
        let now = assemble::now();
        // Told apart in the audit log by when they were asked for.
        let request = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Caller::operator(request.as_nanos(), now)
    }

    /// The namespace at `path`, which may end in a slash, as places of rights are written; `**` is everywhere.
    ///
    /// # Errors
    /// There is none, or the database cannot be read.
    pub async fn place(&self, path: &str) -> anyhow::Result<NamespaceId> {
        if path == "**" {
            return Ok(NamespaceId::EVERYWHERE);
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        match self.hub()?.namespace_id(path).await {
            Err(error) if error.code().is_absence() => {
                anyhow::bail!("there is no such namespace `{path}`")
            }
            found => Ok(found?),
        }
    }

    /// The use cases of the index.
    ///
    /// # Errors
    /// This node has none.
    pub fn hub(&self) -> anyhow::Result<&Hub> {
        self.hub.as_ref().ok_or_else(|| {
            anyhow::anyhow!(
                "this server keeps no accounts; start it with `longshore serve --index`, or ask the node that is the index"
            )
        })
    }
}

/// Something an operator can ask of a running server.
///
/// It runs as long as somebody waits for its answer: when the command is interrupted or the server stops, the future is
/// dropped at an await. What must not be left half done there belongs into a transaction, or a task of the store's.
pub trait Operation: 'static {
    /// Its name in the path.
    const NAME: &'static str;
    /// What it is told.
    type Args: Serialize + DeserializeOwned + Send + Sync;
    /// What it tells on the way.
    type Step: Serialize + DeserializeOwned + Send + 'static;
    /// What it tells at the end.
    type Done: Serialize + DeserializeOwned + Send + 'static;

    /// Does it. The error's text goes to the person who asked: what happened, why, and what to do next.
    fn run(
        state: &State,
        args: Self::Args,
        steps: Steps<Self::Step>,
    ) -> impl Future<Output = anyhow::Result<Self::Done>> + Send;
}

/// Where an operation tells its steps.
pub struct Steps<S> {
    lines: mpsc::Sender<String>,
    of: std::marker::PhantomData<fn(S)>,
}

impl<S> Clone for Steps<S> {
    fn clone(&self) -> Self {
        Self {
            lines: self.lines.clone(),
            of: self.of,
        }
    }
}

impl<S: Serialize> Steps<S> {
    pub(super) fn new(lines: mpsc::Sender<String>) -> Self {
        Self {
            lines,
            of: std::marker::PhantomData,
        }
    }

    /// Tells a step. Waits while whoever asked reads more slowly than steps are made.
    pub async fn tell(&self, step: S) {
        // Nobody is left to be told only when the operation is about to be dropped.
        let _ = self.lines.send(Line::<S, ()>::Step(step).text()).await;
    }

    /// Tells a step if that can be done at once, and else drops it: for numbers of which the next will tell more.
    pub fn offer(&self, step: S) {
        let _ = self.lines.try_send(Line::<S, ()>::Step(step).text());
    }
}

impl<S> fmt::Debug for Steps<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steps(..)")
    }
}
