//! Asking.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use longshore_core::{Code, Cx, Error, Find, Finder, Finds, Reach, Result, Seek};
use longshore_meta::finds::{self, Asked, Hit};
use longshore_meta::found;
use longshore_meta::repos::is_removed;
use longshore_meta::{Db, Tx};
use tokio::sync::Semaphore;

use super::near::{is_near, may_be_wrong, near};
use super::query::Query;
use super::rank::Rank;
use super::words;

/// How many repositories are ranked for one question.
const CANDIDATES: usize = 1500;
/// How many are looked at where it cannot be asked for those that the caller may see.
const LOOKED_AT: usize = 12_000;
/// How many are taken along because of how their names begin.
const NAMED: usize = 200;
/// When fewer are found, words that are nearly those that were asked for are tried.
const FEW: usize = 3;
/// How many of them are tried for one word.
const NEAR: usize = 8;
/// How long one question may take, from when it is asked.
const MOST_TIME: Duration = Duration::from_secs(2);
/// How many questions are answered at a time: the registry's own work is to go on beside them.
const AT_A_TIME: usize = 2;

/// Finds repositories by all that is known of them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Search {
    db: Db,
    places: Arc<Semaphore>,
}

impl Search {
    /// Searches what a [`Clerk`](crate::Clerk) writes into `db`.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            places: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }
}

#[async_trait]
impl Finder for Search {
    async fn find(&self, cx: &Cx, query: &str, seek: &Seek) -> Result<Finds> {
        let after = match seek.after.as_deref() {
            Some(cursor) => Some(Rank::read(cursor).ok_or_else(|| {
                Error::new(
                    Code::QueryInvalid,
                    "this is no place in a list of what was found; begin with its first page",
                )
            })?),
            None => None,
        };
        let reach = cx.rights.listed();
        #[cfg(feature = "broken")]
        let reach = if longshore_core::broken::is("search-shows-all") {
            Reach::all()
        } else {
            reach
        };
        let question = Question {
            query: Query::parse(query)?,
            reach,
            after,
            limit: seek.limit,
        };
        let busy = |_| {
            Error::new(
                Code::Unavailable,
                "too many are searching at the moment; try again shortly",
            )
            .retry_after(Duration::from_secs(1))
        };
        let _place = tokio::time::timeout(MOST_TIME, self.places.acquire())
            .await
            .map_err(busy)?;
        self.db
            .read_aside(MOST_TIME, question, |tx, question| {
                Box::pin(answer(tx, question))
            })
            .await
    }
}

struct Question {
    query: Query,
    reach: Reach,
    after: Option<Rank>,
    limit: usize,
}

async fn answer(tx: &mut Tx<'_>, question: &Question) -> Result<Finds> {
    let query = &question.query;
    let mut found: BTreeMap<i64, (Rank, Hit)> = BTreeMap::new();
    for hit in hits(tx, question).await? {
        found.insert(hit.repo, (Rank::of(query, &hit), hit));
    }
    if found.len() < FEW
        && let Some(asked) = nearly(tx, query).await?
    {
        for hit in matching(tx, question, asked).await? {
            found
                .entry(hit.repo)
                .or_insert_with(|| (Rank::near(&hit), hit));
        }
    }
    let mut ranked: Vec<(Rank, Hit)> = found.into_values().collect();
    ranked.retain(|(rank, _)| question.after.as_ref().is_none_or(|after| rank > after));
    ranked.sort_by(|(left, _), (right, _)| left.cmp(right));
    let more = ranked.len() > question.limit;
    ranked.truncate(question.limit);
    let next = ranked
        .last()
        .filter(|_| more)
        .map(|(rank, _)| rank.cursor());
    let mut items = Vec::with_capacity(ranked.len());
    for (_, hit) in ranked {
        let description = finds::find_description(tx, hit.repo).await?;
        items.push(Find {
            name: hit.name.parse().map_err(Error::internal)?,
            description,
            stars: hit.stars,
            pulls: hit.pulls,
        });
    }
    Ok(Finds { items, next })
}

/// What the query means as it was asked, as far as the caller may see it.
async fn hits(tx: &mut Tx<'_>, question: &Question) -> Result<Vec<Hit>> {
    let Question { query, reach, .. } = question;
    let mut hits = Vec::new();
    if let Some(((from, to), more)) = query.digests.split_first() {
        let mut repos = finds::find_holders(tx, from, to, CANDIDATES).await?;
        for (from, to) in more {
            let also = finds::find_holders(tx, from, to, CANDIDATES).await?;
            repos.retain(|repo| also.contains(repo));
        }
        hits = finds::find_among(tx, &query.asked(), &repos).await?;
    } else if query.is_nothing() {
        hits = named_all(tx, reach).await?;
    } else {
        // Names first: of what many have in common only a part is looked at, and these must not be missed.
        if let Some(name) = query.name.as_deref() {
            hits.extend(finds::find_named(tx, name, NAMED).await?);
            hits.extend(finds::find_last(tx, name, NAMED).await?);
        }
        hits.extend(matching(tx, question, query.asked()).await?);
    }
    hits.retain(|hit| shows(reach, hit));
    Ok(hits)
}

/// Those that have all that is asked for, of those that the caller may see.
async fn matching(tx: &mut Tx<'_>, question: &Question, mut asked: Asked) -> Result<Vec<Hit>> {
    let places = places(&question.reach);
    let shown = |name: &str| question.reach.has(name);
    let Some(places) = places else {
        // At once: what begins so is gathered anew for each part that is read.
        return found::find_shown(tx, &asked, (LOOKED_AT, CANDIDATES), shown).await;
    };
    asked.any.extend((!places.is_empty()).then_some(places));
    let mut found = finds::find_match(tx, &asked, CANDIDATES).await?;
    found.retain(|hit| shown(&hit.name));
    Ok(found)
}

/// The query with words of names in place of those that are nearly these; none where there are none.
async fn nearly(tx: &mut Tx<'_>, query: &Query) -> Result<Option<Asked>> {
    let mut asked = Asked {
        all: query.facts.clone(),
        ..Asked::default()
    };
    let mut is_other = false;
    for word in &query.words {
        let mut close = Vec::new();
        if may_be_wrong(word) {
            for less in near(word) {
                for known in finds::find_near(tx, &less, 4 * NEAR).await? {
                    if close.len() < NEAR && known != *word && is_near(&known, word) {
                        close.push(known);
                    }
                }
            }
            close.sort();
            close.dedup();
        }
        is_other |= !close.is_empty();
        close.push(word.clone());
        asked
            .any
            .push(close.iter().map(|word| words::text(word)).collect());
    }
    Ok(is_other.then_some(asked))
}

/// Whether a hit may be shown: it is reached, and not deleted with its content on the way out.
fn shows(reach: &Reach, hit: &Hit) -> bool {
    reach.has(&hit.name) && !is_removed(hit.repo, &hit.name)
}

/// Everything, as far as it is looked at, by name.
async fn named_all(tx: &mut Tx<'_>, reach: &Reach) -> Result<Vec<Hit>> {
    let (mut found, mut from, mut looked) = (Vec::new(), String::new(), 0);
    while let Some((span, _)) = reach.next(&from) {
        let (to, limit) = (span.to.as_deref(), LOOKED_AT - looked);
        let page = found::find_between(tx, &span.from, to, limit).await?;
        looked += page.len();
        found.extend(page.into_iter().filter(|hit| shows(reach, hit)));
        match span.to {
            Some(to) if looked < LOOKED_AT && found.len() < CANDIDATES => from = to,
            _ => break,
        }
    }
    found.truncate(CANDIDATES);
    Ok(found)
}

/// How many places a question may name.
const PLACES: usize = 64;

/// The tokens of the places that lead to all that is reached, and perhaps to more; empty: everything is. `None` where they are
/// too many, or where names are reached by how they look.
fn places(reach: &Reach) -> Option<Vec<String>> {
    if reach.is_all() {
        return Some(Vec::new());
    }
    // Nobody has this one: where nothing is reached, nothing is to be found.
    let (mut places, mut from) = (vec![words::place("\n")], String::new());
    while let Some((span, _)) = reach.next(&from) {
        let to = span.to?;
        let name = span.from.as_str();
        let below = name.strip_suffix('/');
        let place = if to.strip_suffix('\0') == Some(name) {
            name
        } else {
            below.filter(|path| to.strip_suffix('0') == Some(*path))?
        };
        if places.len() > PLACES {
            return None;
        }
        places.push(words::place(place));
        from = to;
    }
    Some(places)
}
