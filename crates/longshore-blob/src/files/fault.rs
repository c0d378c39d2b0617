//! What a failing disk means to a client.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::{Code, Error};
use rustix::io::Errno;

/// When it may be tried again after a failure that somebody has to look after.
const LATER: Duration = Duration::from_mins(1);

/// A failure of the storage, told in words that hold no path. Never absence, whatever the cause.
pub(crate) fn storage(cause: impl Into<io::Error>) -> Error {
    let cause = cause.into();
    let public = match Errno::from_io_error(&cause) {
        Some(Errno::NOSPC | Errno::DQUOT) => {
            "the registry's storage is full; it can be read from and not written to"
        }
        Some(Errno::ROFS) => "the registry's storage can only be read from just now",
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM) => {
            "the registry has too many files open just now"
        }
        _ => "the registry's storage fails just now",
    };
    Error::new(Code::Unavailable, public)
        .retry_after(LATER)
        .because(cause)
}

/// Whether a failure is that the storage is full.
pub(crate) fn is_full(error: &Error) -> bool {
    std::error::Error::source(error)
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .and_then(Errno::from_io_error)
        .is_some_and(|errno| matches!(errno, Errno::NOSPC | Errno::DQUOT))
}

/// A row says that there are bytes, and they are not there or not as many: a broken installation.
pub(crate) fn broken(cause: String) -> Error {
    Error::new(
        Code::Internal,
        "the registry has lost content it should have",
    )
    .because(cause)
}

/// Why a sync failed, for each who waited for it.
#[derive(Debug, Clone)]
pub(crate) struct Failure(Arc<io::Error>);

impl Failure {
    pub(crate) fn new(cause: io::Error) -> Self {
        Self(Arc::new(cause))
    }

    /// For the caller whose bytes are not safe.
    pub(crate) fn unsafe_bytes(&self) -> Error {
        Error::new(
            Code::Unavailable,
            "the registry's storage could not keep the content; push it again",
        )
        .retry_after(LATER)
        .because(self.clone())
    }

    /// For whoever wants to write after a failure that leaves the whole store in doubt.
    pub(crate) fn read_only(&self) -> Error {
        Error::new(
            Code::Unavailable,
            "the registry's storage failed; it can only be read from until it is restarted",
        )
        .retry_after(LATER)
        .because(self.clone())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sync failed: {}", self.0)
    }
}

impl std::error::Error for Failure {}
