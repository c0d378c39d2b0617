//! When and from where a binding counts.

mod hours;
mod network;

pub use self::hours::Hours;
pub use self::network::Network;

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Not a network.
    #[error(
        "a network is written as 10.0.0.0/8 or fd00::/8; there are at most 64, parted by spaces"
    )]
    Network,
    /// Not hours.
    #[error(
        "hours are a list of {{\"days\": [\"mon\"], \"from\": \"08:00\", \"to\": \"18:00\", \"zone\": \"Europe/Berlin\"}}, at most 16; \
         \"offset\": \"+01:00\" may stand in the place of the zone"
    )]
    Hours,
    /// Hours of a place that nobody knows.
    #[error(
        "there is no time zone `{0}`; write one as the IANA calls it, such as `Europe/Berlin` or `America/New_York`"
    )]
    Zone(String),
    /// Hours that say twice how the clocks go.
    #[error(
        "hours have a `zone` or an `offset`, not both: the zone says how far its clocks are from UTC"
    )]
    ZoneAndOffset,
}
