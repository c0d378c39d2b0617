//! What runs often in the program that is shipped, as `cargo xtask pgo` has counted it: a file of the source, and one beside it that says of
//! what it is. The names of functions in it have the compiler's version and all dependencies' in them: with others nothing in it is
//! found, and the program is as fast as without.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::workspace::Workspace;

const COUNTS: &str = ".cargo/longshore.profdata";
const OF: &str = ".cargo/longshore.profdata.of";

/// Where the counts are.
pub(crate) fn path(workspace: &Workspace) -> PathBuf {
    workspace.at(COUNTS)
}

/// Says beside the counts that they are of this compiler and these dependencies.
///
/// # Errors
/// When it cannot be written, or the compiler cannot be asked.
pub(crate) fn is_of_this(workspace: &Workspace) -> Result<()> {
    fs::write(workspace.at(OF), this(workspace)?).with_context(|| format!("{OF} cannot be written"))
}

/// Whether the counts are of another compiler or of other dependencies.
///
/// # Errors
/// When the compiler cannot be asked.
pub(crate) fn is_old(workspace: &Workspace) -> Result<bool> {
    let of = fs::read_to_string(workspace.at(OF)).unwrap_or_default();
    Ok(of != this(workspace)?)
}

fn this(workspace: &Workspace) -> Result<String> {
    let told = rustc()
        .arg("--version")
        .output()
        .context("rustc cannot be asked for its version")?;
    let lock = fs::read(workspace.at("Cargo.lock")).context("Cargo.lock cannot be read")?;
    let version = String::from_utf8_lossy(&told.stdout).into_owned();
    Ok(format!(
        "{version}Cargo.lock sha256:{}\n",
        hex::encode(Sha256::digest(lock))
    ))
}

/// The compiler that cargo uses.
pub(crate) fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}
