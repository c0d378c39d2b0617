//! Robots as they are shown, and as they are asked for.

use longshore_hub::robots::RobotEdit as Edit;
use longshore_hub::views;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::accounts::TEXT;
use super::super::tokens::{Left, Token};
use crate::problem::Problem;
use crate::words::{Field, Standing, moment, time, within};

/// An account of a machine.
#[derive(Serialize, ToSchema)]
pub(super) struct Robot {
    /// The id: it outlives the name.
    id: i64,
    /// The name it logs in with, such as `acme+ci`.
    name: String,
    /// What it is for.
    description: String,
    /// Whether it can do anything.
    state: Standing,
    /// Who stands behind it, as it never may more than they; nothing: the operator.
    maker: Option<RobotMaker>,
    /// When it was made.
    created: String,
    /// When it ends; nothing: when it is deleted.
    expires: Option<String>,
    /// Its secrets, without themselves: two of them are good while one takes the place of the other.
    secrets: Vec<Token>,
}

impl From<views::Robot> for Robot {
    fn from(robot: views::Robot) -> Self {
        let row = robot.row;
        Self {
            id: row.id.0,
            name: robot.name,
            description: row.description,
            state: row.state.into(),
            maker: robot.maker.map(RobotMaker::from),
            created: time(row.created),
            expires: row.expires.map(time),
            secrets: robot
                .secrets
                .into_iter()
                .map(|row| Token::of(row, Left::default()))
                .collect(),
        }
    }
}

/// Whoever made a robot, or took it over.
#[derive(Serialize, ToSchema)]
struct RobotMaker {
    /// Who: `user:NAME` or `robot:OWNER+NAME`.
    #[schema(example = "user:ann")]
    subject: String,
    /// Whether they were switched off, or are gone.
    state: Standing,
    /// Whether they can do anything, and whoever stands behind them. While they cannot, the robot can do nothing: somebody takes it over.
    counts: bool,
}

impl From<views::Maker> for RobotMaker {
    fn from(maker: views::Maker) -> Self {
        Self {
            subject: maker.subject,
            state: maker.state.into(),
            counts: maker.counts,
        }
    }
}

/// A robot that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RobotWanted {
    /// The name, without what stands before the `+`: lower-case letters, digits, `-`, `_` and `.`.
    #[schema(min_length = 1, max_length = 64, example = "ci")]
    pub(super) name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(super) description: String,
    /// What it may do where. Nobody gives what they have not.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(super) grants: Vec<RobotGrant>,
    /// When it ends, as RFC 3339 has it; left out: when it is deleted.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub(super) expires: Option<String>,
}

/// What a robot may do somewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RobotGrant {
    /// The name of a role.
    #[schema(max_length = 64, example = "developer")]
    pub(super) role: String,
    /// The path of a namespace; `**` is everywhere.
    #[schema(max_length = 255, example = "acme")]
    pub(super) namespace: String,
}

/// What of a robot is to be otherwise, one thing at least; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RobotEdit {
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// When it ends, as RFC 3339 has it; nothing: when it is deleted. What was issued to it before is void.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires: Field<String>,
    /// Whether it can do anything. What was issued to one that is switched off is void.
    #[serde(default)]
    enabled: Option<bool>,
}

impl RobotEdit {
    pub(super) fn check(self) -> Result<Edit, Problem> {
        within(self.description.as_deref(), TEXT, "description")?;
        let expires = match &self.expires {
            Field::Left => None,
            Field::Nothing => Some(None),
            Field::To(text) => Some(moment(Some(text), "expires")?),
        };
        if self.description.is_none() && expires.is_none() && self.enabled.is_none() {
            return Err(Problem::invalid(
                "say what is to be otherwise: `description`, `expires` or `enabled`",
            ));
        }
        Ok(Edit {
            description: self.description,
            expires,
            enabled: self.enabled,
        })
    }
}

/// How a secret is followed by another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// For how many seconds the secret before goes on; left out: a day.
    #[serde(default)]
    #[schema(maximum = 2_592_000)]
    pub(super) overlap_seconds: Option<u64>,
}
