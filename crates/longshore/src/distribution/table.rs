//! What becomes of each key of Distribution's configuration.
//!
//! The notices at start, the refusals, the names environment variables may use and the page
//! `docs/from-distribution.md` all come from this table.

/// One key, or a whole part of the file that is treated alike.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The dotted path; `[]` stands for each item of a list.
    pub path: &'static str,
    /// What becomes of it.
    pub effect: Effect,
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It works; the text says as what.
    Works(&'static str),
    /// It has no effect, and the text says why that is no harm.
    NoEffect(&'static str),
    /// This is what happens always, and it has no effect to say the opposite; the text says why.
    Always(bool, &'static str),
    /// The start is refused when it says anything; the text says why.
    Refused(&'static str),
    /// The start is refused when it is there at all: `inmemory:` says something by its name.
    RefusedByName(&'static str),
}

const fn works(path: &'static str, as_what: &'static str) -> Row {
    Row {
        path,
        effect: Effect::Works(as_what),
    }
}

const fn no_effect(path: &'static str, why: &'static str) -> Row {
    Row {
        path,
        effect: Effect::NoEffect(why),
    }
}

const fn always(path: &'static str, value: bool, why: &'static str) -> Row {
    Row {
        path,
        effect: Effect::Always(value, why),
    }
}

const fn refused(path: &'static str, why: &'static str) -> Row {
    Row {
        path,
        effect: Effect::Refused(why),
    }
}

const fn by_name(path: &'static str, why: &'static str) -> Row {
    Row {
        path,
        effect: Effect::RefusedByName(why),
    }
}

const OBJECTS: &str =
    "this version keeps blobs in files only; `storage.filesystem` names a directory";
const NO_SUCH_DRIVER: &str = "Distribution 3 has no such storage driver either";
const MIDDLEWARE: &str =
    "there is no middleware, and content would be served another way than it asks for";
const SERVICES: &str =
    "readiness does not hang on other services; watch them where you watch the rest";
const NO_MIRROR: &str = "an empty registry would be served in place of the mirror";
const PROXY_ONLY: &str = "it belongs to `proxy.remoteurl`, which is not set";
const PACED: &str = "readiness is tried with `health.storagedriver.interval`";

/// Every key, in the order of Distribution's own reference.
pub const ROWS: &[Row] = &[
    works("version", "must be `0.1`"),
    works(
        "log.accesslog.disabled",
        "`log.access`, the other way round",
    ),
    works("log.level", "`log.level`"),
    works("log.formatter", "`log.format`; `logstash` becomes `json`"),
    no_effect(
        "log.fields",
        "each line carries its own fields; add fixed ones where logs are collected",
    ),
    no_effect(
        "log.hooks",
        "no mail is sent on errors; watch the logs or the metrics",
    ),
    always(
        "log.reportcaller",
        false,
        "log lines name the module they come from",
    ),
    works("loglevel", "`log.level`, unless `log.level` is there too"),
    works(
        "storage.filesystem.rootdirectory",
        "`data`; images that lie there are taken over at the first start, where they are",
    ),
    no_effect(
        "storage.filesystem.maxthreads",
        "the number of threads follows the machine",
    ),
    by_name("storage.s3", OBJECTS),
    by_name("storage.s3aws", OBJECTS),
    by_name("storage.azure", OBJECTS),
    by_name("storage.gcs", OBJECTS),
    by_name("storage.swift", NO_SUCH_DRIVER),
    by_name("storage.oss", NO_SUCH_DRIVER),
    by_name(
        "storage.inmemory",
        "nothing is kept in memory only; `storage.filesystem` names a directory",
    ),
    works(
        "storage.delete.enabled",
        "`storage.delete`; off unless switched on, as with Distribution",
    ),
    no_effect("storage.redirect.disable", "files are never redirected"),
    no_effect("storage.cache", "the database answers what the cache did"),
    works(
        "storage.maintenance.uploadpurging.age",
        "`limits.upload_idle` and `limits.upload_age`",
    ),
    always(
        "storage.maintenance.uploadpurging.enabled",
        true,
        "unfinished uploads always end, after `limits.upload_age`",
    ),
    no_effect(
        "storage.maintenance.uploadpurging.interval",
        "unfinished uploads end on time, not at intervals",
    ),
    always(
        "storage.maintenance.uploadpurging.dryrun",
        false,
        "unfinished uploads always end, after `limits.upload_age`",
    ),
    works(
        "storage.maintenance.readonly.enabled",
        "`storage.read_only`",
    ),
    no_effect(
        "storage.tag.concurrencylimit",
        "tags are rows of the database and need no parallel look-up",
    ),
    by_name("auth.silly", "it lets in whoever sends any header at all"),
    works("auth.none", "no `[auth]`: everybody may do everything"),
    works("auth.token.realm", "`auth.token.realm`"),
    works(
        "auth.token.service",
        "`auth.token.service`, which is also the audience",
    ),
    works("auth.token.issuer", "`auth.token.issuer`"),
    works("auth.token.rootcertbundle", "`auth.token.keys_file`"),
    works("auth.token.jwks", "`auth.token.jwks_file`"),
    no_effect(
        "auth.token.signingalgorithms",
        "each key has its one way: RSA RS256, P-256 ES256, P-384 ES384, Ed25519 EdDSA; others and shared secrets (HS256) are not taken",
    ),
    always(
        "auth.token.autoredirect",
        false,
        "clients are sent to `realm`",
    ),
    no_effect("auth.token.autoredirectpath", "clients are sent to `realm`"),
    works("auth.htpasswd.realm", "`auth.htpasswd.realm`"),
    works(
        "auth.htpasswd.path",
        "`auth.htpasswd.path`; the file must be there, no user is made up",
    ),
    refused("middleware.registry", MIDDLEWARE),
    refused("middleware.repository", MIDDLEWARE),
    refused("middleware.storage", MIDDLEWARE),
    works(
        "catalog.maxentries",
        "`limits.page`, the smaller of this and `tags.maxtags`",
    ),
    works(
        "tags.maxtags",
        "`limits.page`, the smaller of this and `catalog.maxentries`",
    ),
    works("http.addr", "`listen`"),
    works("http.net", "`tcp` or `unix`"),
    works("http.host", "`public_url`"),
    works("http.prefix", "`http.prefix`"),
    no_effect(
        "http.secret",
        "the state of an upload is kept here and not handed to clients, so it needs no signature",
    ),
    works("http.relativeurls", "`http.relative_urls`"),
    works("http.draintimeout", "`http.drain_time`"),
    works("http.tls.certificate", "`tls.cert`"),
    works("http.tls.key", "`tls.key`"),
    refused(
        "http.tls.clientcas",
        "put the authorities into one file for `tls.client_ca`, and set `tls.client_auth = \"required\"`; without, everybody would be let in",
    ),
    no_effect(
        "http.tls.clientauth",
        "it belongs to `clientcas`, which is not set",
    ),
    works(
        "http.tls.minimumtls",
        "`tls.minimum`; older than 1.2 becomes 1.2",
    ),
    no_effect(
        "http.tls.ciphersuites",
        "only suites without known weakness are offered",
    ),
    refused(
        "http.tls.letsencrypt",
        "certificates are not fetched, so passwords would travel in the clear",
    ),
    works("http.headers", "`http.headers`"),
    always(
        "http.http2.disabled",
        false,
        "HTTP/2 is spoken with clients that ask for it",
    ),
    works("http.h2c.enabled", "`http.h2c`"),
    works(
        "http.debug.addr",
        "`metrics.listen`; without it, metrics and health are not served",
    ),
    always(
        "http.debug.prometheus.enabled",
        true,
        "metrics are served wherever `http.debug.addr` is set",
    ),
    works("http.debug.prometheus.path", "`metrics.path`"),
    always(
        "notifications.events.includereferences",
        false,
        "it belongs to `endpoints`, and none is in use",
    ),
    refused(
        "notifications.endpoints",
        "no events are sent, and whoever waits for them would wait for ever",
    ),
    no_effect("redis", "nothing is kept in Redis"),
    always(
        "health.storagedriver.enabled",
        true,
        "storage is always tried",
    ),
    works("health.storagedriver.interval", "`health.interval`"),
    works("health.storagedriver.threshold", "`health.threshold`"),
    works("health.file[].file", "`health.drain_files`"),
    no_effect("health.file[].interval", PACED),
    no_effect("health.file[].threshold", PACED),
    no_effect("health.http", SERVICES),
    no_effect("health.tcp", SERVICES),
    refused("proxy.remoteurl", NO_MIRROR),
    no_effect("proxy.username", PROXY_ONLY),
    no_effect("proxy.password", PROXY_ONLY),
    no_effect("proxy.exec", PROXY_ONLY),
    no_effect("proxy.ttl", PROXY_ONLY),
    no_effect("proxy.cachewritetimeout", PROXY_ONLY),
    works("validation.enabled", "overrides `validation.disabled`"),
    works(
        "validation.disabled",
        "takes any `urls` and indexes that are not whole",
    ),
    works(
        "validation.manifests.urls.allow",
        "`manifests.url_allow`; with neither `allow` nor `deny`, layers with `urls` are refused, as with Distribution",
    ),
    works("validation.manifests.urls.deny", "`manifests.url_deny`"),
    works(
        "validation.manifests.indexes.platforms",
        "`manifests.sparse`: `none` allows them, `all` and `list` do not",
    ),
    no_effect(
        "validation.manifests.indexes.platformlist",
        "an index must have all it lists, not only some platforms",
    ),
    no_effect(
        "compatibility.schema1",
        "manifests of schema 1 are refused; no client has made them for years",
    ),
    no_effect("reporting", "nothing is reported to other services"),
    refused(
        "policy.repository.classes",
        "repositories have no classes, and content it forbids would be taken",
    ),
];

/// The names Go gives some parts of the file, which environment variables use.
pub const GO_NAMES: [(&str, &str); 5] = [
    ("eventconfig", "events"),
    ("filecheckers", "file"),
    ("httpcheckers", "http"),
    ("tcpcheckers", "tcp"),
    ("mailoptions", "options"),
];

/// The row for exactly `path`.
pub fn row(path: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.path == path)
}

/// The names the table knows right under `path`, without `[]`; none below a row.
pub fn names_under(path: &str) -> impl Iterator<Item = &'static str> {
    let path = path.to_owned();
    ROWS.iter().filter_map(move |row| {
        let rest = if path.is_empty() {
            row.path
        } else {
            row.path.strip_prefix(&path)?.strip_prefix('.')?
        };
        rest.split('.')
            .next()
            .map(|name| name.trim_end_matches("[]"))
    })
}

/// Whether the table has rows below `path`, and `path` names a list.
pub fn is_list(path: &str) -> bool {
    ROWS.iter().any(|row| {
        row.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with("[]"))
    })
}
