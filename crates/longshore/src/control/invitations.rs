//! Invitations: made, listed, withdrawn.

use std::time::Duration;

use longshore_hub::comings::NewInvitation;
use longshore_meta::namespaces::NamespaceId;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};

/// How many are listed at most.
const MOST: usize = 10_000;

/// The namespace of an organisation, where one is said.
async fn place(state: &State, organisation: Option<&str>) -> anyhow::Result<Option<NamespaceId>> {
    Ok(match organisation {
        Some(path) => Some(state.place(path).await?),
        None => None,
    })
}

/// Invites somebody.
#[derive(Debug)]
pub struct Create;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CreateArgs {
    /// The address; empty: the code is shown.
    pub mail: String,
    /// The name that the account is to have; empty: whoever comes chooses.
    pub name: String,
    /// The organisation to be a member of.
    pub organisation: Option<String>,
    /// A team of it.
    pub team: Option<String>,
    /// For how many days.
    pub days: u64,
}

/// An invitation that was made.
#[derive(Clone, Serialize, Deserialize)]
pub struct Created {
    /// Its id.
    pub id: i64,
    /// When it ends, in microseconds.
    pub expires: i64,
    /// Its code, where that did not go by mail.
    pub token: Option<String>,
}

impl std::fmt::Debug for Created {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Created")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Operation for Create {
    const NAME: &'static str = "invitation-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = Created;

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<Created> {
        let place = place(state, args.organisation.as_deref()).await?;
        let new = NewInvitation {
            mail: args.mail,
            name: args.name,
            full_name: String::new(),
            team: args.team,
            lives: Some(Duration::from_secs(args.days.saturating_mul(24 * 3600))),
        };
        let hub = state.hub()?;
        let made = hub.invitation_create(&state.operator(), place, new).await?;
        Ok(Created {
            id: made.invitation.id,
            expires: made.invitation.expires,
            token: made.secret.map(|it| it.as_str().to_owned()),
        })
    }
}

/// Lists open invitations.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListArgs {
    /// The organisation; none: those to make an account.
    pub organisation: Option<String>,
}

/// An invitation. Times are microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: i64,
    /// The address it was sent to.
    pub mail: String,
    /// The name that the account is to have.
    pub name: String,
    /// When it was made.
    pub created: i64,
    /// When it ends.
    pub expires: i64,
}

impl Operation for List {
    const NAME: &'static str = "invitation-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Row>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Row>> {
        let place = place(state, args.organisation.as_deref()).await?;
        let (hub, caller) = (state.hub()?, state.operator());
        let found = hub.invitation_list(&caller, place, 0, MOST).await?;
        let rows = found.into_iter().map(|it| Row {
            id: it.id,
            mail: it.mail,
            name: it.name,
            created: it.created,
            expires: it.expires,
        });
        Ok(rows.collect())
    }
}

/// Withdraws an invitation.
#[derive(Debug)]
pub struct Withdraw;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WithdrawArgs {
    /// The invitation.
    pub id: i64,
    /// The organisation that it leads into; none: into none.
    pub organisation: Option<String>,
}

impl Operation for Withdraw {
    const NAME: &'static str = "invitation-withdraw";
    type Args = WithdrawArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: WithdrawArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let place = place(state, args.organisation.as_deref()).await?;
        let (hub, caller) = (state.hub()?, state.operator());
        hub.invitation_withdraw(&caller, place, args.id).await?;
        Ok(())
    }
}
