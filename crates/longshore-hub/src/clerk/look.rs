//! Reading the bytes of an artifact out of the registry.

use futures_util::StreamExt as _;
use longshore_core::error::Chain;
use longshore_core::{Actor, Code, Cx, Error, Origin, Result, Rights};
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::manifest::{Limits, View};
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;

use super::Clerk;
use crate::artifact::{self, CONFIG_MOST, Reading};

impl Clerk {
    /// What a manifest says; `None` when it is not there any more.
    pub(super) async fn read_artifact(
        &self,
        repo: &RepoName,
        digest: &Digest,
    ) -> Result<Option<Reading>> {
        let cx = Cx {
            actor: Actor::Job("index"),
            rights: Rights::Everything,
            origin: Origin::default(),
            request: 0,
            now: (self.clock)(),
        };
        let at = Reference::Digest(*digest);
        let manifest = match self.registry.get_manifest(&cx, repo, &at).await {
            Ok(manifest) => manifest,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        // It was judged when it was pushed, perhaps by other rules than those of today.
        let limits = Limits {
            bytes: manifest.bytes.len(),
            unknown_types: true,
            ..Limits::default()
        };
        let view = match View::parse(&manifest.bytes, Some(&manifest.media_type), &limits) {
            Ok(view) => view,
            // Taken over, or pushed when other rules were in force.
            Err(error) => {
                let flaw = format!("its manifest is not understood: {error}");
                return Ok(Some(artifact::unread(manifest.bytes.len() as u64, &flaw)));
            }
        };
        let config = match &view.config {
            Some(config) => self.read_config(&cx, repo, config).await?,
            None => Ok(None),
        };
        let config = match &config {
            Ok(bytes) => Ok(bytes.as_deref()),
            Err(flaw) => Err(flaw.clone()),
        };
        let size = manifest.bytes.len() as u64;
        Ok(Some(artifact::read(&view, size, config)))
    }

    /// The bytes of a config, or why they cannot be had in the end.
    async fn read_config(
        &self,
        cx: &Cx,
        repo: &RepoName,
        config: &Descriptor,
    ) -> Result<std::result::Result<Option<Vec<u8>>, String>> {
        if config.size > CONFIG_MOST {
            let size = config.size;
            return Ok(Err(format!(
                "its config has {size} bytes; at most {CONFIG_MOST} are read"
            )));
        }
        if let Some(data) = &config.data {
            return Ok(Ok(Some(data.clone())));
        }
        let mut blob = match self.registry.get_blob(cx, repo, &config.digest, None).await {
            Ok(blob) => blob,
            Err(error) if is_absence(&error) => {
                return Ok(Err("its config is not here".to_owned()));
            }
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        while let Some(part) = blob.body.next().await {
            match part {
                Ok(part) => bytes.extend_from_slice(&part),
                Err(error) => {
                    return Ok(Err(format!("its config cannot be read: {}", Chain(&error))));
                }
            }
            if bytes.len() as u64 > config.size {
                return Ok(Err("its config is longer than the manifest says".to_owned()));
            }
        }
        Ok(Ok(Some(bytes)))
    }
}

fn is_absence(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::NameUnknown | Code::ManifestUnknown | Code::BlobUnknown
    )
}
