//! What can be undone, and collection, as the use cases of the index ask for them: what joins the store and the hub.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use longshore_core::past::{Outlook, Restored, TagRestored};
use longshore_core::{Code, Error, Result};
use longshore_hub::{Past, Undo};
use longshore_meta::Tx;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};
use longshore_store::{Collection, Store, outlook, restore_manifest, restore_tag};

use super::Parts;
use crate::config::Config;

const READ_ONLY: &str = "the registry is read-only at present: nothing can be restored or removed; see storage.read_only";

/// What the store can undo.
#[derive(Debug)]
struct Undoing {
    store: Store,
    read_only: bool,
}

impl Undoing {
    fn check(&self) -> Result<()> {
        if self.read_only {
            return Err(Error::new(Code::Unsupported, READ_ONLY));
        }
        Ok(())
    }
}

impl Undo for Undoing {
    fn tag_restore<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        tag: &'t Tag,
        to: Option<Digest>,
        by: (&'t str, i64),
    ) -> BoxFuture<'t, Result<TagRestored>> {
        Box::pin(async move {
            self.check()?;
            restore_tag(tx, repo, tag, to, by).await
        })
    }

    fn manifest_restore<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        digest: &'t Digest,
        by: (&'t str, i64),
    ) -> BoxFuture<'t, Result<Restored>> {
        Box::pin(async move {
            self.check()?;
            restore_manifest(tx, repo, digest, by).await
        })
    }

    fn outlook<'t>(
        &'t self,
        tx: &'t mut Tx<'_>,
        repo: i64,
        digest: &'t Digest,
    ) -> BoxFuture<'t, Result<Outlook>> {
        Box::pin(outlook(tx, repo, digest))
    }

    fn restored(&self, repo: &RepoName) {
        self.store.restored(repo);
    }
}

/// Collection, as somebody may ask for it; it is to be tended.
pub fn collection(config: &Config, parts: &Parts) -> Collection {
    let refused = config.storage.read_only.then_some(READ_ONLY);
    Collection::new(parts.store.clone(), refused)
}

/// The past of the store.
pub(super) fn past(config: &Config, parts: &Parts, collection: &Collection) -> Past {
    Past {
        undo: Arc::new(Undoing {
            store: parts.store.clone(),
            read_only: config.storage.read_only,
        }),
        collector: Arc::new(collection.clone()),
    }
}
