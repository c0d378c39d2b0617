//! Robots of the system and of organisations.

use std::time::Duration;

use longshore_auth::index::SYSTEM;
use longshore_auth::rights::Action;
use longshore_hub::robots::NewRobot;
use longshore_hub::views;
use longshore_meta::principals::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::TEXT;
use super::tokens::{Left, NewSecret, Token};
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Run, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{Standing, moment, time, within};

/// How long a secret goes on beside its successor where nobody says otherwise.
const OVERLAP: u64 = 24 * 60 * 60;
/// The longest that it may, in seconds.
const LONGEST: u64 = 30 * 24 * 60 * 60;

/// A line for the robots of the system, and the same for those of an organisation.
const fn pair(
    ids: [&'static str; 2],
    method: Way,
    paths: [&'static str; 2],
    about: [&'static str; 2],
    action: Action,
    gives: Gives,
    run: Run,
) -> [Endpoint; 2] {
    let [of_system, of_organisation] = [
        Needs::Right(action, On::System),
        Needs::Right(action, On::Organisation),
    ];
    [
        line(ids[0], (method, paths[0]), about[0], of_system, gives, run),
        line(
            ids[1],
            (method, paths[1]),
            about[1],
            of_organisation,
            gives,
            run,
        ),
    ]
}

const LIST: [Endpoint; 2] = pair(
    ["robot-list", "organisation-robot-list"],
    Way::Get,
    ["/robots", "/organisations/{organisation}/robots"],
    [
        "List robots of the system",
        "List robots of an organisation",
    ],
    Action::RobotList,
    Gives::Page(shape::<Robot>()),
    |api, ask| Box::pin(list(api, ask)),
);
const CREATE: [Endpoint; 2] = pair(
    ["robot-create", "organisation-robot-create"],
    Way::Post,
    ["/robots", "/organisations/{organisation}/robots"],
    [
        "Make a robot of the system and its first secret, which is shown this once",
        "Make a robot of an organisation and its first secret, which is shown this once",
    ],
    Action::RobotManage,
    Gives::Made(shape::<NewSecret>()),
    |api, ask| Box::pin(create(api, ask)),
);
const GET: [Endpoint; 2] = pair(
    ["robot-get", "organisation-robot-get"],
    Way::Get,
    [
        "/robots/{robot}",
        "/organisations/{organisation}/robots/{robot}",
    ],
    [
        "Show a robot of the system",
        "Show a robot of an organisation",
    ],
    Action::RobotList,
    Gives::One(shape::<Robot>()),
    |api, ask| Box::pin(get(api, ask)),
);
const EDIT: [Endpoint; 2] = pair(
    ["robot-edit", "organisation-robot-edit"],
    Way::Patch,
    [
        "/robots/{robot}",
        "/organisations/{organisation}/robots/{robot}",
    ],
    [
        "Switch a robot of the system off or on",
        "Switch a robot of an organisation off or on",
    ],
    Action::RobotManage,
    Gives::Nothing,
    |api, ask| Box::pin(edit(api, ask)),
);
const DELETE: [Endpoint; 2] = pair(
    ["robot-delete", "organisation-robot-delete"],
    Way::Delete,
    [
        "/robots/{robot}",
        "/organisations/{organisation}/robots/{robot}",
    ],
    [
        "Delete a robot of the system",
        "Delete a robot of an organisation",
    ],
    Action::RobotManage,
    Gives::Nothing,
    |api, ask| Box::pin(delete(api, ask)),
);
const ROTATE: [Endpoint; 2] = pair(
    ["robot-rotate", "organisation-robot-rotate"],
    Way::Post,
    [
        "/robots/{robot}/rotate",
        "/organisations/{organisation}/robots/{robot}/rotate",
    ],
    [
        "Give a robot of the system another secret, which is shown this once; the one before goes on for a while",
        "Give a robot of an organisation another secret, which is shown this once; the one before goes on for a while",
    ],
    Action::RobotManage,
    Gives::One(shape::<NewSecret>()),
    |api, ask| Box::pin(rotate(api, ask)),
);
const REVOKE: [Endpoint; 2] = pair(
    ["robot-secret-delete", "organisation-robot-secret-delete"],
    Way::Delete,
    [
        "/robots/{robot}/secrets/{id}",
        "/organisations/{organisation}/robots/{robot}/secrets/{id}",
    ],
    [
        "Take a secret of a robot of the system back",
        "Take a secret of a robot of an organisation back",
    ],
    Action::RobotManage,
    Gives::Nothing,
    |api, ask| Box::pin(revoke(api, ask)),
);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    LIST[0],
    CREATE[0].takes(shape::<RobotWanted>()).secret(),
    GET[0],
    EDIT[0].takes(shape::<RobotEdit>()),
    DELETE[0],
    ROTATE[0].takes(shape::<Rotation>()).secret(),
    REVOKE[0],
    LIST[1],
    CREATE[1].takes(shape::<RobotWanted>()).secret(),
    GET[1],
    EDIT[1].takes(shape::<RobotEdit>()),
    DELETE[1],
    ROTATE[1].takes(shape::<Rotation>()).secret(),
    REVOKE[1],
];

/// An account of a machine.
#[derive(Serialize, ToSchema)]
struct Robot {
    /// The id: it outlives the name.
    id: i64,
    /// The name it logs in with, such as `acme+ci`.
    name: String,
    /// What it is for.
    description: String,
    /// Whether it can do anything.
    state: Standing,
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

/// A robot that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RobotWanted {
    /// The name, without what stands before the `+`: lower-case letters, digits, `-`, `_` and `.`.
    #[schema(min_length = 1, max_length = 64, example = "ci")]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    /// What it may do where. Nobody gives what they have not.
    #[serde(default)]
    #[schema(max_items = 20)]
    grants: Vec<RobotGrant>,
    /// When it ends, as RFC 3339 has it; left out: when it is deleted.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// What a robot may do somewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RobotGrant {
    /// The name of a role.
    #[schema(max_length = 64, example = "developer")]
    role: String,
    /// The path of a namespace; `**` is everywhere.
    #[schema(max_length = 255, example = "acme")]
    namespace: String,
}

/// What of a robot is to be otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RobotEdit {
    /// Whether it can do anything. What was issued to one that is switched off is void.
    enabled: bool,
}

/// How a secret is followed by another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// For how many seconds the secret before goes on; left out: a day.
    #[serde(default)]
    #[schema(maximum = 2_592_000)]
    overlap_seconds: Option<u64>,
}

/// Whose robots are asked about: the word before the `+`.
pub(super) fn owner(ask: &Ask) -> Result<&str, Problem> {
    match ask.value("organisation") {
        "" => Ok(SYSTEM),
        _ => ask.name("organisation"),
    }
}

/// The name that the robot in the path logs in with.
pub(super) fn full(ask: &Ask) -> Result<String, Problem> {
    Ok(format!("{}+{}", owner(ask)?, ask.value("robot")))
}

/// The path of a robot, or of something of it.
pub(super) fn path(ask: &Ask, rest: &str) -> String {
    match ask.value("organisation") {
        "" => ask.path(&format!("/robots/{rest}")),
        name => ask.path(&format!("/organisations/{name}/robots/{rest}")),
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let of = owner(&ask)?;
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let found = api
        .hub()
        .robot_list(&ask.caller, of, &from, ask.query.limit())
        .await?;
    page(&ask, found, Robot::from, Clone::clone)
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let of = owner(&ask)?;
    let wanted: RobotWanted = ask.read()?;
    within(Some(&wanted.description), TEXT, "description")?;
    let name = format!("{of}+{}", wanted.name);
    let grants = wanted.grants.into_iter();
    let new = NewRobot {
        name: name.clone(),
        description: wanted.description,
        grants: grants.map(|it| (it.role, it.namespace)).collect(),
        expires: moment(wanted.expires.as_deref(), "expires")?,
    };
    let hub = ask.hub(api.hub());
    let made = hub.robot_create(&ask.caller, new).await?;
    let path = path(&ask, &wanted.name);
    Reply::made(&NewSecret::of(&name, &made), &path)
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let found = api.hub().robot_get(&ask.caller, &full(&ask)?).await?;
    Reply::json(&Robot::from(found))
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let to = if ask.read::<RobotEdit>()?.enabled {
        State::Active
    } else {
        State::Disabled
    };
    let hub = ask.hub(api.hub());
    hub.robot_state(&ask.caller, &full(&ask)?, to).await?;
    nothing()
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let hub = ask.hub(api.hub());
    let gone = State::Deleted;
    hub.robot_state(&ask.caller, &full(&ask)?, gone).await?;
    nothing()
}

async fn rotate(api: &Api, ask: Ask) -> Answer {
    let overlap = ask.read::<Rotation>()?.overlap_seconds.unwrap_or(OVERLAP);
    if overlap > LONGEST {
        return Err(Problem::invalid(
            "`overlap_seconds` is at most 2592000: thirty days",
        ));
    }
    let name = full(&ask)?;
    let overlap = Duration::from_secs(overlap);
    let hub = ask.hub(api.hub());
    let made = hub.robot_rotate(&ask.caller, &name, overlap).await?;
    Reply::json(&NewSecret::of(&name, &made))
}

async fn revoke(api: &Api, ask: Ask) -> Answer {
    let id = ask.id()?;
    let hub = ask.hub(api.hub());
    hub.robot_revoke(&ask.caller, &full(&ask)?, id).await?;
    nothing()
}
