//! Whether a directory holds images of a Distribution registry.
//!
//! Its tree is not read yet. An empty registry served over a full tree would tell every client that its
//! images are gone, and mirrors and cleaners act on that, so the start is refused instead.

use std::io;
use std::path::Path;

use crate::config::{Config, Origin, Problem};

/// Where Distribution keeps what it stores, under its root directory.
const TREE: [&str; 2] = [
    "docker/registry/v2/repositories",
    "docker/registry/v2/blobs",
];

/// Refuses a data directory with images of a Distribution registry in it.
///
/// # Errors
/// The problem to show, also when the directory cannot be looked at.
pub fn refuse_full_tree(config: &Config) -> Result<(), Problem> {
    let at = config
        .origins
        .get("data")
        .cloned()
        .unwrap_or(Origin::Default);
    let root = config.data.display();
    match holds_images(&config.data) {
        Ok(false) => Ok(()),
        Ok(true) => Err(Problem::new(
            at,
            format!("{root} holds images of a Distribution registry, which this version cannot take over"),
        )
        .hint("name an empty directory, and copy the images over while the old registry runs")),
        Err(error) => Err(Problem::new(at, format!("cannot look into {root}: {error}"))),
    }
}

fn holds_images(root: &Path) -> io::Result<bool> {
    for part in TREE {
        match std::fs::read_dir(root.join(part)) {
            Ok(mut entries) => {
                if entries.next().transpose()?.is_some() {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_tree_is_free_and_a_full_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_string_lossy().into_owned();
        let config = Config::load(None, [], &[("--data", "data", data.clone())]).unwrap();
        assert_eq!(refuse_full_tree(&config), Ok(()));
        std::fs::create_dir_all(folder.path().join("docker/registry/v2/repositories")).unwrap();
        assert_eq!(refuse_full_tree(&config), Ok(()));
        std::fs::create_dir(folder.path().join("docker/registry/v2/repositories/app")).unwrap();
        assert_eq!(
            refuse_full_tree(&config).unwrap_err().to_string(),
            format!(
                "error: --data: {data} holds images of a Distribution registry, which this version cannot take over\n  \
                 hint: name an empty directory, and copy the images over while the old registry runs"
            )
        );
    }
}
