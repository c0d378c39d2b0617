//! Who was turned away at the registry and at the door, in the audit log: pushes and deletions that were refused, logins that failed.
//!
//! Nobody waits for these rows, and nobody fills the log with them. What is refused is counted in memory; once a minute it is written, a
//! row for each person, address and thing, with how often; at most [`MOST`] rows for one, [`ROWS`] for all who have logged in, and
//! [`STRANGERS`] for those who have not. What goes beyond is one row with a number. A killed process loses the last minute.
//!
//! What was typed as a name is written only if it is one: it may be a password that was meant for the next field.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use longshore_auth::failures::Failure;
use longshore_auth::index::keep::named;
use longshore_auth::rights::Action;
use longshore_core::{Origin, Result};
use longshore_meta::audit::{Entry, audit_put};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::PrincipalId;
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx};
use longshore_spec::RepoName;
use serde_json::json;

use crate::beginning::inmost;
use crate::hub::Hub;
use crate::pushes::{By, row};
use crate::refusals::MOST;

/// How many rows there are in a minute about people who have logged in.
const ROWS: usize = 100;
/// How many about those who have not.
const STRANGERS: usize = 20;
/// How many different refusals are told apart until they are written.
const WAITING: usize = 1000;
/// What the audit log calls a login.
const LOGIN: &str = "login";
/// What it says in the place of a name that is nobody's.
const UNKNOWN: &str = "unknown name";

/// Somebody who has logged in was refused a change of a repository.
#[derive(Debug, Clone)]
pub struct Turned {
    /// Who: the name they log in with.
    pub name: Arc<str>,
    /// How they have shown who they are, and from where.
    pub origin: Origin,
    /// What they wanted to do.
    pub action: Action,
    /// Where.
    pub repo: RepoName,
    /// The tag or digest, where it was one.
    pub what: Option<String>,
    /// The request, and when it came in.
    pub request: (u128, SystemTime),
}

/// What is noted, by what is one row; and how many more there were.
type Noted = (BTreeMap<String, (Turned, u64)>, u64);

/// Refusals that are still to be written. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct TurnedAway(Arc<Mutex<Noted>>);

impl TurnedAway {
    /// Notes a refusal. Neither blocks nor fails.
    pub fn note(&self, turned: Turned) {
        let Origin { way, address } = turned.origin;
        let (name, action, object) = (&turned.name, turned.action, object(&turned));
        // Nothing of it has a line feed.
        let key = format!("{name}\n{way}\n{address:?}\n{action}\n{object}");
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (rows, more) = &mut *noted;
        let full = rows.len() >= WAITING;
        match rows.entry(key) {
            Slot::Occupied(mut known) => known.get_mut().1 += 1,
            Slot::Vacant(_) if full => *more += 1,
            Slot::Vacant(place) => {
                place.insert((turned, 1));
            }
        }
    }

    fn take(&self) -> (Vec<(Turned, u64)>, u64) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (rows, more) = std::mem::take(&mut *noted);
        (rows.into_values().collect(), more)
    }
}

fn object(turned: &Turned) -> String {
    match &turned.what {
        Some(what) if what.contains(':') => format!("{}@{what}", turned.repo),
        Some(what) => format!("{}:{what}", turned.repo),
        None => turned.repo.to_string(),
    }
}

struct Args {
    turned: (Vec<(Turned, u64)>, u64),
    failures: (Vec<Failure>, u64),
    now: i64,
}

impl Hub {
    /// Where refusals are noted.
    pub fn turned_away(&self) -> &TurnedAway {
        &self.turned
    }

    /// Writes down who was turned away since the last time. To be called every minute or so, and at the end.
    ///
    /// # Errors
    /// `Unavailable`; the numbers are lost then.
    pub async fn turned_write(&self, now: SystemTime) -> Result<()> {
        let args = Args {
            turned: self.turned.take(),
            failures: self.index.failures(),
            now: micros(now),
        };
        if args.turned.0.is_empty() && args.failures.0.is_empty() {
            return Ok(());
        }
        self.db
            .write(Durability::Process, args, |tx, args| {
                Box::pin(write(tx, args))
            })
            .await
    }
}

async fn write(tx: &mut Tx<'_>, args: &Args) -> Result<()> {
    let (turned, mut more) = (&args.turned.0, args.turned.1);
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = 0;
    for (turned, times) in turned {
        let of = rows.entry(&turned.name).or_default();
        if all >= ROWS || *of >= MOST {
            more += times;
            continue;
        }
        all += 1;
        *of += 1;
        let by = By {
            actor: turned.name.to_string(),
            origin: turned.origin,
            request: turned.request.0,
            now: micros(turned.request.1),
        };
        let place = (object(turned), inmost(tx, &turned.repo).await?);
        let detail = json!({ "times": times });
        let row = row(tx, &by, turned.action, place, detail).await?;
        let row = Entry {
            result: "denied".to_owned(),
            ..row
        };
        audit_put(tx, &row).await?;
    }
    if more > 0 {
        let row = stranger(args.now, Action::RepositoryPush.name(), "several");
        put(tx, row, &json!({ "times": more })).await?;
    }
    logins(tx, args).await
}

/// Failures of one name, or of all that are nobody's, from one address.
#[derive(Default)]
struct Logins {
    since: i64,
    wrong: u64,
    held_off: u64,
    names: u64,
}

async fn logins(tx: &mut Tx<'_>, args: &Args) -> Result<()> {
    let (failures, mut more) = (&args.failures.0, args.failures.1);
    let mut all: BTreeMap<(String, String), Logins> = BTreeMap::new();
    for failure in failures {
        let name = match named(tx, &failure.name).await? {
            _ if failure.name.is_empty() => "a token".to_owned(),
            Some(_) => failure.name.clone(),
            None => UNKNOWN.to_owned(),
        };
        let of = all.entry((name, failure.peer.to_string())).or_default();
        if of.names == 0 {
            of.since = micros(failure.since);
        }
        of.since = of.since.min(micros(failure.since));
        of.wrong += failure.wrong;
        of.held_off += failure.held_off;
        of.names += 1;
    }
    // Who is meant by a name comes before those who guess at names, and whoever tries most before others.
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|((name, _), of)| (name == UNKNOWN, std::cmp::Reverse(of.wrong + of.held_off)));
    for (nth, ((name, peer), of)) in all.into_iter().enumerate() {
        if nth >= STRANGERS {
            more += of.wrong + of.held_off;
            continue;
        }
        let mut detail = json!({ "wrong": of.wrong, "held_off": of.held_off });
        if name == UNKNOWN
            && let Some(members) = detail.as_object_mut()
        {
            members.insert("names".to_owned(), json!(of.names));
        }
        let row = Entry {
            origin: peer,
            ..stranger(of.since, LOGIN, &name)
        };
        put(tx, row, &detail).await?;
    }
    if more > 0 {
        put(
            tx,
            stranger(args.now, LOGIN, "several"),
            &json!({ "times": more }),
        )
        .await?;
    }
    Ok(())
}

async fn put(tx: &mut Tx<'_>, row: Entry, detail: &serde_json::Value) -> Result<()> {
    let row = Entry {
        detail: detail.to_string(),
        ..row
    };
    audit_put(tx, &row).await.map(drop)
}

/// A row about what somebody was refused who has not shown who they are.
fn stranger(at: i64, action: &str, object: &str) -> Entry {
    Entry {
        at,
        actor: PrincipalId(0),
        actor_name: String::new(),
        via: "nothing".to_owned(),
        origin: String::new(),
        action: action.to_owned(),
        object: object.to_owned(),
        namespace: NamespaceId(0),
        result: "denied".to_owned(),
        detail: String::new(),
        request: String::new(),
    }
}
