//! Logins that failed: counted in memory for whoever writes them down, and asked for by them.
//!
//! Noting one costs the same whether there is such an account or not, and looks nothing up: who is meant is found out later, by who
//! writes it down, so that no answer's time says it. What was typed as a name may be a password that was meant for the next field; it
//! is kept for a minute, in memory, and must not be written anywhere unless it is an account's name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use longshore_core::Code;

use crate::identity::Refusal;

/// How many pairs of an address and a name are told apart at a time; what comes beyond is counted only.
const PAIRS: usize = 1000;
/// How many bytes of a name are kept: no account has a longer one.
const NAME: usize = 320;

/// Logins by one name from one address that failed.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was typed as a name. Empty: there was none, as with tokens.
    pub name: String,
    /// From where.
    pub peer: IpAddr,
    /// When the first of them was.
    pub since: SystemTime,
    /// How often name or secret were wrong.
    pub wrong: u64,
    /// How often nothing was looked at, because there had been too many before.
    pub held_off: u64,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the name, which may be a password.
        let (wrong, held_off) = (self.wrong, self.held_off);
        write!(f, "Failure({}, {wrong}, {held_off})", self.peer)
    }
}

/// What failed lately.
#[derive(Debug, Default)]
pub(crate) struct Failures(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    pairs: BTreeMap<(IpAddr, String), Failure>,
    more: u64,
}

impl Failures {
    /// Notes why nobody was let in. What is not about what was typed is not noted.
    pub(crate) fn note(&self, name: &str, peer: IpAddr, now: SystemTime, refusal: &Refusal) {
        let (wrong, held_off) = match refusal.code {
            Code::Unauthorized => (1, 0),
            Code::TooManyRequests => (0, 1),
            _ => return,
        };
        let name: String = name
            .char_indices()
            .take_while(|(at, _)| *at < NAME)
            .map(|(_, letter)| letter)
            .collect();
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = noted.pairs.len() >= PAIRS;
        match noted.pairs.entry((peer, name.clone())) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.wrong += wrong;
                known.held_off += held_off;
            }
            Entry::Vacant(_) if full => noted.more += 1,
            Entry::Vacant(place) => {
                place.insert(Failure {
                    name,
                    peer,
                    since: now,
                    wrong,
                    held_off,
                });
            }
        }
    }

    /// What was noted, which is forgotten here; and how many more there were.
    pub(crate) fn take(&self) -> (Vec<Failure>, u64) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = std::mem::take(&mut *noted);
        (noted.pairs.into_values().collect(), noted.more)
    }
}
