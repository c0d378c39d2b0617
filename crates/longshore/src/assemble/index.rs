//! The index of this node, where it has one.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::future::BoxFuture;
use longshore_auth::directory::ldap::Ldap;
use longshore_auth::directory::{Directories, Directory};
use longshore_auth::index::{Index, IndexOptions, Sources};
use longshore_auth::issuer::{Issuer, KeyOptions, SealingKey};
use longshore_auth::provider::Web;
use longshore_auth::provider::oidc::Oidc;
use longshore_auth::rights::Sight;
use longshore_auth::smtp::Smtp;
use longshore_core::error::Chain;
use longshore_hub::arrivals::Arrivals;
use longshore_hub::mail::{Post, PostOptions};
use longshore_hub::moving::Follower;
use longshore_hub::pushes::{By, Deleted};
use longshore_hub::{Desk, Hub, Reads, beginning, pushes};
use longshore_meta::time::micros;
use longshore_meta::{Db, Tx};
use longshore_spec::name::RepoName;
use longshore_store::{Collection, NewRepo, Store, What};
use tokio_util::sync::CancellationToken;

use super::login::auth_limits;
use super::past::past;
use super::{Parts, now};
use crate::config::{self, Auth, Config, Roles};

/// How often keys, secrets and the audit log are looked after.
const EVERY: Duration = Duration::from_mins(1);
/// How often the audit log is signed where something was added. What is not signed can be taken away without a trace.
const SEAL_EVERY: Duration = Duration::from_secs(10);
/// The file that says up to where it is signed.
const HEAD: &str = "audit.head";
/// How often what was read is written into the audit log.
const READS_EVERY: Duration = Duration::from_secs(10);

/// Opens the index over the database, with its use cases. At the first start it makes its keys.
///
/// # Errors
/// The key of the index is missing, or not the one that belongs to the database.
pub async fn index(
    config: &Config,
    parts: &Parts,
    collection: &Collection,
) -> anyhow::Result<Option<Hub>> {
    let Auth::Index(settings) = &config.auth else {
        return Ok(None);
    };
    let (path, db) = (settings.key_file.clone(), &parts.db);
    // Where nothing was sealed yet, a key may be made; else one that is made now would open nothing.
    let first = !Issuer::has_keys(db, now()).await?;
    let sealing = tokio::task::spawn_blocking(move || SealingKey::open(&path, first))
        .await?
        .context("the key of the index")?;
    let keys = &settings.keys;
    let options = IndexOptions {
        services: keys.services.clone(),
        sight: match images_at(config) {
            Some(_) => Sight::Elsewhere,
            None => Sight::Here,
        },
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
        passwords: settings.passwords(),
        limits: auth_limits(&config.limits),
        ..IndexOptions::new(&settings.issuer, &settings.service)
    };
    let sources = sources(settings, db, &sealing)?;
    let index = Index::open_with(db.clone(), Arc::new(sealing), options, sources, now()).await?;
    let names = Arc::new(Names(parts.store.clone()));
    let desk = desk(config, settings)?;
    let past = past(config, parts, collection);
    let hub = Hub::new(index).followed_by(names);
    let hub = hub.with_desk(desk).with_past(past);
    let hub = hub.remembering(config.data.join(HEAD));
    // Before anything is added: what was not signed when the last process ended is looked at now, and signed.
    seal(&hub).await;
    Ok(Some(hub))
}

/// Where the images are of an index that has none, in words; `None` where there is a registry here.
pub fn images_at(config: &Config) -> Option<String> {
    let Auth::Index(settings) = &config.auth else {
        return None;
    };
    let services = &settings.keys.services;
    match settings.keys.roles {
        Roles::Index if services.is_empty() => Some("the registries that trust it".to_owned()),
        Roles::Index => {
            let named: Vec<_> = services.iter().map(|name| format!("`{name}`")).collect();
            Some(named.join(", "))
        }
        Roles::Both | Roles::Registry => None,
    }
}

/// What people who come in need. No mail server is asked yet: it may start after us.
fn desk(config: &Config, settings: &config::Index) -> anyhow::Result<Desk> {
    let post = match &settings.mail {
        None => None,
        Some(mail) => {
            let smtp = Smtp::new(mail.smtp.clone()).context("index.mail")?;
            let options = PostOptions {
                smtp,
                from: mail.from.clone(),
                server: mail.server.clone(),
                base: mail.base.clone(),
            };
            let post =
                Post::new(options).map_err(|why| anyhow::anyhow!("index.mail.from: {why}"))?;
            Some(post)
        }
    };
    let asks = config.limits.account_requests.get();
    Ok(Desk::new(post, settings.keys.sign_up_without_mail, asks))
}

/// Sends mail until told to stop. What is on its way then is sent again by the next start, if it was not taken.
pub async fn send_mail(hub: Hub, stop: CancellationToken) {
    if let Err(error) = hub.post_begin(now()).await {
        tracing::warn!(error = %Chain(&error), "mail that waits could not be made due; it is sent some minutes later");
    }
    let mut failures = 0;
    while stop
        .run_until_cancelled(hub.post(now, &mut failures))
        .await
        .is_some()
    {}
}

/// The store remembers repositories by their names.
#[derive(Debug)]
struct Names(Store);

impl Follower for Names {
    fn names_changed(&self, names: &[RepoName]) {
        self.0.names_changed(names);
    }
}

/// What belongs to the making of a repository where there is an index.
pub(super) fn born<'t>(
    tx: &'t mut Tx<'_>,
    new: &'t NewRepo,
) -> BoxFuture<'t, longshore_core::Result<()>> {
    Box::pin(async move { beginning::born(tx, (new.id, &new.name), &who(&new.by)).await })
}

/// What belongs to a deletion where there is an index.
pub(super) fn gone<'t>(
    tx: &'t mut Tx<'_>,
    gone: &'t longshore_store::Deleted,
) -> BoxFuture<'t, longshore_core::Result<()>> {
    Box::pin(async move {
        let (by, digest) = (who(&gone.by), gone.what.digest().to_string());
        let what = match &gone.what {
            What::Tag(tag, _) => Deleted::Tag(tag.as_str(), &digest),
            What::Manifest(_, tags, count) => Deleted::Manifest(&digest, tags, *count),
            What::Blob(_) => Deleted::Blob(&digest),
        };
        pushes::deleted(tx, &gone.repo, what, &by).await
    })
}

fn who(by: &longshore_store::By) -> By {
    By {
        actor: by.actor.clone(),
        origin: by.origin,
        request: by.request,
        now: by.now,
    }
}

/// Where people and machines are known besides here. Nothing is asked yet: it may start after us.
fn sources(settings: &config::Index, db: &Db, sealing: &SealingKey) -> anyhow::Result<Sources> {
    let keys = &settings.keys;
    let mut list: Vec<Arc<dyn Directory>> = Vec::new();
    let mut rules = BTreeMap::new();
    for ldap in &settings.ldap {
        let name = &ldap.options.name;
        let directory =
            Ldap::new(ldap.options.clone()).with_context(|| format!("index.ldap.{name}"))?;
        list.push(Arc::new(directory));
        rules.insert(format!("ldap:{name}"), ldap.rules.clone());
    }
    let directories = (!list.is_empty())
        .then(|| Directories::new(list))
        .transpose()?;
    let web = Web::new(&keys.outbound_allowed, keys.outbound_ca_file.as_deref());
    let web = web.context("index.outbound_allowed, index.outbound_ca_file")?;
    let key = sealing.derive("tickets of login providers")?;
    let mut providers = Vec::new();
    for oidc in &settings.oidc {
        let (name, issuer) = (&oidc.options.name, &oidc.options.issuer);
        let provider = Oidc::new(oidc.options.clone(), web.clone(), &key);
        providers.push(provider.with_context(|| format!("index.oidc.{name}"))?);
        rules.insert(issuer.clone(), oidc.rules.clone());
    }
    Ok(Sources {
        directories,
        reception: Some(Arc::new(Arrivals::new(db.clone(), rules))),
        providers,
        web: Some(web),
    })
}

/// Looks after the keys and secrets of the index and its audit log until told to stop; what was done last is signed then.
pub async fn tend_index(hub: Hub, keep: Duration, reads: Option<Reads>, stop: CancellationToken) {
    let tended = async {
        let mut ticks = tokio::time::interval(EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            hub.index().tend(now()).await;
            hub.tend(keep, now()).await;
        }
    };
    let written = async {
        let Some(reads) = &reads else { return };
        let mut ticks = tokio::time::interval(READS_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            write_reads(&hub, reads).await;
        }
    };
    let sealed = async {
        let mut ticks = tokio::time::interval(SEAL_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            seal(&hub).await;
        }
    };
    tokio::join!(tended, written, sealed);
}

/// Writes the rest into the audit log and who was seen last, and signs the log, when nothing is done here any more.
pub async fn end_index(hub: &Hub, reads: Option<&Reads>) {
    if let Some(reads) = reads {
        write_reads(hub, reads).await;
    }
    if let Err(error) = hub.refusals_tell(micros(now()), true).await {
        tracing::warn!(error = %Chain(&error), "how often things were refused could not be written into the audit log");
    }
    if let Err(error) = hub.turned_write(now()).await {
        tracing::warn!(error = %Chain(&error), "who was turned away could not be written into the audit log");
    }
    hub.index().seen_write().await;
    seal(hub).await;
    hub.audit_tell().await;
}

async fn seal(hub: &Hub) {
    if let Err(error) = hub.audit_seal(now()).await {
        tracing::error!(error = %Chain(&error), "the audit log could not be signed; trying again in ten seconds, or at the next start");
    }
}

/// Writes what was read until now into the audit log; what cannot be written waits.
async fn write_reads(hub: &Hub, reads: &Reads) {
    if let Err(error) = hub.reads_write(reads, now()).await {
        tracing::warn!(error = %Chain(&error), "what was read could not be written into the audit log; trying again in ten seconds");
    }
}

/// What notes reads, where the configuration wants them in the audit log.
pub fn reads(config: &Config) -> Option<Reads> {
    let Auth::Index(settings) = &config.auth else {
        return None;
    };
    NonZeroU32::new(settings.keys.audit_reads).map(Reads::new)
}
