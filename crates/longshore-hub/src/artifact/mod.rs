//! What a manifest and its config say of an artifact.
//!
//! All of it was written by whoever pushed: it is cut to bounds here and is text for whoever shows it. A config that cannot be
//! read takes nothing away from what the manifest says; why it could not is kept beside it.

mod config;
mod kind;
mod parts;
pub use config::{Run, Step};
pub(crate) use kind::KINDS;
pub use parts::Layer;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use longshore_meta::artifact_parts::Parts;
use longshore_meta::artifacts::Artifact;
use longshore_spec::descriptor::{Annotations, Platform};
use longshore_spec::digest::Digest;
use longshore_spec::manifest::View;
use longshore_spec::media::Kind;
use serde::{Deserialize, Serialize};

use config::Config;

/// Configs longer than this are not read, in bytes.
pub const CONFIG_MOST: u64 = 1 << 20;
/// How many labels and annotations of one artifact are kept, each.
const NAMES: usize = 128;
/// How long one of their values may be, in bytes; the rest is cut off.
const VALUE: usize = 2048;
/// How many steps of a history are kept.
const STEPS: usize = 256;
/// How long all that is kept as JSON may be, in bytes.
const ABOUT: usize = 64 << 10;

/// The annotation, or label, that names the image an artifact was made from.
const BASE: &str = "org.opencontainers.image.base.name";

/// What is known of an artifact beyond its numbers. Kept as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The labels of its config.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The annotations of its manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// How it was made, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Step>,
    /// What it says it is, where its config has such words: the description of a chart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The types of its config and layers, and its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
}

/// An artifact as its bytes say, and what its sum needs that only others know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What is kept. `total` is without what it lists.
    pub known: Artifact,
    /// What it is made of. `unpacked` is without what it lists.
    pub parts: Parts,
    /// The manifests that it lists, with their sizes in bytes.
    pub lists: Vec<(Digest, u64)>,
}

/// Reads an artifact. `size` is the manifest's in bytes; `config` its config's bytes, or why they are not there.
pub fn read(view: &View, size: u64, config: Result<Option<&[u8]>, String>) -> Reading {
    let (config, flaw) = match config {
        Ok(Some(bytes)) => match Config::read(bytes, view.config.as_ref()) {
            Ok(config) => (config, String::new()),
            Err(flaw) => (Config::default(), flaw),
        },
        Ok(None) => (Config::default(), String::new()),
        Err(flaw) => (Config::default(), flaw),
    };
    let mut platforms: Vec<String> = view
        .children
        .iter()
        .filter_map(|child| child.platform.as_ref())
        .chain(config.platform.as_ref())
        .filter_map(written)
        .collect();
    platforms.sort();
    platforms.dedup();
    platforms.truncate(NAMES);
    let mut layers: BTreeMap<Digest, u64> = BTreeMap::new();
    for layer in &view.layers {
        layers.insert(layer.digest, layer.size);
    }
    let layer_bytes = sum(layers.values().copied());
    let base = view
        .annotations
        .get(BASE)
        .or_else(|| config.labels.get(BASE))
        .map(|base| cut(base, 512))
        .unwrap_or_default();
    let parts = parts::of(view, config.run.as_ref(), &config.history);
    let about = About {
        labels: bounded(&config.labels),
        annotations: bounded(&view.annotations),
        history: config.history,
        description: cut(&config.description, VALUE),
        types: types(view),
    };
    let config_bytes = view.config.as_ref().map_or(0, |config| config.size);
    Reading {
        known: Artifact {
            kind: kind::of(view, config.platform.as_ref()).to_owned(),
            config: view.config.as_ref().map(|config| config.digest),
            created: config.created,
            author: cut(&config.author, 256),
            platforms: platforms.join("\n"),
            layers: if view.kind == Kind::Index {
                0
            } else {
                view.layers.len() as u64
            },
            size: layer_bytes,
            total: sum([size, config_bytes, layer_bytes]),
            base,
            about: json(about),
            flaw: cut(&flaw, 512),
        },
        parts,
        lists: view
            .children
            .iter()
            .map(|child| (child.digest, child.size))
            .collect(),
    }
}

/// What is known of a manifest of which nothing can be read.
pub fn unread(size: u64, flaw: &str) -> Reading {
    Reading {
        known: Artifact {
            kind: "artifact".to_owned(),
            config: None,
            created: None,
            author: String::new(),
            platforms: String::new(),
            layers: 0,
            size: 0,
            total: size,
            base: String::new(),
            about: "{}".to_owned(),
            flaw: cut(flaw, 512),
        },
        parts: Parts::default(),
        lists: Vec::new(),
    }
}

/// Sizes are what manifests say, so their sum need not fit.
fn sum(sizes: impl IntoIterator<Item = u64>) -> u64 {
    let most = i64::MAX.unsigned_abs();
    sizes.into_iter().fold(0_u64, u64::saturating_add).min(most)
}

/// A platform in one word; none where nothing is known of it. Attestations of BuildKit say `unknown/unknown`.
fn written(platform: &Platform) -> Option<String> {
    let known = |word: &str| !word.is_empty() && word != "unknown";
    if !known(&platform.os) && !known(&platform.architecture) {
        return None;
    }
    let mut word = format!("{}/{}", platform.os, platform.architecture);
    if let Some(variant) = platform.variant.as_deref().filter(|word| known(word)) {
        word.push('/');
        word.push_str(variant);
    }
    let word = cut(&word, 128);
    (!word.contains(char::is_control)).then_some(word)
}

fn types(view: &View) -> Vec<String> {
    let mut types: Vec<String> = view
        .blobs()
        .map(|blob| blob.media_type.essence().to_owned())
        .collect();
    types.push(view.media_type.essence().to_owned());
    types.extend(view.artifact_type().map(|kind| kind.as_str().to_owned()));
    types.sort();
    types.dedup();
    types.truncate(32);
    types
}

fn bounded(names: &Annotations) -> BTreeMap<String, String> {
    bounded_to(names, NAMES, VALUE)
}

fn bounded_to(names: &Annotations, most: usize, value: usize) -> BTreeMap<String, String> {
    let short = names.iter().filter(|(name, _)| name.len() <= 256);
    short
        .take(most)
        .map(|(name, text)| (name.clone(), cut(text, value)))
        .collect()
}

/// The JSON of it, in as many bytes as are kept: first the history goes, from its middle of no use to anybody to all of it.
fn json(mut about: About) -> String {
    loop {
        let json = serde_json::to_string(&about).unwrap_or_default();
        if json.len() <= ABOUT {
            return json;
        }
        if about.history.is_empty() {
            let (labels, annotations) = (about.labels.len() / 2, about.annotations.len() / 2);
            if labels + annotations == 0 {
                return "{}".to_owned();
            }
            about.labels = about.labels.into_iter().take(labels).collect();
            about.annotations = about.annotations.into_iter().take(annotations).collect();
        } else {
            about.history.truncate(about.history.len() / 2);
        }
    }
}

/// At most `most` bytes of it, and no half letter.
fn cut(text: &str, most: usize) -> String {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
