//! Robots: made with what they may do, given new secrets, shown, changed, taken over, deleted.

use std::time::Duration;

use longshore_auth::index::SYSTEM;
use longshore_hub::robots::{NewRobot, RobotEdit};
use longshore_hub::views::{self, Listed};
use serde::{Deserialize, Serialize};

use super::ends::{after, ends};
use super::operation::{Operation, PART, State, Steps};
use super::tokens::{self, Made};

/// Makes a robot and its first secret.
#[derive(Debug)]
pub struct Create;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// Its name: `robot+ci` of the system, `acme+ci` of an organisation or a user.
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
            expires: ends(caller.now, args.lives)?,
            ..NewRobot::default()
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
    /// Of this organisation or user; none: of the system.
    pub of: Option<String>,
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
    /// Who stands behind it; none: the operator.
    pub maker: Option<Maker>,
}

/// Who stands behind a robot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// Who, such as `user:ann`.
    pub subject: String,
    /// `active`, `disabled`, `waiting` or `deleted`.
    pub state: String,
    /// Whether they can do anything, and whoever stands behind them.
    pub counts: bool,
}

impl From<views::Robot> for Robot {
    fn from(robot: views::Robot) -> Self {
        Self {
            name: robot.name,
            description: robot.row.description,
            state: robot.row.state.word().to_owned(),
            expires: robot.row.expires,
            secrets: robot.secrets.into_iter().map(tokens::Entry::from).collect(),
            maker: robot.maker.map(|maker| Maker {
                subject: maker.subject,
                state: maker.state.word().to_owned(),
                counts: maker.counts,
            }),
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "robot-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Robot>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Robot>> {
        let of = &args.of.unwrap_or_else(|| SYSTEM.to_owned());
        let (hub, caller) = (state.hub()?, &state.operator());
        let found = Listed::whole(String::new(), |after| async move {
            hub.robot_list(caller, of.as_str(), &after, PART).await
        });
        Ok(found.await?.into_iter().map(Robot::from).collect())
    }
}

/// What is asked about one robot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OneArgs {
    /// Its name.
    pub name: String,
}

/// Shows a robot.
#[derive(Debug)]
pub struct Show;

impl Operation for Show {
    const NAME: &'static str = "robot-show";
    type Args = OneArgs;
    type Step = ();
    type Done = Robot;

    async fn run(state: &State, args: OneArgs, _steps: Steps<()>) -> anyhow::Result<Robot> {
        let (hub, caller) = (state.hub()?, &state.operator());
        let found = hub.robot_get(caller, &args.name).await?;
        Ok(Robot::from(found))
    }
}

/// Makes the operator the one behind a robot.
#[derive(Debug)]
pub struct TakeOver;

impl Operation for TakeOver {
    const NAME: &'static str = "robot-take-over";
    type Args = OneArgs;
    type Step = ();
    type Done = Robot;

    async fn run(state: &State, args: OneArgs, _steps: Steps<()>) -> anyhow::Result<Robot> {
        let (hub, caller) = (state.hub()?, &state.operator());
        let taken = hub.robot_take_over(caller, &args.name).await?;
        Ok(Robot::from(taken))
    }
}

/// Deletes a robot.
#[derive(Debug)]
pub struct Delete;

impl Operation for Delete {
    const NAME: &'static str = "robot-delete";
    type Args = OneArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: OneArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let (hub, caller) = (state.hub()?, &state.operator());
        Ok(hub.robot_delete(caller, &args.name).await?)
    }
}

/// Changes parts of a robot.
#[derive(Debug)]
pub struct Edit;

/// What is asked; what is none stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EditArgs {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it ends.
    pub expires: Option<Ends>,
    /// Whether it can do anything.
    pub enabled: Option<bool>,
}

/// When something ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// When it is deleted.
    Never,
    /// After so many seconds.
    In(u64),
}

impl Operation for Edit {
    const NAME: &'static str = "robot-edit";
    type Args = EditArgs;
    type Step = ();
    type Done = Robot;

    async fn run(state: &State, args: EditArgs, _steps: Steps<()>) -> anyhow::Result<Robot> {
        let (hub, caller) = (state.hub()?, &state.operator());
        let expires = match args.expires {
            None => None,
            Some(Ends::Never) => Some(None),
            Some(Ends::In(lives)) => Some(Some(after(caller.now, lives)?)),
        };
        let edit = RobotEdit {
            description: args.description,
            expires,
            enabled: args.enabled,
        };
        let robot = hub.robot_edit(caller, &args.name, edit).await?;
        Ok(Robot::from(robot))
    }
}
