//! A data directory of CNCF Distribution, as its file system driver lays it out: directories for repositories and tags, small files
//! that link to digests.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::content::{Made, Piece};
use super::shape::{self, TAGS};

/// Writes `repositories` repositories with one image each, of which [`TAGS`] has `tags` tags, the others the tag `latest`.
///
/// The image's blobs have files, but for its layer: all pulls of manifests work.
///
/// # Errors
/// When something is there already, or the files cannot be written.
pub(crate) fn fill(dir: &Path, tags: usize, repositories: usize) -> Result<()> {
    let root = dir.join("docker/registry/v2");
    ensure!(
        !root.exists(),
        "{} is there already; name an empty directory",
        root.display()
    );
    let config: &[u8] = b"{}";
    let made = Made::new(
        Piece::of(config),
        Piece::of(b"the layer of all images"),
        None,
    )?;
    let manifest = made.piece();
    for (piece, bytes) in [(made.needs[0], config), (manifest, made.bytes.as_slice())] {
        let hex = piece.digest.hex();
        let fan = hex.get(..2).unwrap_or_default();
        file(&root.join(format!("blobs/sha256/{fan}/{hex}/data")), bytes)?;
    }
    let hex = manifest.digest.hex();
    let link = manifest.digest.to_string();
    let many = (0..repositories.saturating_sub(1)).map(shape::repository);
    for name in std::iter::once(TAGS.to_owned()).chain(many) {
        let repository = root.join("repositories").join(&name);
        for need in made.needs {
            let hex = need.digest.hex();
            let link = need.digest.to_string();
            file(
                &repository.join(format!("_layers/sha256/{hex}/link")),
                link.as_bytes(),
            )?;
        }
        let manifests = repository.join("_manifests");
        file(
            &manifests.join(format!("revisions/sha256/{hex}/link")),
            link.as_bytes(),
        )?;
        let names: Vec<_> = if name == TAGS {
            (0..tags).map(shape::tag).collect()
        } else {
            vec!["latest".to_owned()]
        };
        for tag in names {
            let tag = manifests.join("tags").join(tag);
            file(&tag.join("current/link"), link.as_bytes())?;
        }
    }
    Ok(())
}

fn file(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file lies in a directory")?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_the_tags_and_the_repositories_it_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), 7, 3).unwrap();
        let repositories = dir.path().join("docker/registry/v2/repositories");
        let tags = fs::read_dir(repositories.join("big/tags/_manifests/tags")).unwrap();
        assert_eq!(tags.count(), 7);
        assert_eq!(fs::read_dir(repositories.join("many")).unwrap().count(), 2);
        let link = repositories.join("many/000001/_manifests/tags/latest/current/link");
        let digest = fs::read_to_string(link).unwrap();
        let hex = digest.strip_prefix("sha256:").unwrap();
        let blob = format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
        assert!(dir.path().join(blob).is_file());
    }

    #[test]
    fn a_directory_in_use_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), 1, 1).unwrap();
        assert!(fill(dir.path(), 1, 1).is_err());
    }
}
