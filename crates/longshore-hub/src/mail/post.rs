//! The way to the mail server, and how much went there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lettre::message::Mailbox;
use longshore_auth::smtp::Smtp;
use tokio::sync::Notify;

use super::letters::Letterhead;

/// What mail needs.
#[derive(Debug)]
pub struct PostOptions {
    /// The server that takes it.
    pub smtp: Smtp,
    /// From whom it is: an address, or a name and an address in angle brackets.
    pub from: String,
    /// What people call this system: its host.
    pub server: String,
    /// What addresses in letters begin with, without a slash at the end.
    pub base: String,
}

/// The way to the mail server. Cloning copies a pointer.
#[derive(Clone)]
pub struct Post(Arc<Inner>);

struct Inner {
    smtp: Smtp,
    head: Letterhead,
    sent: AtomicU64,
    deferred: AtomicU64,
    failed: AtomicU64,
    waiting: AtomicU64,
    wake: Notify,
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").finish_non_exhaustive()
    }
}

/// How much mail there was since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PostStats {
    /// Letters that the server took.
    pub sent: u64,
    /// Tries that failed and are made again.
    pub deferred: u64,
    /// Letters that were given up.
    pub failed: u64,
    /// Tasks in the outbox, as of the last round.
    pub waiting: u64,
}

impl Post {
    /// # Errors
    /// The sender is none, in words for whoever wrote it.
    pub fn new(options: PostOptions) -> Result<Self, String> {
        let from = sender(&options.from)?;
        Ok(Self(Arc::new(Inner {
            smtp: options.smtp,
            head: Letterhead {
                server: options.server,
                base: options.base,
                from,
            },
            sent: AtomicU64::new(0),
            deferred: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            wake: Notify::new(),
        })))
    }

    /// Whether text can be what letters are from.
    ///
    /// # Errors
    /// Why not.
    pub fn check_sender(text: &str) -> Result<(), String> {
        sender(text).map(drop)
    }

    pub(super) fn head(&self) -> &Letterhead {
        &self.0.head
    }

    pub(super) fn smtp(&self) -> &Smtp {
        &self.0.smtp
    }

    pub(super) fn sender(&self) -> String {
        self.0.head.from.email.to_string()
    }

    /// Says that there may be something to send.
    pub(crate) fn wake(&self) {
        self.0.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.0.wake.notified().await;
    }

    pub(super) fn count_sent(&self) {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_deferred(&self) {
        self.0.deferred.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_failed(&self) {
        self.0.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn waiting(&self, count: u64) {
        self.0.waiting.store(count, Ordering::Relaxed);
    }

    /// How much mail there was since the start.
    pub fn stats(&self) -> PostStats {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        PostStats {
            sent: read(&self.0.sent),
            deferred: read(&self.0.deferred),
            failed: read(&self.0.failed),
            waiting: read(&self.0.waiting),
        }
    }
}

fn sender(text: &str) -> Result<Mailbox, String> {
    if text.chars().any(char::is_control) || text.len() > 320 {
        return Err("it has a control character, or is too long".to_owned());
    }
    let found: Mailbox = text.parse().map_err(|_| {
        "it is no sender: write an address, or \"Name <address@host.example>\"".to_owned()
    })?;
    super::Address::parse(found.email.as_ref()).map_err(|error| error.public().to_owned())?;
    Ok(found)
}
