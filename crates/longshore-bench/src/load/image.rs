//! Pushes of small images, as a client does that has the blobs at hand and no idea of what the registry has.

use anyhow::{Result, ensure};
use aws_lc_rs::digest::{Context, SHA256};

use super::client::{Ask, Client, Unit};
use super::content::{Content, Nonce, TAIL, digest, digest_of};
use super::pushes::{BYTES, begin_upload, named, with_digest};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The end of a config, after the digits that no other has.
const CONFIG_END: &str = "\"}";

/// What all images of a work share.
#[derive(Clone)]
pub(super) struct Images {
    layer: Content,
    layers: u64,
    config: Config,
    nonce: Nonce,
}

/// A config that lacks its end.
#[derive(Clone)]
struct Config {
    text: String,
    state: Context,
}

impl Images {
    /// Images of so many blobs of `size` bytes, the config among them.
    pub(super) fn new(blobs: usize, size: u64, nonce: Nonce) -> Result<Self> {
        ensure!(blobs > 0, "an image has a config at least");
        let layers = blobs - 1;
        let text = config_text(layers, size);
        let mut state = Context::new(&SHA256);
        state.update(text.as_bytes());
        Ok(Self {
            layer: Content::new(size)?,
            layers: layers as u64,
            config: Config { text, state },
            nonce,
        })
    }

    /// What one connection pushes into `repository`.
    pub(super) fn of(&self, connection: u64, repository: String) -> ImagePushes {
        ImagePushes {
            images: self.clone(),
            connection,
            repository,
            n: 0,
            blob: Vec::new(),
        }
    }
}

/// A valid config but for its end, as long as that it has `size` bytes with it.
fn config_text(layers: usize, size: u64) -> String {
    let ids: Vec<String> = (0..layers)
        .map(|at| format!("\"{}\"", digest_of(&at.to_le_bytes())))
        .collect();
    let start = format!(
        "{{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[{}]}},\"config\":{{\"Labels\":{{\"filler\":\"",
        ids.join(",")
    );
    let end = "\"}},\"author\":\"";
    let used = start.len() + end.len() + TAIL + CONFIG_END.len();
    let filler = usize::try_from(size).unwrap_or(0).saturating_sub(used);
    format!("{start}{}{end}", "x".repeat(filler))
}

/// The images of one connection.
pub(super) struct ImagePushes {
    images: Images,
    connection: u64,
    repository: String,
    n: u64,
    /// The blob that is being sent.
    blob: Vec<u8>,
}

impl Unit for ImagePushes {
    fn perform(&mut self, client: &mut Client) -> Result<()> {
        let n = self.n;
        self.n += 1;
        let mut layers = Vec::new();
        for layer in 0..self.images.layers {
            let number = n * self.images.layers + layer;
            let tail = self.images.nonce.tail(self.connection, number);
            let digest = self.images.layer.digest(&tail);
            let size = self.images.layer.size();
            self.blob.clear();
            let content = &mut self.images.layer;
            content.write(&tail, 0, size, &mut self.blob)?;
            self.push(client, &digest)?;
            layers.push(descriptor(LAYER, &digest, size));
        }
        let end = self.images.nonce.tail(self.connection, n) + CONFIG_END;
        let config = digest(&self.images.config.state, end.as_bytes());
        self.blob.clear();
        self.blob
            .extend_from_slice(self.images.config.text.as_bytes());
        self.blob.extend_from_slice(end.as_bytes());
        let size = self.blob.len() as u64;
        self.push(client, &config)?;

        let manifest = format!(
            "{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST}\",\"config\":{},\"layers\":[{}]}}",
            descriptor(CONFIG, &config, size),
            layers.join(",")
        );
        let tag = format!("{}-{}-{n}", self.images.nonce.short(), self.connection);
        let path = format!("/v2/{}/manifests/{tag}", self.repository);
        let ask = Ask::new("PUT", &path, 201).of(MANIFEST);
        let response = client.send(ask, manifest.as_bytes())?;
        ensure!(
            response.header("docker-content-digest").is_some(),
            "the answer to a manifest does not name its digest"
        );
        named(client, &response, &digest_of(manifest.as_bytes()))
    }
}

impl ImagePushes {
    /// Pushes the blob at hand, as a client does that hopes that it is there already.
    fn push(&self, client: &mut Client, digest: &str) -> Result<()> {
        let path = format!("/v2/{}/blobs/{digest}", self.repository);
        client.send(Ask::new("HEAD", &path, 404), &[])?;
        let location = begin_upload(client, &self.repository)?;
        let path = with_digest(&location, digest);
        let response = client.send(Ask::new("PUT", &path, 201).of(BYTES), &self.blob)?;
        named(client, &response, digest)
    }
}

fn descriptor(kind: &str, digest: &str, size: u64) -> String {
    format!("{{\"mediaType\":\"{kind}\",\"digest\":\"{digest}\",\"size\":{size}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_json_of_the_size_that_was_asked_for() {
        for (layers, size) in [(0, 400), (2, 10_240)] {
            let tail = Nonce::new().unwrap().tail(0, 0);
            let text = config_text(layers, size) + &tail + CONFIG_END;
            assert_eq!(text.len() as u64, size);
            let config: serde_json::Value = serde_json::from_str(&text).unwrap();
            let ids = config["rootfs"]["diff_ids"].as_array().unwrap();
            assert_eq!(ids.len(), layers);
            assert_eq!(config["author"].as_str(), Some(tail.as_str()));
        }
    }
}
