//! What was done for somebody under a key of theirs, and what was answered.

use longshore_core::Result;
use longshore_meta::Durability;
use longshore_meta::deeds::{Deed, deed_answer, deed_get};

use crate::caller::Caller;
use crate::hub::Hub;

impl Hub {
    /// What was done for the caller under a key.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn deed(&self, caller: &Caller, key: &str) -> Result<Option<Deed>> {
        let args = (caller.who.id(), key);
        self.db
            .read(&args, |tx, (who, key)| Box::pin(deed_get(tx, *who, key)))
            .await
    }

    /// Notes what was answered to what was done under a key. Where that is lost, asking again is told that it was done.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn deed_answered(&self, caller: &Caller, key: &str, answer: String) -> Result<()> {
        let args = (caller.who.id(), key.to_owned(), answer);
        self.db
            .write(Durability::Process, args, |tx, (who, key, answer)| {
                Box::pin(deed_answer(tx, *who, key, answer))
            })
            .await
    }
}
