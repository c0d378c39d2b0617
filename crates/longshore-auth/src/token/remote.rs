//! Keys behind a URL.
//!
//! They are fetched at start, once a minute while tokens come in (or as often as configured), and at once when a token
//! names a key that is not among them, though not within a few seconds of the fetch before: whoever makes names up buys no
//! more than that. No request waits while there are keys that may still be used, but for one that names another key. Keys
//! that could not be confirmed for five minutes are used no more: a token server that is gone cannot take keys back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::keys::JwkSet;
use crate::age::apart;
use crate::options::KEYS_USED_FOR;
use crate::outbound::Document;
use crate::watched::{Loaded, Parsed as _};

/// The least time between two fetches while there are no keys at all, so that a token server that starts late is found
/// soon.
const FETCH_EVERY_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// The least time between two fetches for tokens that name unknown keys: what a key that signs at once, since the one before it
/// leaked, costs whoever has just fetched.
pub(crate) const SEEK_EVERY: Duration = Duration::from_secs(3);

/// Where a key set comes from.
#[async_trait]
pub(crate) trait Fetch: std::fmt::Debug + Send + Sync {
    /// Fetches it as it is now.
    ///
    /// # Errors
    /// What went wrong, for the log.
    async fn fetch(&self) -> Result<Vec<u8>, String>;
}

#[async_trait]
impl Fetch for Document {
    async fn fetch(&self) -> Result<Vec<u8>, String> {
        Document::fetch(self).await
    }
}

/// A key set behind a URL.
#[derive(Debug)]
pub(crate) struct RemoteKeys {
    source: Box<dyn Fetch>,
    /// The least time between two fetches.
    every: Duration,
    /// The same where a token names a key that is not known.
    seek_every: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: Option<Held>,
    tried: Option<SystemTime>,
    /// Closes when the fetch under way has ended.
    flight: Option<watch::Receiver<()>>,
}

#[derive(Debug)]
struct Held {
    loaded: Arc<Loaded<JwkSet>>,
    content: Digest,
    /// The time at which the last good fetch began.
    confirmed: SystemTime,
}

/// Whether `then` lies within `span` of `now`.
fn within(span: Duration, then: SystemTime, now: SystemTime) -> bool {
    apart(now, then) < span
}

impl RemoteKeys {
    pub(crate) fn new(source: Box<dyn Fetch>, every: Duration, seek_every: Duration) -> Self {
        RemoteKeys {
            source,
            every,
            seek_every: seek_every.min(every),
            state: Mutex::new(State::default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys that may be used at `now`.
    pub(crate) fn usable(&self, now: SystemTime) -> Option<Arc<Loaded<JwkSet>>> {
        let state = self.lock();
        state
            .keys
            .as_ref()
            .filter(|held| within(KEYS_USED_FOR, held.confirmed, now))
            .map(|held| Arc::clone(&held.loaded))
    }

    /// Has the keys confirmed where that is due; waits for it only while there are none.
    pub(crate) async fn refresh(self: &Arc<Self>, now: SystemTime) {
        if let Some(under_way) = self.refreshing(now) {
            under_way.await;
        }
    }

    /// The same, where there is something to wait for.
    pub(crate) fn refreshing(self: &Arc<Self>, now: SystemTime) -> Option<BoxFuture<'static, ()>> {
        let flight = self.start(self.every, now);
        match self.usable(now) {
            Some(_) => None,
            None => Some(Box::pin(landed(flight))),
        }
    }

    /// Fetches the keys for a token that names an unknown one, unless that was done just now.
    pub(crate) async fn seek(self: &Arc<Self>, now: SystemTime) {
        landed(self.start(self.seek_every, now)).await;
    }

    /// The fetch under way, which is started where the last one is `every` ago or more.
    fn start(self: &Arc<Self>, every: Duration, now: SystemTime) -> Option<watch::Receiver<()>> {
        let mut state = self.lock();
        // A flight whose sender is gone has landed, or its task has died; neither may keep the next from starting.
        if let Some(flight) = state
            .flight
            .as_ref()
            .filter(|flight| flight.has_changed().is_ok())
        {
            return Some(flight.clone());
        }
        let usable = state
            .keys
            .as_ref()
            .is_some_and(|held| within(KEYS_USED_FOR, held.confirmed, now));
        let pause = if usable {
            every
        } else {
            FETCH_EVERY_WITHOUT_KEYS.min(every)
        };
        if state.tried.is_some_and(|tried| within(pause, tried, now)) {
            return None;
        }
        state.tried = Some(now);
        let (sender, receiver) = watch::channel(());
        state.flight = Some(receiver.clone());
        drop(state);
        let remote = Arc::clone(self);
        // A task of its own: the request that found it due may go away, and the others still wait for it.
        tokio::spawn(async move {
            let fetched = remote.source.fetch().await;
            remote.land(fetched, now);
            drop(sender);
        });
        Some(receiver)
    }

    fn land(&self, fetched: Result<Vec<u8>, String>, now: SystemTime) {
        let mut state = self.lock();
        state.flight = None;
        let bytes = match fetched {
            Ok(bytes) => bytes,
            Err(problem) => {
                tracing::error!(
                    "the key set cannot be fetched, tokens are refused once its keys are 5 minutes old: {problem}"
                );
                return;
            }
        };
        let content = digest(&SHA256, &bytes);
        if let Some(held) = &mut state.keys
            && held.content.as_ref() == content.as_ref()
        {
            held.confirmed = now;
            return;
        }
        match JwkSet::parse(&bytes) {
            Ok(value) => {
                for warning in value.warnings() {
                    tracing::warn!("fetched key set: {warning}");
                }
                let generation = state
                    .keys
                    .as_ref()
                    .map_or(0, |held| held.loaded.generation + 1);
                let loaded = Arc::new(Loaded { value, generation });
                state.keys = Some(Held {
                    loaded,
                    content,
                    confirmed: now,
                });
            }
            Err(problem) => {
                tracing::error!(
                    "the fetched key set cannot be used, tokens are refused once the old one is 5 minutes old: {problem}"
                );
            }
        }
    }
}

async fn landed(flight: Option<watch::Receiver<()>>) {
    if let Some(mut flight) = flight {
        // Nothing is ever sent; it ends when the sender is dropped.
        while flight.changed().await.is_ok() {}
    }
}
