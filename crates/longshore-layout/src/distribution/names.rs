//! The names of all repositories in a tree.

use std::fs;
use std::io;
use std::path::Path;

use longshore_spec::name::RepoName;

use super::finding::{Finding, Kind};
use super::{ROOT, Tree};

/// The directories that a repository has of its own; no name begins like them.
pub(super) const OWN: [&str; 3] = ["_layers", "_manifests", "_uploads"];

/// All repositories of a tree, and what lies between them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The repositories, in byte order.
    pub repos: Vec<RepoName>,
    /// What is no repository.
    pub findings: Vec<Finding>,
}

impl Tree {
    /// Looks for all repositories. A directory is one when it has one of the directories that only repositories have;
    /// below it others may lie.
    ///
    /// # Errors
    /// When the directory of all repositories cannot be read. What cannot be read below it is a finding.
    pub fn names(&self) -> io::Result<Names> {
        let mut names = Names::default();
        let top = self.at(ROOT).join("repositories");
        match fs::read_dir(&top) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(error),
        }
        // Names have a limit of components, so this is bounded whatever lies there.
        let mut waiting = vec![String::new()];
        while let Some(name) = waiting.pop() {
            look(&top, &name, &mut waiting, &mut names);
        }
        names.repos.sort_unstable();
        Ok(names)
    }

    /// Whether the tree has a repository of that name.
    pub fn has(&self, name: &RepoName) -> bool {
        let at = self.repository_path(name);
        OWN.iter().any(|own| at.join(own).is_dir())
    }

    pub(super) fn repository_path(&self, name: &RepoName) -> std::path::PathBuf {
        self.at(ROOT).join("repositories").join(name.as_str())
    }
}

/// Looks into one directory and puts those below it on the list.
fn look(top: &Path, name: &str, waiting: &mut Vec<String>, names: &mut Names) {
    let shown = |part: &str| {
        if name.is_empty() {
            format!("repositories/{part}")
        } else {
            format!("repositories/{name}/{part}")
        }
    };
    let entries = match fs::read_dir(top.join(name)) {
        Ok(entries) => entries,
        Err(error) => {
            let what = format!("repositories/{name}");
            names.findings.push(unreadable(what, &error));
            return;
        }
    };
    let mut is_repository = false;
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let what = format!("repositories/{name}");
                names.findings.push(unreadable(what, &error));
                return;
            }
        };
        let part = entry.file_name();
        let part = part.to_string_lossy();
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => {
                names.findings.push(unreadable(shown(&part), &error));
                continue;
            }
        };
        if kind.is_symlink() {
            names.findings.push(Finding::outside(
                Kind::SymbolicLink,
                shown(&part),
                "it is a symbolic link, which is not followed; nothing behind it is taken over",
            ));
        } else if !kind.is_dir() {
            names.findings.push(Finding::outside(
                Kind::Strange,
                shown(&part),
                "no file belongs here; it is left where it is",
            ));
        } else if OWN.contains(&part.as_ref()) && !name.is_empty() {
            is_repository = true;
        } else {
            let full = if name.is_empty() {
                part.into_owned()
            } else {
                format!("{name}/{part}")
            };
            match RepoName::check(&full) {
                Ok(()) => waiting.push(full),
                Err(error) => names.findings.push(Finding::outside(
                    Kind::NotAName,
                    format!("repositories/{full}"),
                    format!("{error}; nothing below it is taken over"),
                )),
            }
        }
    }
    if is_repository && let Ok(name) = name.parse() {
        names.repos.push(name);
    }
}

fn unreadable(what: String, error: &io::Error) -> Finding {
    Finding::outside(
        Kind::Unreadable,
        what,
        format!("it cannot be read: {error}; nothing below it is taken over"),
    )
}
