//! The loop that empties the outbox.

use std::time::{Duration, SystemTime};

use longshore_auth::index::keep::Wanted;
use longshore_auth::index::secret::ShownSecret;
use longshore_auth::smtp::SmtpError;
use longshore_core::error::Chain;
use longshore_core::{Code, Error, Result};
use longshore_meta::audit::audit_put;
use longshore_meta::invitations::invitation_forget;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::outbox::{
    Mail, mail_count, mail_delete, mail_later, mail_list, mail_next, mail_release, mail_take,
};
use longshore_meta::secrets::Kind;
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, Tx};
use serde_json::json;

use super::Address;
use super::letters::Letter;
use super::post::Post;
use super::prepare::{Prepared, Preparing, Undo, prepare, read, undo};
use super::tasks::{Task, WaitingMail};
use crate::caller::Caller;
use crate::hub::{Hub, entry};
use crate::names::conflict;
use crate::tokens::no_random;

/// Nobody else takes a task out that somebody has for so long: longer than a sending takes.
const LEASE: Duration = Duration::from_mins(3);
/// The first wait after a letter could not be sent; it doubles.
const FIRST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_mins(30);
/// The same where the server takes nothing at all.
const FIRST_OF_ALL: Duration = Duration::from_secs(5);
const LONGEST_OF_ALL: Duration = Duration::from_mins(5);
/// How long nothing is looked for where nobody says that there is something.
const IDLE: Duration = Duration::from_secs(30);
/// How much of why a letter failed is kept, in bytes.
const WHY: usize = 400;
/// How many invitations that have ended are forgotten at a time.
const FORGET: usize = 1000;
/// What the audit log calls a letter that was given up.
const GIVEN_UP: &str = "mail:given-up";

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// There was nothing to send.
    Empty,
    /// Something was dealt with; there may be more.
    Done,
    /// The server takes nothing now.
    Down,
}

/// What the transaction at the end of a try is told.
struct Ending {
    mail: Mail,
    letter: &'static str,
    undo: Option<Undo>,
    outcome: Outcome,
    caller: Caller,
}

#[derive(Debug, Clone)]
enum Outcome {
    Sent,
    Later { due: i64, why: String, counts: bool },
    GivenUp { why: String },
}

fn doubled(first: Duration, longest: Duration, times: i64) -> Duration {
    let times = u32::try_from(times.clamp(0, 16)).unwrap_or(0);
    first.saturating_mul(1 << times).min(longest)
}

impl Hub {
    /// Sends what is due, until there is nothing; then waits until there may be. To be called again and again, by one task; `clock`
    /// says the time. `failures` is the caller's, and begins at 0.
    pub async fn post(&self, clock: impl Fn() -> SystemTime, failures: &mut i64) {
        let Some(post) = self.desk.post.clone() else {
            return std::future::pending().await;
        };
        let wait = match self.post_round(&post, clock()).await {
            Ok(Waited::Done) => {
                *failures = 0;
                return;
            }
            Ok(Waited::Empty) => {
                let next = self.post_next(clock()).await.unwrap_or(IDLE);
                tokio::select! {
                    () = post.woken() => {}
                    () = tokio::time::sleep(next.min(IDLE)) => {}
                }
                return;
            }
            Ok(Waited::Down) => doubled(FIRST_OF_ALL, LONGEST_OF_ALL, *failures),
            Err(error) => {
                tracing::error!(error = %Chain(&error), "the outbox cannot be read or written; trying again");
                doubled(FIRST_OF_ALL, LONGEST_OF_ALL, *failures)
            }
        };
        *failures += 1;
        tokio::time::sleep(wait).await;
    }

    /// Makes due what waits, as the server that had it is gone or was set up anew: at a start.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn post_begin(&self, now: SystemTime) -> Result<()> {
        self.db
            .write(Durability::Process, micros(now), |tx, now| {
                Box::pin(mail_release(tx, *now))
            })
            .await
    }

    /// How long until the next task is due.
    async fn post_next(&self, now: SystemTime) -> Option<Duration> {
        let next = self.db.read(&(), |tx, ()| Box::pin(mail_next(tx))).await;
        let left = next.ok()??.saturating_sub(micros(now));
        Some(Duration::from_micros(u64::try_from(left).unwrap_or(0)))
    }

    /// Deals with the task that has been due for longest.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn post_round(&self, post: &Post, now: SystemTime) -> Result<Waited> {
        let (at, until) = (micros(now), micros(now + LEASE));
        let taken = self
            .db
            .write(Durability::Power, (at, until), |tx, (at, until)| {
                Box::pin(take(tx, *at, *until))
            })
            .await?;
        let (mail, waiting) = taken;
        post.waiting(waiting);
        let Some(mail) = mail else {
            return Ok(Waited::Empty);
        };
        let caller = Caller::program("mail", now);
        let task = read(&mail)?;
        let word = task.word();
        if mail.ends <= at {
            let why = "it waited for too long".to_owned();
            let outcome = Outcome::GivenUp { why };
            return self
                .post_end(post, (mail, word, None), outcome, &caller)
                .await;
        }
        let secret = self.post_secret(&task)?;
        let preparing = Preparing {
            hash: self.index.hash(secret.as_str()),
            mail: mail.clone(),
            task,
            caller: caller.clone(),
        };
        let prepared = self
            .db
            .write(Durability::Power, preparing, |tx, preparing| {
                Box::pin(prepared(tx, preparing))
            })
            .await?;
        let Prepared::Letter(to, letter, undo) = prepared else {
            return Ok(Waited::Done);
        };
        let sent = self
            .post_letter(post, (&to, &letter), &secret, (mail.id, now))
            .await;
        let outcome = match &sent {
            Ok(()) => Outcome::Sent,
            Err(error) => failed(error, &mail, at),
        };
        // What may have arrived stays good.
        let undo = undo.filter(|_| !matches!(sent, Ok(()) | Err(SmtpError::Unanswered)));
        let ended = self
            .post_end(post, (mail, word, undo), outcome, &caller)
            .await?;
        match sent {
            Err(error) if !error.is_of_message() => Ok(Waited::Down),
            _ => Ok(ended),
        }
    }

    /// A secret for a letter, whether it needs one or not.
    fn post_secret(&self, task: &Task) -> Result<ShownSecret> {
        let kind = match task {
            Task::Invite { .. } | Task::SignUp { .. } => Kind::Invitation,
            Task::Confirm { .. } => Kind::Confirmation,
            _ => Kind::Reset,
        };
        let wanted = Wanted {
            kind,
            principal: 0,
            label: String::new(),
            narrow: None,
            expires: None,
        };
        let (secret, _) = self.index.new_secret(wanted).map_err(no_random)?;
        Ok(secret)
    }

    async fn post_letter(
        &self,
        post: &Post,
        (to, letter): (&str, &Letter),
        secret: &ShownSecret,
        stamp: (i64, SystemTime),
    ) -> std::result::Result<(), SmtpError> {
        let message = letter.message(post.head(), to, Some(secret), stamp);
        let message = message.map_err(|error| {
            tracing::error!(error = %Chain(&error), "a letter cannot be made");
            SmtpError::Address
        })?;
        post.smtp().send(&post.sender(), to, &message).await
    }

    async fn post_end(
        &self,
        post: &Post,
        (mail, letter, undo): (Mail, &'static str, Option<Undo>),
        outcome: Outcome,
        caller: &Caller,
    ) -> Result<Waited> {
        match &outcome {
            Outcome::Sent => {
                post.count_sent();
                tracing::info!(letter, mail = mail.id, tries = mail.tries, "mail sent");
            }
            Outcome::Later { why, .. } => {
                post.count_deferred();
                tracing::warn!(letter, mail = mail.id, tries = mail.tries, error = %why, "mail could not be sent; it is tried again");
            }
            Outcome::GivenUp { why } => {
                post.count_failed();
                tracing::error!(letter, mail = mail.id, tries = mail.tries, error = %why, "mail is given up");
            }
        }
        let ending = Ending {
            mail,
            letter,
            undo,
            outcome,
            caller: caller.clone(),
        };
        self.db
            .write(Durability::Power, ending, |tx, ending| {
                Box::pin(end(tx, ending))
            })
            .await?;
        Ok(Waited::Done)
    }

    /// Sends a letter to an address now, to see whether that works. It waits for nothing and is tried once.
    ///
    /// # Errors
    /// `ConditionFailed` where there is no mail server, `QueryInvalid` for no address, or what the server says.
    pub async fn mail_test(&self, to: &str, now: SystemTime) -> Result<()> {
        let Some(post) = &self.desk.post else {
            return Err(no_post());
        };
        let to = Address::parse(to)?;
        let message = Letter::Test.message(post.head(), to.as_str(), None, (0, now))?;
        let from = post.sender();
        let sent = post.smtp().send(&from, to.as_str(), &message).await;
        sent.map_err(|error| Error::new(Code::Upstream, error.to_string()))
    }

    /// At most `limit` tasks that wait, with ids after `after`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn mail_waiting(&self, after: i64, limit: usize) -> Result<Vec<WaitingMail>> {
        let args = (after, limit);
        let found = self
            .db
            .read(&args, |tx, (after, limit)| {
                Box::pin(mail_list(tx, *after, *limit))
            })
            .await?;
        let shown = found.into_iter().map(|it| WaitingMail {
            id: it.mail.id,
            letter: read(&it.mail)
                .map_or("unknown", |task| task.word())
                .to_owned(),
            created: it.mail.created,
            due: it.due,
            tries: it.mail.tries,
            why: it.why,
        });
        Ok(shown.collect())
    }

    /// Forgets invitations that have ended.
    pub(crate) async fn tend_invitations(&self, now: SystemTime) {
        let forgotten = self
            .db
            .write(Durability::Process, micros(now), |tx, now| {
                Box::pin(invitation_forget(tx, *now, FORGET))
            })
            .await;
        if let Err(error) = forgotten {
            tracing::warn!(error = %Chain(&error), "invitations that have ended could not be forgotten");
        }
    }
}

/// The answer where mail is needed and there is no server for it.
pub(crate) fn no_post() -> Error {
    conflict(
        "this server sends no mail; ask whoever runs it, who can do this by hand or set `index.mail`",
    )
}

async fn take(tx: &mut Tx<'_>, now: i64, until: i64) -> Result<(Option<Mail>, u64)> {
    let waiting = mail_count(tx, false).await? + mail_count(tx, true).await?;
    Ok((mail_take(tx, now, until).await?, waiting))
}

/// Prepares a task; one of which no letter becomes has ended with that.
async fn prepared(tx: &mut Tx<'_>, of: &Preparing) -> Result<Prepared> {
    let found = prepare(tx, of).await?;
    if matches!(found, Prepared::Nothing) {
        mail_delete(tx, of.mail.id).await?;
    }
    Ok(found)
}

fn failed(error: &SmtpError, mail: &Mail, now: i64) -> Outcome {
    let mut why = error.to_string();
    while why.len() > WHY {
        why.pop();
    }
    let counts = error.is_of_message();
    let wait = if counts {
        doubled(FIRST, LONGEST, mail.tries - 1)
    } else {
        // The whole outbox waits, and then this one goes first.
        Duration::ZERO
    };
    let due = now.saturating_add(span(wait));
    if error.is_final() || due >= mail.ends {
        Outcome::GivenUp { why }
    } else {
        Outcome::Later { due, why, counts }
    }
}

async fn end(tx: &mut Tx<'_>, ending: &Ending) -> Result<()> {
    if let Some(what) = ending.undo {
        undo(tx, what).await?;
    }
    let id = ending.mail.id;
    match &ending.outcome {
        Outcome::Sent => mail_delete(tx, id).await.map(drop),
        Outcome::Later { due, why, counts } => mail_later(tx, id, *due, why, *counts).await,
        Outcome::GivenUp { why } => {
            let detail = json!({ "mail": id, "tries": ending.mail.tries, "why": why });
            let row = entry(
                &ending.caller,
                GIVEN_UP,
                ending.letter.to_owned(),
                NamespaceId(0),
                "failed",
                detail.to_string(),
            );
            audit_put(tx, &row).await?;
            mail_delete(tx, id).await.map(drop)
        }
    }
}
