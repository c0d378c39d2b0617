//! Settings of the system: shown and changed.

use longshore_hub::settings::SignUp;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};

/// Shows and changes settings.
#[derive(Debug)]
pub struct Settings;

/// What is to be otherwise; what is `None` stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Args {
    /// Who may make an account of their own: `closed`, `invitation` or `open`.
    pub sign_up: Option<String>,
    /// Whether nothing in the system can be changed.
    pub read_only: Option<bool>,
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// Who may make an account of their own.
    pub sign_up: String,
    /// Whether nothing in the system can be changed.
    pub read_only: bool,
}

impl Operation for Settings {
    const NAME: &'static str = "settings";
    type Args = Args;
    type Step = ();
    type Done = Set;

    async fn run(state: &State, args: Args, _steps: Steps<()>) -> anyhow::Result<Set> {
        let (hub, caller) = (state.hub()?, &state.operator());
        if let Some(word) = args.sign_up {
            hub.sign_up_set(caller, word.parse::<SignUp>()?).await?;
        }
        if let Some(read_only) = args.read_only {
            hub.read_only_set(caller, read_only).await?;
        }
        let ((sign_up, read_only), _) = hub.settings(caller).await?;
        Ok(Set {
            sign_up: sign_up.word().to_owned(),
            read_only,
        })
    }
}
