//! Connections on which we are logged in as who searches, kept for the next login.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::link::{Connection, Dial};
use crate::age::apart;

/// How long a connection may lie unused: what is between us and a directory forgets idle ones without a word.
const IDLE: Duration = Duration::from_secs(30);

/// Connections of one directory.
pub(super) struct Pool {
    pub(super) dial: Dial,
    /// Who searches, and its password.
    searcher: Option<(String, Zeroizing<String>)>,
    idle: Mutex<Vec<(Connection, SystemTime)>>,
    keep: usize,
}

impl Pool {
    pub(super) fn new(
        dial: Dial,
        searcher: Option<(String, Zeroizing<String>)>,
        keep: usize,
    ) -> Self {
        Pool {
            dial,
            searcher,
            idle: Mutex::new(Vec::new()),
            keep,
        }
    }

    /// A connection for searches that was used before, if one is there and still open.
    pub(super) fn used(&self, now: SystemTime) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| apart(now, *since) < IDLE);
        while let Some((mut connection, _)) = idle.pop() {
            if !connection.ldap.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    /// A new connection for searches.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub(super) async fn fresh(&self) -> Result<Connection, String> {
        let mut connection = self.dial.open().await?;
        if let Some((dn, password)) = &self.searcher {
            let bound = connection.ldap.simple_bind(dn, password).await;
            bound
                .and_then(ldap3::LdapResult::success)
                .map_err(|error| format!("it does not accept `{dn}`, who searches: {error}"))?;
        }
        Ok(connection)
    }

    /// Keeps a connection on which all went well.
    pub(super) fn give_back(&self, connection: Connection, now: SystemTime) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.keep {
            idle.push((connection, now));
        }
    }
}
