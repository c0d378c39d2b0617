//! Sessions of browsers: what a page sends in the place of a password.
//!
//! A session is a secret like others (`lss_`): its keyed hash is kept, it is taken away with its account's password, and void
//! when the account may not act. It ends after a week, or after twelve hours without use.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use longshore_core::Error;
use longshore_meta::Durability;
use longshore_meta::secrets::{
    Kind, NewSecret, secret_count, secret_delete, secret_delete_oldest, secret_find, secret_put,
};
use longshore_meta::time::{micros, span};

use super::known::Known;
use super::secret::{Looks, ShownSecret, hash, looks, prefix};
use super::{Index, TokenError, unavailable};
use crate::identity::Refusal;

/// The longest that a session lives.
pub const SESSION_LIVES: Duration = Duration::from_hours(24 * 7);
/// How long one may be unused. Uses are noted to the hour.
pub const SESSION_IDLE: Duration = Duration::from_hours(12);
/// The most sessions of one user; the oldest goes when there is one more.
const SESSIONS: u64 = 50;

impl Index {
    /// Begins a session of somebody who has just shown who they are. It has a name of its own each time, so that nobody can
    /// have known it before.
    ///
    /// # Errors
    /// It cannot be made or kept.
    pub async fn session_begin(
        &self,
        known: &Known,
        agent: &str,
        now: SystemTime,
    ) -> Result<ShownSecret, TokenError> {
        let secret = ShownSecret::make(Kind::Session)?;
        let new = NewSecret {
            kind: Kind::Session,
            principal: known.principal,
            hash: hash(&self.0.secrets, secret.as_str().as_bytes()),
            label: agent
                .chars()
                .filter(|letter| !letter.is_control())
                .take(100)
                .collect(),
            scope: None,
            expires: Some(micros(now).saturating_add(span(SESSION_LIVES))),
            version: known.version,
        };
        self.0
            .db
            .write(Durability::Power, (new, micros(now)), |tx, (new, now)| {
                Box::pin(async move {
                    let count = secret_count(tx, new.principal, Kind::Session).await?;
                    if let Some(surplus) = (count + 1).checked_sub(SESSIONS)
                        && surplus > 0
                    {
                        secret_delete_oldest(tx, new.principal, Kind::Session, surplus).await?;
                    }
                    secret_put(tx, new, *now).await
                })
            })
            .await?;
        Ok(secret)
    }

    /// Whoever holds a session. 256 bits cannot be guessed, so wrong ones are not counted: a browser that sends one that has
    /// ended must not keep its owner from logging in again.
    ///
    /// # Errors
    /// There is no such, or it has ended.
    pub async fn by_session(
        &self,
        secret: &[u8],
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Known, Refusal> {
        let ended = || Refusal::password("no such session, or it has ended");
        if looks(secret) != Looks::Like(prefix(Kind::Session)) {
            return Err(ended());
        }
        let hash = hash(&self.0.secrets, secret);
        let found = self
            .0
            .db
            .read(&hash, |tx, hash| Box::pin(secret_find(tx, hash)))
            .await
            .map_err(|error| unavailable(&error))?
            .ok_or_else(ended)?;
        let last = found.used.unwrap_or(found.created);
        if micros(now) >= last.saturating_add(span(SESSION_IDLE)) {
            return Err(ended());
        }
        self.by_hash(secret, Kind::Session, peer, now)
            .await?
            .ok_or_else(ended)
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn session_end(&self, secret: &[u8]) -> Result<(), Error> {
        if looks(secret) != Looks::Like(prefix(Kind::Session)) {
            return Ok(());
        }
        let hash = hash(&self.0.secrets, secret);
        self.0
            .db
            .write(Durability::Power, hash, |tx, hash| {
                Box::pin(async move {
                    if let Some(found) = secret_find(tx, hash).await?
                        && found.kind == Kind::Session.number()
                    {
                        secret_delete(tx, found.id, found.principal).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
