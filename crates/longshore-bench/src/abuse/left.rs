//! What is left in a data directory: bytes of uploads that were not finished, and the sessions that hold them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use longshore_meta::Db;

/// How the files of unfinished uploads end.
const STAGED: &str = "part";
const OPEN: &str = "SELECT count(*) FROM upload WHERE finished IS NULL";

/// What of uploads there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Left {
    pub(super) files: usize,
    pub(super) sessions: usize,
}

impl Left {
    /// Looks into the data directory of a server that is not running.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn of(data: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let db = Db::open_file(&data.join("meta.db"))?;
        let sessions = runtime.block_on(async {
            let open = db.read(&(), |tx, ()| {
                Box::pin(async move { tx.one::<(u64,)>(OPEN, &[]).await })
            });
            let open = open.await?;
            db.close().await?;
            anyhow::Ok(open.map_or(0, |(open,)| open))
        })?;
        Ok(Self {
            files: staged(&data.join("blobs"))?,
            sessions: usize::try_from(sessions)?,
        })
    }

    /// Files that no session holds.
    pub(super) fn beyond(self) -> usize {
        self.files.saturating_sub(self.sessions)
    }
}

fn staged(dir: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            count += staged(&path)?;
        } else if path.extension().is_some_and(|end| end == STAGED) {
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_uploads_are_counted_and_finished_ones_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let hour = dir.path().join("blobs/2026-11-21/10");
        fs::create_dir_all(&hour).unwrap();
        for name in ["1.part", "2.part", "sha256-00.3"] {
            fs::write(hour.join(name), b"x").unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        runtime.block_on(db.close()).unwrap();
        drop(db);
        let left = Left::of(dir.path()).unwrap();
        assert_eq!((left.files, left.sessions, left.beyond()), (2, 0, 2));
    }
}
