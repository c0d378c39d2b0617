//! The sections of the file, but for `[auth]` and `[limits]`: what each key means and is when unset.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::headers::Headers;
use super::key::section;
use super::listen::{Listen, Network};
use super::secret::Secret;
use super::units::ByteSize;
use super::value::{Pattern, Ratio, choice};

fn loopback(port: u16) -> Listen {
    Listen::Address(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port))
}

section! {
    /// Where the registry is and where its data lives.
    Place at "" since "0.1.0" {
        /// Where clients connect: one address or a list. `:5000` means every address of this machine.
        listen: Vec<Listen> = vec![loopback(5000)],
        /// The address clients know the registry by, such as `https://reg.example`. Links in answers
        /// begin with it; when unset they follow the request.
        public_url: Option<Url> = None,
        /// The directory that holds everything stored. A relative path is taken from where the server
        /// is started.
        data: PathBuf = PathBuf::from("longshore-data"),
        /// Allow listening beyond this machine although nobody has to log in: anyone who reaches the
        /// address may then push and delete.
        open: bool = false,
    }
}

choice! {
    /// The oldest TLS version spoken.
    TlsVersion {
        /// TLS 1.2 and newer.
        V1_2 = "1.2",
        /// TLS 1.3 and newer.
        V1_3 = "1.3",
    }
}

choice! {
    /// Whether clients without a certificate are let in.
    ClientAuth {
        /// They are.
        Optional = "optional",
        /// They are not.
        Required = "required",
    }
}

section! {
    /// TLS, spoken on every address of `listen` once a certificate is given. The files are read again
    /// when they change.
    TlsFiles at "tls" since "0.1.0" {
        /// The certificate and its chain, PEM.
        cert: Option<PathBuf> = None,
        /// The private key of the certificate, PEM.
        key: Option<PathBuf> = None,
        /// The oldest TLS version spoken.
        minimum: TlsVersion = TlsVersion::V1_2,
        /// Authorities whose certificates of clients are believed, PEM. Who somebody is by one, rules say
        /// (`longshore admin certificate`); without an index they only keep others out, with `client_auth = "required"`.
        client_ca: Option<PathBuf> = None,
        /// Whether clients without a certificate are let in.
        client_auth: ClientAuth = ClientAuth::Optional,
        /// Lists of what those authorities have revoked, PEM. A certificate of an authority without a list in it is refused.
        client_crl: Option<PathBuf> = None,
    }
}

section! {
    /// How HTTP is spoken.
    Http at "http" since "0.1.0" {
        /// Speak HTTP/2 without TLS too, with clients that begin with it (behind a proxy that does).
        h2c: bool = false,
        /// A path before `/v2/`, such as `/registry/`, for a proxy that gives the registry a part of a site.
        prefix: Option<String> = None,
        /// Send links without scheme and host, so that they hold behind any proxy.
        relative_urls: bool = false,
        /// Headers added to every answer, such as `{ X-Content-Type-Options = "nosniff" }`.
        headers: Headers = Headers::default(),
        /// Lines for the people behind clients, sent with every answer (`Warning`), such as that the
        /// registry moves. Printable ASCII.
        warnings: Vec<String> = Vec::new(),
        /// How long running uploads and downloads may go on after the server is told to stop.
        drain_time: Duration = Duration::from_secs(30),
        /// Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed. From anyone else these
        /// headers are ignored.
        trusted_proxies: Vec<Network> = Vec::new(),
    }
}

choice! {
    /// Where blobs are kept.
    StorageKind {
        /// Files under the data directory.
        Files = "files",
    }
}

choice! {
    /// When pushed bytes are safe from a power cut.
    Durability {
        /// Once the manifest that names them is answered.
        Manifest = "manifest",
        /// Once each blob is answered.
        Blob = "blob",
    }
}

section! {
    /// Where and how blobs are kept.
    Storage at "storage" since "0.1.0" {
        /// Where blobs are kept: `files` under the data directory.
        kind: StorageKind = StorageKind::Files,
        /// What survives a power cut. With `manifest`, an image does once its manifest is answered; the
        /// disk works on its layers meanwhile. With `blob`, each layer does once it is answered, and
        /// pushes are slower. A crash of the server alone loses nothing either way.
        durability: Durability = Durability::Manifest,
        /// Allow a data directory on a file system that cannot keep promises (tmpfs, NFS, 9p, overlay).
        unsafe_storage: bool = false,
        /// Refuse everything that writes.
        read_only: bool = false,
        /// Allow clients to delete tags, manifests and blobs.
        delete: bool = true,
        /// How much of the disk is kept for when it is full, so that deletes go on then. It lies beside the
        /// database, whose log may need 16 MiB of it.
        reserve: ByteSize = ByteSize::mib(32),
        /// How often everything stored is read again, to find damage before somebody needs it. `0` for
        /// never.
        scrub_every: Duration = Duration::from_hours(30 * 24),
        /// How many bytes a second are read for that, at most.
        scrub_rate: ByteSize = ByteSize::mib(32),
    }
}

choice! {
    /// Which manifests without a tag are collected.
    Untagged {
        /// None.
        Keep = "keep",
        /// Parts of an index that was deleted.
        Parts = "parts",
        /// All.
        All = "all",
    }
}

section! {
    /// Removing what nobody needs any more, while the registry is used. See `docs/garbage-collection.md`.
    Gc at "gc" since "0.1.0" {
        /// Collect. Off, nothing is freed but by `longshore gc --now`.
        enabled: bool = true,
        /// How often it is seen whether something is due.
        interval: Duration = Duration::from_mins(1),
        /// How long a client that may push can rely on what it was told is here, before it pushes the manifest.
        lease: Duration = Duration::from_hours(6),
        /// How long a blob stays that no manifest ever needed.
        unreferenced: Duration = Duration::from_hours(24),
        /// How long bytes stay on disk after nobody can see them any more.
        quarantine: Duration = Duration::from_mins(10),
        /// Which manifests without a tag are collected, after `trash.time` without one, or `trash.untagged_time` if
        /// they never had one. `keep`: none, they stay until they are deleted. `parts`: those that never had a tag and
        /// came with an index, or for another manifest, that was deleted. `all`: every one that no index lists.
        untagged: Untagged = Untagged::Parts,
        /// The share of the time that collection may work, so that requests come first. While there are any, it works two or three times a
        /// second for a few milliseconds.
        pace: Ratio = Ratio::QUARTER,
    }
}

section! {
    /// What was deleted or overwritten, to be restored with `longshore admin`.
    Trash at "trash" since "0.1.0" {
        /// How long deleted manifests can be restored. Their bytes are freed afterwards.
        time: Duration = Duration::from_hours(14 * 24),
        /// The same for those that never had a tag.
        untagged_time: Duration = Duration::from_hours(24),
        /// How long it is remembered where tags pointed.
        tag_history: Duration = Duration::from_hours(90 * 24),
    }
}

section! {
    /// What `docker search` and other clients find.
    Search at "search" since "0.1.0" {
        /// Find repositories by what their images say: descriptions, labels, tags, platforms, base images.
        /// Each push is looked at once more for that, a moment later. Otherwise only by their names. Unset, so with an
        /// index (`index.enabled`), and by names without.
        content: Option<bool> = None,
    }
}

section! {
    /// The database of names, tags and links.
    Database at "database" since "0.1.0" {
        /// Where it is: `sqlite:///var/lib/longshore/meta.db`. Unset, `meta.db` in the data directory.
        url: Option<Url> = None,
    }
}

section! {
    /// What manifests are taken.
    Manifests at "manifests" since "0.1.0" {
        /// Take manifests whose `mediaType` is none of OCI's and Docker's. They are stored as they are;
        /// the layers they name in the usual fields must be here like those of an image.
        unknown_types: bool = false,
        /// Which manifests are taken though something they refer to is not here. `none`: everything must be
        /// here. `indexes`: an index may list manifests that are not, as clients need that copy one platform
        /// of an image. `all`: images may lack layers too. A pull of what is not here is answered 404.
        sparse: Sparse = Sparse::Indexes,
        /// Regular expressions for the `urls` of layers kept elsewhere. When any is given, a URL that
        /// matches none is refused.
        url_allow: Vec<Pattern> = Vec::new(),
        /// Regular expressions for the `urls` of layers kept elsewhere that are refused, also when
        /// `url_allow` matches.
        url_deny: Vec<Pattern> = Vec::new(),
    }
}

choice! {
    /// Which manifests may refer to what is not here.
    Sparse {
        /// None.
        None = "none",
        /// Indexes, to manifests.
        Indexes = "indexes",
        /// Indexes to manifests, and images to layers.
        All = "all",
    }
}

choice! {
    /// The least important messages that are logged.
    LogLevel {
        /// Only what needs someone.
        Error = "error",
        /// And what may need someone.
        Warn = "warn",
        /// And what happened.
        Info = "info",
        /// And how.
        Debug = "debug",
        /// And everything.
        Trace = "trace",
    }
}

choice! {
    /// The shape of log lines.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

section! {
    /// What is logged, to standard error.
    Log at "log" since "0.1.0" {
        /// The least important messages that are logged.
        level: LogLevel = LogLevel::Info,
        /// Levels per module, such as `info,longshore_store=debug`, in place of `level`.
        filter: Option<String> = None,
        /// The shape of log lines.
        format: LogFormat = LogFormat::Text,
        /// Log one line for each request.
        access: bool = true,
    }
}

section! {
    /// Metrics and health, on an address of their own.
    Metrics at "metrics" since "0.1.0" {
        /// Serve `/metrics`, `/livez`, `/readyz` and `/debug/health`.
        enabled: bool = true,
        /// Where. Nobody has to log in here, so keep it away from strangers.
        listen: Listen = loopback(5001),
        /// The path of the Prometheus metrics.
        path: String = "/metrics".to_owned(),
    }
}

section! {
    /// OpenTelemetry traces; off until an endpoint is given.
    Tracing at "tracing" since "0.1.0" {
        /// The OTLP collector traces are sent to by HTTP, such as `http://127.0.0.1:4318/v1/traces`.
        endpoint: Option<Url> = None,
        /// The share of requests that are traced when the client did not decide.
        ratio: Ratio = Ratio::ALL,
        /// The name of this service in the traces.
        service: String = "longshore".to_owned(),
        /// Headers for the collector, `name=value` parted by commas; these often hold a key.
        headers: Option<Secret> = None,
    }
}

section! {
    /// When the server counts as ready (`/readyz`).
    Health at "health" since "0.1.0" {
        /// Files that make the server not ready while they exist, to take it out of a load balancer.
        drain_files: Vec<PathBuf> = Vec::new(),
        /// How often storage and database are tried.
        interval: Duration = Duration::from_secs(10),
        /// How many tries in a row must fail before the server counts as not ready.
        threshold: std::num::NonZeroU32 = std::num::NonZeroU32::MIN.saturating_add(2),
    }
}
