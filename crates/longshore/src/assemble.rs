//! From a configuration to the parts of a server: the tower, top to bottom, and the options of each crate.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use http::HeaderMap;
use longshore_blob::{Files, FilesOptions};
use longshore_core::{Children, Registry, Room};
use longshore_http::edge::{EdgeOptions, Network, Pages, Ping, Warnings};
use longshore_http::server;
use longshore_layers::{Behind as _, Meter, NoDeletes, ReadOnly, RightsGate};
use longshore_meta::Db;
use longshore_spec::manifest;
use longshore_store::{self as store, Arriving, Store, Takeover};

use crate::config::{
    Auth, ClientAuth, Config, Durability, Limits, Listen, Pattern, Sparse, TlsVersion,
};
use crate::telemetry::traces;

pub use self::api::api;
pub use self::homes::homes;
pub use self::index::{end_index, images_at, index, reads, send_mail, tend_index};
pub use self::login::authenticator;
pub use self::past::collection;

/// The store, and what it stands on.
#[derive(Debug)]
pub struct Parts {
    /// The metadata.
    pub db: Db,
    /// The registry that keeps things.
    pub store: Store,
}

/// Opens metadata and blobs, and the store over them.
///
/// # Errors
/// The data directory cannot be used, or is in use.
pub async fn open(config: &Config) -> anyhow::Result<Parts> {
    let room = Room::default();
    let files = FilesOptions {
        unsafe_storage: config.storage.unsafe_storage,
        room: Some(room.clone()),
        ..FilesOptions::new(&config.data)
    };
    // The lock of the directory first: it is what keeps two servers from one database.
    let blobs = tokio::task::spawn_blocking(move || Files::open(&files)).await??;
    let path = config.database.clone();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let (reserve, for_db) = (config.storage.reserve.get(), room.clone());
    let db = tokio::task::spawn_blocking(move || Db::open_reserved(&path, reserve, &for_db))
        .await?
        .with_context(|| format!("the database {}", config.database.display()))?;
    let store = Store::open(
        db.clone(),
        Arc::new(blobs),
        store_options(config, room),
        Arc::new(now),
    )
    .await?;
    Ok(Parts { db, store })
}

/// The tower: a request enters at the last line and climbs.
pub fn tower(
    config: &Config,
    store: Store,
    takeover: Option<Takeover>,
    meter: &Arc<Meter>,
) -> Arc<dyn Registry> {
    let mut tower: Arc<dyn Registry> = Arc::new(store);
    if let Some(takeover) = takeover {
        tower = tower.behind(Arriving(takeover));
    }
    if !config.storage.delete {
        tower = tower.behind(NoDeletes);
    }
    if config.storage.read_only {
        tower = tower.behind(ReadOnly);
    }
    // Outermost the meter: refusals are counted too.
    tower.behind(RightsGate).behind(Arc::clone(meter))
}

/// A meter that counts by the process's monotonic clock.
pub fn meter() -> Arc<Meter> {
    let start = Instant::now();
    Arc::new(Meter::new(Box::new(move || start.elapsed())))
}

/// The time, for what has no request to take it from.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary is where time comes in"
)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

fn store_options(config: &Config, room: Room) -> store::Options {
    let limits = &config.limits;
    store::Options {
        durability: match config.storage.durability {
            Durability::Manifest => store::Durability::Manifest,
            Durability::Blob => store::Durability::Blob,
        },
        blob_most: limits.blob.get(),
        manifest: manifest_limits(config),
        index_depth: limits.index_depth.get().into(),
        urls: urls(config),
        manifests: limits.manifests_per_repository.get().into(),
        tags: limits.tags_per_repository.get().into(),
        sessions: count(limits.uploads_per_repository),
        sessions_of_one: count(limits.uploads_per_user),
        push_lease: config.gc.lease,
        leases: !config.storage.read_only,
        gc: collect::options(config),
        room,
        scrub_every: Some(config.storage.scrub_every).filter(|every| !every.is_zero()),
        scrub_rate: config.storage.scrub_rate.get(),
        born: match config.auth {
            Auth::Index(_) => Some(index::born),
            _ => None,
        },
        gone: match config.auth {
            Auth::Index(_) => Some(index::gone),
            _ => None,
        },
        lists_empty: index::images_at(config).is_some(),
        session_idle: limits.upload_idle,
        session_age: limits.upload_age,
        ..store::Options::default()
    }
}

fn urls(config: &Config) -> store::UrlRule {
    let (allow, deny) = (
        config.manifests.url_allow.clone(),
        config.manifests.url_deny.clone(),
    );
    store::UrlRule::new(move |url| {
        let any =
            |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.regex().is_match(url));
        !any(&deny) && (allow.is_empty() || any(&allow))
    })
}

fn manifest_limits(config: &Config) -> manifest::Limits {
    let limits = &config.limits;
    manifest::Limits {
        bytes: size(limits.manifest.get()),
        depth: count(limits.json_depth),
        values: count(limits.json_nodes),
        layers: count(limits.layers),
        children: count(limits.index_manifests),
        annotations: count(limits.annotations),
        unknown_types: config.manifests.unknown_types,
    }
}

/// What the protocol's edge is told.
///
/// # Errors
/// A URL or a prefix cannot be used.
pub fn edge_options(config: &Config) -> anyhow::Result<EdgeOptions> {
    let mut headers = HeaderMap::new();
    for (name, value) in config.http.headers.lines() {
        headers.append(name, value.clone());
    }
    Ok(EdgeOptions {
        public_url: config
            .public_url
            .as_ref()
            .map(|url| url.as_str().parse())
            .transpose()
            .context("public_url")?,
        relative_urls: config.http.relative_urls,
        prefix: config
            .http
            .prefix
            .as_deref()
            .unwrap_or_default()
            .parse()
            .context("http.prefix")?,
        headers,
        warnings: Warnings::new(config.http.warnings.iter().map(String::as_str))
            .context("http.warnings")?,
        trusted_proxies: networks(config)?,
        pages: Pages {
            most: count(config.limits.page),
            unasked: count(config.limits.page_unasked),
            ..Pages::default()
        },
        manifest_limit: size(config.limits.manifest.get()),
        tags_per_push: count(config.limits.tags_per_push),
        requests_per_user: at_most(config.limits.requests_per_user),
        children: match config.manifests.sparse {
            Sparse::None => Children::MustExist,
            Sparse::Indexes => Children::ManifestsMayBeAbsent,
            Sparse::All => Children::MayBeAbsent,
        },
        redirects: false,
        ping: Ping::default(),
        finder: None,
        index: match &config.auth {
            Auth::Token(token) => token.index.as_ref().map(|url| origin(url).into()),
            _ => None,
        },
        images_at: index::images_at(config).map(Into::into),
        span: config
            .tracing
            .endpoint
            .as_ref()
            .map(|_| traces::span as fn(&http::request::Parts, &'static str) -> _),
        now,
    })
}

/// A URL as people write it.
fn origin(url: &url::Url) -> &str {
    url.as_str().trim_end_matches('/')
}

fn networks(config: &Config) -> anyhow::Result<Vec<Network>> {
    let proxies = config.http.trusted_proxies.iter();
    proxies
        .map(|network| network.to_string().parse().context("http.trusted_proxies"))
        .collect()
}

/// What the server of the registry is told.
///
/// # Errors
/// An address has no meaning on this machine.
pub fn server_options(config: &Config) -> anyhow::Result<server::Options> {
    let limits = &config.limits;
    let mut listen = Vec::new();
    for at in &config.listen {
        listen.extend(addresses(at)?);
    }
    let defaults = server::Options::default();
    Ok(server::Options {
        listen,
        tls: config.tls.as_ref().map(|tls| server::Tls {
            at_least: match tls.minimum {
                TlsVersion::V1_2 => server::TlsVersion::V1_2,
                TlsVersion::V1_3 => server::TlsVersion::V1_3,
            },
            clients: tls.clients.as_ref().map(|clients| server::Clients {
                authorities: clients.ca.clone(),
                revoked: clients.crl.clone(),
                required: clients.auth == ClientAuth::Required,
            }),
            ..server::Tls::new(&tls.cert, &tls.key)
        }),
        h2c: config.http.h2c,
        inherit: true,
        announce: true,
        timeouts: timeouts(limits),
        limits: server::Limits {
            request_line: size(limits.target.get()),
            headers: size(limits.header_block.get()),
            header: size(limits.header.get()),
            header_count: count(limits.headers),
            connections: count(limits.connections),
            connections_per_ip: at_most(limits.connections_per_ip),
        },
        h2: server::H2 {
            streams: limits.http2_streams.get(),
            pending_resets: count(limits.http2_resets),
            header_list: u32::try_from(limits.http2_headers.get()).unwrap_or(u32::MAX),
            ..defaults.h2
        },
        drain: config.http.drain_time,
    })
}

fn timeouts(limits: &Limits) -> server::Timeouts {
    let defaults = server::Timeouts::default();
    server::Timeouts {
        head: limits.head_time,
        handshake: limits.handshake_time,
        idle: limits.keep_alive,
        body: server::Floor {
            grace: limits.body_grace,
            window: limits.body_window,
            bytes: limits
                .body_rate
                .get()
                .saturating_mul(limits.body_window.as_secs().max(1)),
            ..defaults.body
        },
        ..defaults
    }
}

/// What the server of metrics and health is told: a few connections, no certificate.
///
/// # Errors
/// The address has no meaning on this machine.
pub fn admin_options(listen: &Listen) -> anyhow::Result<server::Options> {
    Ok(server::Options {
        listen: addresses(listen)?,
        limits: server::Limits {
            connections: 64,
            ..server::Limits::default()
        },
        drain: Duration::from_secs(1),
        ..server::Options::default()
    })
}

fn addresses(listen: &Listen) -> anyhow::Result<Vec<server::Address>> {
    if let Listen::Unix(path) = listen {
        return Ok(vec![server::Address::Unix(path.clone())]);
    }
    let found = listen
        .addresses()
        .with_context(|| format!("listen {listen}"))?;
    // Alternatives, best first: IPv6 for everywhere takes IPv4 along, and is not there on every machine.
    let usable = found
        .iter()
        .find(|at| TcpListener::bind(SocketAddr::new(at.ip(), 0)).is_ok())
        .or(found.first());
    Ok(usable
        .map(|at| server::Address::Tcp(*at))
        .into_iter()
        .collect())
}

fn count(number: std::num::NonZeroU32) -> usize {
    number.get() as usize
}

/// A limit of which 0 means that there is none.
fn at_most(number: u32) -> Option<usize> {
    (number > 0).then_some(number as usize)
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

mod api;
mod collect;
pub mod finding;
mod homes;
mod index;
mod login;
mod observe;
mod past;
#[cfg(test)]
mod tests;

pub use observe::observer;
