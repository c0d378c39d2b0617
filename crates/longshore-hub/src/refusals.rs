//! Refusals in the audit log: each is told of, and nobody makes the log grow by being refused.
//!
//! Whoever has an account can be refused as often as they can ask, and a row of the log is kept for a year. So within a minute the
//! same refusal (who, what, on what) has one row, and somebody has [`MOST`] rows of refusals; what comes beyond that is counted, and a
//! row says how often when the minute is over. What was done always has its row. What is counted is in memory: the end of the process
//! within that minute loses the number, and no refusal's first row.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::{Arc, Mutex, PoisonError};

use longshore_core::Result;
use longshore_meta::Durability;
use longshore_meta::audit::{Entry, audit_put};
use serde_json::json;

use crate::hub::Hub;

/// How long refusals are counted together, in microseconds.
const WINDOW: i64 = 60_000_000;
/// How many rows somebody's refusals have in that time.
pub(crate) const MOST: usize = 20;
/// How many people are counted at once, each for themselves. Whoever comes when that many are is counted with the others who do.
const PEOPLE: usize = 1_000;
/// Whose number nobody has.
const OTHERS: i64 = i64::MAX;
/// The action, and the object, of a row about several.
const SEVERAL: &str = "several";

/// What was refused lately. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<BTreeMap<i64, Window>>>);

/// What somebody was refused within a minute.
#[derive(Debug)]
struct Window {
    since: i64,
    /// Those that have a row, each with how often it came again.
    told: BTreeMap<(String, String), (Entry, u64)>,
    /// How often something else was refused, and the last of it.
    others: Option<(Entry, u64)>,
}

impl Window {
    fn begin(since: i64) -> Self {
        Window {
            since,
            told: BTreeMap::new(),
            others: None,
        }
    }

    fn has_ended(&self, now: i64) -> bool {
        // A clock that is set back ends it as well, or else nothing would be told until it has caught up.
        now.saturating_sub(self.since).abs() >= WINDOW
    }

    /// Whether a refusal has a row of its own.
    fn counts(&mut self, entry: &Entry) -> bool {
        let key = (entry.action.clone(), entry.object.clone());
        let full = self.told.len() >= MOST;
        match self.told.entry(key) {
            Slot::Occupied(mut known) => known.get_mut().1 += 1,
            Slot::Vacant(_) if full => {
                let count = self.others.as_ref().map_or(0, |(_, count)| *count);
                self.others = Some((entry.clone(), count + 1));
            }
            Slot::Vacant(place) => {
                place.insert((entry.clone(), 0));
                return true;
            }
        }
        false
    }

    /// The rows about what was counted, at the end.
    fn rows(self, now: i64) -> impl Iterator<Item = Entry> {
        let told = self.told.into_values().filter(|(_, again)| *again > 0);
        let others = self.others.map(|(entry, count)| {
            let several = Entry {
                action: SEVERAL.to_owned(),
                object: SEVERAL.to_owned(),
                ..entry
            };
            (several, count)
        });
        told.chain(others).map(move |(entry, again)| Entry {
            at: now,
            detail: json!({ "again": again, "within_secs": WINDOW / 1_000_000 }).to_string(),
            ..entry
        })
    }
}

impl Refusals {
    /// The rows to write now that this was refused: its own unless it is only counted, after those of a minute that has ended.
    fn note(&self, entry: Entry) -> Vec<Entry> {
        let now = entry.at;
        let mut rows = Vec::new();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = entry.actor.0;
        let has_own = all.contains_key(&own) || all.len() < PEOPLE;
        let actor = if has_own { own } else { OTHERS };
        if all.get(&actor).is_some_and(|window| window.has_ended(now))
            && let Some(ended) = all.remove(&actor)
        {
            rows.extend(ended.rows(now));
        }
        let window = all.entry(actor);
        if window.or_insert_with(|| Window::begin(now)).counts(&entry) {
            rows.push(entry);
        }
        rows
    }

    /// The rows about minutes that have ended; with `all`, also about those that have not.
    fn ended(&self, now: i64, all: bool) -> Vec<Entry> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = counted.extract_if(.., |_, window| all || window.has_ended(now));
        ended.flat_map(|(_, window)| window.rows(now)).collect()
    }
}

impl Hub {
    /// Writes down that something was refused, or counts it.
    ///
    /// # Errors
    /// `Unavailable`; the refusal stands.
    pub(crate) async fn refused(&self, entry: Entry) -> Result<()> {
        self.write_refusals(self.refusals.note(entry)).await
    }

    /// Writes down how often what was counted was refused, where its minute is over; at the end, of all.
    ///
    /// # Errors
    /// `Unavailable`; the numbers are lost then.
    pub async fn refusals_tell(&self, now: i64, at_the_end: bool) -> Result<()> {
        self.write_refusals(self.refusals.ended(now, at_the_end))
            .await
    }

    async fn write_refusals(&self, rows: Vec<Entry>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.db
            .write(Durability::Power, rows, |tx, rows| {
                Box::pin(async move {
                    for row in rows {
                        audit_put(tx, row).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
