//! The socket of a running server.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use longshore_http::server::{Address, Limits, Options, Server};
use tokio_util::sync::CancellationToken;

use super::answer::answer;
use super::operation::State;
use super::place::{NAME, Place};

/// What the socket is called until nobody but its owner may use it.
const NEW: &str = "control.sock.new";

/// The control socket, open.
#[derive(Debug)]
pub struct ControlServer {
    server: Server,
    path: PathBuf,
}

impl ControlServer {
    /// Opens the socket in the data directory. The caller holds the directory's lock, so that a socket which is there is one of
    /// a server that is gone; it is replaced.
    ///
    /// # Errors
    /// The file system has no sockets, or the directory cannot be written.
    pub async fn open(data: &Path) -> anyhow::Result<Self> {
        let (new, path) = (Place::of(data, NEW)?, data.join(NAME));
        let options = Options {
            listen: vec![Address::Unix(new.path().to_owned())],
            limits: Limits {
                connections: 64,
                connections_per_ip: None,
                ..Limits::default()
            },
            drain: Duration::from_secs(2),
            ..Options::default()
        };
        let server = Server::bind(options).await?;
        // Under its own name it is never seen with a wider mode than this.
        fs::set_permissions(new.path(), fs::Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(new.path(), &path))
            .with_context(|| format!("the socket {} cannot be made", path.display()))?;
        Ok(Self { server, path })
    }

    /// Answers until `stop` is cancelled, and removes the socket then. What is under way is ended.
    pub async fn run(self, state: State, stop: CancellationToken) {
        let state = Arc::new(state);
        let handler = {
            let stop = stop.clone();
            move |_, request| answer(state.clone(), stop.clone(), request)
        };
        self.server.run(handler, stop).await;
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, path = %self.path.display(), "the control socket cannot be removed; the next start replaces it");
            }
            _ => {}
        }
    }
}
