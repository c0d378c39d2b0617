//! Namespaces for repositories that are older than the index, or of another registry.

use longshore_hub::Hub;
use longshore_store::{Store, Takeover};

use super::now;

/// Makes the namespaces that are missing, and tells of what can have none. While a tree is taken over also those of its repositories
/// that are not there yet: nobody gets hold of one by taking its name in the meantime.
///
/// # Errors
/// The metadata or the tree cannot be read, or the metadata not written.
pub async fn homes(
    hub: &Hub,
    store: &Store,
    takeover: Option<&Takeover>,
) -> longshore_core::Result<()> {
    let awaited = match takeover {
        Some(takeover) if !takeover.is_finished() => takeover.names().await?,
        _ => Vec::new(),
    };
    let ended = store.taken_over().await?.and_then(|taken| taken.ended);
    let homes = hub.homes(&awaited, ended, now()).await?;
    if !homes.made.is_empty() {
        tracing::info!(
            namespaces = homes.made.len(),
            "repositories that lay in no namespace have private ones of the system now; `longshore admin namespace list` shows them, \
             `longshore admin org create NAME` gives one to an organisation"
        );
    }
    for (name, why) in homes.homeless {
        tracing::warn!(
            name,
            why,
            "the repositories below `{name}/` lie in no namespace: only administrators see them, and can move them (`longshore admin repo move`)"
        );
    }
    for name in homes.owned {
        tracing::warn!(
            name,
            "repositories below `{name}/` were taken over, and there is somebody of that name here: they are theirs; move what is not \
             (`longshore admin repo move`)"
        );
    }
    Ok(())
}
