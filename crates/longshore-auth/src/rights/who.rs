//! Who asks, as far as rights depend on it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use longshore_core::Way;
use longshore_meta::principals::PrincipalId;

use super::narrow::Narrow;

/// How somebody has shown who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// Not at all.
    Nothing,
    /// By a password.
    Password,
    /// By a personal token.
    PersonalToken,
    /// By a robot's secret.
    RobotSecret,
    /// By a bearer token that was issued for one of the others.
    Bearer,
    /// By a session of a browser.
    Session,
    /// By a token of a CI or a cluster.
    Keyless,
    /// By a certificate.
    Certificate,
    /// By being able to write to the server's data directory.
    Operator,
    /// It is the program itself.
    Program,
}

impl Via {
    /// All ways that what is issued for them says.
    const ISSUED: [Via; 7] = [
        Via::Password,
        Via::PersonalToken,
        Via::RobotSecret,
        Via::Bearer,
        Via::Session,
        Via::Keyless,
        Via::Certificate,
    ];

    /// What [`Way`] prints, read again.
    pub fn read(text: &str) -> Option<Way> {
        let (word, id) = match text.split_once(':') {
            Some((word, id)) => (word, id.parse().ok()?),
            None => (text, 0),
        };
        let via = Self::ISSUED.into_iter().find(|via| via.word() == word)?;
        Some(via.way(id))
    }

    /// This way, with the number of the credential; 0 where it has none.
    pub const fn way(self, id: i64) -> Way {
        Way {
            word: self.word(),
            id,
        }
    }

    /// The word for it, as in the audit log.
    pub const fn word(self) -> &'static str {
        match self {
            Via::Nothing => "nothing",
            Via::Password => "password",
            Via::PersonalToken => "token",
            Via::RobotSecret => "robot",
            Via::Bearer => "bearer",
            Via::Session => "session",
            Via::Keyless => "keyless",
            Via::Certificate => "certificate",
            Via::Operator => "operator",
            Via::Program => "program",
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Who {
    /// Whose rights count; `None`: a stranger, or the operator.
    pub principal: Option<PrincipalId>,
    /// How they have shown that.
    pub via: Via,
    /// Which one of their credentials of that kind it was, by its number; 0 where they have none. Nothing is decided by it.
    pub credential: i64,
    /// What the credential leaves of their rights; `None`: all.
    pub narrowed: Option<Arc<Narrow>>,
    /// The address they ask from, for bindings that count from some networks only.
    pub from: IpAddr,
}

impl Who {
    /// Somebody who has not said who they are.
    pub fn stranger(from: IpAddr) -> Self {
        Self {
            principal: None,
            via: Via::Nothing,
            credential: 0,
            narrowed: None,
            from,
        }
    }

    /// A principal with all its rights.
    pub fn principal(id: PrincipalId, via: Via, from: IpAddr) -> Self {
        Self {
            principal: Some(id),
            via,
            credential: 0,
            narrowed: None,
            from,
        }
    }

    /// Whoever may write to the server's data directory: could change every row, so may do everything.
    pub fn operator() -> Self {
        Self {
            principal: None,
            via: Via::Operator,
            credential: 0,
            narrowed: None,
            from: IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    /// How they have shown who they are, and by which credential.
    pub const fn way(&self) -> Way {
        self.via.way(self.credential)
    }

    /// Whether no binding is asked for.
    pub fn is_operator(&self) -> bool {
        self.principal.is_none() && matches!(self.via, Via::Operator | Via::Program)
    }

    /// The principal's id as rows have it: 0 for a stranger and for the operator.
    pub fn id(&self) -> PrincipalId {
        self.principal.unwrap_or(PrincipalId(0))
    }
}
