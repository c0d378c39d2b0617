//! The index of this node, where it has one.

use std::sync::Arc;

use anyhow::Context as _;
use longshore_auth::index::{Index, IndexOptions};
use longshore_auth::issuer::{Issuer, KeyOptions, SealingKey};
use longshore_meta::Db;

use super::login::auth_limits;
use super::now;
use crate::config::{Auth, Config};

/// Opens the index over the database. At the first start it makes its keys.
///
/// # Errors
/// The key of the index is missing, or not the one that belongs to the database.
pub async fn index(config: &Config, db: &Db) -> anyhow::Result<Option<Index>> {
    let Auth::Index(settings) = &config.auth else {
        return Ok(None);
    };
    let path = settings.key_file.clone();
    // Where nothing was sealed yet, a key may be made; else one that is made now would open nothing.
    let first = !Issuer::has_keys(db, now()).await?;
    let sealing = tokio::task::spawn_blocking(move || SealingKey::open(&path, first))
        .await?
        .context("the key of the index")?;
    let keys = &settings.keys;
    let options = IndexOptions {
        services: keys.services.clone(),
        keys: KeyOptions {
            algorithm: settings.algorithm(),
            kid: settings.kid(),
            x5c: keys.x5c,
            rotate_every: keys.rotate_every,
            lead: keys.rotate_lead,
            token_ttl: keys.token_ttl,
        },
        refresh_ttl: keys.refresh_ttl,
        strict_revocation: keys.strict_revocation,
        limits: auth_limits(&config.limits),
        ..IndexOptions::new(&settings.issuer, &settings.service)
    };
    let index = Index::open(db.clone(), Arc::new(sealing), options, now()).await?;
    Ok(Some(index))
}
