//! Robots: made with what they may do, given new secrets, listed.

use std::time::Duration;

use longshore_auth::index::SYSTEM;
use longshore_hub::robots::NewRobot;
use longshore_hub::views::{self, Listed};
use serde::{Deserialize, Serialize};

use super::operation::{Operation, PART, State, Steps};
use super::tokens::{self, Made};

/// Makes a robot and its first secret.
#[derive(Debug)]
pub struct Create;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// Its name: `robot+ci` of the system, `acme+ci` of an organisation.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do where: a role and a namespace, or `**` for everywhere.
    pub grants: Vec<(String, String)>,
    /// How many seconds it lives; none: until it is deleted.
    pub lives: Option<u64>,
}

impl Operation for Create {
    const NAME: &'static str = "robot-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let caller = &state.operator();
        let new = NewRobot {
            name: args.name.clone(),
            description: args.description,
            grants: args.grants,
            expires: args
                .lives
                .map(|lives| caller.now + Duration::from_secs(lives)),
        };
        let made = state.hub()?.robot_create(caller, new).await?;
        Ok(Made::of(&args.name, &made))
    }
}

/// Gives a robot another secret.
#[derive(Debug)]
pub struct Rotate;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotateArgs {
    /// Its name.
    pub name: String,
    /// How many seconds the secret before goes on.
    pub overlap: u64,
}

impl Operation for Rotate {
    const NAME: &'static str = "robot-rotate";
    type Args = RotateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: RotateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let (hub, overlap) = (state.hub()?, Duration::from_secs(args.overlap));
        let caller = &state.operator();
        let made = hub.robot_rotate(caller, &args.name, overlap).await?;
        Ok(Made::of(&args.name, &made))
    }
}

/// Lists robots.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListArgs {
    /// Of this organisation; none: of the system.
    pub organisation: Option<String>,
}

/// A robot. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Robot {
    /// Its name, as it logs in.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// `active` or `disabled`.
    pub state: String,
    /// When it ends, if it does.
    pub expires: Option<i64>,
    /// Its secrets.
    pub secrets: Vec<tokens::Entry>,
}

impl From<views::Robot> for Robot {
    fn from(robot: views::Robot) -> Self {
        Self {
            name: robot.name,
            description: robot.row.description,
            state: robot.row.state.word().to_owned(),
            expires: robot.row.expires,
            secrets: robot.secrets.into_iter().map(tokens::Entry::from).collect(),
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "robot-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Robot>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Robot>> {
        let of = &args.organisation.unwrap_or_else(|| SYSTEM.to_owned());
        let (hub, caller) = (state.hub()?, &state.operator());
        let found = Listed::whole(String::new(), |after| async move {
            hub.robot_list(caller, of, &after, PART).await
        });
        Ok(found.await?.into_iter().map(Robot::from).collect())
    }
}
