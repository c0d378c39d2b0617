//! All sections together, each key with a value by itself; how they fit is for [`super::check`].

use super::auth::{AuthKeys, HtpasswdKeys, TokenKeys};
use super::index::IndexKeys;
use super::key::{Key, Section, Shown};
use super::ldap::LdapKeys;
use super::limits::Limits;
use super::mail::MailKeys;
use super::oidc::OidcKeys;
use super::reader::Reader;
use super::sections::{
    Database, Gc, Health, Http, Log, Manifests, Metrics, Place, Search, Storage, TlsFiles, Tracing,
    Trash,
};
use super::several;
use super::several::Several;

macro_rules! settings {
    ($( $(#[doc = $doc:literal])* $field:ident: $section:ty ),* $(,)?) => {
        /// Every key of the configuration with its value.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Settings { $( $(#[doc = $doc])* pub $field: $section ),* }

        /// The path and words of every section, in the order of the file.
        pub fn sections() -> Vec<(&'static str, &'static [&'static str])> {
            vec![ $( (<$section>::PATH, <$section>::DOC) ),* ]
        }

        /// Every key, in the order of the file.
        pub fn keys() -> Vec<Key> {
            let mut keys = Vec::new();
            $( keys.extend(<$section>::keys()); )*
            keys
        }

        impl Settings {
            /// Takes every value from what the sources said.
            pub fn read(reader: &mut Reader) -> Self {
                Self { $( $field: <$section>::read(reader) ),* }
            }

            /// Every section with its values.
            pub fn show(&self) -> Vec<Shown> {
                let mut tables = Vec::new();
                $( tables.extend(self.$field.tables()); )*
                tables
            }
        }
    };
}

settings! {
    /// The keys at the top of the file.
    place: Place,
    /// `[tls]`.
    tls: TlsFiles,
    /// `[http]`.
    http: Http,
    /// `[storage]`.
    storage: Storage,
    /// `[gc]`.
    gc: Gc,
    /// `[trash]`.
    trash: Trash,
    /// `[search]`.
    search: Search,
    /// `[database]`.
    database: Database,
    /// `[auth]`.
    auth: AuthKeys,
    /// `[auth.htpasswd]`.
    htpasswd: HtpasswdKeys,
    /// `[auth.token]`.
    token: TokenKeys,
    /// `[index]`.
    index: IndexKeys,
    /// `[index.ldap.NAME]`.
    ldap: Several<LdapKeys>,
    /// `[index.oidc.NAME]`.
    oidc: Several<OidcKeys>,
    /// `[index.mail]`.
    mail: MailKeys,
    /// `[manifests]`.
    manifests: Manifests,
    /// `[limits]`.
    limits: Limits,
    /// `[log]`.
    log: Log,
    /// `[metrics]`.
    metrics: Metrics,
    /// `[tracing]`.
    tracing: Tracing,
    /// `[health]`.
    health: Health,
}

/// Whether `path` is a section or holds one.
pub fn is_section(path: &str) -> bool {
    let path = &*several::known_as(path);
    sections().iter().any(|(section, _)| {
        section
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
