//! Checking everything that is kept: every tag to its manifest, to what that needs, to the bytes of each blob; every file to a
//! row and back; counts against what they count.
//!
//! A check is a list of [`Part`]s, one a file. A part looks at one table, or at the files, page by page; nothing holds more
//! than a page. Beside a running registry everything changes under a check, so what a page shows to be wrong is looked at
//! once more, a moment later, and is told only if it is wrong still. A finding brings its own repair, which decides in its
//! own transaction whether there is still something to repair. Nothing is ever deleted that somebody could miss: files are
//! put into the quarantine.

mod blobs;
mod bodies;
mod counts;
mod database;
mod edges;
mod files;
mod finding;
mod known;
mod links;
mod manifests;
mod needs;
mod tags;
mod trash;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use longshore_blob::{BlobStore, Location};
use longshore_core::error::Chain;
use longshore_core::{Code, Error, Result};
use longshore_meta::{Body, Db, checks};
use longshore_spec::digest::Digest;

use crate::store::Store;
use crate::takeover::is_taking_over;

pub use finding::{Finding, Fixer, Grade, Outcome};

/// All parts, in the order in which one relies on those before.
const PARTS: &[&dyn Part] = &[
    &database::Database,
    &blobs::Blobs,
    &bodies::Bodies,
    &files::Strays,
    &manifests::Bytes,
    &manifests::Rows,
    &needs::Needs,
    &edges::Edges,
    &links::Links,
    &tags::Tags,
    &trash::Trash,
    &counts::Counts,
    &uploads::Uploads,
    &known::Known,
];

/// How to check.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Read all bytes of all blobs; else only whether they are there and how many they are.
    pub hash: bool,
    /// Repair what can be repaired.
    pub repair: bool,
    /// How long to wait before a second look at what seems wrong; `None` where nobody else changes anything.
    pub settle: Option<Duration>,
    /// How old a file must be before it is said to be nobody's: one that just came has no row yet.
    pub grace: Duration,
    /// How many blobs are read side by side.
    pub jobs: usize,
    /// How many bytes a second are read, at most, by each of them; `None` for as many as can be had.
    pub rate: Option<u64>,
    /// Whether a manifest may have been taken whose blobs are not here.
    pub sparse: bool,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            hash: true,
            repair: false,
            settle: None,
            grace: Duration::from_hours(24),
            jobs: 2,
            rate: None,
            sparse: false,
        }
    }
}

/// What a check is told of while it runs.
#[async_trait]
pub trait Report: Send {
    /// Something is wrong; whether it was repaired is part of it.
    async fn found(&mut self, finding: &Finding);
    /// So many things were looked at by the part of this name.
    async fn looked(&mut self, part: &'static str, count: u64);
}

/// What a check came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many things each part looked at.
    pub looked: BTreeMap<&'static str, u64>,
    /// How many findings of each grade there were.
    pub found: BTreeMap<Grade, u64>,
    /// How many of them were repaired.
    pub repaired: u64,
    /// How many repairs failed.
    pub failed: u64,
}

impl Summary {
    /// Whether anything is wrong that somebody should care about. Waste is not: an unclean stop leaves some, and it does no
    /// harm.
    pub fn is_clean(&self) -> bool {
        !self
            .found
            .iter()
            .any(|(grade, count)| *grade != Grade::Waste && *count > 0)
    }
}

/// What parts look at.
pub(crate) struct Ground<'a> {
    db: &'a Db,
    store: &'a dyn BlobStore,
    options: &'a CheckOptions,
    now: SystemTime,
}

/// How far a part came: the key of the last thing it looked at. Each uses the fields it needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mark {
    id: i64,
    digest: Option<Digest>,
    child: Option<Digest>,
    kind: i64,
    text: String,
    bytes: Vec<u8>,
    at: Option<Location>,
}

/// A page of rows that are in the order of a number, their `key`, behind `after`; and where the next begins.
async fn by_number<R: Send>(
    ground: &Ground<'_>,
    after: &Mark,
    read: Body<i64, Vec<R>>,
    key: fn(&R) -> i64,
) -> Result<(Vec<R>, Option<Mark>)> {
    let rows = ground.db.read(&after.id, read).await?;
    let last = rows.last().map(|row| Mark {
        id: key(row),
        ..Mark::default()
    });
    Ok((rows, last))
}

/// A page of rows that are in the order of a repository and a digest, their `key`, behind `after`; and where the next begins.
async fn of_repositories<R: Send>(
    ground: &Ground<'_>,
    after: &Mark,
    read: Body<(i64, Option<Digest>), Vec<R>>,
    key: fn(&R) -> (i64, Digest),
) -> Result<(Vec<R>, Option<Mark>)> {
    let rows = ground.db.read(&(after.id, after.digest), read).await?;
    let last = rows.last().map(|row| {
        let (id, digest) = key(row);
        Mark {
            id,
            digest: Some(digest),
            ..Mark::default()
        }
    });
    Ok((rows, last))
}

/// What a part found on a page.
pub(crate) struct Page {
    findings: Vec<Finding>,
    looked: u64,
    /// Where the next page begins; `None` when this was the last.
    next: Option<Mark>,
}

impl Page {
    /// A page that ends at `last`, the mark of the last of `looked` things; none at all is the end.
    fn new(findings: Vec<Finding>, looked: usize, last: Option<Mark>) -> Self {
        Self {
            findings,
            looked: looked as u64,
            next: last,
        }
    }
}

/// Which things of a page are to be looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Which<'a> {
    All,
    /// Those with such a subject: they seemed wrong at the first look.
    These(&'a BTreeSet<String>),
}

impl Which<'_> {
    fn holds(self, subject: &str) -> bool {
        match self {
            Which::All => true,
            Which::These(subjects) => subjects.contains(subject),
        }
    }
}

/// A part of a check.
#[async_trait]
pub(crate) trait Part: Send + Sync {
    /// Its name: what it looks at.
    fn name(&self) -> &'static str;

    /// Looks at the page behind `after`, or only at some things of it.
    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page>;
}

/// A check of a store.
pub struct Check {
    db: Db,
    store: Arc<dyn BlobStore>,
    options: CheckOptions,
    now: SystemTime,
    /// The registry that runs on it, which has to be told of repairs.
    running: Option<Store>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Check {
    /// A check of metadata and bytes that no registry runs on.
    pub fn of(db: Db, store: Arc<dyn BlobStore>, options: CheckOptions, now: SystemTime) -> Self {
        Self {
            db,
            store,
            options,
            now,
            running: None,
        }
    }

    /// A check of a registry while it runs.
    pub fn of_running(store: &Store, options: CheckOptions) -> Self {
        Self {
            db: store.0.db.clone(),
            store: store.0.blobs.clone(),
            options,
            now: (store.0.clock)(),
            running: Some(store.clone()),
        }
    }

    /// Checks everything, and repairs where that is asked for.
    ///
    /// # Errors
    /// `Unavailable` when the metadata or the storage as a whole cannot be read, so that the check could not be made.
    pub async fn run(&self, report: &mut dyn Report) -> Result<Summary> {
        if is_taking_over(&self.db).await? {
            return Err(Error::new(
                Code::Unavailable,
                "a Distribution tree is being taken over; check when that is done (`longshore takeover` finishes it)",
            ));
        }
        let mut summary = Summary::default();
        for part in PARTS {
            self.run_part(*part, report, &mut summary).await?;
        }
        Ok(summary)
    }

    async fn run_part(
        &self,
        part: &dyn Part,
        report: &mut dyn Report,
        summary: &mut Summary,
    ) -> Result<()> {
        let ground = Ground {
            db: &self.db,
            store: &*self.store,
            options: &self.options,
            now: self.now,
        };
        let mut looked = 0;
        let mut after = Mark::default();
        loop {
            let page = part.page(&ground, &after, Which::All).await?;
            looked += page.looked;
            for finding in self.confirmed(part, &ground, &after, page.findings).await? {
                let finding = self.repair(finding).await;
                *summary.found.entry(finding.grade).or_default() += 1;
                match finding.outcome {
                    Outcome::Repaired => summary.repaired += 1,
                    Outcome::Failed(_) => summary.failed += 1,
                    Outcome::Found => {}
                }
                report.found(&finding).await;
            }
            match page.next {
                Some(next) => after = next,
                None => break,
            }
            report.looked(part.name(), looked).await;
        }
        summary.looked.insert(part.name(), looked);
        report.looked(part.name(), looked).await;
        Ok(())
    }

    /// What of these findings is wrong still.
    async fn confirmed(
        &self,
        part: &dyn Part,
        ground: &Ground<'_>,
        after: &Mark,
        findings: Vec<Finding>,
    ) -> Result<Vec<Finding>> {
        let Some(settle) = self.options.settle.filter(|_| !findings.is_empty()) else {
            return Ok(findings);
        };
        let first: BTreeSet<_> = findings
            .iter()
            .map(|finding| (finding.code, finding.subject.clone()))
            .collect();
        let subjects = findings
            .into_iter()
            .map(|finding| finding.subject)
            .collect();
        tokio::time::sleep(settle).await;
        let again = part.page(ground, after, Which::These(&subjects)).await?;
        let known = |finding: &Finding| first.contains(&(finding.code, finding.subject.clone()));
        Ok(again.findings.into_iter().filter(known).collect())
    }

    async fn repair(&self, mut finding: Finding) -> Finding {
        let Some(fix) = finding.fix.take().filter(|_| self.options.repair) else {
            return finding;
        };
        let fixer = Fixer {
            db: self.db.clone(),
            store: self.store.clone(),
        };
        finding.outcome = match fix(fixer).await {
            Ok(()) => Outcome::Repaired,
            Err(error) => Outcome::Failed(Chain(&error).to_string()),
        };
        if let Some(store) = &self.running {
            store.0.cache.changed_behind();
        }
        finding
    }
}

/// The name of a repository, for people; its number where it has none.
async fn repo_name(db: &Db, id: i64) -> Result<String> {
    let name = db
        .read(&id, |tx, id| Box::pin(checks::repo_name(tx, *id)))
        .await?;
    Ok(name.unwrap_or_else(|| format!("repository {id}")))
}
