//! Reads in the audit log: who has read what not everybody may see. Off unless the configuration says of how many reads one counts.
//!
//! A read does not wait for the log: it is noted in memory and written some seconds later, together with what the same caller has
//! read in the same repository meanwhile, so a pull is one row and not one for each layer. What is noted and not yet written ends
//! with the process.

use std::collections::btree_map::Entry as Slot;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use longshore_auth::index::keep::named;
use longshore_auth::rights::ground::Ground;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Result, Way};
use longshore_meta::audit::{Entry, audit_put};
use longshore_meta::namespaces::{NamespaceId, Visibility};
use longshore_meta::principals::PrincipalId;
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx};
use longshore_spec::RepoName;
use serde_json::json;

use crate::hub::Hub;

/// How many rows may wait to be written; reads that would need another one are counted only.
const WAITING: usize = 10_000;
/// How many of the tags and digests that were read a row names.
const NAMED: usize = 20;
/// How many rows are written at once.
const BATCH: usize = 100;

/// Something was read.
#[derive(Debug, Clone)]
pub struct Read {
    /// When.
    pub at: SystemTime,
    /// By whom: the name they log in with; empty for a stranger.
    pub name: Arc<str>,
    /// How they showed who they are.
    pub via: Way,
    /// From where.
    pub from: IpAddr,
    /// In which repository, by the name that was asked for.
    pub repo: RepoName,
    /// The tag or digest.
    pub what: String,
    /// The id of the request.
    pub request: u128,
}

/// Whose reads of what are one row.
type Key = (Arc<str>, Way, IpAddr, RepoName);

#[derive(Debug, Clone)]
struct Noted {
    at: SystemTime,
    request: u128,
    times: u64,
    what: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Waiting {
    rows: BTreeMap<Key, Noted>,
    lost: u64,
}

#[derive(Debug)]
struct Inner {
    one_of: NonZeroU32,
    count: AtomicU64,
    secret: RandomState,
    waiting: Mutex<Waiting>,
}

/// Notes reads. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Reads(Arc<Inner>);

impl Reads {
    /// Notes one of so many reads.
    pub fn new(one_of: NonZeroU32) -> Self {
        Self(Arc::new(Inner {
            one_of,
            count: AtomicU64::new(0),
            secret: RandomState::new(),
            waiting: Mutex::default(),
        }))
    }

    /// Whether the next read is to be noted. Which ones are cannot be known before, or else somebody would read just beside them.
    pub fn is_next(&self) -> bool {
        let one_of = u64::from(self.0.one_of.get());
        one_of == 1 || {
            let count = self.0.count.fetch_add(1, Ordering::Relaxed);
            self.0.secret.hash_one(count).is_multiple_of(one_of)
        }
    }

    /// Notes a read. Neither blocks nor fails.
    pub fn note(&self, read: Read) {
        let key = (read.name, read.via, read.from, read.repo);
        let noted = Noted {
            at: read.at,
            request: read.request,
            times: 1,
            what: [read.what].into(),
        };
        self.waiting().add(key, noted);
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, key: Key, noted: Noted) {
        let full = self.rows.len() >= WAITING;
        match self.rows.entry(key) {
            Slot::Occupied(mut known) => {
                let known = known.get_mut();
                known.times += noted.times;
                let room = NAMED.saturating_sub(known.what.len());
                known.what.extend(noted.what.into_iter().take(room));
            }
            Slot::Vacant(_) if full => self.lost += noted.times,
            Slot::Vacant(place) => {
                place.insert(noted);
            }
        }
    }
}

impl Hub {
    /// Writes what was noted: of what everybody may see, nothing.
    ///
    /// # Errors
    /// `Unavailable`; what could not be written waits for the next time.
    pub async fn reads_write(&self, reads: &Reads, now: SystemTime) -> Result<()> {
        let Waiting { rows, lost } = std::mem::take(&mut *reads.waiting());
        if lost > 0 {
            tracing::warn!(
                lost,
                "more was read at once than the audit log keeps up with; this many reads are not in it"
            );
        }
        let mut rows: Vec<(Key, Noted)> = rows.into_iter().collect();
        while !rows.is_empty() {
            let rest = rows.split_off(rows.len().min(BATCH));
            let args = (rows.clone(), reads.0.one_of, now);
            let written = self
                .db
                .write(Durability::Process, args, |tx, (rows, one_of, now)| {
                    Box::pin(write(tx, rows, *one_of, *now))
                })
                .await;
            if let Err(error) = written {
                let mut waiting = reads.waiting();
                for (key, noted) in rows.into_iter().chain(rest) {
                    waiting.add(key, noted);
                }
                return Err(error);
            }
            rows = rest;
        }
        Ok(())
    }
}

async fn write(
    tx: &mut Tx<'_>,
    rows: &[(Key, Noted)],
    one_of: NonZeroU32,
    now: SystemTime,
) -> Result<()> {
    for ((name, via, from, repo), noted) in rows {
        let ground = Ground::load(tx, &Object::Repository(repo.clone()), now).await?;
        let Some(around) = ground.repo.as_ref().filter(|repo| repo.id.is_some()) else {
            continue;
        };
        if ground.visibility() == Visibility::Public {
            continue;
        }
        let actor = if name.is_empty() {
            None
        } else {
            named(tx, name).await?
        };
        let entry = Entry {
            at: micros(noted.at),
            actor: PrincipalId(actor.map_or(0, |login| login.id)),
            actor_name: name.to_string(),
            via: via.to_string(),
            origin: from.to_string(),
            action: Action::RepositoryPull.name().to_owned(),
            object: around.name.to_string(),
            namespace: ground.chain.last().map_or(NamespaceId(0), |home| home.id),
            result: "done".to_owned(),
            detail: json!({ "reads": noted.times, "what": noted.what, "one_of": one_of })
                .to_string(),
            request: format!("{:032x}", noted.request),
        };
        audit_put(tx, &entry).await?;
    }
    Ok(())
}
