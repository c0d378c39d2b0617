//! What takes space is refused while there is none, so that what frees it can go on.

use std::time::Duration;

use longshore_core::{Code, Error, Result};

use crate::store::Inner;

/// When it may be tried again.
const LATER: Duration = Duration::from_mins(1);

impl Inner {
    /// Whether something may be taken in. While the disk is said to be full each caller looks whether it still is.
    ///
    /// # Errors
    /// `Unavailable` when it is.
    pub(crate) fn admit(&self) -> Result<()> {
        if self.options.room.is_there() {
            return Ok(());
        }
        Err(Error::new(
            Code::Unavailable,
            "the registry's storage is full; it can be read from and deleted from, and not be pushed to",
        )
        .retry_after(LATER))
    }

    /// Looks whether there is room again, so that it is noticed also when nobody pushes.
    pub(crate) fn look_for_room(&self) {
        self.options.room.is_there();
    }
}
