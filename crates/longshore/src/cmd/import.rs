//! `longshore import`: images out of an OCI image layout.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::control::Target;
use crate::transfer::import::{self, Import};
use crate::transfer::{absolute, work};

/// Push the images of an OCI image layout.
#[derive(Debug, Args)]
pub struct ImportCommand {
    /// The layout.
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Where to: REPO for all images under the names they have in the layout, REPO:TAG for one.
    #[arg(value_name = "REPO[:TAG]")]
    to: String,

    /// Which image, by its name in the layout.
    #[arg(long = "ref", value_name = "NAME")]
    name: Option<String>,

    /// Print what was done as JSON, for programs.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    target: Target,
}

/// Runs the command: what was done goes to `out`.
///
/// # Errors
/// It cannot be imported, in words for whoever runs the command.
pub fn run(
    command: &ImportCommand,
    variables: &[(String, String)],
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let config = command.target.load(variables)?;
    let args = import::Args {
        dir: absolute(&command.dir)?,
        to: command.to.clone(),
        name: command.name.clone(),
    };
    let here = async |store: &_| import::run(store, &args).await;
    let done = work::<Import>(&config, &args, |()| {}, here)?;
    if command.json {
        writeln!(out, "{}", serde_json::to_string(&done)?)?;
    } else {
        for note in &done.notes {
            writeln!(out, "{}", note.escape_debug())?;
        }
        for (tag, digest) in &done.tags {
            writeln!(out, "{tag} {digest}")?;
        }
        writeln!(
            out,
            "imported: {} manifests, {} blobs that were not there",
            done.manifests, done.blobs
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
