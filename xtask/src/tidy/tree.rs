//! The files that git knows or would add, as text.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::Result;

use super::source::Code;
use crate::process;
use crate::workspace::Workspace;

/// Path from the root of the clone to text, in order of path. Files that are not UTF-8 are left out.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, File>,
}

/// A file and, when it is Rust, what remains of it without comments and tests.
#[derive(Debug)]
pub(super) struct File {
    pub(super) text: String,
    pub(super) code: Option<Code>,
}

impl Tree {
    /// Everything tracked, or new and not ignored: what a commit of the whole clone would hold.
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        let mut git = Command::new("git");
        git.current_dir(workspace.root()).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let listed = process::output(&mut git)?;
        let paths = listed.split('\0').filter(|path| !path.is_empty());
        // A file that is tracked but deleted in the work tree is not there to be read.
        let read = paths.filter_map(|path| {
            Some((
                path.to_owned(),
                fs::read_to_string(workspace.at(path)).ok()?,
            ))
        });
        Ok(Self::of(read))
    }

    /// A tree made from paths and texts.
    pub(super) fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files = files.into_iter().map(|(path, text)| {
            let rust = has_extension(&path, "rs");
            let code = rust.then(|| Code::of(&text, is_test(&path)));
            (path, File { text, code })
        });
        Self {
            files: files.collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Whether any file lies under the folder at `path`.
    pub(super) fn has_folder(&self, path: &str) -> bool {
        let inside = format!("{}/", path.trim_end_matches('/'));
        self.files.keys().any(|file| file.starts_with(&inside))
    }

    /// Files whose path starts with `prefix` and ends in `.extension`.
    pub(super) fn under<'a>(
        &'a self,
        prefix: &'a str,
        extension: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a File)> {
        self.files
            .iter()
            .map(|(path, file)| (path.as_str(), file))
            .filter(move |(path, _)| path.starts_with(prefix) && has_extension(path, extension))
    }
}

/// Whether everything in the file at `path` is test code.
pub(super) fn is_test(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| matches!(part, "tests" | "benches" | "fuzz" | "tests.rs"))
}

fn has_extension(path: &str, extension: &str) -> bool {
    path.strip_suffix(extension)
        .is_some_and(|rest| rest.ends_with('.'))
}

/// A tree for the tests of the rules.
#[cfg(test)]
pub(super) fn sample(files: &[(&str, &str)]) -> Tree {
    Tree::of(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
    )
}
