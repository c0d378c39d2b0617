//! The tree of a Distribution registry, written by hand: whole, and broken as such trees are.
//!
//! Written apart from the code that reads such trees, so that both would have to be wrong in the same way. That a real
//! `docker-registry` writes the same is asked where it is installed.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_spec::digest::Digest;

use crate::content::{Dress, Maker, Piece};

/// A tree that is being written.
#[derive(Debug)]
pub struct OldTree {
    root: PathBuf,
}

/// An image of two blobs, and its manifest.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its config.
    pub config: Piece,
    /// Its only layer.
    pub layer: Piece,
    /// Its manifest.
    pub manifest: Piece,
}

impl Image {
    /// An image of its own.
    pub fn new(maker: &mut Maker) -> Self {
        let config = maker.config("amd64");
        let layer = maker.layer();
        let manifest = maker.image(&config, std::slice::from_ref(&layer), &Dress::default());
        Self {
            config,
            layer,
            manifest,
        }
    }
}

impl OldTree {
    /// A tree below `data`.
    pub fn new(data: &Path) -> Self {
        let root = data.join("docker/registry/v2");
        fs::create_dir_all(root.join("repositories")).unwrap();
        fs::create_dir_all(root.join("blobs/sha256")).unwrap();
        Self { root }
    }

    /// `docker/registry/v2`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below a repository.
    pub fn at(&self, repo: &str, path: &str) -> PathBuf {
        self.root.join("repositories").join(repo).join(path)
    }

    /// Where a blob's bytes lie.
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        let blobs = self.root.join("blobs").join(digest.algorithm().as_str());
        blobs.join(&hex[..2]).join(hex).join("data")
    }

    /// The link of a blob.
    pub fn layer(&self, repo: &str, digest: &Digest) -> PathBuf {
        let path = format!("_layers/{}/{}/link", digest.algorithm(), digest.hex());
        self.at(repo, &path)
    }

    /// The link of a manifest.
    pub fn revision(&self, repo: &str, digest: &Digest) -> PathBuf {
        let (algorithm, hex) = (digest.algorithm(), digest.hex());
        self.at(
            repo,
            &format!("_manifests/revisions/{algorithm}/{hex}/link"),
        )
    }

    /// The link of a tag.
    pub fn tag(&self, repo: &str, tag: &str) -> PathBuf {
        self.at(repo, &format!("_manifests/tags/{tag}/current/link"))
    }

    /// Writes a blob and links it.
    pub fn put_blob(&self, repo: &str, piece: &Piece) {
        write(&self.blob(&piece.digest), &piece.bytes);
        link(&self.layer(repo, &piece.digest), &piece.digest);
    }

    /// Writes a manifest and links it, with a tag where one is named.
    pub fn put_manifest(&self, repo: &str, piece: &Piece, tag: Option<&str>) {
        write(&self.blob(&piece.digest), &piece.bytes);
        link(&self.revision(repo, &piece.digest), &piece.digest);
        if let Some(tag) = tag {
            self.put_tag(repo, tag, &piece.digest);
        }
    }

    /// Points a tag to a manifest.
    pub fn put_tag(&self, repo: &str, tag: &str, digest: &Digest) {
        link(&self.tag(repo, tag), digest);
        let (algorithm, hex) = (digest.algorithm(), digest.hex());
        let index = format!("_manifests/tags/{tag}/index/{algorithm}/{hex}/link");
        link(&self.at(repo, &index), digest);
    }

    /// Writes an image of its own.
    pub fn push(&self, repo: &str, maker: &mut Maker, tag: &str) -> Image {
        let image = Image::new(maker);
        self.put_blob(repo, &image.config);
        self.put_blob(repo, &image.layer);
        self.put_manifest(repo, &image.manifest, Some(tag));
        image
    }
}

/// Writes a link.
pub fn link(path: &Path, digest: &Digest) {
    write(path, digest.to_string().as_bytes());
}

/// Writes a file, and the directories above it.
pub fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
