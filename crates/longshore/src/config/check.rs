//! Which combinations of values make sense.

use std::path::{Path, PathBuf};

use super::listen::Listen;
use super::problem::{Problem, Problems};
use super::reader::Reader;
use super::settings::Settings;
use super::{Auth, ClientCertificates, Config, Tls, auth, trusted};

/// The configuration `settings` amount to.
///
/// # Errors
/// What the reader noted already, and every combination that makes no sense.
pub(super) fn config(settings: Settings, mut reader: Reader) -> Result<Config, Problems> {
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    let tls = tls(&settings, &reader, &mut problems);
    let database = database(&settings, &reader, &mut problems);
    let auth = match auth::choose(&settings, &reader) {
        Ok(auth) => {
            openness(&settings, &reader, &auth, &mut problems, &mut notes);
            notes.extend(auth::note(&auth));
            auth
        }
        // Whether the server would be open is not known until the login is described rightly.
        Err(found) => {
            problems.extend(found);
            Auth::None
        }
    };
    trusted::note(&settings, &reader, &auth, &mut notes);
    listeners(&settings, &reader, &mut problems);
    http(&settings, &reader, &mut problems);
    limits(&settings, &reader, &mut problems);
    collection(&settings, &reader, &mut problems);
    for problem in problems {
        reader.problem(problem);
    }
    let origins = reader.finish()?;
    let kept = settings.clone();
    Ok(Config {
        listen: settings.place.listen,
        public_url: settings.place.public_url,
        data: settings.place.data,
        open: settings.place.open,
        tls,
        http: settings.http,
        storage: settings.storage,
        gc: settings.gc,
        trash: settings.trash,
        search: settings.search,
        database,
        auth,
        manifests: settings.manifests,
        limits: settings.limits,
        log: settings.log,
        metrics: settings.metrics.enabled.then_some(settings.metrics),
        tracing: settings.tracing,
        health: settings.health,
        notes,
        settings: kept,
        origins,
    })
}

fn tls(settings: &Settings, reader: &Reader, problems: &mut Vec<Problem>) -> Option<Tls> {
    let keys = &settings.tls;
    match (&keys.cert, &keys.key) {
        (Some(cert), Some(key)) => {
            return Some(Tls {
                cert: cert.clone(),
                key: key.clone(),
                minimum: keys.minimum,
                clients: clients(settings, reader, problems),
            });
        }
        (Some(_), None) => problems.push(
            Problem::new(
                reader.place("tls.cert"),
                "`tls.cert` is set but `tls.key` is not",
            )
            .hint("name the file with the private key of the certificate"),
        ),
        (None, Some(_)) => problems.push(
            Problem::new(
                reader.place("tls.key"),
                "`tls.key` is set but `tls.cert` is not",
            )
            .hint("name the file with the certificate and its chain"),
        ),
        (None, None) => {
            let others = [
                "tls.minimum",
                "tls.client_ca",
                "tls.client_auth",
                "tls.client_crl",
            ];
            if let Some(set) = others.into_iter().find(|key| reader.is_set(key)) {
                let what = format!("`{set}` is set but there is no certificate, so no TLS");
                let problem = Problem::new(reader.place(set), what);
                problems.push(problem.hint("set `tls.cert` and `tls.key`"));
            }
        }
    }
    None
}

/// Certificates of clients, where there are authorities for them.
fn clients(
    settings: &Settings,
    reader: &Reader,
    problems: &mut Vec<Problem>,
) -> Option<ClientCertificates> {
    let keys = &settings.tls;
    if let Some(ca) = &keys.client_ca {
        return Some(ClientCertificates {
            ca: ca.clone(),
            auth: keys.client_auth,
            crl: keys.client_crl.clone(),
        });
    }
    let others = ["tls.client_auth", "tls.client_crl"];
    if let Some(set) = others.into_iter().find(|key| reader.is_set(key)) {
        let what = format!(
            "`{set}` is set but `tls.client_ca` is not, so no client is asked for a certificate"
        );
        let problem = Problem::new(reader.place(set), what);
        problems
            .push(problem.hint("name the file with the authorities of your clients' certificates"));
    }
    None
}

/// The file of the database. Only SQLite is spoken here so far.
fn database(settings: &Settings, reader: &Reader, problems: &mut Vec<Problem>) -> PathBuf {
    let default = settings.place.data.join("meta.db");
    let Some(url) = &settings.database.url else {
        return default;
    };
    let at = reader.place("database.url");
    if url.scheme() != "sqlite" {
        problems.push(
            Problem::new(
                at,
                format!(
                    "`database.url` names a {} database; this version has SQLite only",
                    url.scheme()
                ),
            )
            .hint("write sqlite:///path/to/meta.db, or leave it out"),
        );
        return default;
    }
    let path = percent_decoded(url.path());
    match path {
        Some(path) if url.host().is_none() && path.is_absolute() && path.file_name().is_some() => {
            path
        }
        _ => {
            problems.push(
                Problem::new(at, "`database.url` names no file")
                    .hint("three slashes: sqlite:///var/lib/longshore/meta.db"),
            );
            default
        }
    }
}

/// The path of a file URL as a path: `%20` is a blank.
fn percent_decoded(path: &str) -> Option<PathBuf> {
    let url = url::Url::parse(&format!("file://{path}")).ok()?;
    url.to_file_path().ok()
}

fn listeners(settings: &Settings, reader: &Reader, problems: &mut Vec<Problem>) {
    let listen = &settings.place.listen;
    let at = reader.place("listen");
    if listen.is_empty() {
        problems.push(
            Problem::new(at, "`listen` is an empty list, so nobody could connect")
                .hint("leave it out to listen on 127.0.0.1:5000"),
        );
        return;
    }
    for (index, address) in listen.iter().enumerate() {
        if listen
            .iter()
            .take(index)
            .any(|earlier| earlier == address && !any_port(address))
        {
            problems.push(Problem::new(
                at.clone(),
                format!("`listen` names {address} twice"),
            ));
        }
    }
    let metrics = &settings.metrics;
    if metrics.enabled && listen.contains(&metrics.listen) && !any_port(&metrics.listen) {
        let at = reader.place_of_any(&["metrics.listen", "listen"]);
        problems.push(
            Problem::new(
                at,
                format!("`listen` and `metrics.listen` are both {}", metrics.listen),
            )
            .hint("give the metrics a port of their own, or set `metrics.enabled = false`"),
        );
    }
    if !metrics.path.starts_with('/') {
        let at = reader.place("metrics.path");
        problems.push(Problem::new(at, "`metrics.path` must begin with a slash"));
    }
}

/// Whether the system picks the port, so that two of them never collide.
fn any_port(listen: &Listen) -> bool {
    match listen {
        Listen::Everywhere(port) | Listen::Name(_, port) => *port == 0,
        Listen::Address(address) => address.port() == 0,
        Listen::Unix(_) => false,
    }
}

fn openness(
    settings: &Settings,
    reader: &Reader,
    auth: &Auth,
    problems: &mut Vec<Problem>,
    notes: &mut Vec<String>,
) {
    if *auth != Auth::None {
        return;
    }
    let Some(address) = settings
        .place
        .listen
        .iter()
        .find(|listen| !listen.is_local())
    else {
        return;
    };
    let what = format!("{address} can be reached from other machines, and nobody has to log in");
    if settings.place.open {
        notes.push(format!("{what}: whoever reaches it may push and delete"));
        return;
    }
    problems.push(Problem::new(reader.place("listen"), what).hint(
        "keep accounts here (`--index`), configure [auth.htpasswd] or [auth.token], listen on 127.0.0.1, or pass --open if that is what you want",
    ));
}

fn http(settings: &Settings, reader: &Reader, problems: &mut Vec<Problem>) {
    if let Some(prefix) = &settings.http.prefix {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        let whole = prefix.starts_with('/') && prefix.ends_with('/') && prefix.chars().all(plain);
        let steps = Path::new(prefix)
            .components()
            .any(|part| part == std::path::Component::ParentDir);
        if !whole || steps || prefix.contains("//") {
            let at = reader.place("http.prefix");
            problems.push(
                Problem::new(
                    at,
                    "`http.prefix` must be a path that begins and ends with a slash",
                )
                .hint("such as \"/registry/\""),
            );
        }
    }
    let printable = |line: &String| line.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !settings.http.warnings.iter().all(printable) {
        let at = reader.place("http.warnings");
        problems.push(Problem::new(
            at,
            "`http.warnings` may hold lines of printable ASCII only",
        ));
    }
    if let Some(url) = &settings.place.public_url {
        let at = || reader.place("public_url");
        if !matches!(url.scheme(), "http" | "https") {
            problems.push(Problem::new(
                at(),
                "`public_url` must begin with https:// or http://",
            ));
        } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            problems.push(
                Problem::new(at(), "`public_url` must end after the host and port")
                    .hint("a path before /v2/ goes into `http.prefix`"),
            );
        }
    }
    for (path, url) in [
        ("auth.token.realm", &settings.token.realm),
        ("auth.token.jwks_url", &settings.token.jwks_url),
        ("tracing.endpoint", &settings.tracing.endpoint),
    ] {
        if url
            .as_ref()
            .is_some_and(|url| !matches!(url.scheme(), "http" | "https"))
        {
            let what = format!("`{path}` must begin with https:// or http://");
            problems.push(Problem::new(reader.place(path), what));
        }
    }
    if settings.tracing.endpoint.is_none() && settings.tracing.headers.is_some() {
        let at = reader.place("tracing.headers");
        problems.push(Problem::new(
            at,
            "`tracing.headers` is set but `tracing.endpoint` is not, so no traces are sent",
        ));
    }
}

fn collection(settings: &Settings, reader: &Reader, problems: &mut Vec<Problem>) {
    let gc = &settings.gc;
    for (path, what, wrong) in [
        ("gc.interval", "it would never rest", gc.interval.is_zero()),
        (
            "gc.lease",
            "no push could rely on what it is told",
            gc.lease.is_zero(),
        ),
        (
            "gc.pace",
            "nothing would ever be freed; `gc.enabled` turns it off",
            gc.pace.get() <= 0.0,
        ),
    ] {
        if wrong {
            let what = format!("`{path}` is zero, so {what}");
            problems.push(Problem::new(reader.place(path), what));
        }
    }
}

fn limits(settings: &Settings, reader: &Reader, problems: &mut Vec<Problem>) {
    let limits = &settings.limits;
    let mut order = |less: &str, more: &str, holds: bool| {
        if !holds {
            let at = reader.place_of_any(&[less, more]);
            problems.push(Problem::new(at, format!("`{less}` is more than `{more}`")));
        }
    };
    order(
        "limits.header",
        "limits.header_block",
        limits.header <= limits.header_block,
    );
    order(
        "limits.manifest",
        "limits.blob",
        limits.manifest <= limits.blob,
    );
    order(
        "limits.upload_idle",
        "limits.upload_age",
        limits.upload_idle <= limits.upload_age,
    );
    order(
        "limits.failed_login_wait",
        "limits.failed_login_wait_max",
        limits.failed_login_wait <= limits.failed_login_wait_max,
    );
    for (path, unbounded) in [
        (
            "limits.failed_logins_time",
            limits.failed_logins_time.is_zero(),
        ),
        (
            "limits.failed_login_wait",
            limits.failed_login_wait.is_zero(),
        ),
    ] {
        if unbounded {
            let what = format!("`{path}` is zero, so passwords could be guessed without an end");
            problems.push(Problem::new(reader.place(path), what));
        }
    }
    for (path, never) in [
        ("limits.head_time", limits.head_time.is_zero()),
        ("limits.handshake_time", limits.handshake_time.is_zero()),
        ("limits.body_window", limits.body_window.is_zero()),
        ("limits.upload_idle", limits.upload_idle.is_zero()),
        ("limits.manifest", limits.manifest.get() == 0),
        ("limits.blob", limits.blob.get() == 0),
        ("limits.token", limits.token.get() == 0),
        ("limits.password", limits.password.get() == 0),
        ("health.interval", settings.health.interval.is_zero()),
    ] {
        if never {
            let what = format!("`{path}` is zero, so nothing would get through");
            problems.push(Problem::new(reader.place(path), what));
        }
    }
}
