//! What an [`Authenticator`](crate::Authenticator) is made from, and what can be wrong with it at start.

use std::path::PathBuf;

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
}

/// Bearer tokens of an outside token server, as in the Docker token specification.
///
/// Keys come from up to three places, of which at least one must be given; a token is good when a key of any of them
/// signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOptions {
    /// The URL at which clients ask for a token. Printable ASCII.
    pub realm: String,
    /// This registry's name at the token server: a token must have it in `aud`. Printable ASCII.
    pub service: String,
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
    /// What callers without a token may do.
    pub anonymous: AnonymousAccess,
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
