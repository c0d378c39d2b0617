//! A data set under construction: content in the order in which it is pushed.

use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::media::MediaType;
use serde_json::{Value, json};

use crate::content::{Dress, Maker, Piece};

/// A data set: content that belongs together, and what the server must know about it.
#[derive(Debug, Clone)]
pub(super) struct Set {
    /// Its name in the conformance program's list.
    pub(super) name: &'static str,
    /// Blobs, each once.
    pub(super) blobs: Vec<Piece>,
    /// Manifests, children before what lists them, subjects before what is about them.
    pub(super) manifests: Vec<Piece>,
    /// Tags and what they point to.
    pub(super) tags: Vec<(String, Digest)>,
    /// Whether tags are set beside the digest, as parameters.
    pub(super) by_params: bool,
    /// The digest under which the last manifest is pushed although it is not its own.
    pub(super) mismatched: Option<Digest>,
    /// Who points to whom.
    pub(super) referrers: Vec<Referrers>,
    maker: Maker,
}

/// A subject and the descriptors of all that points to it.
#[derive(Debug, Clone)]
pub(super) struct Referrers {
    pub(super) subject: Digest,
    pub(super) descriptors: Vec<Value>,
}

/// How an image or artifact is to be made.
#[derive(Debug, Clone)]
pub(super) struct Like {
    pub(super) layers: usize,
    /// What layers are said to be.
    pub(super) layer_type: MediaType,
    /// Whether config and layers are the empty JSON instead of content.
    pub(super) config: Config,
    pub(super) architecture: &'static str,
    /// Whether descriptors carry what they describe.
    pub(super) with_data: bool,
    pub(super) dress: Dress,
}

/// What an image has for a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Config {
    /// An image's config.
    Image,
    /// `{}`.
    Empty,
}

impl Like {
    /// Two layers and a config for amd64.
    pub(super) fn image() -> Self {
        Self {
            layers: 2,
            layer_type: MediaType::OCI_LAYER_GZIP,
            config: Config::Image,
            architecture: "amd64",
            with_data: false,
            dress: Dress::default(),
        }
    }

    /// One layer of some kind of its own, and nothing for a config.
    pub(super) fn artifact(kind: &'static str) -> Self {
        Self {
            layers: 1,
            layer_type: kind.parse().expect("a media type"),
            config: Config::Empty,
            dress: Dress::kind(kind),
            ..Self::image()
        }
    }
}

impl Set {
    pub(super) fn new(name: &'static str, algorithm: Algorithm) -> Self {
        // A seed per data set, so that no two share content but what is the same everywhere.
        let seed = name.bytes().fold(0, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Self {
            name,
            blobs: Vec::new(),
            manifests: Vec::new(),
            tags: Vec::new(),
            by_params: false,
            mismatched: None,
            referrers: Vec::new(),
            maker: Maker::new(seed).naming_with(algorithm),
        }
    }

    /// Makes an image and all its blobs.
    pub(super) fn image(&mut self, like: &Like) -> Piece {
        let config = match like.config {
            Config::Image => self.maker.config_with(like.architecture, &like.dress.extra),
            Config::Empty => self.maker.nothing(),
        };
        let layers: Vec<Piece> = (0..like.layers)
            .map(|_| self.layer(&like.layer_type))
            .collect();
        let describe = |piece: &Piece| {
            if like.with_data {
                with_data(piece)
            } else {
                piece.descriptor()
            }
        };
        let described = layers.iter().map(&describe).collect();
        let manifest = self
            .maker
            .image_of(describe(&config), described, &like.dress);
        for blob in layers.into_iter().chain([config.clone()]) {
            self.blob(blob);
        }
        let kind = like
            .dress
            .artifact_type
            .unwrap_or(config.media_type.as_str())
            .to_owned();
        self.manifest(manifest, Some(&kind), &like.dress)
    }

    /// Makes an index of two images, and everything in them.
    pub(super) fn index(&mut self, like: &Like) -> Piece {
        let children = ["amd64", "arm64"].map(|architecture| {
            let child = self.image(&Like {
                architecture,
                ..like.clone()
            });
            Self::platform(&child, architecture)
        });
        self.index_of(children.to_vec(), &like.dress)
    }

    /// Makes an index of some descriptors.
    pub(super) fn index_of(&mut self, children: Vec<Value>, dress: &Dress) -> Piece {
        let index = self.maker.index_of(children, dress);
        self.manifest(index, dress.artifact_type, dress)
    }

    /// A descriptor with a platform, as indexes have it.
    pub(super) fn platform(child: &Piece, architecture: &str) -> Value {
        let mut descriptor = child.descriptor();
        descriptor["platform"] = json!({ "architecture": architecture, "os": "linux" });
        descriptor
    }

    /// Adds a tag.
    pub(super) fn tag(&mut self, name: &str, piece: &Piece) {
        self.tags.push((name.to_owned(), piece.digest));
    }

    /// A layer that is nowhere, under a type that says so.
    pub(super) fn foreign_layer(&mut self, media_type: &MediaType) -> Value {
        let layer = self.maker.layer_of(media_type);
        let mut descriptor = layer.descriptor();
        descriptor["urls"] = json!([format!("https://layers.example/{}", layer.digest.hex())]);
        descriptor
    }

    /// A layer that is not (yet) among the blobs.
    pub(super) fn layer(&mut self, media_type: &MediaType) -> Piece {
        if *media_type == MediaType::OCI_EMPTY {
            self.maker.nothing()
        } else {
            self.maker.layer_of(media_type)
        }
    }

    /// Adds a blob, unless it is there already.
    pub(super) fn blob(&mut self, blob: Piece) {
        if !self.blobs.iter().any(|known| known.digest == blob.digest) {
            self.blobs.push(blob);
        }
    }

    /// The content's maker, for what the other methods do not make.
    pub(super) fn maker(&mut self) -> &mut Maker {
        &mut self.maker
    }

    /// Adds a manifest, and notes it with its subject.
    pub(super) fn manifest(&mut self, manifest: Piece, kind: Option<&str>, dress: &Dress) -> Piece {
        if let Some(subject) = &dress.subject {
            let subject = subject["digest"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .expect("a digest");
            let mut descriptor = manifest.descriptor();
            if let Some(kind) = kind {
                descriptor["artifactType"] = kind.into();
            }
            for (key, value) in &dress.annotations {
                descriptor["annotations"][key] = value.as_str().into();
            }
            match self
                .referrers
                .iter_mut()
                .find(|known| known.subject == subject)
            {
                Some(known) => known.descriptors.push(descriptor),
                None => self.referrers.push(Referrers {
                    subject,
                    descriptors: vec![descriptor],
                }),
            }
        }
        self.manifests.push(manifest.clone());
        manifest
    }
}

/// A descriptor that carries what it describes.
fn with_data(piece: &Piece) -> Value {
    use base64::Engine;
    let mut descriptor = piece.descriptor();
    descriptor["data"] = base64::engine::general_purpose::STANDARD
        .encode(&piece.bytes)
        .into();
    descriptor
}
