//! Content to push: layers, images, indexes and artifacts, made from a seed.
//!
//! The same seed makes the same bytes, so a failure can be repeated. Layers are noise under a layer's media type: a
//! registry never opens one.

use bytes::Bytes;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::media::MediaType;
use serde_json::{Map, Value, json};

/// Numbers that look random and are not (SplitMix64).
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end - 1`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % end).unwrap_or(0)
    }

    /// One of `from`; `None` when there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Bytes {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.number().to_le_bytes());
        }
        bytes.truncate(length);
        bytes.into()
    }
}

/// A blob or a manifest, with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What descriptors say it is.
    pub media_type: MediaType,
    /// What it is called.
    pub digest: Digest,
    /// What it is.
    pub bytes: Bytes,
}

impl Piece {
    /// Names `bytes`.
    pub fn new(algorithm: Algorithm, media_type: MediaType, bytes: Bytes) -> Self {
        Self {
            media_type,
            digest: Digest::of(algorithm, &bytes),
            bytes,
        }
    }

    /// The length of the content.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The descriptor by which manifests refer to it.
    pub fn descriptor(&self) -> Value {
        json!({
            "mediaType": self.media_type.as_str(),
            "digest": self.digest.to_string(),
            "size": self.size(),
        })
    }
}

/// What an image manifest is to be like, beyond its config and layers.
#[derive(Debug, Clone, Default)]
pub struct Dress {
    /// `artifactType`.
    pub artifact_type: Option<&'static str>,
    /// `annotations`; none are written when there are none.
    pub annotations: Vec<(String, String)>,
    /// `subject`: a descriptor.
    pub subject: Option<Value>,
    /// Fields that no specification knows.
    pub extra: Vec<(String, Value)>,
}

impl Dress {
    /// A subject and nothing else.
    pub fn about(subject: &Piece) -> Self {
        Self {
            subject: Some(subject.descriptor()),
            ..Self::default()
        }
    }

    /// An artifact type and nothing else.
    pub fn kind(artifact_type: &'static str) -> Self {
        Self {
            artifact_type: Some(artifact_type),
            ..Self::default()
        }
    }

    fn put_on(&self, body: &mut Map<String, Value>) {
        if let Some(kind) = self.artifact_type {
            body.insert("artifactType".into(), kind.into());
        }
        if let Some(subject) = &self.subject {
            body.insert("subject".into(), subject.clone());
        }
        if !self.annotations.is_empty() {
            let annotations = self
                .annotations
                .iter()
                .map(|(key, value)| (key.clone(), value.clone().into()));
            body.insert("annotations".into(), Value::Object(annotations.collect()));
        }
        for (key, value) in &self.extra {
            body.insert(key.clone(), value.clone());
        }
    }
}

/// Makes content.
#[derive(Debug, Clone)]
pub struct Maker {
    /// Where its choices come from.
    pub draw: Draw,
    /// What it names content with.
    pub algorithm: Algorithm,
}

impl Maker {
    /// A maker whose content is called by sha256.
    pub fn new(seed: u64) -> Self {
        Self {
            draw: Draw::new(seed),
            algorithm: Algorithm::Sha256,
        }
    }

    /// The same maker, naming content with `algorithm`.
    #[must_use]
    pub fn naming_with(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Gives `bytes` their name.
    pub fn piece(&self, media_type: &MediaType, bytes: impl Into<Bytes>) -> Piece {
        Piece::new(self.algorithm, media_type.clone(), bytes.into())
    }

    /// A blob of `length` bytes of noise.
    pub fn blob(&mut self, length: usize) -> Piece {
        let bytes = self.draw.bytes(length);
        self.piece(&MediaType::OCTET_STREAM, bytes)
    }

    /// A layer of some hundred bytes, compressed by its media type.
    pub fn layer(&mut self) -> Piece {
        self.layer_of(&MediaType::OCI_LAYER_GZIP)
    }

    /// A layer of some hundred bytes of this media type.
    pub fn layer_of(&mut self, media_type: &MediaType) -> Piece {
        let length = 100 + self.draw.below(400);
        let bytes = self.draw.bytes(length);
        self.piece(media_type, bytes)
    }

    /// An image config for a platform.
    pub fn config(&mut self, architecture: &str) -> Piece {
        self.config_with(architecture, &[])
    }

    /// An image config for a platform, with fields no specification knows.
    pub fn config_with(&mut self, architecture: &str, extra: &[(String, Value)]) -> Piece {
        let mut config = Map::new();
        config.insert("architecture".into(), architecture.into());
        config.insert("os".into(), "linux".into());
        config.insert(
            "author".into(),
            format!("seed {}", self.draw.number()).into(),
        );
        config.insert("rootfs".into(), json!({ "type": "layers", "diff_ids": [] }));
        config.extend(extra.iter().cloned());
        self.piece(&MediaType::OCI_CONFIG, json(config))
    }

    /// The two bytes that stand for "nothing", `{}`.
    pub fn nothing(&self) -> Piece {
        self.piece(&MediaType::OCI_EMPTY, &b"{}"[..])
    }

    /// An OCI image manifest.
    pub fn image(&self, config: &Piece, layers: &[Piece], dress: &Dress) -> Piece {
        self.image_of(
            config.descriptor(),
            layers.iter().map(Piece::descriptor).collect(),
            dress,
        )
    }

    /// An OCI image manifest of any descriptors, also of such that lie.
    pub fn image_of(&self, config: Value, layers: Vec<Value>, dress: &Dress) -> Piece {
        let mut body = head(&MediaType::OCI_MANIFEST);
        body.insert("config".into(), config);
        body.insert("layers".into(), Value::Array(layers));
        dress.put_on(&mut body);
        self.piece(&MediaType::OCI_MANIFEST, json(body))
    }

    /// An OCI image index.
    pub fn index(&self, children: &[Piece], dress: &Dress) -> Piece {
        self.index_of(children.iter().map(Piece::descriptor).collect(), dress)
    }

    /// An OCI image index of any descriptors, also of such that lie.
    pub fn index_of(&self, children: Vec<Value>, dress: &Dress) -> Piece {
        let mut body = head(&MediaType::OCI_INDEX);
        body.insert("manifests".into(), Value::Array(children));
        dress.put_on(&mut body);
        self.piece(&MediaType::OCI_INDEX, json(body))
    }
}

fn head(media_type: &MediaType) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("schemaVersion".into(), 2.into());
    body.insert("mediaType".into(), media_type.as_str().into());
    body
}

fn json(body: Map<String, Value>) -> Bytes {
    Value::Object(body).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_content_each_time_and_another_seed_makes_other_content() {
        let make = |seed| {
            let mut maker = Maker::new(seed);
            let config = maker.config("amd64");
            let layer = maker.layer();
            maker.image(&config, &[layer], &Dress::default())
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1).digest, make(2).digest);
    }

    #[test]
    fn a_piece_is_called_by_the_algorithm_of_its_maker() {
        let piece = Maker::new(1).naming_with(Algorithm::Sha512).blob(10);
        assert_eq!(piece.digest, Digest::of(Algorithm::Sha512, &piece.bytes));
    }
}
