//! OCI image layouts.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use longshore_core::{Code, Error, Result, Window};
use longshore_layout::content::Content;
use longshore_layout::distribution::judge;
use longshore_layout::oci::{LayoutWriter, REF_NAME};
use longshore_meta::blobs;
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;

use super::{Chosen, ExportError, Exported, Exporter, PAGE, Source, blocking};

impl Exporter {
    /// Writes images with all that they need and all that refers to them into the layout in `to`, which may hold others. With
    /// nothing chosen, writes all that has a tag. An image is called by its tag, and by repository and tag when there are several
    /// repositories. Calls `tell` after each.
    ///
    /// # Errors
    /// [`ExportError`]; `NameUnknown` or `ManifestUnknown` when what was chosen is not there.
    pub async fn layout(
        &self,
        to: &Path,
        chosen: Vec<Chosen>,
        mut tell: impl FnMut(&Exported),
    ) -> Result<Exported, ExportError> {
        let chosen = if chosen.is_empty() {
            self.everything().await?
        } else {
            chosen
        };
        let repos: BTreeSet<_> = chosen.iter().map(|chosen| chosen.repo.clone()).collect();
        let images = self.images(&chosen).await?;
        let (at, placing) = (to.to_owned(), self.placing);
        // Waits for others that write to it.
        let writer = tokio::task::spawn_blocking(move || LayoutWriter::open(&at, placing))
            .await
            .map_err(Error::internal)??;
        let writer = Arc::new(writer);
        let mut all = Exported {
            repos: repos.len() as u64,
            ..Exported::default()
        };
        let mut index = Vec::new();
        let mut seen = BTreeSet::new();
        for (repo, at) in images {
            let mut closure = Closure {
                exporter: self,
                writer: &writer,
                to,
                repo: &repo,
                seen: &mut seen,
                index: &mut index,
            };
            let (mut root, done) = closure.export(&at).await?;
            all.add(done);
            if let Reference::Tag(tag) = &at {
                let name = if repos.len() > 1 {
                    format!("{repo}:{tag}")
                } else {
                    tag.to_string()
                };
                root.annotations.insert(REF_NAME.to_owned(), name);
                all.tags += 1;
            }
            index.push(root);
            tell(&all);
        }
        let Some(writer) = Arc::into_inner(writer) else {
            return Err(Error::internal("a part of the layout is still being written").into());
        };
        tokio::task::spawn_blocking(|| writer.finish(index))
            .await
            .map_err(Error::internal)??;
        Ok(all)
    }

    /// All repositories that have a tag.
    async fn everything(&self) -> Result<Vec<Chosen>> {
        let (mut all, mut after) = (Vec::new(), String::new());
        while let Some(page) = self.repos(&mut after).await? {
            all.extend(page.into_iter().map(|(_, repo)| Chosen { repo, at: None }));
        }
        Ok(all)
    }

    /// The images that were chosen, one by one.
    async fn images(&self, chosen: &[Chosen]) -> Result<Vec<(RepoName, Reference)>> {
        let mut images = Vec::new();
        for Chosen { repo, at } in chosen {
            if let Some(at) = at {
                // Before anything is written.
                self.store.stat_manifest(repo, at).await?;
                images.push((repo.clone(), at.clone()));
                continue;
            }
            let mut after = None;
            loop {
                let window = Window { after, limit: PAGE };
                let page = self.store.tags(repo, &window).await?;
                let last = page.items.last().cloned();
                let tags = page.items.into_iter().map(Reference::Tag);
                images.extend(tags.map(|tag| (repo.clone(), tag)));
                after = last;
                if !page.more {
                    break;
                }
            }
        }
        Ok(images)
    }
}

/// All that belongs to an image.
struct Closure<'a> {
    exporter: &'a Exporter,
    writer: &'a Arc<LayoutWriter>,
    to: &'a Path,
    repo: &'a RepoName,
    /// What was looked at, in which repository.
    seen: &'a mut BTreeSet<(RepoName, Digest)>,
    /// Referrers, which `index.json` has to name to be found.
    index: &'a mut Vec<Descriptor>,
}

impl Closure<'_> {
    /// Writes the image, and gives its descriptor.
    async fn export(&mut self, at: &Reference) -> Result<(Descriptor, Exported), ExportError> {
        let root = self.exporter.store.stat_manifest(self.repo, at).await?;
        let mut tally = Exported::default();
        let mut waiting = vec![root.digest];
        while let Some(digest) = waiting.pop() {
            if !self.seen.insert((self.repo.clone(), digest)) {
                continue;
            }
            let reference = Reference::Digest(digest);
            let manifest = match self
                .exporter
                .store
                .get_manifest(self.repo, &reference)
                .await
            {
                Ok(manifest) => manifest,
                Err(error) if error.code() == Code::ManifestUnknown => {
                    let note = format!(
                        "{}: the manifest {digest} is not there, and an index lists it",
                        self.repo
                    );
                    tally.notes.push(note);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if let Ok(view) = judge(&manifest.bytes) {
                waiting.extend(view.children.iter().map(|child| child.digest));
                let needed = view.blobs().filter(|blob| blob.must_exist());
                let needed = needed.map(|blob| blob.digest).collect();
                tally.add(self.blobs(needed).await?);
            }
            for referrer in self.referrers(&digest).await? {
                waiting.push(referrer.digest);
                self.index.push(referrer);
            }
            let (writer, bytes) = (self.writer.clone(), manifest.bytes);
            let placed = blocking(self.to, move || {
                writer.blob(&digest, Content::Bytes(&bytes))
            });
            tally.placed(placed.await?);
            tally.manifests += 1;
        }
        Ok((root, tally))
    }

    async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let window = Window { after, limit: PAGE };
            let page = self
                .exporter
                .store
                .referrers(self.repo, subject, None, &window)
                .await?;
            after = page.items.last().map(|last| last.digest);
            all.extend(page.items);
            if !page.more {
                return Ok(all);
            }
        }
    }

    async fn blobs(&mut self, needed: Vec<Digest>) -> Result<Exported, ExportError> {
        let repo = self.exporter.store.repo(self.repo).await?.id;
        let mut sources = Vec::new();
        for digest in needed {
            if !self.seen.insert((self.repo.clone(), digest)) {
                continue;
            }
            let row = self
                .exporter
                .store
                .db
                .read(&(repo, digest), |tx, (repo, digest)| {
                    Box::pin(blobs::blob_seen(tx, *repo, digest))
                })
                .await?;
            let source = match row {
                Some((row, _)) => self.exporter.source(&digest, &row.location).await?,
                None => Source::Gone,
            };
            sources.push((digest, source));
        }
        let (writer, repo) = (self.writer.clone(), self.repo.clone());
        blocking(self.to, move || {
            let mut tally = Exported::default();
            for (digest, source) in sources {
                if source.put(|content| writer.blob(&digest, content), &mut tally)? {
                    tally.blobs += 1;
                } else {
                    let note = format!("{repo}: the blob {digest} is not there");
                    tally.notes.push(note);
                }
            }
            Ok(tally)
        })
        .await
    }
}
