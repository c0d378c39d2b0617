//! Names that rest.

use longshore_hub::views::Listed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operation::{Operation, PART, State, Steps};

/// Shows names that rest, and frees them.
#[derive(Debug)]
pub struct Resting;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// List names that rest.
    List,
    /// Free one.
    Free {
        /// The name.
        name: String,
    },
}

impl Operation for Resting {
    const NAME: &'static str = "resting";
    type Args = Ask;
    type Step = ();
    type Done = Value;

    async fn run(state: &State, args: Ask, _steps: Steps<()>) -> anyhow::Result<Value> {
        let (hub, caller) = (state.hub()?, &state.operator());
        match args {
            Ask::List => {
                let found = Listed::whole(String::new(), |after| async move {
                    hub.names_at_rest(caller, &after, PART).await
                });
                let found = found.await?.into_iter();
                Ok(found
                    .map(|it| json!({ "name": it.name, "until": it.until }))
                    .collect())
            }
            Ask::Free { name } => {
                hub.name_free(caller, &name).await?;
                Ok(json!({ "freed": name }))
            }
        }
    }
}
