//! Where content is stored: by requests to a registry, or as files.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::{Blob, Image, MANIFEST, OCTETS};
use crate::job::{Headers, Target};
use crate::run::files;
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

/// Files whose paths are those of the requests. What Longshore has stored is served from its very file, by another name: how the pages of
/// a file lie in memory and on the disk is part of the rate at which it is sent, and differs from copy to copy.
pub(super) struct Files {
    root: PathBuf,
    /// Longshore's files by the digest of what is in them, written with `-`.
    own: BTreeMap<String, PathBuf>,
}

impl Files {
    /// Below `root`, beside a store of Longshore's; there need be none.
    pub(super) fn new(root: PathBuf, longshore: &Path) -> Self {
        let digest = |path: PathBuf| {
            let name = path.file_name()?.to_str()?;
            let (digest, _upload) = name.split_once('.')?;
            digest
                .starts_with("sha256-")
                .then(|| (digest.to_owned(), path.clone()))
        };
        let own = files(longshore, |_| true).into_iter().filter_map(digest);
        Self {
            root,
            own: own.collect(),
        }
    }

    fn path(&self, target: &Target) -> Result<PathBuf> {
        let path = self.root.join(target.path.trim_start_matches('/'));
        let folder = path.parent().context("a file has no folder")?;
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(path)
    }

    fn write(&self, target: &Target, bytes: &[u8]) -> Result<()> {
        let path = self.path(target)?;
        fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))
    }
}

impl Keeper for Files {
    fn blob(&mut self, repository: &str, blob: &Blob) -> Result<()> {
        let target = blob.target(repository);
        let Some(own) = self.own.get(&blob.digest.replace(':', "-")) else {
            return self.write(&target, &blob.bytes());
        };
        let path = self.path(&target)?;
        match fs::hard_link(own, &path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("{} cannot be linked", own.display()))
            }
            _ => Ok(()),
        }
    }

    fn manifest(&mut self, image: &Image) -> Result<()> {
        self.write(&image.by_tag(), &image.manifest)?;
        self.write(&image.by_digest(), &image.manifest)
    }
}
