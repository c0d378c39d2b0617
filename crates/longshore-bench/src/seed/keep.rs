//! Where content is stored: by requests to a registry, or as files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::{Blob, Image, MANIFEST, OCTETS};
use crate::job::{Headers, Target};
use crate::wire::{Connection, Request, Response};

/// Where content is stored.
pub(super) trait Keeper {
    fn blob(&mut self, repository: &str, blob: &Blob) -> Result<()>;
    fn manifest(&mut self, image: &Image) -> Result<()>;
}

/// Speaks to one server.
pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) headers: Headers,
}

impl Client {
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
        wanted: u16,
    ) -> Result<Response> {
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("Content-Type", kind));
        let request = Request {
            method,
            path,
            headers: &headers,
            body,
        };
        let response = self
            .connection
            .send(&request)
            .with_context(|| format!("{method} {path}"))?;
        ensure!(
            response.status == wanted,
            "{method} {path}: {} {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        );
        Ok(response)
    }
}

impl Keeper for Client {
    fn blob(&mut self, repository: &str, blob: &Blob) -> Result<()> {
        let begin = format!("/v2/{repository}/blobs/uploads/");
        let begun = self.send("POST", &begin, OCTETS, &[], 202)?;
        let place = begun.location().context("an upload has no place")?;
        let joint = if place.contains('?') { '&' } else { '?' };
        let end = format!("{place}{joint}digest={}", blob.digest);
        self.send("PUT", &end, OCTETS, &blob.bytes(), 201)?;
        Ok(())
    }

    fn manifest(&mut self, image: &Image) -> Result<()> {
        let path = image.by_tag().path;
        self.send("PUT", &path, MANIFEST, &image.manifest, 201)?;
        Ok(())
    }
}

/// Writes files whose paths are those of the requests.
pub(super) struct Files {
    pub(super) root: PathBuf,
}

impl Files {
    fn write(&self, target: &Target, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(target.path.trim_start_matches('/'));
        let folder = path.parent().context("a file has no folder")?;
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))
    }
}

impl Keeper for Files {
    fn blob(&mut self, repository: &str, blob: &Blob) -> Result<()> {
        self.write(&blob.target(repository), &blob.bytes())
    }

    fn manifest(&mut self, image: &Image) -> Result<()> {
        self.write(&image.by_tag(), &image.manifest)?;
        self.write(&image.by_digest(), &image.manifest)
    }
}
