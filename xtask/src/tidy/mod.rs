//! Checks what the compiler and clippy cannot see: the direction of the house, the length of files, words that have one home,
//! pages that must name what the code reads and measures.
//!
//! Every rule is a function from the tree and `tidy.toml` to findings. A rule reads text, not types; what needs types is a ban in
//! `clippy.toml`.

mod bans;
mod crates;
mod docs;
mod length;
mod pages;
mod settings;
mod source;
mod tree;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;
use settings::Settings;
use tree::Tree;

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The file, from the root of the clone.
    path: String,
    /// Counted from 1; 1 where the finding is about the whole file.
    line: usize,
    /// What was found.
    what: String,
    /// Why that is not wanted.
    why: String,
    /// What to do about it.
    fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            what,
            why,
            fix,
        } = self;
        writeln!(f, "{path}:{line}: {what}")?;
        writeln!(f, "    why: {why}")?;
        write!(f, "    do:  {fix}")
    }
}

type Rule = fn(&Tree, &Settings) -> Vec<Finding>;

/// Each rule with the name it is listed under.
const RULES: &[(&str, Rule)] = &[
    ("crate levels", crates::levels),
    ("dependencies with a home", crates::homes),
    ("unused dependencies", crates::unused),
    ("file length", length::check),
    ("bans", bans::check),
    ("environment variables", pages::variables),
    ("metrics", pages::metrics),
    ("decisions", docs::decisions),
    ("links", docs::links),
    ("wire codes", docs::codes),
    ("modules say why", docs::openings),
];

/// Runs every rule on the clone and prints what they found.
///
/// # Errors
/// When the tree or `tidy.toml` cannot be read.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let tree = Tree::load(workspace)?;
    let settings = Settings::load(workspace)?;
    let mut findings: Vec<Finding> = RULES
        .iter()
        .flat_map(|(_, rule)| rule(&tree, &settings))
        .collect();
    findings.sort();
    for finding in &findings {
        println!("{finding}\n");
    }
    if findings.is_empty() {
        println!(
            "tidy: {} rules over {} files, nothing found",
            RULES.len(),
            tree.len()
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} finding(s)", findings.len());
    Ok(ExitCode::FAILURE)
}
