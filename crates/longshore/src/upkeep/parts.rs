//! A store that nobody serves, opened to be looked at.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use longshore_blob::{Files, FilesOptions, OpenError};
use longshore_meta::Db;

use crate::config::Config;

/// Metadata and bytes, and the directory's lock for as long as the bytes are open.
#[derive(Debug)]
pub struct Parts {
    /// The metadata.
    pub db: Db,
    /// The bytes.
    pub files: Arc<Files>,
}

/// What lies in the data directory.
#[derive(Debug)]
pub enum Found {
    /// A store nobody uses.
    Idle(Parts),
    /// A store that somebody has open: a server, which can be asked.
    InUse,
}

/// Opens the store of a configuration, if nobody has it open. Its schema is brought up to date, as a server would do.
///
/// # Errors
/// There is no store, or it cannot be opened.
pub fn open(config: &Config) -> anyhow::Result<Found> {
    if !config.database.exists() {
        bail!(
            "there is no registry in {}: {} is not there; name its directory with --data or its configuration with --config",
            config.data.display(),
            config.database.display()
        );
    }
    let options = FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(&config.data)
    };
    let files = match Files::open(&options) {
        Ok(files) => Arc::new(files),
        Err(OpenError::InUse { .. }) => return Ok(Found::InUse),
        Err(error) => return Err(error.into()),
    };
    let db = Db::open_file(&config.database)
        .with_context(|| format!("the database {}", config.database.display()))?;
    Ok(Found::Idle(Parts { db, files }))
}
