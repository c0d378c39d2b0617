//! An index in this process: who somebody is by what is kept here, and tokens that say what they may do.
//!
//! It reads rows and changes few: the notes of last uses, better hashes of the same passwords, refresh tokens, signing
//! keys. [`keep`] has the parts of transactions that make and take back credentials; whoever may do that is decided above.

mod bearer;
mod before;
mod certificate;
mod device;
mod factor;
mod grants;
mod handed;
pub mod keep;
mod keyless;
mod known;
mod login;
mod memory;
mod options;
pub mod password;
pub mod secret;
mod seen;
mod session;
mod sources;
mod token;
mod versions;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::hmac;
use longshore_meta::secrets::secret_delete_expired;
use longshore_meta::time::micros;
use longshore_meta::{Db, Durability};
use longshore_spec::name::RepoName;

use self::memory::{Memory, PULLED, PUSHED};
use self::versions::Versions;
use crate::checked::Checks;
use crate::failures::{Failure, Failures};
use crate::identity::Refusal;
use crate::issuer::{Issuer, IssuerError, SealError, SealingKey};
use crate::options::SetupError;
use crate::outbound::Web;
use crate::provider::keyless::{Keyless, TrustRule};
use crate::provider::oidc::Oidc;
use crate::rights::{Judge, role};

pub use self::device::{DeviceCodes, UserCode, counted_as};
pub use self::factor::FactorError;
pub(crate) use self::grants::common;
pub use self::keyless::{KEYLESS, RULES_OF_ISSUER};
pub use self::known::{Known, Proof};
pub(crate) use self::login::unavailable;
pub use self::login::{ROBOT, SYSTEM, USER, login_name};
pub use self::options::{IndexOptions, REVOKED_WITHIN};
pub use self::session::{SESSION_IDLE, SESSION_LIVES};
pub use self::sources::{Received, Reception, Sources};
pub use self::token::{Ask, Issued, TokenError};

/// How many secrets that have ended are forgotten at a time.
const FORGET: usize = 1000;

/// An index. Cloning copies a pointer.
#[derive(Clone)]
pub struct Index(Arc<Inner>);

struct Inner {
    db: Db,
    options: IndexOptions,
    issuer: Issuer,
    sealing: Arc<SealingKey>,
    sources: Sources,
    keyless: Keyless,
    /// The key of secrets' hashes.
    secrets: hmac::Key,
    checks: Checks,
    failures: Failures,
    seen: seen::SeenLately,
    /// What the password of somebody who does not exist is checked against.
    decoy: Arc<str>,
    versions: Versions,
    /// What strangers pull is decided from.
    strangers: Memory<RepoName>,
    /// What tokens change is decided from, by whose they are; 0: a stranger's.
    bearers: Memory<(i64, RepoName)>,
    judge: Judge,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("issuer", &self.0.options.issuer)
            .finish_non_exhaustive()
    }
}

/// Why an index cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// An option or a file.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The signing keys.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The key of the index.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Password(#[from] password::PasswordError),
}

impl Index {
    /// Opens the index over a database, and makes what is missing.
    ///
    /// # Errors
    /// An option cannot be used, or keys cannot be read, opened, made or kept.
    pub async fn open(
        db: Db,
        sealing: Arc<SealingKey>,
        options: IndexOptions,
        now: SystemTime,
    ) -> Result<Self, IndexError> {
        Self::open_with(db, sealing, options, Sources::default(), now).await
    }

    /// The same, with places where people and machines are known besides here.
    ///
    /// # Errors
    /// See [`Index::open`].
    pub async fn open_with(
        db: Db,
        sealing: Arc<SealingKey>,
        options: IndexOptions,
        sources: Sources,
        now: SystemTime,
    ) -> Result<Self, IndexError> {
        for (option, value) in [("issuer", &options.issuer), ("service", &options.service)] {
            crate::challenge::check_value(option, value)?;
        }
        // The rights that bindings refer to.
        db.write(Durability::Power, micros(now), |tx, now| {
            Box::pin(role::install(tx, *now))
        })
        .await
        .map_err(IssuerError::Database)?;
        let secrets = sealing.hashing("secrets")?;
        let issuer = Issuer::open(db.clone(), Arc::clone(&sealing), options.keys, now).await?;
        let web = match &sources.web {
            Some(web) => web.clone(),
            None => Web::new(&[], None)?,
        };
        let decoy = password::hash(b"nobody has this password")?.into();
        Ok(Index(Arc::new(Inner {
            checks: Checks::new(&options.limits)?,
            judge: Judge::new(db.clone(), options.sight),
            db,
            options,
            issuer,
            sealing,
            sources,
            keyless: Keyless::new(web),
            secrets,
            failures: Failures::default(),
            seen: seen::SeenLately::default(),
            decoy,
            versions: Versions::new(),
            strangers: Memory::of(PULLED),
            bearers: Memory::of(PUSHED),
        })))
    }

    /// What the index is told.
    pub fn options(&self) -> &IndexOptions {
        &self.0.options
    }

    /// The database it lies in.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// Who decides about rights.
    pub fn judge(&self) -> &Judge {
        &self.0.judge
    }

    /// Its keys.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// A login provider, by its name here.
    pub fn provider(&self, name: &str) -> Option<&Oidc> {
        let mut all = self.0.sources.providers.iter();
        all.find(|provider| provider.options().name == name)
    }

    /// The names of all login providers.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        let all = self.0.sources.providers.iter();
        all.map(|provider| provider.options().name.as_str())
    }

    /// Whether a trust rule can be used here.
    ///
    /// # Errors
    /// Why not, in words for whoever wrote it.
    pub fn check_rule(&self, rule: &TrustRule) -> Result<(), String> {
        rule.check(self.0.keyless.web())
    }

    /// What is kept of a secret of this index.
    pub fn hash(&self, secret: &str) -> [u8; 32] {
        secret::hash(&self.0.secrets, secret.as_bytes())
    }

    /// Hashes a password on the few threads that do so.
    ///
    /// # Errors
    /// It is not accepted, or too many wait.
    pub async fn hash_password(
        &self,
        user: &str,
        password: zeroize::Zeroizing<Vec<u8>>,
    ) -> Result<String, password::PasswordError> {
        self.0.options.passwords.check(user, &password)?;
        self.0
            .checks
            .hashing
            .run(move || password::hash(&password))
            .await
            .map_err(|_| password::PasswordError::Hash)?
    }

    /// Whether this version of a principal still holds. `changes`: the request changes something.
    pub(crate) async fn holds(
        &self,
        principal: (i64, i64),
        changes: bool,
        now: SystemTime,
    ) -> Result<bool, Refusal> {
        let fresh = changes && self.0.options.strict_revocation;
        let holds = self.0.versions.holds(&self.0.db, principal, fresh, now);
        holds.await.map_err(|error| unavailable(&error))
    }

    /// Logins that failed since this was asked for the last time, and how many more there were than could be told apart.
    pub fn failures(&self) -> (Vec<Failure>, u64) {
        self.0.failures.take()
    }

    /// Forgets what is remembered of a principal that something was just taken from, so that it counts at once here.
    pub fn forget(&self, principal: i64) {
        self.0.bearers.forget();
        self.0.versions.forget(principal);
    }

    /// The same of everybody, where it is not known from whom, and of what strangers and bearers of tokens may do.
    pub fn forget_all(&self) {
        self.0.strangers.forget();
        self.0.bearers.forget();
        self.0.versions.forget_all();
    }

    /// Looks after keys and secrets that have ended, and notes who was seen. To be called every minute or so.
    pub async fn tend(&self, now: SystemTime) {
        if let Err(error) = self.0.issuer.tend(now).await {
            tracing::error!(error = %longshore_core::error::Chain(&error), "signing keys could not be looked after; those in memory go on");
        }
        self.seen_write().await;
        let forgotten = self
            .0
            .db
            .write(Durability::Process, micros(now), |tx, now| {
                Box::pin(secret_delete_expired(tx, *now, FORGET))
            })
            .await;
        if let Err(error) = forgotten {
            tracing::warn!(error = %longshore_core::error::Chain(&error), "secrets that have ended could not be forgotten");
        }
    }
}
