//! The tree of a Distribution registry.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use longshore_core::{Error, Result};
use longshore_layout::content::Content;
use longshore_layout::distribution::{TreeWriter, judge};
use longshore_meta::walks::{self, WalkedManifest};
use longshore_spec::digest::Digest;
use longshore_spec::media::{Kind, MediaType};
use longshore_spec::name::{RepoName, Tag};

use super::fallback::Referrers;
use super::{ExportError, Exported, Exporter, PAGE, Source, blocking};

/// How many manifests are read at once.
const MANIFESTS: usize = 100;

impl Exporter {
    /// Writes all repositories as a tree that a Distribution registry serves from the directory `to`. Calls `tell` after each.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn tree(
        &self,
        to: &Path,
        mut tell: impl FnMut(&Exported),
    ) -> Result<Exported, ExportError> {
        let writer = Arc::new(TreeWriter::create(to, self.placing)?);
        let (mut all, mut after) = (Exported::default(), String::new());
        while let Some(page) = self.repos(&mut after).await? {
            for (id, repo) in page {
                let done = Exporting {
                    exporter: self,
                    writer: &writer,
                    to,
                    id,
                    repo,
                };
                all.add(done.export().await?);
                tell(&all);
            }
        }
        let Some(writer) = Arc::into_inner(writer) else {
            return Err(Error::internal("a part of the tree is still being written").into());
        };
        tokio::task::spawn_blocking(|| writer.finish())
            .await
            .map_err(Error::internal)??;
        Ok(all)
    }
}

struct Exporting<'a> {
    exporter: &'a Exporter,
    writer: &'a Arc<TreeWriter>,
    to: &'a Path,
    id: i64,
    repo: RepoName,
}

impl Exporting<'_> {
    async fn export(self) -> Result<Exported, ExportError> {
        let mut tally = Exported::default();
        let mut tags = self.tags().await?;
        let mut written = HashSet::new();
        let mut referrers = Referrers::default();
        let mut after = None;
        loop {
            let args = (self.id, after);
            let page = self
                .exporter
                .store
                .db
                .read(&args, |tx, (id, after)| {
                    Box::pin(walks::walk_manifests(tx, *id, after.as_ref(), MANIFESTS))
                })
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.digest);
            for manifest in &page {
                written.insert(manifest.digest);
                referrers.see(manifest)?;
                tally.notes.extend(self.unserved(manifest));
            }
            tally.add(self.manifests(page).await?);
        }
        tally.add(self.blobs().await?);
        let fallback = referrers.tags(&self.exporter.store, self.id, &tags).await?;
        for (tag, index) in fallback {
            written.insert(index.digest);
            tags.insert(tag, index.digest);
            tally.add(self.manifests(vec![index]).await?);
        }
        tally.add(self.write_tags(tags, written).await?);
        tally.repos = u64::from(tally.manifests + tally.blobs > 0);
        Ok(tally)
    }

    /// What is to be said of a manifest that the other registry keeps and does not serve.
    fn unserved(&self, manifest: &WalkedManifest) -> Option<String> {
        let kind = manifest.media_type.parse::<MediaType>().ok()?.kind();
        let understood = judge(&manifest.bytes).is_ok_and(|view| view.kind == kind);
        let served = understood && matches!(kind, Kind::Image | Kind::Index);
        (!served).then(|| {
            format!(
                "{}: the manifest {} is of the type {}, which Distribution does not serve",
                self.repo, manifest.digest, manifest.media_type
            )
        })
    }

    async fn tags(&self) -> Result<BTreeMap<Tag, Digest>> {
        let (mut tags, mut after) = (BTreeMap::new(), String::new());
        loop {
            let args = (self.id, after.clone());
            let page = self
                .exporter
                .store
                .db
                .read(&args, |tx, (id, after)| {
                    Box::pin(walks::walk_tags(tx, *id, after, PAGE))
                })
                .await?;
            let Some((last, _)) = page.last() else {
                return Ok(tags);
            };
            after.clone_from(last);
            for (name, digest) in page {
                tags.insert(name.parse().map_err(Error::internal)?, digest);
            }
        }
    }

    async fn manifests(&self, page: Vec<WalkedManifest>) -> Result<Exported, ExportError> {
        let (writer, repo) = (self.writer.clone(), self.repo.clone());
        blocking(self.to, move || {
            let mut tally = Exported::default();
            for manifest in page {
                let content = Content::Bytes(&manifest.bytes);
                tally.placed(writer.blob(&manifest.digest, content)?);
                writer.revision(&repo, &manifest.digest)?;
                tally.manifests += 1;
            }
            Ok(tally)
        })
        .await
    }

    async fn blobs(&self) -> Result<Exported, ExportError> {
        let (mut all, mut after) = (Exported::default(), None);
        loop {
            let args = (self.id, after);
            let page = self
                .exporter
                .store
                .db
                .read(&args, |tx, (id, after)| {
                    Box::pin(walks::walk_links(tx, *id, after.as_ref(), PAGE))
                })
                .await?;
            let Some((last, ..)) = page.last() else {
                return Ok(all);
            };
            after = Some(*last);
            let mut sources: Vec<(Digest, Source)> = Vec::with_capacity(page.len());
            for (digest, _, location) in page {
                let source = self.exporter.source(&digest, &location).await?;
                sources.push((digest, source));
            }
            let (writer, repo) = (self.writer.clone(), self.repo.clone());
            let tally = blocking(self.to, move || {
                let mut tally = Exported::default();
                for (digest, source) in sources {
                    if source.put(|content| writer.blob(&digest, content), &mut tally)? {
                        writer.layer(&repo, &digest)?;
                        tally.blobs += 1;
                    } else {
                        let note = format!("{repo}: the bytes of the blob {digest} are not there");
                        tally.notes.push(note);
                    }
                }
                Ok(tally)
            });
            all.add(tally.await?);
        }
    }

    async fn write_tags(
        &self,
        tags: BTreeMap<Tag, Digest>,
        written: HashSet<Digest>,
    ) -> Result<Exported, ExportError> {
        let (writer, repo) = (self.writer.clone(), self.repo.clone());
        blocking(self.to, move || {
            let mut tally = Exported::default();
            for (tag, digest) in tags {
                if written.contains(&digest) {
                    writer.tag(&repo, &tag, &digest)?;
                    tally.tags += 1;
                } else {
                    let note =
                        format!("{repo}: what the tag {tag} points to was deleted meanwhile");
                    tally.notes.push(note);
                }
            }
            Ok(tally)
        })
        .await
    }
}
