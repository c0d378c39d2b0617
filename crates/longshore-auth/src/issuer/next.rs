//! The next key: made first, kept by a transaction of whoever asked for it.

use std::time::SystemTime;

use longshore_core::Result;
use longshore_meta::signing_keys::{
    SigningKey, signing_key_distrust, signing_key_put, signing_key_retire,
};
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, Tx};
use tokio::sync::OwnedMutexGuard;

use super::pair::{KeyError, Pair};
use super::ring::Ring;
use super::{Issuer, IssuerError, SKEW, certificate};

/// A key that was made and is not kept yet. While it is there, nobody here makes another.
#[derive(Debug)]
pub struct NextKey {
    row: SigningKey,
    authority: Option<SigningKey>,
    /// The keys before it, which sign until it does.
    before: Vec<String>,
    /// Until when what those signed is good; none: from now on it is not.
    verify_until: Option<i64>,
    _seat: OwnedMutexGuard<()>,
}

impl NextKey {
    /// Its name: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.row.kid
    }

    /// From when on it signs, in microseconds.
    pub fn since(&self) -> i64 {
        self.row.since
    }

    /// Keeps it, and says when those before it end.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn put(&self, tx: &mut Tx<'_>) -> Result<()> {
        if let Some(authority) = &self.authority {
            signing_key_put(tx, authority).await?;
        }
        for kid in &self.before {
            match self.verify_until {
                Some(until) => signing_key_retire(tx, kid, self.row.since, until).await?,
                None => signing_key_distrust(tx, kid, self.row.since).await?,
            };
        }
        signing_key_put(tx, &self.row).await
    }
}

impl Issuer {
    /// Makes a new key, which is to be shown from now on and to sign after the lead; or at once, and then no other key is trusted any
    /// more. [`NextKey::put`] keeps it; [`Issuer::reload`] lets it count here.
    ///
    /// # Errors
    /// It cannot be made.
    pub async fn next_key(
        &self,
        at_once: bool,
        now: SystemTime,
    ) -> std::result::Result<NextKey, IssuerError> {
        let seat = self.changing.clone().lock_owned().await;
        let ring = self.load(now).await?;
        self.make(&ring, at_once, now, seat).await
    }

    /// All of that at once.
    ///
    /// # Errors
    /// It cannot be made or kept.
    pub async fn rotate(
        &self,
        at_once: bool,
        now: SystemTime,
    ) -> std::result::Result<(), IssuerError> {
        let next = self.next_key(at_once, now).await?;
        self.keep(next).await?;
        self.reload(now).await
    }

    /// Reads the keys again.
    ///
    /// # Errors
    /// They cannot be read or opened; those in memory go on.
    pub async fn reload(&self, now: SystemTime) -> std::result::Result<(), IssuerError> {
        let _seat = self.changing.lock().await;
        self.ring.store(self.load(now).await?.into());
        Ok(())
    }

    /// Keeps a key by a transaction of its own.
    pub(super) async fn keep(&self, next: NextKey) -> std::result::Result<(), IssuerError> {
        self.db
            .write(Durability::Power, next, |tx, next| Box::pin(next.put(tx)))
            .await?;
        Ok(())
    }

    /// The next key. The first signs at once: there is nobody yet who could not know it. One that signs at once comes since another is
    /// in wrong hands, and nobody says which: none before it is trusted any more, also not one that signs no more or not yet.
    pub(super) async fn make(
        &self,
        ring: &Ring,
        at_once: bool,
        now: SystemTime,
        seat: OwnedMutexGuard<()>,
    ) -> std::result::Result<NextKey, IssuerError> {
        let since = match ring.latest() {
            Some(_) if !at_once => now + self.options.lead,
            _ => now,
        };
        let algorithm = self.options.algorithm;
        let pair = tokio::task::spawn_blocking(move || Pair::generate(algorithm))
            .await
            .map_err(|_| KeyError)??;
        let (authority, made) = self.authority(now).await?;
        let row = self.row(
            &pair,
            algorithm.name(),
            certificate::certify(&pair, &authority, now)?,
            (now, since),
        )?;
        let before = ring
            .all()
            .iter()
            .filter(|signer| at_once || signer.until.is_none_or(|until| until > since))
            .map(|signer| signer.key.thumbprint.clone())
            .collect();
        tracing::info!(
            algorithm = algorithm.name(),
            "a new key signs tokens, now or soon"
        );
        let after = micros(since).saturating_add(span(self.options.token_ttl + SKEW));
        Ok(NextKey {
            verify_until: (!at_once).then_some(after),
            row,
            authority: made,
            before,
            _seat: seat,
        })
    }
}
