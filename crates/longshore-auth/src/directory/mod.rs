//! Where people are known besides here: directories that check a name and a password.
//!
//! A directory says who somebody is, never what they may do: it gives a [`Person`], and its groups. Who that is here is
//! decided by the pair of source and subject, never by a name or a mail address, which are given to the next one when
//! somebody leaves.

mod breaker;
pub mod ldap;
mod several;

use async_trait::async_trait;
use std::fmt;
use std::time::SystemTime;

pub use self::several::{Directories, LOGIN_WITHIN};

/// Somebody whom an outside source has vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The source: a directory's name (`ldap:corp`), or a provider's (`oidc:corp`).
    pub source: String,
    /// Who it is there, by what is never given to somebody else.
    pub subject: String,
    /// By which name they log in.
    pub name: String,
    /// Their mail address, where the source says one.
    pub mail: Option<String>,
    /// Whether the source says that the address is theirs.
    pub mail_verified: bool,
    /// Their full name, where the source says one.
    pub full_name: Option<String>,
    /// All their groups, which take the place of those this source said before; none where it says nothing about groups,
    /// and those of before stay.
    pub groups: Option<Vec<String>>,
    /// Whether they administer this system; none where the source has no say in it.
    pub admin: Option<bool>,
}

/// Why a directory gives no answer. An unknown name and a wrong password are answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It cannot be reached, does not answer in time, or answers what makes no sense.
    #[error("the directory `{name}` cannot be asked just now: {why}")]
    Unavailable {
        /// Its name.
        name: String,
        /// What happened, for the log.
        why: String,
    },
    /// It answers, and what it says of this one person cannot be used.
    #[error("the directory `{name}` says of somebody what cannot be used: {why}")]
    Entry {
        /// Its name.
        name: String,
        /// What is wrong, for the log.
        why: String,
    },
    /// Too many logins wait for it.
    #[error("too many logins wait for the directory `{name}`")]
    Busy {
        /// Its name.
        name: String,
    },
}

/// A place that checks names and passwords.
#[async_trait]
pub trait Directory: fmt::Debug + Send + Sync {
    /// Its name, which is part of who its people are.
    fn name(&self) -> &str;

    /// Who logs in with this name and password; nobody where the name is unknown or the password wrong, with no difference
    /// between the two. Answers within a few seconds, and is dropped by whoever
    /// has no more time: who calls counts that as a failure, and leaves it alone for a while.
    ///
    /// # Errors
    /// It cannot be asked just now.
    async fn check(
        &self,
        user: &str,
        password: &[u8],
        now: SystemTime,
    ) -> Result<Option<Person>, DirectoryError>;
}
