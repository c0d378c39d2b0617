//! What an index is told at start.

use std::time::Duration;

use super::password::Policy;
use crate::issuer::KeyOptions;
use crate::options::Limits;
use crate::rights::Sight;

/// How an index names itself and how long what it gives out lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexOptions {
    /// Its name in tokens (`iss`).
    pub issuer: String,
    /// The name of the registry beside it (`aud`).
    pub service: String,
    /// The names of other registries that trust it.
    pub services: Vec<String>,
    /// Where the content lies of what rights are decided about: elsewhere, where there is no registry beside it.
    pub sight: Sight,
    /// Keys.
    pub keys: KeyOptions,
    /// How long a refresh token lives.
    pub refresh_ttl: Duration,
    /// Whether writes and deletions look at the database for what was revoked, and not at what is at most
    /// [`REVOKED_WITHIN`] old.
    pub strict_revocation: bool,
    /// Which passwords are accepted.
    pub passwords: Policy,
    /// How far clocks may differ.
    pub leeway: Duration,
    /// How much is too much.
    pub limits: Limits,
}

/// How old what is known of a principal may be.
pub const REVOKED_WITHIN: Duration = Duration::from_secs(5);

impl IndexOptions {
    /// An index of this name beside a registry of that name, the rest at its default.
    pub fn new(issuer: impl Into<String>, service: impl Into<String>) -> Self {
        IndexOptions {
            issuer: issuer.into(),
            service: service.into(),
            services: Vec::new(),
            sight: Sight::Here,
            keys: KeyOptions::default(),
            refresh_ttl: Duration::from_hours(24 * 30),
            strict_revocation: false,
            passwords: Policy::default(),
            leeway: Duration::from_mins(1),
            limits: Limits::default(),
        }
    }
}
