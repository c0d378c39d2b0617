//! `cargo xtask images`: the images that tests push, made without a network registry and without an engine.
//!
//! They take a minute or two to make and never change, so they are kept in the user's cache under the hash of the scripts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process;
use crate::workspace::{Workspace, cache, key_of, link, on_path};

const LIMIT: Duration = Duration::from_mins(15);

/// What the script calls, for a reason that names all that is missing at once.
const NEEDS: &[&str] = &[
    "mmdebstrap",
    "umoci",
    "buildah",
    "busybox",
    "zstd",
    "openssl",
    "python3",
    "node",
    "npm",
];

/// `cargo xtask images`
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Where to put a copy of the layout; without it `target/images` leads to the cached one.
    out: Option<PathBuf>,
}

/// Makes the images and says where they are.
///
/// # Errors
/// When a program is missing or the script fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let layout = ensure(workspace, true)?;
    let shown = match &options.out {
        None => layout,
        Some(out) => {
            let mut copy = Command::new("cp");
            copy.args(["-r", "--reflink=auto"]).arg(&layout).arg(out);
            process::output(&mut copy)?;
            out.clone()
        }
    };
    println!("{}", shown.display());
    Ok(ExitCode::SUCCESS)
}

/// The folder `target/images`, an OCI layout, made when no clone has yet; `show` prints the script's progress.
///
/// # Errors
/// When a program is missing or the script fails; the text is fit to be shown as a reason.
pub(crate) fn ensure(workspace: &Workspace, show: bool) -> Result<PathBuf> {
    let folder = workspace.at("xtask/images");
    let scripts = ["make.sh", "artifacts.py"].map(|name| fs::read(folder.join(name)));
    let mut bytes = Vec::new();
    for script in scripts {
        bytes.extend(script.context("a script of xtask/images cannot be read")?);
    }
    let entry = cache("images")?.join(key_of(&bytes));
    if !entry.is_dir() {
        make(workspace, &folder.join("make.sh"), &entry, show)?;
    }
    link(&entry.join("layout"), &workspace.at("target/images"))
}

fn make(workspace: &Workspace, script: &Path, entry: &Path, show: bool) -> Result<()> {
    let missing: Vec<&str> = NEEDS
        .iter()
        .copied()
        .filter(|name| on_path(name).is_none())
        .collect();
    if !missing.is_empty() {
        bail!("the images need {}", missing.join(", "));
    }
    let partial = entry.with_extension(format!("partial-{}", std::process::id()));
    let log = workspace.scratch("log")?.join("make-images.log");
    let mut command = Command::new("bash");
    command.arg(script).arg(&partial);
    let ended = process::run(&command, LIMIT, &log, show)?;
    if !ended.ok() {
        fs::remove_dir_all(&partial).ok();
        bail!(
            "making the images failed ({ended}): {}",
            process::tail(&log, 8)
        );
    }
    // Another clone may have been faster; its images are as good as ours.
    if fs::rename(&partial, entry).is_err() {
        fs::remove_dir_all(&partial).ok();
    }
    anyhow::ensure!(
        entry.is_dir(),
        "{} cannot be put in its place",
        entry.display()
    );
    Ok(())
}
