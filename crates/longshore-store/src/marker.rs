//! How an unclean stop is known: a mark is written at the start, moved on while the store runs, and wiped by an orderly stop.
//! A start that finds one knows that the store was not closed, and since when what it wrote is in doubt; collection looks
//! through the same hours for files without a row.
//!
//! Everything that was acknowledged is synced, so nothing should be wrong with it. But disks lie, and a look at what was
//! written last costs little.

use std::time::Duration;

use longshore_core::Result;
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, Tx, settings};

use crate::gc;
use crate::integrity::Doubt;
use crate::store::Inner;

/// The mark: when the store was last seen running, in microseconds; empty after an orderly stop. A store without one was never
/// open, or comes out of a backup.
const RUNNING: &str = "running";
/// What is in doubt until the scrub has looked at it: two times, in microseconds.
const DOUBT: &str = "doubt";

/// How often the mark is moved on.
pub(crate) const EVERY: Duration = Duration::from_mins(10);

impl Inner {
    /// Sets the mark, and finds out what is in doubt.
    pub(crate) async fn mark(&self) -> Result<()> {
        let args = (micros((self.clock)()), span(self.options.session_age));
        let doubt = self
            .db
            .write(Durability::Process, args, |tx, (now, age)| {
                Box::pin(start(tx, *now, *age))
            })
            .await?;
        if doubt.is_some() {
            tracing::warn!(
                "the store was not closed in order; what was written last is read again"
            );
        }
        self.integrity.set_doubt(doubt);
        Ok(())
    }

    /// Moves the mark on.
    pub(crate) async fn move_mark(&self) -> Result<()> {
        let now = micros((self.clock)()).to_string();
        self.db
            .write(Durability::Power, now, |tx, now| {
                Box::pin(settings::setting_put(tx, RUNNING, now))
            })
            .await
    }

    /// Wipes the mark: everything is on disk.
    pub(crate) async fn unmark(&self) -> Result<()> {
        self.note_orphans().await?;
        self.db
            .write(Durability::Power, (), |tx, ()| {
                Box::pin(async move {
                    gc::retire(tx).await?;
                    settings::setting_put(tx, RUNNING, "").await
                })
            })
            .await
    }

    /// Forgets a doubt: all that it covers was looked at.
    pub(crate) async fn dispel(&self) -> Result<()> {
        self.db
            .write(Durability::Process, (), |tx, ()| {
                Box::pin(settings::setting_delete(tx, DOUBT))
            })
            .await?;
        self.integrity.set_doubt(None);
        Ok(())
    }
}

/// Takes out of a copy of the metadata what belongs to the process it was copied from.
///
/// # Errors
/// `Unavailable`.
pub async fn forget_run(tx: &mut Tx<'_>) -> Result<()> {
    settings::setting_delete(tx, RUNNING).await?;
    settings::setting_delete(tx, DOUBT).await
}

/// Sets the mark at `now`. An upload may have begun `age` before the stop, and its file lies in the hour of that.
async fn start(tx: &mut Tx<'_>, now: i64, age: i64) -> Result<Option<Doubt>> {
    let running = settings::setting_get(tx, RUNNING).await?;
    let before = settings::setting_get(tx, DOUBT).await?;
    settings::setting_put(tx, RUNNING, &now.to_string()).await?;
    let before = before.as_deref().and_then(read);
    let since = running.as_ref().and_then(|at| at.parse::<i64>().ok());
    // What was in the machine's memory when the mark was last moved may not have been on the disk then.
    let since = since.map(|at| at.saturating_sub(span(EVERY)));
    let left = match running {
        None => Some(0),
        Some(_) => since.map(|since| since.saturating_sub(age)),
    };
    gc::succeed(tx, left, now).await?;
    let doubt = match (since, before) {
        (None, before) => before,
        (Some(since), before) => Some(Doubt {
            since: before.map_or(since, |before| before.since.min(since)),
            until: now,
        }),
    };
    if let Some(doubt) = doubt {
        let text = format!("{} {}", doubt.since, doubt.until);
        settings::setting_put(tx, DOUBT, &text).await?;
    }
    Ok(doubt)
}

fn read(text: &str) -> Option<Doubt> {
    let (since, until) = text.split_once(' ')?;
    Some(Doubt {
        since: since.parse().ok()?,
        until: until.parse().ok()?,
    })
}
