//! Second factors: what is kept of one, and logins that bring a code.
//!
//! A code is accepted once, by whatever node: the statement that keeps its step is the one that decides. A recovery code is
//! used up by the statement that finds it. Making and taking away factors is a use case above this crate, of which the parts
//! that need keys are here.

use std::net::IpAddr;
use std::time::SystemTime;

use longshore_core::{Error, Result};
use longshore_meta::factors::{factor_get, factor_step, recovery_take};
use longshore_meta::principals::PrincipalId;
use longshore_meta::{Durability, Tx};
use zeroize::Zeroizing;

use super::known::Known;
use super::{Index, unavailable};
use crate::checked::throttled;
use crate::header::check_basic;
use crate::identity::Refusal;
use crate::issuer::SealError;
use crate::totp::{NoRandom, RecoveryCodes, TotpSecret, recovery_hash};

/// What secrets of second factors are sealed for.
const PURPOSE: &str = "second factor ";

/// Why a second factor cannot be begun.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// There are no random numbers.
    #[error(transparent)]
    Random(#[from] NoRandom),
    /// It cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl From<FactorError> for Error {
    fn from(error: FactorError) -> Self {
        Error::internal(error)
    }
}

impl Index {
    /// A new secret for somebody's second factor, and what is to be kept of it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new_factor(
        &self,
        who: PrincipalId,
    ) -> std::result::Result<(TotpSecret, Vec<u8>), FactorError> {
        let secret = TotpSecret::make()?;
        let purpose = format!("{PURPOSE}{who}");
        let sealed = self.0.sealing.seal(&purpose, secret.as_bytes())?;
        Ok((secret, sealed))
    }

    /// New recovery codes, and what is to be kept of them.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn new_recovery_codes(
        &self,
    ) -> std::result::Result<(RecoveryCodes, Vec<[u8; 32]>), FactorError> {
        let codes = RecoveryCodes::make()?;
        let hashes = codes.hashes(&self.0.secrets);
        Ok((codes, hashes))
    }

    /// The step for which `code` is good, if it is later than `last`; none as well where what was kept is another's.
    pub fn factor_code(
        &self,
        who: PrincipalId,
        sealed: &[u8],
        code: &str,
        last: Option<u64>,
        now: SystemTime,
    ) -> Option<u64> {
        let plain = self.0.sealing.unseal(&format!("{PURPOSE}{who}"), sealed);
        let Ok(plain) = plain else {
            tracing::error!(%who, "a second factor cannot be opened: it was sealed with another key");
            return None;
        };
        TotpSecret::from_bytes(&plain)?.check(code, last, now)
    }

    /// Takes a code or a recovery code of somebody's, as part of a transaction. False when it is none, or was used.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn factor_take(
        &self,
        tx: &mut Tx<'_>,
        who: PrincipalId,
        code: &str,
        now: SystemTime,
    ) -> Result<bool> {
        let factor = factor_get(tx, who).await?;
        let Some(factor) = factor.filter(|factor| factor.confirmed.is_some()) else {
            return Ok(false);
        };
        if let Some(step) = self.factor_code(who, &factor.sealed, code, Some(factor.step), now) {
            return factor_step(tx, who, step).await;
        }
        match recovery_hash(&self.0.secrets, code) {
            Some(hash) => recovery_take(tx, who, &hash).await,
            None => Ok(false),
        }
    }

    /// Who logs in with this name, password and code, where a code can be asked for. Wrong codes count as wrong passwords do.
    ///
    /// # Errors
    /// One of them is wrong, or nobody may try just now.
    pub async fn login_with_code(
        &self,
        user: &str,
        password: Zeroizing<Vec<u8>>,
        code: &str,
        peer: IpAddr,
        now: SystemTime,
    ) -> std::result::Result<Known, Refusal> {
        let looked_at = async {
            let (known, has_factor) = self.password_alone(user, password, peer, now).await?;
            if has_factor {
                let who = PrincipalId(known.principal);
                self.spend_code((user, who), code, peer, now).await?;
            }
            Ok(known)
        };
        let known = looked_at.await;
        self.noted(user, known, peer, now)
    }

    /// Who has this name and password, for somebody who is logged in: what they may do with the password alone they have shown before.
    /// A token is none here, and wrong ones count as at a login.
    ///
    /// # Errors
    /// It is wrong, or nobody may try just now.
    pub async fn confirm_password(
        &self,
        user: &str,
        password: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> std::result::Result<Known, Refusal> {
        let known = self.password_alone(user, password, peer, now).await;
        self.noted(user, known.map(|(known, _)| known), peer, now)
    }

    /// Who logs in by what a form brought, of which nothing was looked at before.
    ///
    /// # Errors
    /// See [`Index::login_with_code`].
    pub async fn login_at_page(
        &self,
        (user, password, code): (&str, Zeroizing<Vec<u8>>, &str),
        peer: IpAddr,
        now: SystemTime,
    ) -> std::result::Result<Known, Refusal> {
        let (user, password) = check_basic(user, password, &self.0.options.limits)?;
        self.login_with_code(&user, password, code.trim(), peer, now)
            .await
    }

    /// Uses up a code or a recovery code of somebody's. Wrong ones count as wrong passwords of `user` do.
    ///
    /// # Errors
    /// It is wrong or was used, or nobody may try just now.
    pub async fn spend_code(
        &self,
        (user, who): (&str, PrincipalId),
        code: &str,
        peer: IpAddr,
        now: SystemTime,
    ) -> std::result::Result<(), Refusal> {
        let throttle = &self.0.checks.throttle;
        let attempt = throttle.begin(user, peer, now).map_err(throttled)?;
        let code = Zeroizing::new(code.to_owned());
        let args = (self.clone(), who, code, now);
        let taken = self
            .0
            .db
            .write(Durability::Power, args, |tx, (index, who, code, now)| {
                Box::pin(index.factor_take(tx, *who, code, *now))
            })
            .await
            .map_err(|error| unavailable(&error))?;
        attempt.end(taken, now);
        if taken {
            Ok(())
        } else {
            Err(Refusal::password("a wrong or used code"))
        }
    }

    /// Whether `user` may try a code now, where the try itself is part of a change.
    ///
    /// # Errors
    /// Too many were wrong.
    pub fn try_code(
        &self,
        user: &str,
        peer: IpAddr,
        now: SystemTime,
    ) -> std::result::Result<(), Refusal> {
        match self.0.checks.throttle.wait(user, peer, now) {
            Some(wait) => Err(throttled(wait)),
            None => Ok(()),
        }
    }

    /// Counts a wrong code of such a change.
    pub fn failed_code(&self, user: &str, peer: IpAddr, now: SystemTime) {
        if let Ok(attempt) = self.0.checks.throttle.begin(user, peer, now) {
            attempt.end(false, now);
        }
    }
}
