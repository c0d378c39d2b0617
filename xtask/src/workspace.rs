//! Where things are: the clone, its target folder, and the cache that outlives both.
//!
//! CI starts from a fresh clone, so what is slow to make (Go tools, images, cargo plug-ins) is kept per user, outside of every
//! clone, under a name that says what it was made from. A changed pin makes a new entry; nothing is ever updated in place.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// One clone of the project.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The clone that cargo runs this program from.
    ///
    /// # Errors
    /// When cargo did not say where this package is and the folder it was built from is gone.
    pub(crate) fn find() -> Result<Self> {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().context("xtask has no parent folder")?;
        let root = root
            .canonicalize()
            .with_context(|| format!("{} is gone", root.display()))?;
        Ok(Self { root })
    }

    /// The folder that holds the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the clone.
    pub(crate) fn at(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where cargo puts what it builds: `CARGO_TARGET_DIR`, else `target`.
    pub(crate) fn cargo_target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.at("target"), PathBuf::from)
    }

    /// A folder under `target/xtask` for logs and for the state of servers and clients under test; made when missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        made(self.at("target/xtask").join(name))
    }
}

/// A folder of the user's cache that all clones share; made when missing.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` is set, or the folder cannot be made.
pub(crate) fn cache(name: &str) -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => PathBuf::from(env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
            .join(".cache"),
    };
    made(base.join("longshore").join(name))
}

/// Whether this is a CI run, where a program that cannot be had is a failure and not a skip.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

/// The first 12 hex digits of a SHA-256: enough to tell cache entries apart.
pub(crate) fn key_of(bytes: &[u8]) -> String {
    let mut key = hex::encode(Sha256::digest(bytes));
    key.truncate(12);
    key
}

/// The program `name` in a folder of `PATH`, if there is one.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
}

/// Makes `at` a symbolic link to `entry`, which may be one already.
///
/// # Errors
/// When something else than a link is in the way, or the folder cannot be written to.
pub(crate) fn link(entry: &Path, at: &Path) -> Result<PathBuf> {
    if let Some(folder) = at.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    if fs::read_link(at).is_ok_and(|target| target == entry) {
        return Ok(at.to_owned());
    }
    fs::remove_file(at).ok();
    symlink(entry, at).with_context(|| format!("{} cannot be linked", at.display()))?;
    Ok(at.to_owned())
}

fn made(dir: PathBuf) -> Result<PathBuf> {
    fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_key_depends_on_every_byte() {
        assert_eq!(key_of(b"a").len(), 12);
        assert_ne!(key_of(b"a"), key_of(b"b"));
    }

    #[test]
    fn the_workspace_is_the_folder_with_the_root_manifest() {
        assert!(Workspace::find().unwrap().at("Cargo.toml").is_file());
    }
}
