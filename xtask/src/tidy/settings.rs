//! `tidy.toml`: what the rules are told, with the reasons.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::workspace::Workspace;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) length: Length,
    /// Crate to level; a crate may use crates of lower levels only.
    pub(super) levels: BTreeMap<String, u8>,
    /// Crates that others may name in `[dev-dependencies]` only.
    #[serde(default)]
    pub(super) for_tests: Vec<String>,
    /// Package to the name that source code knows it by.
    #[serde(default)]
    pub(super) libraries: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) home: Vec<Home>,
    #[serde(default)]
    pub(super) ban: Vec<Ban>,
}

/// How long a file may be, and which are longer until when.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Length {
    pub(super) lines: usize,
    #[serde(default)]
    pub(super) exception: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    pub(super) path: String,
    pub(super) lines: usize,
    /// When it was granted, `YYYY-MM-DD`.
    pub(super) date: String,
    pub(super) reason: String,
}

/// Outside crates that only some of our crates may depend on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Home {
    pub(super) dependencies: Vec<String>,
    /// Empty: nobody.
    pub(super) crates: Vec<String>,
    pub(super) why: String,
    pub(super) instead: String,
}

/// Words that only some files may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ban {
    pub(super) words: Vec<String>,
    /// Files and folders (ending in `/`) where the words may stand.
    #[serde(default)]
    pub(super) except: Vec<String>,
    /// Look at comments, strings and tests as well.
    #[serde(default)]
    pub(super) everywhere: bool,
    pub(super) why: String,
    pub(super) instead: String,
}

impl Settings {
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        let text =
            fs::read_to_string(workspace.at("tidy.toml")).context("tidy.toml cannot be read")?;
        toml::from_str(&text).context("tidy.toml is not understood")
    }
}
