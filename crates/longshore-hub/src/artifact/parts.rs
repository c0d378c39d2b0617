//! What an artifact is made of and how it is run: more than search needs, for whoever looks at one.

use longshore_meta::artifact_parts::Parts;
use longshore_spec::descriptor::{Annotations, Descriptor};
use longshore_spec::manifest::View;
use serde::{Deserialize, Serialize};

use super::config::{Run, Step};
use super::{bounded_to, cut};

/// How many layers of one artifact are kept.
const LAYERS: usize = 1024;
/// How many annotations of one layer.
const NAMES: usize = 32;
/// How long one of their values may be, in bytes.
const VALUE: usize = 512;
/// How long either may be as JSON, in bytes.
const ABOUT: usize = 64 << 10;
/// Where tools that make layers for lazy pulling say how long one is when unpacked.
const UNPACKED: &str = "io.containers.estargz.uncompressed-size";

/// A layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Its digest.
    pub digest: String,
    /// Its bytes, as they travel.
    pub size: u64,
    /// What it is.
    pub media_type: String,
    /// Which step of the history made it, counted from 0; none where the history does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// What the manifest says of it.
    #[serde(default, skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
}

/// What a manifest is made of, without what it lists.
pub(super) fn of(view: &View, run: Option<&Run>, history: &[Step]) -> Parts {
    let makers = makers(history, view.layers.len());
    let layers = view.layers.iter().take(LAYERS).enumerate();
    let layers = layers.map(|(at, layer)| Layer {
        digest: layer.digest.to_string(),
        size: layer.size,
        media_type: cut(layer.media_type.as_str(), 256),
        step: makers.get(at).copied(),
        annotations: bounded_to(&layer.annotations, NAMES, VALUE),
    });
    Parts {
        unpacked: unpacked(view),
        run: run.map_or_else(|| "{}".to_owned(), |run| run.json(ABOUT)),
        layers: json(layers.collect()),
    }
}

/// The steps that made layers, one for each; nothing where the two do not fit each other.
fn makers(history: &[Step], layers: usize) -> Vec<usize> {
    let steps = history.iter().enumerate().filter(|(_, step)| !step.empty);
    let makers: Vec<usize> = steps.map(|(at, _)| at).collect();
    if makers.len() == layers {
        makers
    } else {
        Vec::new()
    }
}

/// The bytes of all layers when unpacked, where each says it: those that are not packed, and those whose maker wrote it down.
fn unpacked(view: &View) -> Option<u64> {
    if !view.children.is_empty() {
        // What it lists is summed up by whoever knows it.
        return Some(0);
    }
    let mut total: u64 = 0;
    for layer in &view.layers {
        total = total.saturating_add(unpacked_layer(layer)?);
    }
    Some(total.min(i64::MAX.unsigned_abs()))
}

fn unpacked_layer(layer: &Descriptor) -> Option<u64> {
    if let Some(said) = layer.annotations.get(UNPACKED) {
        return said.parse().ok();
    }
    let is_plain = matches!(
        layer.media_type.essence(),
        "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.nondistributable.v1.tar"
            | "application/vnd.docker.image.rootfs.diff.tar"
    );
    is_plain.then_some(layer.size)
}

/// The JSON of layers, in as many bytes as are kept: first what is said of them goes, then the last of them.
fn json(mut layers: Vec<Layer>) -> String {
    loop {
        let json = serde_json::to_string(&layers).unwrap_or_default();
        if json.len() <= ABOUT {
            return json;
        }
        if layers.iter().any(|layer| !layer.annotations.is_empty()) {
            for layer in &mut layers {
                layer.annotations.clear();
            }
        } else {
            layers.truncate(layers.len() / 2);
        }
    }
}
