//! Random operations on each registry of ours and on the reference in memory: both must give the same answers.
//!
//! The reference is small enough to be read and believed. What a disagreement prints is the shortest sequence of operations
//! found that still leads to one. Nothing fails here; that is for the other modes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow};
use clap::{Args, ValueEnum};
use longshore_blob::{Files, FilesOptions};
use longshore_core::Registry;
use longshore_layers::{Behind as _, RightsGate};
use longshore_meta::Db;
use longshore_store::{Durability, Options as StoreOptions, Store};
use longshore_testkit::model::agree;
use longshore_testkit::suite::Bench;

use crate::kill::runtime;
use crate::say;
use crate::tally::Tally;

/// A registry that is compared with the reference.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// The store as it is shipped: small blobs are rows.
    Store,
    /// The store with every blob in a file, each safe when it is acknowledged.
    Files,
    /// The tower of gates that requests come through, over the store.
    Tower,
}

/// Which sequences on what.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The program under test; not needed here, where its parts are linked in.
    #[arg(long)]
    longshore: Option<PathBuf>,
    /// Where the registries are made; in memory if it can be had.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many sequences each registry is given.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// How many operations a sequence has.
    #[arg(long, default_value_t = 300)]
    steps: usize,
    /// The registries.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [On::Store, On::Files, On::Tower])]
    on: Vec<On>,
}

/// A folder that is removed when its registry is done with.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A place for what need not outlive us: in memory if it can be had.
pub(crate) fn in_memory(dir: Option<&Path>) -> PathBuf {
    let memory = Path::new("/dev/shm");
    match dir {
        _ if memory.is_dir() => memory.to_owned(),
        Some(dir) => dir.to_owned(),
        None => std::env::temp_dir(),
    }
}

/// Compares each registry with the reference.
///
/// # Errors
/// When a registry cannot be made.
pub(crate) fn run(options: &Options) -> Result<Tally> {
    let name = format!("longshore-model-{}", std::process::id());
    let base = Folder(in_memory(options.dir.as_deref()).join(name));
    let (runtime, mut tally) = (runtime()?, Tally::default());
    for on in &options.on {
        // One that cannot be made would look like one that disagrees.
        runtime.block_on(make(*on, &base.0))?;
        for seed in options.seed..options.seed + options.seeds {
            let made = || async { make(*on, &base.0).await.expect("it could be made before") };
            if let Err(found) = runtime.block_on(agree(seed, options.steps, made)) {
                tally.lose(format!("{on:?} is not the reference: {found}"));
            }
            tally.cases += 1;
        }
        say(&format!(
            "model: {on:?}, seeds from {}, {} of them, {} operations each",
            options.seed, options.seeds, options.steps
        ));
    }
    Ok(tally)
}

async fn make(on: On, base: &Path) -> Result<Bench> {
    // The one before may still be closing its files.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let at = base.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
    fs::create_dir_all(&at).with_context(|| format!("{} cannot be made", at.display()))?;
    let folder = Folder(at);
    let files = Files::open(&FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(&folder.0)
    });
    let files = files.map_err(|error| anyhow!("{error}"))?;
    let db = Db::open_file(&folder.0.join("meta.db"))?;
    let options = match on {
        On::Store | On::Tower => StoreOptions::default(),
        On::Files => StoreOptions {
            durability: Durability::Blob,
            row_most: 0,
            ..StoreOptions::default()
        },
    };
    let store = Store::open(db, Arc::new(files), options, Arc::new(clock)).await?;
    let registry: Arc<dyn Registry> = match on {
        On::Store | On::Files => Arc::new(store),
        On::Tower => (Arc::new(store) as Arc<dyn Registry>).behind(RightsGate),
    };
    Ok(Bench::keeping(registry, folder))
}

/// The moment at which the model's people act.
fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registry_agrees_with_the_reference_and_each_sequence_is_a_case() {
        let options = Options {
            longshore: None,
            dir: None,
            seed: 1,
            seeds: 2,
            steps: 60,
            on: vec![On::Store, On::Files, On::Tower],
        };
        let tally = run(&options).unwrap();
        assert!(tally.is_clean(), "{:?}", tally.told());
        assert_eq!(tally.cases, 6);
    }
}
