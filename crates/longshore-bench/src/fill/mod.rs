//! Stores with much in them, written in a minute instead of pushed in a day: whether a cost grows with what is stored is seen on them.

mod content;
mod distribution;
mod longshore;
mod shape;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::peer::Program;
pub(crate) use shape::{REFERRERS, Shape, TAGS, repository, tag};

/// Fills a data directory: the rows of a large registry. Its blobs have no files.
#[derive(Args, Debug)]
pub(crate) struct Fill {
    /// The directory; nothing may be in it.
    dir: PathBuf,
    /// Whose data directory it is to be.
    #[arg(long, value_enum, default_value_t = Layout::Longshore)]
    layout: Layout,
    /// The store to compare with: a thousand of most things, whatever the other numbers say.
    #[arg(long)]
    small: bool,
    /// Tags of the repository that has most of them.
    #[arg(long, default_value_t = Shape::BIG.tags)]
    tags: usize,
    /// Repositories.
    #[arg(long, default_value_t = Shape::BIG.repositories)]
    repositories: usize,
    /// Manifests, all repositories together.
    #[arg(long, default_value_t = Shape::BIG.manifests)]
    manifests: usize,
    /// Manifests that refer to the one that most refer to.
    #[arg(long, default_value_t = Shape::BIG.referrers)]
    referrers: usize,
    /// Blobs.
    #[arg(long, default_value_t = Shape::BIG.blobs)]
    blobs: usize,
}

/// Who can serve a directory.
#[derive(ValueEnum, Debug, Clone, Copy)]
enum Layout {
    /// Longshore: a database.
    Longshore,
    /// CNCF Distribution: a tree of small files. Tags and repositories only, which is all that its listings look at.
    Distribution,
}

/// Writes what `program` will find in its data directory `dir`.
///
/// # Errors
/// When the directory cannot be written, is in use, or nobody knows how that program keeps things.
pub(crate) fn store(program: Program, dir: &Path, shape: &Shape) -> Result<()> {
    match program {
        Program::Longshore => longshore::fill(dir, shape),
        Program::Distribution | Program::Debian => {
            distribution::fill(dir, shape.tags, shape.repositories)
        }
        Program::Nginx | Program::Zot | Program::Plain(_) => {
            bail!("{program} cannot be given a filled store")
        }
    }
}

/// Does it.
///
/// # Errors
/// When the directory cannot be written, or is in use.
pub(crate) fn run(fill: &Fill) -> Result<ExitCode> {
    let shape = if fill.small {
        Shape::SMALL
    } else {
        Shape {
            tags: fill.tags,
            repositories: fill.repositories,
            manifests: fill.manifests,
            referrers: fill.referrers,
            blobs: fill.blobs,
        }
    };
    match fill.layout {
        Layout::Longshore => longshore::fill(&fill.dir, &shape)?,
        Layout::Distribution => distribution::fill(&fill.dir, shape.tags, shape.repositories)?,
    }
    Ok(ExitCode::SUCCESS)
}
