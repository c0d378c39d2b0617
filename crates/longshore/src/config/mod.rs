//! The configuration: one TOML file, environment variables over it, flags over both.
//!
//! Two steps. [`Settings`] is every key with a value of its own type, read from all sources at once so
//! that every mistake is reported in one run, with its place. [`Config`] is what they amount to: the
//! combinations that make no sense are refused on the way, so the rest of the program need not think
//! about them. The crates below have plain option structs and know nothing of files; turning a `Config`
//! into theirs is for `assemble`.
//!
//! Keys are declared once, in `sections`, `auth` and `limits`; see [`key`].

pub mod auth;
mod check;
pub mod fuzzing;
pub mod headers;
pub mod index;
pub mod key;
pub mod ldap;
pub mod limits;
pub mod listen;
pub mod mail;
pub mod node;
pub mod oidc;
pub mod origin;
pub mod problem;
pub mod reader;
pub mod reference;
pub mod schema;
pub mod secret;
pub mod sections;
pub mod settings;
pub mod several;
pub mod show;
mod trusted;
pub mod units;
pub mod value;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

pub use auth::{Anonymous, Auth};
pub use headers::Headers;
pub use index::{Index, Roles};
pub use ldap::Ldap;
pub use limits::Limits;
pub use listen::{Listen, Network};
pub use mail::Mail;
pub use oidc::Oidc;
pub use origin::Origin;
pub use problem::{Problem, Problems};
pub use reader::{Origins, Reader};
pub use secret::Secret;
pub use sections::{
    ClientAuth, Durability, Gc, Health, Http, Log, LogFormat, LogLevel, Manifests, Metrics, Search,
    Sparse, Storage, StorageKind, TlsVersion, Tracing, Trash, Untagged,
};
pub use settings::Settings;
pub use units::ByteSize;
pub use value::Pattern;

/// A configuration a server can be started with.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where clients connect; at least one.
    pub listen: Vec<Listen>,
    /// The address clients know the registry by.
    pub public_url: Option<Url>,
    /// The directory that holds everything stored.
    pub data: PathBuf,
    /// Listening beyond this machine without any login was asked for.
    pub open: bool,
    /// TLS, where a certificate is given.
    pub tls: Option<Tls>,
    /// How HTTP is spoken.
    pub http: Http,
    /// Where and how blobs are kept.
    pub storage: Storage,
    /// Removing what nobody needs any more.
    pub gc: Gc,
    /// What can be restored.
    pub trash: Trash,
    /// What is found.
    pub search: Search,
    /// The file of the SQLite database.
    pub database: PathBuf,
    /// How clients prove who they are.
    pub auth: Auth,
    /// What manifests are taken.
    pub manifests: Manifests,
    /// How much of everything is too much.
    pub limits: Limits,
    /// What is logged.
    pub log: Log,
    /// Metrics and health, where wanted.
    pub metrics: Option<Metrics>,
    /// Traces; `endpoint` is `None` when they are off.
    pub tracing: Tracing,
    /// When the server counts as ready.
    pub health: Health,
    /// What the operator should be told at start: what is open, what has no effect. One sentence each.
    pub notes: Vec<String>,
    /// Every key as it was read, for [`show`].
    pub settings: Settings,
    /// Who set which key, for [`show`].
    pub origins: Origins,
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Tls {
    /// The certificate and its chain, PEM.
    pub cert: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
    /// The oldest version spoken.
    pub minimum: TlsVersion,
    /// Whose certificates of clients are believed.
    pub clients: Option<ClientCertificates>,
}

/// Certificates of clients.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientCertificates {
    /// The authorities, PEM.
    pub ca: PathBuf,
    /// Whether clients without one are let in.
    pub auth: ClientAuth,
    /// Lists of what was revoked, PEM.
    pub crl: Option<PathBuf>,
}

/// Names and passwords in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Htpasswd {
    /// The file.
    pub path: PathBuf,
    /// What clients show when they ask for the password.
    pub realm: String,
    /// What those who did not log in may do.
    pub anonymous: Anonymous,
}

/// A service that issues tokens for this registry; at least one of the three sources of keys is there.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenService {
    /// Where clients fetch tokens.
    pub realm: Url,
    /// The name of this registry there.
    pub service: String,
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens.
    pub audience: String,
    /// Its certificates or public keys, PEM.
    pub keys_file: Option<PathBuf>,
    /// Its JSON Web Key Set in a file.
    pub jwks_file: Option<PathBuf>,
    /// Its JSON Web Key Set at a URL.
    pub jwks_url: Option<Url>,
    /// How often the URL is fetched; less than 5 minutes.
    pub jwks_refresh: Duration,
    /// How far the two clocks may differ.
    pub leeway: Duration,
    /// What those who did not log in may do.
    pub anonymous: Anonymous,
    /// The Longshore index that issues them, where it is one.
    pub index: Option<Url>,
}

impl Config {
    /// Reads a TOML file (its name and content), then the environment, then the flags (the flag, its
    /// key, its value); each later source wins.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load(
        file: Option<(&str, &str)>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[(&'static str, &str, String)],
    ) -> Result<Self, Problems> {
        let mut reader = Reader::default();
        if let Some((name, text)) = file {
            reader.file(name, text);
        }
        reader.environment(variables);
        for (flag, path, text) in flags {
            reader.flag(flag, path, text);
        }
        Self::from_reader(reader)
    }

    /// What the values in `reader` amount to.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn from_reader(mut reader: Reader) -> Result<Self, Problems> {
        let settings = Settings::read(&mut reader);
        check::config(settings, reader)
    }
}
