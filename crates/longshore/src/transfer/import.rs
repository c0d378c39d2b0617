//! Pushing the images of an OCI image layout.

use std::path::Path;

use anyhow::Context as _;
use longshore_layout::oci::Layout;
use longshore_store::{Imported, Store, Wanted};
use serde::{Deserialize, Serialize};

use super::whole;
use crate::control::{Operation, State, Steps};

/// What is imported, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Args {
    /// The layout, absolute.
    pub dir: String,
    /// `REPO` or `REPO:TAG`.
    pub to: String,
    /// Which image of the layout, by its name there.
    pub name: Option<String>,
}

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Manifests that were pushed.
    pub manifests: u64,
    /// Blobs that were not there already.
    pub blobs: u64,
    /// Tags that were set, and what they point to.
    pub tags: Vec<(String, String)>,
    /// What came without a tag, or not whole.
    pub notes: Vec<String>,
}

impl From<Imported> for Summary {
    fn from(done: Imported) -> Self {
        Self {
            manifests: done.manifests,
            blobs: done.blobs,
            tags: done.tags,
            notes: done.notes,
        }
    }
}

/// Asks a running server to import.
#[derive(Debug)]
pub struct Import;

impl Operation for Import {
    const NAME: &'static str = "import";
    type Args = Args;
    type Step = ();
    type Done = Summary;

    async fn run(state: &State, args: Args, _steps: Steps<()>) -> anyhow::Result<Summary> {
        run(&state.store, &args).await
    }
}

/// Pushes the images of a layout to a store.
///
/// # Errors
/// The layout cannot be used, or the store refuses what is in it.
pub async fn run(store: &Store, args: &Args) -> anyhow::Result<Summary> {
    whole(store).await?;
    let wanted = wanted(&args.to, args.name.clone())?;
    let layout = Layout::open(Path::new(&args.dir))?;
    Ok(store.import(&layout, &wanted).await?.into())
}

fn wanted(to: &str, name: Option<String>) -> anyhow::Result<Wanted> {
    let (repo, tag) = match to.split_once(':') {
        Some((repo, tag)) => (repo, Some(tag)),
        None => (to, None),
    };
    Ok(Wanted {
        repo: repo
            .parse()
            .with_context(|| format!("{to}: name it REPO or REPO:TAG, without a host"))?,
        tag: tag
            .map(str::parse)
            .transpose()
            .with_context(|| to.to_owned())?,
        name,
    })
}
