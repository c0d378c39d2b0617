//! What is stored before anything is measured: the same bytes in every registry, and as files under nginx: Longshore's own, by other names.

mod keep;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use crate::job::{Headers, Target};
use crate::peer::{Ground, Peer, Program};
use crate::wire::Connection;
use keep::{Client, Files, Keeper};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const OCTETS: &str = "application/octet-stream";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Bytes that can be made again.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    seed: u64,
    pub(crate) size: u64,
    pub(crate) digest: String,
}

impl Blob {
    fn new(seed: u64, size: u64) -> Self {
        let mut blob = Self {
            seed,
            size,
            digest: String::new(),
        };
        blob.digest = sha256(&blob.bytes());
        blob
    }

    fn bytes(&self) -> Vec<u8> {
        let length = usize::try_from(self.size).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(length.saturating_add(8));
        // Not for secrets; it need only look incompressible.
        let mut state = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    fn target(&self, repository: &str) -> Target {
        // Big bodies are compared once, by `Content::check`: hashing them would be most of the load generator's work.
        let digest = (self.size <= MIB).then(|| self.digest.clone());
        Target {
            path: format!("/v2/{repository}/blobs/{}", self.digest),
            length: Some(self.size),
            digest,
        }
    }
}

/// A manifest by its tag, with the blobs it names.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) repository: &'static str,
    tag: String,
    manifest: Vec<u8>,
    digest: String,
    blobs: Vec<Blob>,
}

impl Image {
    fn new(repository: &'static str, tag: String, seed: u64, layers: &[(usize, u64)]) -> Self {
        let sizes = layers
            .iter()
            .flat_map(|(count, size)| std::iter::repeat_n(*size, *count));
        let sizes = std::iter::once(2 * KIB).chain(sizes);
        let blobs: Vec<Blob> = (seed..)
            .zip(sizes)
            .map(|(seed, size)| Blob::new(seed, size))
            .collect();
        let entry = |media: &str, blob: &Blob| json!({"mediaType": media, "digest": blob.digest, "size": blob.size});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": blobs.first().map(|blob| entry("application/vnd.oci.image.config.v1+json", blob)),
            "layers": blobs.iter().skip(1)
                .map(|blob| entry("application/vnd.oci.image.layer.v1.tar+gzip", blob)).collect::<Vec<_>>(),
        });
        let manifest = manifest.to_string().into_bytes();
        Self {
            repository,
            tag,
            digest: sha256(&manifest),
            manifest,
            blobs,
        }
    }

    /// The manifest by its tag.
    pub(crate) fn by_tag(&self) -> Target {
        self.manifest_at(&self.tag)
    }

    /// The manifest by its digest.
    pub(crate) fn by_digest(&self) -> Target {
        self.manifest_at(&self.digest)
    }

    /// All that a node fetches that has nothing yet: the manifest, then each blob.
    pub(crate) fn whole(&self) -> Vec<Target> {
        let blobs = self.blobs.iter().map(|blob| blob.target(self.repository));
        std::iter::once(self.by_tag()).chain(blobs).collect()
    }

    fn manifest_at(&self, reference: &str) -> Target {
        Target {
            path: format!("/v2/{}/manifests/{reference}", self.repository),
            length: Some(self.manifest.len() as u64),
            digest: Some(self.digest.clone()),
        }
    }
}

/// A part of what is stored, made only when a line needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Set {
    /// An image and blobs of 10 KiB, 1 MiB and 100 MiB.
    App,
    /// The same image alone.
    Image,
    /// An image and one blob of 100 MiB.
    Abused,
    /// One blob of 1 GiB.
    Huge,
    /// An image of 20 layers that everybody pulls at once.
    Storm,
    /// 500 such images, each with layers of its own.
    Storms,
}

/// The repository of [`Set::App`] and [`Set::Huge`].
pub(crate) const APP: &str = "bench/app";

/// The image of [`APP`].
fn app() -> Image {
    Image::new(APP, "1.0".to_owned(), 1, &[(12, 10 * KIB)])
}

/// All that is stored.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) images: Vec<Image>,
    pub(crate) loose: Vec<Blob>,
}

impl Content {
    /// Describes `sets`; the bytes are made again when they are stored.
    pub(crate) fn new(sets: &[Set]) -> Self {
        let mut content = Self::default();
        for set in sets {
            content.add(*set);
        }
        content
    }

    fn add(&mut self, set: Set) {
        let loose = |first: u64, count: u64, size: u64| {
            (first..first + count).map(move |seed| Blob::new(seed, size))
        };
        match set {
            Set::App => {
                self.images.push(app());
                self.loose.extend(loose(1000, 256, 10 * KIB));
                self.loose.extend(loose(2000, 16, MIB));
                self.loose.extend(loose(3000, 4, 100 * MIB));
            }
            Set::Image => self.images.push(app()),
            Set::Abused => {
                self.images.push(app());
                self.loose.extend(loose(3000, 1, 100 * MIB));
            }
            Set::Huge => self.loose.extend(loose(4000, 1, 1024 * MIB)),
            Set::Storm => {
                let layers = [(12, 256 * KIB), (5, 2 * MIB), (3, 8 * MIB)];
                self.images
                    .push(Image::new("bench/storm", "same".to_owned(), 5000, &layers));
            }
            Set::Storms => {
                let layers = [(12, 64 * KIB), (5, 256 * KIB), (3, MIB)];
                self.images.extend((0..500_u64).map(|number| {
                    Image::new(
                        "bench/storms",
                        format!("n{number}"),
                        10_000 + number * 100,
                        &layers,
                    )
                }));
            }
        }
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> u64 {
        let layers = self.images.iter().flat_map(|image| &image.blobs);
        layers.chain(&self.loose).map(|blob| blob.size).sum()
    }

    /// The loose blobs of `size` bytes.
    pub(crate) fn blobs(&self, size: u64) -> Vec<Target> {
        self.loose
            .iter()
            .filter(|blob| blob.size == size)
            .map(|blob| blob.target(APP))
            .collect()
    }

    /// The images of `repository`.
    pub(crate) fn of(&self, repository: &str) -> impl Iterator<Item = &Image> {
        self.images
            .iter()
            .filter(move |image| image.repository == repository)
    }

    /// Stores all of it behind `peer`.
    ///
    /// # Errors
    /// When something is refused.
    pub(crate) fn store(&self, ground: &Ground, peer: &Peer) -> Result<()> {
        let keeper: Box<dyn Keeper> = if peer.program.is_registry() {
            Box::new(self.client(ground, peer)?)
        } else {
            let longshore = ground.dir.join(Program::Longshore.seeded());
            Box::new(Files::new(peer.dir.join("data"), &longshore))
        };
        self.store_by(keeper)
    }

    /// Stores all of it behind `peer` by requests with `headers`.
    ///
    /// # Errors
    /// When something is refused.
    pub(crate) fn store_as(&self, peer: &Peer, headers: Headers) -> Result<()> {
        let connection = Connection::open(peer.address)?;
        self.store_by(Box::new(Client {
            connection,
            headers,
        }))
    }

    fn store_by(&self, mut keeper: Box<dyn Keeper>) -> Result<()> {
        for image in &self.images {
            for blob in &image.blobs {
                keeper.blob(image.repository, blob)?;
            }
            keeper.manifest(image)?;
        }
        for blob in &self.loose {
            keeper.blob(APP, blob)?;
        }
        Ok(())
    }

    /// Fetches one of each size of the big blobs and compares every byte.
    ///
    /// # Errors
    /// When one is not there or is not what was stored.
    pub(crate) fn check(&self, ground: &Ground, peer: &Peer) -> Result<()> {
        let mut client = self.client(ground, peer)?;
        let mut sizes = BTreeSet::new();
        for blob in self.loose.iter().filter(|blob| blob.size > MIB) {
            if sizes.insert(blob.size) {
                let path = blob.target(APP).path;
                let body = client.send("GET", &path, OCTETS, &[], 200)?.body;
                ensure!(sha256(&body) == blob.digest, "GET {path}: other bytes");
            }
        }
        Ok(())
    }

    fn client(&self, ground: &Ground, peer: &Peer) -> Result<Client> {
        let images = self.images.iter().map(|image| image.repository);
        let repositories: BTreeSet<&str> = images.chain([APP]).collect();
        let repositories: Vec<String> = repositories.into_iter().map(str::to_owned).collect();
        Ok(Client {
            headers: peer.headers(ground, &repositories)?,
            connection: Connection::open(peer.address)?,
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in digest(&SHA256, bytes).as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn the_same_bytes_are_made_again_and_others_are_others() {
        let (one, two) = (Blob::new(1, 1001), Blob::new(2, 1001));
        assert_eq!(one.bytes().len(), 1001);
        assert_eq!(one.digest, sha256(&one.bytes()));
        assert_ne!(one.digest, two.digest);
    }

    #[test]
    fn files_have_the_paths_of_the_requests() {
        let dir = std::env::temp_dir().join(format!("longshore-bench-seed-{}", std::process::id()));
        let image = Image::new(APP, "1.0".to_owned(), 1, &[(1, 100)]);
        let [first, ..] = &image.blobs[..] else {
            panic!("an image has blobs")
        };
        let (kept, root) = (dir.join("kept"), dir.join("served"));
        fs::create_dir_all(&kept).unwrap();
        let own = kept.join(format!("{}.1", first.digest.replace(':', "-")));
        fs::write(&own, first.bytes()).unwrap();
        let mut files = Files::new(root.clone(), &kept);
        for blob in &image.blobs {
            files.blob(APP, blob).unwrap();
            // Again, as a set does that has what another has.
            files.blob(APP, blob).unwrap();
        }
        files.manifest(&image).unwrap();
        for target in image.whole() {
            let bytes = fs::read(root.join(target.path.trim_start_matches('/'))).unwrap();
            assert_eq!(Some(sha256(&bytes)), target.digest);
            assert_eq!(Some(bytes.len() as u64), target.length);
        }
        let links = |path: PathBuf| fs::metadata(path).unwrap().nlink();
        assert_eq!(links(own), 2, "what Longshore has is served from its file");
        let [.., last] = &image.blobs[..] else {
            panic!("an image has blobs")
        };
        assert_eq!(
            links(root.join(last.target(APP).path.trim_start_matches('/'))),
            1
        );
        fs::remove_dir_all(dir).unwrap();
    }
}
