//! The keys that tokens are signed with: which there are, and the next one.

use longshore_auth::issuer::ShownKey;
use longshore_meta::time::micros;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};

/// Says which keys there are.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListArgs {}

/// A key. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its thumbprint (RFC 7638).
    pub kid: String,
    /// Its identifier in the form of libtrust.
    pub libtrust: String,
    /// How it signs.
    pub algorithm: String,
    /// From when on it signs.
    pub since: i64,
    /// Until when, if that is known.
    pub until: Option<i64>,
    /// Until when what it signed is good, if that is known.
    pub verify_until: Option<i64>,
    /// Whether it is the one that signs now.
    pub signs: bool,
}

impl From<ShownKey> for Entry {
    fn from(key: ShownKey) -> Self {
        Entry {
            kid: key.kid,
            libtrust: key.libtrust,
            algorithm: key.algorithm.to_owned(),
            since: micros(key.since),
            until: key.until.map(micros),
            verify_until: key.verify_until.map(micros),
            signs: key.signs,
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "keys-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Entry>;

    async fn run(state: &State, _args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Entry>> {
        let keys = state.hub()?.key_list(&state.operator()).await?;
        Ok(keys.into_iter().map(Entry::from).collect())
    }
}

/// Makes the next key.
#[derive(Debug)]
pub struct Rotate;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotateArgs {
    /// Let it sign at once, and not only when every registry has heard of it, and trust no other.
    pub at_once: bool,
}

impl Operation for Rotate {
    const NAME: &'static str = "keys-rotate";
    type Args = RotateArgs;
    type Step = ();
    type Done = Vec<Entry>;

    async fn run(state: &State, args: RotateArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Entry>> {
        let hub = state.hub()?;
        let keys = hub.key_rotate(&state.operator(), args.at_once).await?;
        Ok(keys.into_iter().map(Entry::from).collect())
    }
}
