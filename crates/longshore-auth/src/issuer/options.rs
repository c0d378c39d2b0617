//! What an issuer is told, what it shows, and what can be wrong with its keys.

use std::time::{Duration, SystemTime};

use longshore_core::Error;

use super::pair::{KeyError, SigningAlgorithm};
use super::ring::KidForm;
use super::sealing::SealError;

/// How keys are made and named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyOptions {
    /// How tokens are signed.
    pub algorithm: SigningAlgorithm,
    /// By which name tokens call their key.
    pub kid: KidForm,
    /// Whether tokens bring the certificate of their key.
    pub x5c: bool,
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long a key is shown before it signs.
    pub lead: Duration,
    /// The longest life of a token.
    pub token_ttl: Duration,
}

impl Default for KeyOptions {
    fn default() -> Self {
        KeyOptions {
            algorithm: SigningAlgorithm::default(),
            kid: KidForm::default(),
            x5c: false,
            rotate_every: Duration::from_hours(24 * 90),
            lead: Duration::from_mins(10),
            // With the minute that clocks may differ by, five minutes at a registry that knows keys alone.
            token_ttl: Duration::from_mins(4),
        }
    }
}

/// A key as it is shown to its operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// Its identifier in the form of libtrust.
    pub libtrust: String,
    /// How it signs.
    pub algorithm: &'static str,
    /// From when on it signs.
    pub since: SystemTime,
    /// Until when, if that is known.
    pub until: Option<SystemTime>,
    /// Until when what it signed is good, if that is known.
    pub verify_until: Option<SystemTime>,
    /// Whether it is the one that signs now.
    pub signs: bool,
}

/// Why keys cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerError {
    /// The database cannot be read or written.
    #[error("the keys that tokens are signed with cannot be read or kept")]
    Database(#[from] Error),
    /// They were sealed with another key.
    #[error(
        "the keys that tokens are signed with were sealed with another key than the one of `index.key_file`: put the file \
         back that belongs to this database"
    )]
    Sealed(#[from] SealError),
    /// The library refuses.
    #[error("a key that tokens are signed with cannot be made or used")]
    Key(#[from] KeyError),
}
