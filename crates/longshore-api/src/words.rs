//! What is sent and shown more than once: words for rows, and times.

use std::time::SystemTime;

use longshore_meta::namespaces::Visibility;
use longshore_meta::principals::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who may see what is in a namespace or repository without being given a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Visibility)]
pub(crate) enum Seen {
    /// Nobody.
    Private,
    /// Whoever has logged in.
    Internal,
    /// Everybody.
    Public,
}

impl From<Visibility> for Seen {
    fn from(row: Visibility) -> Self {
        match row {
            Visibility::Private => Seen::Private,
            Visibility::Internal => Seen::Internal,
            Visibility::Public => Seen::Public,
        }
    }
}

impl From<Seen> for Visibility {
    fn from(word: Seen) -> Self {
        match word {
            Seen::Private => Visibility::Private,
            Seen::Internal => Visibility::Internal,
            Seen::Public => Visibility::Public,
        }
    }
}

/// Whether an account can do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = State)]
pub(crate) enum Standing {
    /// It can.
    Active,
    /// It was switched off.
    Disabled,
    /// Its mail address is to be confirmed first.
    Waiting,
    /// It is gone.
    Deleted,
}

impl From<State> for Standing {
    fn from(row: State) -> Self {
        match row {
            State::Active => Standing::Active,
            State::Disabled => Standing::Disabled,
            State::Waiting => Standing::Waiting,
            State::Deleted => Standing::Deleted,
        }
    }
}

/// A time of a row, in microseconds, as RFC 3339 has it.
pub(crate) fn time(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}

/// A time that was sent, as RFC 3339 has it.
pub(crate) fn moment(
    text: Option<&str>,
    what: &str,
) -> Result<Option<SystemTime>, crate::problem::Problem> {
    let Some(text) = text else { return Ok(None) };
    let at: jiff::Timestamp = text.parse().map_err(|_| {
        crate::problem::Problem::invalid(format!("`{what}` is a time such as 2030-01-31T00:00:00Z"))
    })?;
    Ok(Some(at.into()))
}

/// Text that somebody wrote, of a bounded length.
pub(crate) fn within(
    text: Option<&str>,
    most: usize,
    what: &str,
) -> Result<(), crate::problem::Problem> {
    let Some(text) = text else { return Ok(()) };
    if text.len() > most {
        return Err(crate::problem::Problem::invalid(format!(
            "`{what}` has at most {most} bytes"
        )));
    }
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
    {
        return Err(crate::problem::Problem::invalid(format!(
            "`{what}` has a control character"
        )));
    }
    Ok(())
}

/// A password that was sent. It shows itself to nobody.
#[derive(Deserialize)]
pub(crate) struct Password(String);

impl Password {
    /// Its bytes.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A field that may be set, taken away (`null`) or left as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Field<T> {
    /// It was not sent.
    #[default]
    Left,
    /// `null` was sent.
    Nothing,
    /// This was sent.
    To(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(reader)?.map_or(Self::Nothing, Self::To))
    }
}
