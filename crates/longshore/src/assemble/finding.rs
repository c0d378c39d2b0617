//! What answers searches, and what works behind it.

use std::sync::Arc;
use std::time::Duration;

use longshore_core::Finder;
use longshore_core::error::Chain;
use longshore_hub::{Clerk, ClerkOptions, Pulls, Search, stop_reading};
use longshore_layers::Names;
use longshore_meta::Db;
use longshore_meta::time::micros;
use tokio_util::sync::CancellationToken;

use super::{Parts, images_at, now};
use crate::config::{Auth, Config};

/// How often pulls are written that were counted.
const FLUSH: Duration = Duration::from_secs(30);

/// Whether repositories are found by what their images say. An index whose images are elsewhere has only their names.
fn by_content(config: &Config) -> bool {
    if images_at(config).is_some() {
        return false;
    }
    let with_index = matches!(config.auth, Auth::Index(_));
    config.search.content.unwrap_or(with_index)
}

/// Finding repositories: by all that is known of them, or by their names alone.
#[derive(Debug)]
pub enum Finding {
    /// By their names.
    Names(Names),
    /// By everything; pulls are counted, too.
    Content {
        /// What answers.
        search: Search,
        /// What keeps it true.
        clerk: Box<Clerk>,
        /// What was pulled.
        pulls: Pulls,
        /// Where it is kept.
        db: Db,
    },
}

impl Finding {
    /// What the configuration wants. Before the registry is used, so that nothing that happens to it is missed.
    ///
    /// # Errors
    /// The metadata cannot be read or written.
    pub async fn open(config: &Config, parts: &Parts) -> anyhow::Result<Self> {
        let store = Arc::new(parts.store.clone());
        if !by_content(config) {
            stop_reading(&parts.db).await?;
            return Ok(Self::Names(Names::of(store)));
        }
        let clerk = Clerk::new(
            parts.db.clone(),
            store,
            Arc::new(now),
            ClerkOptions::default(),
        );
        clerk.open().await?;
        Ok(Self::Content {
            search: Search::new(parts.db.clone()),
            clerk: Box::new(clerk),
            pulls: Pulls::default(),
            db: parts.db.clone(),
        })
    }

    /// What answers searches.
    pub fn finder(&self) -> Arc<dyn Finder> {
        match self {
            Self::Names(names) => Arc::new(names.clone()),
            Self::Content { search, .. } => Arc::new(search.clone()),
        }
    }

    /// What counts pulls, where they are counted.
    pub fn pulls(&self) -> Option<Pulls> {
        match self {
            Self::Names(_) => None,
            Self::Content { pulls, .. } => Some(pulls.clone()),
        }
    }

    /// Keeps it true until `stop`; pulls are written once more then.
    pub async fn tend(self, stop: CancellationToken) {
        let Self::Content {
            clerk, pulls, db, ..
        } = self
        else {
            return;
        };
        let flush = async || {
            if let Err(error) = pulls.flush(&db, micros(now())).await {
                tracing::warn!(error = %Chain(&error), "pulls that were counted could not be written; trying again");
            }
        };
        let flushing = async {
            while stop
                .run_until_cancelled(tokio::time::sleep(FLUSH))
                .await
                .is_some()
            {
                flush().await;
            }
        };
        tokio::join!(clerk.tend(stop.cancelled()), flushing);
        flush().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_an_index_content_is_found_unless_somebody_says_otherwise() {
        for (text, content) in [
            ("", false),
            ("[search]\ncontent = true", true),
            ("[index]\nenabled = true", true),
            ("[index]\nenabled = true\nroles = \"index\"", false),
            ("[index]\nenabled = true\n[search]\ncontent = false", false),
        ] {
            let config = Config::load(Some(("longshore.toml", text)), [], &[]).unwrap();
            assert_eq!(by_content(&config), content, "{text}");
        }
    }
}
