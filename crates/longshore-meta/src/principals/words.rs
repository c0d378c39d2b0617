//! What a principal is and in which state: the words of its columns.

use std::fmt;

use crate::value::{FromValue, Value};

/// The id of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId(pub i64);

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<PrincipalId> for Value {
    fn from(id: PrincipalId) -> Self {
        Value::Int(id.0)
    }
}

impl FromValue for PrincipalId {
    fn from_value(value: Value) -> Option<Self> {
        i64::from_value(value).map(Self)
    }
}

/// What a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A person.
    User = 0,
    /// People with a name of their own.
    Organisation = 1,
    /// Some people of an organisation.
    Team = 2,
    /// A machine.
    Robot = 3,
}

impl FromValue for Kind {
    fn from_value(value: Value) -> Option<Self> {
        match i64::from_value(value)? {
            0 => Some(Self::User),
            1 => Some(Self::Organisation),
            2 => Some(Self::Team),
            3 => Some(Self::Robot),
            _ => None,
        }
    }
}

impl Kind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Organisation => "organisation",
            Kind::Team => "team",
            Kind::Robot => "robot",
        }
    }
}

/// Whether a principal can do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// It can.
    Active = 0,
    /// It was switched off.
    Disabled = 1,
    /// Its mail address is to be confirmed first.
    Waiting = 2,
    /// It is gone; its row is kept for what names it, such as the audit log.
    Deleted = 3,
}

impl FromValue for State {
    fn from_value(value: Value) -> Option<Self> {
        match i64::from_value(value)? {
            0 => Some(Self::Active),
            1 => Some(Self::Disabled),
            2 => Some(Self::Waiting),
            3 => Some(Self::Deleted),
            _ => None,
        }
    }
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Disabled => "disabled",
            State::Waiting => "waiting",
            State::Deleted => "deleted",
        }
    }
}
