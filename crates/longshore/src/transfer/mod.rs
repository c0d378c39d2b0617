//! Export and import: over a data directory that nobody uses, or by the server that runs over it.

pub mod export;
pub mod import;

use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use longshore_blob::OpenError;
use longshore_store::Store;

use crate::assemble::{self, Parts};
use crate::config::Config;
use crate::control::{Client, Operation};

/// Does an operation for a command: by the server that has the registry of this configuration open, or by `here` on the store
/// itself. `step` is told how far it is.
///
/// # Errors
/// There is no store, or it cannot be opened; what the work gives.
pub fn work<O: Operation>(
    config: &Config,
    args: &O::Args,
    step: impl FnMut(O::Step),
    here: impl AsyncFnOnce(&Store) -> anyhow::Result<O::Done>,
) -> anyhow::Result<O::Done> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let done =
        runtime.block_on(async { Place::of(config).await?.work::<O>(args, step, here).await })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(done)
}

/// What a command works on.
#[derive(Debug)]
enum Place {
    /// The directory itself, which this process holds.
    Here(Store),
    /// The server that holds it.
    Server(Client),
}

impl Place {
    /// The store of a configuration, or the server that has it open.
    async fn of(config: &Config) -> anyhow::Result<Self> {
        // Opening would make it.
        if !config.database.exists() {
            bail!(
                "there is no registry in {} (no {}); name its data directory with --data, or its configuration with --config",
                config.data.display(),
                config.database.display()
            );
        }
        match assemble::open(config).await {
            Ok(Parts { store, .. }) => Ok(Place::Here(store)),
            Err(error) if is_in_use(&error) => Ok(Place::Server(Client::new(&config.data))),
            Err(error) => Err(error),
        }
    }

    /// Asks the server, or runs `here` on the store and closes it.
    async fn work<O: Operation>(
        self,
        args: &O::Args,
        step: impl FnMut(O::Step),
        here: impl AsyncFnOnce(&Store) -> anyhow::Result<O::Done>,
    ) -> anyhow::Result<O::Done> {
        match self {
            Place::Server(client) => client.call::<O>(args, step).await,
            Place::Here(store) => {
                let done = here(&store).await;
                store.close().await?;
                done
            }
        }
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| matches!(cause.downcast_ref(), Some(OpenError::InUse { .. })))
}

/// Refuses to work on half of what there is to be.
async fn whole(store: &Store) -> anyhow::Result<()> {
    match store.taken_over().await? {
        Some(taken) if taken.ended.is_none() => bail!(
            "a Distribution tree is still being taken over; wait until it is done, or finish it with `longshore takeover`"
        ),
        _ => Ok(()),
    }
}

/// A path as the server, whose working directory is another, understands it.
///
/// # Errors
/// The working directory is gone.
pub fn absolute(path: &Path) -> anyhow::Result<String> {
    Ok(std::path::absolute(path)?.display().to_string())
}
