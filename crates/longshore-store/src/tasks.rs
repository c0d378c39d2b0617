//! Work that outlives the request that asked for it.

use longshore_core::{Error, Result};
use tokio_util::task::TaskTracker;

/// The work under way. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks(TaskTracker);

impl Tasks {
    /// Runs work to its end even if the request that asked for it is dropped.
    pub(crate) async fn joined<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.0.spawn(work).await.map_err(Error::internal)?
    }

    /// Waits until all of it has come to its end.
    pub(crate) async fn end(&self) {
        self.0.close();
        self.0.wait().await;
    }
}
