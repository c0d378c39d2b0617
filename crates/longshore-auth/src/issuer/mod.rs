//! Signing tokens: keys that are made at the first start, kept sealed, shown to verifiers, and changed without anybody
//! noticing.
//!
//! A new key is shown before it signs (`lead`), so that verifiers that fetch keys have it by then; the old one signs
//! until that moment and is trusted for as long as a token of its may live. Where a key is in wrong hands the next signs at once, and no
//! other is trusted any more. All of it is rows, so that every node of an
//! index knows the same keys; in memory is what the next token needs.

mod certificate;
mod next;
mod options;
mod pair;
mod ring;
mod sealing;
#[cfg(test)]
mod tests;
mod witness;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use longshore_core::Error;
use longshore_meta::signing_keys::{SigningKey, signing_key_erase, signing_key_list};
use longshore_meta::time::micros;
use longshore_meta::{Db, Durability};

use self::pair::{KeyError, Pair};
use self::ring::{Ring, Signer};
use crate::token::keys::Keys;

pub use self::next::NextKey;
pub use self::options::{IssuerError, KeyOptions, ShownKey};
pub use self::pair::SigningAlgorithm;
pub use self::ring::KidForm;
pub use self::sealing::{SealError, SealingKey};
pub use self::witness::Witnesses;

/// What a key's private half is sealed for.
const PURPOSE: &str = "signing key";
/// The name of the authority's algorithm in its row.
const AUTHORITY: &str = "CA";
/// How far the clocks of verifiers may differ.
const SKEW: Duration = Duration::from_mins(2);

/// Signs tokens.
pub struct Issuer {
    db: Db,
    sealing: Arc<SealingKey>,
    options: KeyOptions,
    ring: ArcSwap<Ring>,
    generation: AtomicU64,
    /// One change at a time.
    changing: Arc<tokio::sync::Mutex<()>>,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Issuer").field(&self.ring).finish()
    }
}

fn time(micros: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros.try_into().unwrap_or(0))
}

impl Issuer {
    /// Whether this database holds keys that some sealing key belongs to.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn has_keys(db: &Db, now: SystemTime) -> Result<bool, Error> {
        let rows = db
            .read(&micros(now), |tx, now| Box::pin(signing_key_list(tx, *now)))
            .await?;
        Ok(!rows.is_empty())
    }

    /// Reads the keys, and makes those that are missing.
    ///
    /// # Errors
    /// They cannot be read, opened, made or kept.
    pub async fn open(
        db: Db,
        sealing: Arc<SealingKey>,
        options: KeyOptions,
        now: SystemTime,
    ) -> Result<Self, IssuerError> {
        let issuer = Issuer {
            db,
            sealing,
            options,
            ring: ArcSwap::from_pointee(Ring::new(Vec::new(), String::new(), 0, now)),
            generation: AtomicU64::new(0),
            changing: Arc::default(),
        };
        issuer.tend(now).await?;
        Ok(issuer)
    }

    /// Reads the keys again, makes the next one when it is time, and erases what is needed no more. To be called every
    /// minute or so.
    ///
    /// # Errors
    /// The keys cannot be read, opened, made or kept; those in memory go on.
    pub async fn tend(&self, now: SystemTime) -> Result<(), IssuerError> {
        let seat = self.changing.clone().lock_owned().await;
        let ring = self.load(now).await?;
        let is_due = match ring.latest() {
            None => true,
            Some(latest) => {
                latest.pair.algorithm() != self.options.algorithm
                    || now >= latest.since + self.options.rotate_every
            }
        };
        if is_due {
            let next = self.make(&ring, false, now, seat).await?;
            self.keep(next).await?;
            self.reload(now).await?;
        } else {
            self.ring.store(Arc::new(ring));
            drop(seat);
        }
        self.db
            .write(Durability::Process, micros(now), |tx, now| {
                Box::pin(signing_key_erase(tx, *now))
            })
            .await?;
        Ok(())
    }

    async fn load(&self, now: SystemTime) -> Result<Ring, IssuerError> {
        let rows = self
            .db
            .read(&micros(now), |tx, now| Box::pin(signing_key_list(tx, *now)))
            .await?;
        let mut signers = Vec::new();
        let mut authority = String::new();
        for row in rows {
            if row.algorithm == AUTHORITY {
                authority = row.certificate;
                continue;
            }
            let algorithm = SigningAlgorithm::by_name(&row.algorithm).ok_or(KeyError)?;
            let pair = Pair::from_pkcs8(algorithm, &self.sealing.unseal(PURPOSE, &row.sealed)?)?;
            let times = (
                time(row.since),
                row.until.map(time),
                row.verify_until.map(time),
            );
            let form = (self.options.kid, self.options.x5c);
            signers.push(Signer::new(pair, row.certificate, times, form)?);
        }
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) + 1;
        let old = self.ring.load();
        let mut ring = Ring::new(signers, authority, generation, now);
        // What was checked with the same keys stays checked.
        let names = |ring: &Ring| -> Vec<String> {
            let all = ring.all().iter();
            all.map(|signer| signer.key.thumbprint.clone()).collect()
        };
        if names(&old) == names(&ring) && !ring.all().is_empty() {
            ring.generation = old.generation;
        }
        Ok(ring)
    }

    /// The authority, and its row where it was made now.
    async fn authority(&self, now: SystemTime) -> Result<(Pair, Option<SigningKey>), IssuerError> {
        let rows = self
            .db
            .read(&micros(now), |tx, now| Box::pin(signing_key_list(tx, *now)))
            .await?;
        if let Some(row) = rows.iter().find(|row| row.algorithm == AUTHORITY) {
            let der = self.sealing.unseal(PURPOSE, &row.sealed)?;
            return Ok((Pair::from_pkcs8(SigningAlgorithm::Es256, &der)?, None));
        }
        let pair = Pair::generate(SigningAlgorithm::Es256)?;
        let row = self.row(
            &pair,
            AUTHORITY,
            certificate::authority(&pair, now)?,
            (now, now),
        )?;
        Ok((pair, Some(row)))
    }

    fn row(
        &self,
        pair: &Pair,
        algorithm: &str,
        certificate: String,
        (created, since): (SystemTime, SystemTime),
    ) -> Result<SigningKey, IssuerError> {
        let spki = pair.spki()?;
        let key = crate::token::key::Key::from_spki(&spki).map_err(|_| KeyError)?;
        Ok(SigningKey {
            kid: key.thumbprint,
            algorithm: algorithm.to_owned(),
            public: pem("PUBLIC KEY", &spki),
            certificate,
            sealed: self.sealing.seal(PURPOSE, &pair.pkcs8()?)?,
            created: micros(created),
            since: micros(since),
            until: None,
            verify_until: None,
        })
    }

    /// A token with these claims, a JSON object.
    ///
    /// # Errors
    /// There is no key, or the library refuses.
    pub fn sign(&self, claims: &[u8], now: SystemTime) -> Result<String, IssuerError> {
        let ring = self.ring.load();
        let signer = ring.signer(now).ok_or(KeyError)?;
        Ok(signer.token(claims)?)
    }

    /// What verifiers may trust, as a JWK set.
    pub fn jwks(&self) -> Arc<str> {
        self.ring.load().jwks()
    }

    /// What verifiers may trust, as PEM certificates: the authority's first.
    pub fn certificates(&self) -> Arc<str> {
        self.ring.load().certificates()
    }

    /// All keys, for their operator.
    pub fn keys(&self, now: SystemTime) -> Vec<ShownKey> {
        let ring = self.ring.load();
        let signs = ring.signer(now).map(|signer| &signer.key.thumbprint);
        let shown = ring.all().iter().map(|signer| ShownKey {
            kid: signer.key.thumbprint.clone(),
            libtrust: signer.key.libtrust.clone(),
            algorithm: signer.pair.algorithm().name(),
            since: signer.since,
            until: signer.until,
            verify_until: signer.verify_until,
            signs: signs == Some(&signer.key.thumbprint),
        });
        shown.collect()
    }

    /// The trusted keys of now, for checking tokens in this process.
    pub(crate) fn trusted(&self) -> OwnKeys {
        OwnKeys(self.ring.load_full())
    }
}

/// The issuer's own keys at one moment.
#[derive(Debug, Clone)]
pub(crate) struct OwnKeys(Arc<Ring>);

impl OwnKeys {
    pub(crate) fn keys(&self) -> &Keys {
        &self.0.trusted
    }

    pub(crate) fn generation(&self) -> u64 {
        self.0.generation
    }
}

/// DER as PEM (RFC 7468).
fn pem(kind: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {kind}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    pem.push_str("-----END ");
    pem.push_str(kind);
    pem.push_str("-----\n");
    pem
}
