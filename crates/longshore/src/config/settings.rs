//! All sections together, each key with a value by itself; how they fit is for [`super::check`].

use super::auth::{AuthKeys, HtpasswdKeys, TokenKeys};
use super::index::IndexKeys;
use super::key::{Key, Section};
use super::limits::Limits;
use super::reader::Reader;
use super::sections::{
    Database, Gc, Health, Http, Log, Manifests, Metrics, Place, Search, Storage, TlsFiles, Tracing,
    Trash,
};

/// The name, words and values of a section, for showing.
pub type Shown = (
    &'static str,
    &'static [&'static str],
    Vec<(String, Option<String>)>,
);

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
                vec![ $( (<$section>::PATH, <$section>::DOC, self.$field.show()) ),* ]
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
    sections().iter().any(|(section, _)| {
        section
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
