//! `longshore serve`: the registry, until it is told to stop.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use longshore_auth::index::secret::ShownSecret;
use longshore_core::error::Chain;
use longshore_http::edge::{self, DeviceEdge, Edge, EdgeOptions, SignInEdge, Site, TokenEdge};
use longshore_http::server::{Address, Server};
use longshore_layout::distribution::Survey;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::assemble;
use crate::assemble::finding::Finding;
use crate::banner;
use crate::config::{Auth, Config, Metrics};
use crate::control::{ControlServer, State};
use crate::sources::Sources;
use crate::takeover;
use crate::telemetry::access::AccessLog;
use crate::telemetry::admin::Admin;
use crate::telemetry::health::Health;
use crate::telemetry::requests::Requests;
use crate::telemetry::traces::Traces;
use crate::telemetry::{log, metrics};

/// Serve the registry.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    sources: Sources,

    /// Keep accounts and give out tokens: nothing can be read or written without a right then.
    #[arg(long)]
    index: bool,

    /// What this node does: `both` keeps accounts and images, `index` accounts and tokens only, `registry` images only, with
    /// the tokens of another node.
    #[arg(long, value_name = "ROLES", value_parser = ["both", "index", "registry"])]
    roles: Option<String>,
}

impl Serve {
    /// The flags of its own, as keys of the configuration.
    fn flags(&self) -> Vec<(&'static str, &'static str, String)> {
        let mut flags = Vec::new();
        if let Some(roles) = &self.roles {
            flags.push(("--roles", "index.roles", roles.clone()));
            let enabled = (roles != "registry").to_string();
            flags.push(("--roles", "index.enabled", enabled));
        }
        if self.index {
            flags.push(("--index", "index.enabled", "true".to_owned()));
        }
        flags
    }
}

/// Runs the registry until SIGINT or SIGTERM.
///
/// # Errors
/// Whatever keeps it from starting, in words for whoever starts it.
pub fn run(
    serve: &Serve,
    variables: &[(String, String)],
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let config = match serve.sources.load_to_serve(variables, serve.flags()) {
        Ok(config) => config,
        Err(problems) => {
            writeln!(err, "{problems}")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    longshore_auth::install_crypto_provider();
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve_until_told(&config))?;
    Ok(ExitCode::SUCCESS)
}

/// Takes as many open files as the system gives: each connection is one, and so is each blob kept open.
fn raise_open_files() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    // With fewer the server works; it only keeps fewer open.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
}

async fn serve_until_told(config: &Config) -> anyhow::Result<()> {
    let traces = Traces::start(&config.tracing)?;
    log::install(&config.log, traces.as_ref())?;
    for note in &config.notes {
        tracing::warn!("{note}");
    }

    // Ports first: they are what is most often taken, and nothing has been touched yet.
    let server = Server::bind(assemble::server_options(config)?).await?;
    let admin = match &config.metrics {
        Some(metrics) => bind_admin(metrics).await?,
        None => None,
    };
    // Files of a login first, for the same reason; the index lies in the database.
    let login = match &config.auth {
        Auth::Index(_) => None,
        _ => Some(assemble::authenticator(config, None).await?),
    };
    let parts = assemble::open(config).await?;
    let collection = assemble::collection(config, &parts);
    let hub = assemble::index(config, &parts, &collection).await?;
    let index = hub.as_ref().map(|hub| hub.index().clone());
    let authenticator = match login {
        Some(login) => login,
        None => assemble::authenticator(config, index.as_ref()).await?,
    };
    let takeover = takeover::begin(&parts.store, &config.data, Survey::default(), false).await?;
    if let Some(hub) = &hub {
        assemble::homes(hub, &parts.store, takeover.as_ref()).await?;
    }

    let meter = assemble::meter();
    let access = config
        .log
        .access
        .then(|| AccessLog::start(config.log.format))
        .transpose()?;
    let requests = Arc::new(Requests::new(&edge::ROUTES));
    let finding = Finding::open(config, &parts).await?;
    let reads = assemble::reads(config);
    let stop = CancellationToken::new();
    let beside = tokio_util::task::TaskTracker::new();
    let edge = Edge::new(
        assemble::tower(config, parts.store.clone(), takeover.clone(), &meter),
        authenticator,
        EdgeOptions {
            finder: Some(finding.finder()),
            ..assemble::edge_options(config)?
        },
        Some(assemble::observer(
            requests.clone(),
            access.clone(),
            finding.pulls(),
            reads.clone(),
            hub.as_ref().map(|hub| hub.turned_away().clone()),
        )),
    );
    let mut site = Site::new(edge.clone());
    if let Some(index) = &index {
        let mut tokens = TokenEdge::new(edge.clone(), index.clone());
        if let Some(hub) = &hub {
            tokens = tokens.with_devices(hub.clone());
        }
        site = site
            .with_tokens(tokens)
            .with_sign_in(SignInEdge::new(edge.clone(), index.clone()));
    }
    if let Some(hub) = &hub {
        site = site
            .with_devices(DeviceEdge::new(edge, hub.clone()))
            .with_neighbour(assemble::api(hub.clone(), finding.finder(), beside.clone()));
        let stop = stop.clone();
        beside.spawn(async move { collection.tend(stop.cancelled()).await });
    }
    if let (Some(hub), Auth::Index(settings)) = (&hub, &config.auth) {
        let keep = settings.keys.audit_time;
        beside.spawn(assemble::tend_index(
            hub.clone(),
            keep,
            reads.clone(),
            stop.clone(),
        ));
        beside.spawn(assemble::send_mail(hub.clone(), stop.clone()));
    }
    let health = Health::new(parts.db.clone(), &config.health);
    let numbers = metrics::Sources {
        requests,
        meter,
        server: server.stats(),
        store: Some(parts.store.clone()),
        access,
        hub: hub.clone(),
    };

    let addresses = server.addresses();
    let admin_addresses = admin.as_ref().map(Server::addresses).unwrap_or_default();
    if let (Some(admin), Some(metrics)) = (admin, &config.metrics) {
        let answers = Admin::new(numbers, health.clone(), &metrics.path);
        let handler = move |_, request| std::future::ready(answers.answer(&request));
        let last = CancellationToken::new();
        beside.spawn({
            let (stop, last) = (stop.clone(), last.clone());
            // Health is to be seen while requests are drained.
            async move {
                stop.cancelled().await;
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                last.cancel();
            }
        });
        beside.spawn(async move {
            admin.run(handler, last).await;
        });
    }
    beside.spawn({
        let (store, stop) = (parts.store.clone(), stop.clone());
        async move { store.tend(stop.cancelled()).await }
    });
    beside.spawn({
        let stop = stop.clone();
        async move { finding.tend(stop).await }
    });
    if let Some(takeover) = takeover {
        let (store, config, hub) = (parts.store.clone(), config.clone(), hub.clone());
        let stop = stop.clone();
        beside.spawn(async move {
            takeover::tend(takeover, store.clone(), config, stop).await;
            if let Some(hub) = hub
                && let Err(error) = assemble::homes(&hub, &store, None).await
            {
                tracing::warn!(error = %Chain(&error), "what was taken over could not be looked through for namespaces; the next start does so");
            }
        });
    }
    // A registry serves all the same where there can be no socket.
    match ControlServer::open(&config.data).await {
        Ok(control) => {
            let state = State {
                config: config.clone(),
                db: parts.db.clone(),
                store: parts.store.clone(),
                hub: hub.clone(),
                started: assemble::now(),
            };
            let stop = stop.clone();
            beside.spawn(async move { control.run(state, stop).await });
        }
        Err(error) => {
            tracing::warn!(error = %Chain(&*error), "no control socket: commands that ask this server, such as `longshore admin status`, will not reach it");
        }
    }
    beside.spawn(probe(health.clone(), config.health.interval, stop.clone()));

    // Before anybody is told that it is ready: a signal that nobody waits for ends the process as it is.
    let signals = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let (told, for_signal) = (stop.clone(), health.clone());
    tokio::spawn(async move { obey_signals(signals, &told, &for_signal).await });

    let setup = match &hub {
        Some(hub) => hub.setup_token(assemble::now()).await?,
        None => None,
    };
    // Nobody may be reading it: a registry serves all the same.
    if let Err(error) = banner::print(
        config,
        &addresses,
        &admin_addresses,
        setup.as_ref().map(ShownSecret::as_str),
        &mut std::io::stdout(),
    ) {
        tracing::warn!(%error, "what is served where could not be printed");
    }
    let drained = server.run(site, stop).await;
    if drained.cut > 0 {
        tracing::warn!(
            connections = drained.cut,
            "requests that did not end in time were cut"
        );
    }
    beside.close();
    beside.wait().await;
    // Requests that were drained have read and done things, too.
    if let Some(hub) = &hub {
        assemble::end_index(hub, reads.as_ref()).await;
    }
    parts.store.close().await?;
    if let Some(traces) = traces {
        traces.flush();
    }
    tracing::info!("stopped; everything acknowledged is on disk");
    Ok(())
}

/// The server of metrics and health. Where nobody chose its address and that is taken, the registry does without.
async fn bind_admin(metrics: &Metrics) -> anyhow::Result<Option<Server>> {
    match Server::bind(assemble::admin_options(&metrics.listen)?).await {
        Ok(server) => Ok(Some(server)),
        Err(error) if *metrics == Metrics::default() => {
            tracing::warn!(error = %Chain(&error), "no metrics and no health checks: set metrics.listen to an address of their own");
            Ok(None)
        }
        Err(error) => {
            Err(error).context("metrics.listen; set another address, or metrics.enabled = false")
        }
    }
}

async fn probe(health: Arc<Health>, every: std::time::Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        health.probe().await;
    }
}

/// Stops in order at the first signal, and at once at the second: what is acknowledged is safe either way.
async fn obey_signals(
    (mut terminate, mut interrupt): (Signal, Signal),
    stop: &CancellationToken,
    health: &Health,
) {
    let mut next = async || {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    };
    let name = next().await;
    tracing::info!(
        "{name}: finishing what is under way, taking nothing new; once more to stop at once"
    );
    health.stop();
    stop.cancel();
    let name = next().await;
    tracing::warn!("{name} again: cutting what is under way");
    std::process::exit(1)
}

/// The address to show a person: one they can type.
pub fn typed(address: &Address) -> String {
    match address {
        Address::Tcp(at) if at.ip().is_unspecified() => format!("localhost:{}", at.port()),
        other => other.to_string(),
    }
}
