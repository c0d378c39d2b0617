//! Who asks for a use case, and when.

use std::time::SystemTime;

use longshore_auth::rights::{Via, Who};
use longshore_meta::time::micros;

/// Who asks for a use case.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose rights count.
    pub who: Who,
    /// What they are called, for the audit log.
    pub name: String,
    /// The id of the request.
    pub request: u128,
    /// When it came in.
    pub now: SystemTime,
}

impl Caller {
    /// Whoever runs the server.
    pub fn operator(request: u128, now: SystemTime) -> Self {
        Self {
            who: Who::operator(),
            name: "operator".to_owned(),
            request,
            now,
        }
    }

    /// The program itself, in the name of `name`.
    pub fn program(name: impl Into<String>, now: SystemTime) -> Self {
        Self {
            who: Who {
                via: Via::Program,
                ..Who::operator()
            },
            name: name.into(),
            request: 0,
            now,
        }
    }

    /// Whether they have shown that they are themselves: by a password or a session, with nothing taken off their rights. A token that leaks
    /// must not be able to make others that outlive it, nor to take away what keeps strangers out.
    pub(crate) fn is_proven(&self) -> bool {
        matches!(self.who.via, Via::Password | Via::Session) && self.who.narrowed.is_none()
    }

    /// Now, as rows have it.
    pub fn micros(&self) -> i64 {
        micros(self.now)
    }
}
