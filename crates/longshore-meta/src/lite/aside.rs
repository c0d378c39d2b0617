//! Reading beside everything else: on a thread that may take its time, for so long and no longer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_core::{Error, Result};
use rusqlite::InterruptHandle;

use super::{Lite, exec, lock, run};
use crate::db::Body;

/// What ends a read that is under way; nothing when none is. A connection that has gone back to the others is not to be ended:
/// somebody else may be reading with it.
type Reading = Arc<Mutex<Option<InterruptHandle>>>;

impl Lite {
    pub(crate) async fn read_aside<A, T>(
        this: &Arc<Self>,
        most: Duration,
        args: A,
        body: Body<A, T>,
    ) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let reading = Reading::default();
        // Whoever asked may have gone away: nobody needs the answer then.
        let _over = Over(Arc::clone(&reading));
        let (this, for_read) = (Arc::clone(this), Arc::clone(&reading));
        let mut work = tokio::task::spawn_blocking(move || this.read_told(&args, body, &for_read));
        let done = if let Ok(done) = tokio::time::timeout(most, &mut work).await {
            done
        } else {
            interrupt(&reading);
            work.await
        };
        done.map_err(Error::internal)?
    }

    fn read_told<A, T>(&self, args: &A, body: Body<A, T>, reading: &Reading) -> Result<T> {
        let mut conn = self.reader()?;
        *lock(reading) = Some(conn.get_interrupt_handle());
        let answer = exec(&conn, "BEGIN", &[]).and_then(|_| run(&mut conn, args, body));
        *lock(reading) = None;
        exec(&conn, "COMMIT", &[])?;
        lock(&self.readers).push(conn);
        answer
    }
}

fn interrupt(reading: &Reading) {
    if let Some(handle) = &*lock(reading) {
        handle.interrupt();
    }
}

struct Over(Reading);

impl Drop for Over {
    fn drop(&mut self) {
        interrupt(&self.0);
    }
}
