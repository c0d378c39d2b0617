//! A data directory of Longshore: rows, written through the crate that reads them.
//!
//! Digests come in no order, and a row that belongs to a page of its own is slow to write. So images are sorted by digest and given to
//! the repositories in that order, every table is written from its beginning to its end, and indexes are made when all rows are there.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use longshore_meta::blobs::{self, BlobRow, BlobState};
use longshore_meta::manifests::{self, EdgeKind};
use longshore_meta::{Body, Db, Durability, Tx, repos, tags};
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

use super::content::{Made, Piece};
use super::shape::{self, FEW, FEW_TAGS, REFERRERS, Shape, TAGS};

/// When everything was pushed, in microseconds since the epoch.
const THEN: i64 = 1_760_000_000_000_000;

/// About how many things a transaction writes.
const BATCH: usize = 10_000;

const INDEXES: &str =
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";

/// What is written at once.
enum Step {
    Blobs(Vec<Piece>),
    Links(RepoName, Vec<Digest>),
    Manifests(RepoName, Vec<Made>),
    Tags(RepoName, Vec<(Tag, Digest)>),
}

/// Writes a store of that shape.
///
/// # Errors
/// When there is one already, or it cannot be written.
pub(crate) fn fill(dir: &Path, shape: &Shape) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
    let path = dir.join("meta.db");
    ensure!(
        !path.exists(),
        "{} is there already; name an empty directory",
        path.display()
    );
    let db = Db::open_file(&path)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    // What is to be written next is made while the last is written.
    let (to_write, made) = mpsc::sync_channel(2);
    thread::scope(|scope| {
        let maker = scope.spawn(move || Maker::new(*shape).all(&Batches(to_write)));
        runtime.block_on(async {
            let indexes = db.write(Durability::Process, (), drop_indexes()).await?;
            for steps in made {
                db.write(Durability::Process, steps, |tx, steps| {
                    Box::pin(write(tx, steps))
                })
                .await?;
            }
            for index in indexes {
                db.write(Durability::Process, index, |tx, index| {
                    Box::pin(async move { tx.exec(index, &[]).await.map(drop) })
                })
                .await?;
            }
            db.close().await
        })?;
        maker
            .join()
            .map_err(|_| anyhow!("the thread that makes the content panicked"))?
    })?;
    // A checkpoint under way beside the writer keeps the last one from emptying the log; nobody is beside this one.
    drop(db);
    runtime.block_on(Db::open_file(&path)?.close())?;
    Ok(())
}

/// Drops all indexes and gives the statements that make them again.
fn drop_indexes() -> Body<(), Vec<&'static str>> {
    |tx, ()| {
        Box::pin(async move {
            let indexes = tx.all::<(String, String)>(INDEXES, &[]).await?;
            let mut statements = Vec::new();
            for (name, sql) in indexes {
                // Statements live as long as the program; these are a dozen.
                tx.exec(format!("DROP INDEX {name}").leak(), &[]).await?;
                statements.push(&*sql.leak());
            }
            Ok(statements)
        })
    }
}

/// Where transactions go.
struct Batches(mpsc::SyncSender<Vec<Step>>);

impl Batches {
    fn put(&self, steps: Vec<Step>) -> Result<()> {
        self.0
            .send(steps)
            .map_err(|_| anyhow!("the writer has ended"))
    }
}

/// Makes content from a shape.
struct Maker {
    shape: Shape,
    configs: Vec<Piece>,
    layer: Piece,
}

/// An image's digest, and which config it has.
type Known = (Digest, usize);

impl Maker {
    fn new(shape: Shape) -> Self {
        let mut configs: Vec<_> = (0..shape.blobs.max(1))
            .map(|i| Piece::of(format!("blob {i}").as_bytes()))
            .collect();
        configs.sort_unstable();
        Self {
            shape,
            configs,
            layer: Piece::of(b"the layer of all images"),
        }
    }

    fn all(self, to: &Batches) -> Result<()> {
        to.put(vec![Step::Blobs(vec![self.layer])])?;
        for part in self.configs.chunks(BATCH) {
            to.put(vec![Step::Blobs(part.to_vec())])?;
        }
        let each = self.shape.each();
        let named = [REFERRERS, TAGS, FEW].len();
        let many = self.shape.repositories.saturating_sub(named);
        let referrers = self.referrers(to)?;
        let total = self.shape.manifests.saturating_sub(referrers);
        let total = total.max(each * (many + 1) + 1);

        let mut images = Vec::with_capacity(total);
        for i in 0..total {
            let at = referrers + i;
            images.push((self.image(at, None)?.row.digest, at));
        }
        images.sort_unstable();
        let (of_tags, rest) = images.split_at(total - each * (many + 1));
        self.tagged(to, TAGS, of_tags, self.shape.tags)?;
        let (of_few, rest) = rest.split_at(each);
        self.tagged(to, FEW, of_few, FEW_TAGS)?;
        let mut steps = Vec::new();
        for (i, images) in rest.chunks(each).enumerate() {
            let name: RepoName = shape::repository(i).parse()?;
            self.repository(&name, images, &mut steps)?;
            if let Some((digest, _)) = images.first() {
                steps.push(Step::Tags(name, vec![("latest".parse()?, *digest)]));
            }
            if steps.len() * each >= BATCH {
                to.put(std::mem::take(&mut steps))?;
            }
        }
        to.put(steps)
    }

    /// A repository with one manifest that many refer to, and one that ten refer to. Gives how many manifests that makes.
    fn referrers(&self, to: &Batches) -> Result<usize> {
        let name: RepoName = REFERRERS.parse()?;
        let mut used = 0;
        for (tag, count) in [("subject", self.shape.referrers), ("few", 10)] {
            let subject = self.image(used, None)?;
            let piece = subject.piece();
            let mut made = vec![subject];
            for i in 0..count {
                let kind = if i % 100 == 7 { "rare" } else { "signature" };
                made.push(self.image(used + 1 + i, Some((piece, kind)))?);
            }
            used += made.len();
            made.sort_unstable_by_key(|made| made.row.digest);
            to.put(vec![
                Step::Links(name.clone(), links(&made)),
                Step::Manifests(name.clone(), made),
                Step::Tags(name.clone(), vec![(tag.parse()?, piece.digest)]),
            ])?;
        }
        Ok(used)
    }

    /// A repository with many tags, which share its images.
    fn tagged(&self, to: &Batches, name: &str, images: &[Known], tags: usize) -> Result<()> {
        let name: RepoName = name.parse()?;
        let mut steps = Vec::new();
        self.repository(&name, images, &mut steps)?;
        for step in steps {
            to.put(vec![step])?;
        }
        let mut rows = Vec::new();
        for i in 0..tags {
            if let Some((digest, _)) = images.get(i * images.len() / tags) {
                rows.push((shape::tag(i).parse()?, *digest));
            }
            if rows.len() == BATCH {
                to.put(vec![Step::Tags(name.clone(), std::mem::take(&mut rows))])?;
            }
        }
        to.put(vec![Step::Tags(name, rows)])
    }

    /// The steps that write a repository's images.
    fn repository(&self, name: &RepoName, images: &[Known], steps: &mut Vec<Step>) -> Result<()> {
        let mut links: Vec<_> = images.iter().map(|(_, at)| self.config(*at)).collect();
        links.push(self.layer);
        links.sort_unstable();
        links.dedup();
        for part in links.chunks(BATCH) {
            let part = part.iter().map(|piece| piece.digest).collect();
            steps.push(Step::Links(name.clone(), part));
        }
        for part in images.chunks(BATCH) {
            let made = part.iter().map(|(_, at)| self.image(*at, None));
            steps.push(Step::Manifests(name.clone(), made.collect::<Result<_>>()?));
        }
        Ok(())
    }

    fn config(&self, at: usize) -> Piece {
        let found = self.configs.get(at % self.configs.len().max(1));
        found.copied().unwrap_or(self.layer)
    }

    /// The `at`th image; one that says what it is about is a referrer.
    fn image(&self, at: usize, about: Option<(Piece, &str)>) -> Result<Made> {
        Made::new(self.config(at), self.layer, about)
    }
}

/// What a repository must hold for these.
fn links(made: &[Made]) -> Vec<Digest> {
    let needs = made.iter().flat_map(|made| made.needs);
    let mut links: Vec<_> = needs.map(|piece| piece.digest).collect();
    links.sort_unstable();
    links.dedup();
    links
}

async fn write(tx: &mut Tx<'_>, steps: &[Step]) -> longshore_core::Result<()> {
    for step in steps {
        match step {
            Step::Blobs(pieces) => {
                for piece in pieces {
                    let row = BlobRow {
                        size: piece.size,
                        location: format!(
                            "blobs/2025-10-09/08/sha256-{}.filled",
                            piece.digest.hex()
                        ),
                        generation: 1,
                        state: BlobState::Live,
                    };
                    blobs::blob_put(tx, &piece.digest, &row, 0, 0, THEN).await?;
                }
            }
            Step::Links(name, all) => {
                let repo = repos::repo_open(tx, name, THEN).await?;
                for digest in all {
                    blobs::link_put(tx, repo, digest, THEN, None).await?;
                }
            }
            Step::Manifests(name, all) => {
                let repo = repos::repo_open(tx, name, THEN).await?;
                for made in all {
                    let digest = &made.row.digest;
                    manifests::manifest_put(tx, repo, &made.row, &made.bytes, "user:fill", THEN)
                        .await?;
                    for need in &made.needs {
                        manifests::edge_put(tx, repo, digest, &need.digest, EdgeKind::Blob).await?;
                    }
                }
                repos::repo_count(tx, repo, count(all.len()), 0).await?;
            }
            Step::Tags(name, all) => {
                let repo = repos::repo_open(tx, name, THEN).await?;
                for (tag, digest) in all {
                    tags::tag_put(tx, repo, tag, digest, "user:fill", THEN).await?;
                }
                repos::repo_count(tx, repo, 0, count(all.len())).await?;
            }
        }
    }
    Ok(())
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
