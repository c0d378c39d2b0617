//! What is to be done now and then: the audit log signed and kept within its time, names forgotten that have rested.

use std::time::{Duration, SystemTime};

use longshore_auth::issuer::Witnesses;
use longshore_core::error::Chain;
use longshore_core::{Code, Error, Result};
use longshore_meta::Durability;
use longshore_meta::devices::device_forget;
use longshore_meta::rests::rest_forget;
use longshore_meta::time::{micros, span};

use crate::audit::Sign;
use crate::devices::KEPT;
use crate::hub::Hub;

/// How many logins of command lines that have ended are forgotten at a time.
const FORGET: usize = 1000;
/// How often a part of the log is forgotten at a time.
const ROUNDS: usize = 10;

/// Signs the audit log with the key that signs tokens now, and verifies with all keys that ever did.
#[derive(Debug)]
pub struct Notary {
    hub: Hub,
    known: Witnesses,
    now: SystemTime,
}

fn no_key(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let what = "the keys that the audit log is signed with cannot be used just now";
    Error::new(Code::Unavailable, what).because(error)
}

impl Sign for Notary {
    fn sign(&self, bytes: &[u8]) -> Result<(String, Vec<u8>)> {
        let issuer = self.hub.index.issuer();
        issuer.attest(bytes, self.now).map_err(no_key)
    }

    fn verify(&self, kid: &str, bytes: &[u8], signature: &[u8]) -> Option<bool> {
        self.known.verify(kid, bytes, signature)
    }
}

impl Hub {
    /// Who signs the audit log, and verifies what was signed.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn notary(&self, now: SystemTime) -> Result<Notary> {
        let known = self.index.issuer().witnesses().await.map_err(no_key)?;
        Ok(Notary {
            hub: self.clone(),
            known,
            now,
        })
    }

    /// Signs the audit log if there is something in it that is not signed: cheap where there is nothing, so that it can be done every few
    /// seconds. What is not signed yet can be taken away without a trace.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn audit_seal(&self, now: SystemTime) -> Result<()> {
        let notary = self.notary(now).await?;
        self.audit_sign(&notary, micros(now)).await.map(drop)
    }

    /// Does what is due at `now`; rows of the audit log are kept for `keep`. To be called every minute or so.
    pub async fn tend(&self, keep: Duration, now: SystemTime) {
        if let Err(error) = self.refusals_tell(micros(now), false).await {
            tracing::warn!(error = %Chain(&error), "how often things were refused could not be written into the audit log");
        }
        if let Err(error) = self.turned_write(now).await {
            tracing::warn!(error = %Chain(&error), "who was turned away could not be written into the audit log");
        }
        if let Err(error) = self.tend_audit(keep, now).await {
            tracing::error!(error = %Chain(&error), "the audit log could not be signed or shortened; trying again in a minute");
        }
        let forgotten = self
            .db
            .write(Durability::Process, micros(now), |tx, now| {
                Box::pin(rest_forget(tx, *now))
            })
            .await;
        if let Err(error) = forgotten {
            tracing::warn!(error = %Chain(&error), "names that have rested could not be forgotten; trying again in a minute");
        }
        self.tend_invitations(now).await;
        self.tend_devices(now).await;
    }

    async fn tend_devices(&self, now: SystemTime) {
        let forgotten = self
            .db
            .write(Durability::Process, micros(now), |tx, now| {
                Box::pin(device_forget(tx, now.saturating_sub(span(KEPT)), FORGET))
            })
            .await;
        if let Err(error) = forgotten {
            tracing::warn!(error = %Chain(&error), "logins of command lines that have ended could not be forgotten; trying again in a minute");
        }
    }

    async fn tend_audit(&self, keep: Duration, now: SystemTime) -> Result<()> {
        self.audit_seal(now).await?;
        let notary = self.notary(now).await?;
        for _ in 0..ROUNDS {
            let before = micros(now).saturating_sub(span(keep));
            if self.audit_trim(&notary, before).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}
