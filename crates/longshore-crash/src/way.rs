//! How a client reaches a server: over a socket, or by a call in the same thread.

use std::io;

use longshore_testkit::wire::{Answer, Ask, Wire};

/// How a client reaches a server.
pub(crate) trait Way {
    /// Sends a request and gives the answer.
    ///
    /// # Errors
    /// When the connection broke, so that nobody knows what came of it.
    fn ask(&mut self, ask: &Ask) -> impl Future<Output = io::Result<Answer>>;
}

impl Way for Wire {
    fn ask(&mut self, ask: &Ask) -> impl Future<Output = io::Result<Answer>> {
        Wire::ask(self, ask)
    }
}
