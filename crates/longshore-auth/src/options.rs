//! What an [`Authenticator`](crate::Authenticator) is made from, and what can be wrong with it at start.

use std::path::PathBuf;
use std::time::Duration;

use longshore_core::Rights;

/// What a caller without credentials may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnonymousAccess {
    /// Nothing: each request needs credentials.
    #[default]
    Nothing,
    /// Pull and list everything.
    Reader,
}

impl AnonymousAccess {
    /// The rights this stands for.
    pub fn rights(self) -> Rights {
        match self {
            AnonymousAccess::Nothing => Rights::Nothing,
            AnonymousAccess::Reader => Rights::reader(),
        }
    }
}

/// Basic credentials checked against an htpasswd file. Each user of the file may do everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HtpasswdOptions {
    /// The file: a line `name:hash` for each user, the hash by bcrypt or argon2. Read again when it changes.
    ///
    /// A missing file is an error. Making one with a password of our own, as Distribution does, would put a working
    /// credential into the log of a server that was perhaps only given a wrong path.
    pub file: PathBuf,
    /// The realm that clients show when they ask for a password. Printable ASCII.
    pub realm: String,
    /// What callers without credentials may do.
    pub anonymous: AnonymousAccess,
    /// How much is too much.
    pub limits: Limits,
}

/// Bearer tokens of an outside token server, as in the Docker token specification.
///
/// Keys come from up to three places, of which at least one must be given; a token is good when a key of any of them
/// signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOptions {
    /// The URL at which clients ask for a token. Printable ASCII.
    pub realm: String,
    /// This registry's name at the token server. Printable ASCII.
    pub service: String,
    /// Whom a token must be for (`aud`). `None`: the `service`, as the token specification has it; other servers have
    /// another word for it.
    pub audience: Option<String>,
    /// The token server's name: a token must have exactly this as `iss`.
    pub issuer: String,
    /// A PEM file of certificates and public keys. Its keys are trusted by their id, its certificates also as roots of
    /// the chains that tokens bring (`x5c`). Read again when it changes. A key is trusted by its id for as long as it is
    /// in the file; the dates of its certificate count for chains only.
    pub root_bundle: Option<PathBuf>,
    /// A JWKS file (RFC 7517, 5). Read again when it changes.
    pub jwks_file: Option<PathBuf>,
    /// The URL of a JWKS: `https`, or `http` to loopback.
    pub jwks_url: Option<String>,
    /// The least time between two fetches of `jwks_url`, so also the longest until a key that was taken back counts no more. A
    /// token that names an unknown key has them fetched sooner, every few seconds at most. Keys that could not be confirmed for [`KEYS_USED_FOR`] are used no more, so it must be shorter than that.
    pub jwks_refresh: Duration,
    /// How far the clocks of token server and registry may differ; whole seconds count.
    pub leeway: Duration,
    /// What callers without a token may do.
    pub anonymous: AnonymousAccess,
    /// How much is too much.
    pub limits: Limits,
}

/// How long fetched keys are used after they were last confirmed.
pub const KEYS_USED_FOR: Duration = Duration::from_mins(5);

impl TokenOptions {
    /// Tokens that `issuer` signed for `service` and gives out at `realm`; without a source of keys yet, nothing for
    /// strangers, and the rest at its default.
    pub fn new(
        realm: impl Into<String>,
        service: impl Into<String>,
        issuer: impl Into<String>,
    ) -> Self {
        TokenOptions {
            realm: realm.into(),
            service: service.into(),
            audience: None,
            issuer: issuer.into(),
            root_bundle: None,
            jwks_file: None,
            jwks_url: None,
            jwks_refresh: Duration::from_mins(1),
            leeway: Duration::from_mins(1),
            anonymous: AnonymousAccess::Nothing,
            limits: Limits::default(),
        }
    }
}

/// How much a caller may bring, and how often it may be wrong. [`Default`] is what is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest token, in bytes.
    pub token_bytes: usize,
    /// The most entries in the access list of a token.
    pub token_access: usize,
    /// The longest password, in bytes.
    pub password_bytes: usize,
    /// The longest token of an issuer that comes in the place of a password, in bytes; where no such is taken it may not be
    /// longer than a password. It is never hashed as one.
    pub assertion_bytes: usize,
    /// Passwords that are checked at one time, each on a core of its own; at least 1.
    pub password_checks: usize,
    /// Logins that wait for one of those checks. One address takes half of them at most.
    pub password_queue: usize,
    /// Failures for one account from one address before it has to wait; at least 1.
    pub failed_logins: u32,
    /// Failures from one address, over all accounts, before it has to wait; at least 1.
    pub failed_logins_per_ip: u32,
    /// Failures are forgotten when so much time has passed without another.
    pub failed_logins_time: Duration,
    /// The first wait. It doubles with each failure after it.
    pub failed_login_wait: Duration,
    /// The longest wait.
    pub failed_login_wait_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            token_bytes: 16 * 1024,
            token_access: 200,
            password_bytes: 1024,
            assertion_bytes: 16 * 1024,
            password_checks: 4,
            password_queue: 64,
            failed_logins: 10,
            failed_logins_per_ip: 100,
            failed_logins_time: Duration::from_mins(15),
            failed_login_wait: Duration::from_secs(30),
            failed_login_wait_max: Duration::from_mins(15),
        }
    }
}

/// Why an [`Authenticator`](crate::Authenticator) cannot be made. The text names the file or the option and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// An option has a value that cannot be used.
    #[error("{option}: {problem}")]
    Option {
        /// The option's name, as in the option struct.
        option: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A file cannot be read.
    #[error("{} cannot be read; {hint}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What to do.
        hint: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file was read and is not what it should be.
    #[error("{}: {problem}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong, where, and what to do.
        problem: String,
    },
}
