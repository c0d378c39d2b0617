//! Robots of the system, of organisations and of users.

mod said;

use std::time::Duration;

use longshore_auth::index::SYSTEM;
use longshore_auth::rights::Action;
use longshore_hub::robots::{NewRobot, RobotName};
use longshore_hub::{Thing, given, views};
use longshore_meta::principals::Kind;

use self::said::{Robot, RobotEdit, RobotWanted, Rotation};
use super::accounts::TEXT;
use super::tokens::NewSecret;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Run, Shape, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{moment, within};

/// How long a secret goes on beside its successor where nobody says otherwise.
const OVERLAP: u64 = 24 * 60 * 60;
/// The longest that it may, in seconds.
const LONGEST: u64 = 30 * 24 * 60 * 60;

/// An endpoint about robots, three times: of the system, of an organisation, of a user. What it is called and where it lies.
pub(super) type Three = ([&'static str; 3], [&'static str; 3]);

/// What an endpoint about robots is called, and where it lies, by what is after that of all of them.
macro_rules! three {
    ($id:literal, $rest:literal) => {
        (
            [
                concat!("robot-", $id),
                concat!("organisation-robot-", $id),
                concat!("user-robot-", $id),
            ],
            [
                concat!("/robots", $rest),
                concat!("/organisations/{organisation}/robots", $rest),
                concat!("/users/{user}/robots", $rest),
            ],
        )
    };
}
pub(super) use three;

/// What it does, by what is before and after the word for whose robots they are.
macro_rules! whose {
    ($before:literal, $after:literal) => {
        [
            concat!($before, " of the system", $after),
            concat!($before, " of an organisation", $after),
            concat!($before, " of a user", $after),
        ]
    };
}
pub(super) use whose;

/// The lines for the robots of the system, of an organisation and of a user, which differ in what the right is asked for on.
pub(super) const fn each(
    (ids, paths): Three,
    method: Way,
    about: [&'static str; 3],
    action: Action,
    gives: Gives,
    run: Run,
) -> [Endpoint; 3] {
    let [system, organisation, user] = [
        Needs::Right(action, On::System),
        Needs::Right(action, On::Organisation),
        Needs::Right(action, On::User),
    ];
    [
        line(ids[0], (method, paths[0]), about[0], system, gives, run),
        line(
            ids[1],
            (method, paths[1]),
            about[1],
            organisation,
            gives,
            run,
        ),
        line(ids[2], (method, paths[2]), about[2], user, gives, run),
    ]
}

/// The same, with a body.
pub(super) const fn take(lines: &[Endpoint; 3], body: Shape) -> [Endpoint; 3] {
    let [system, organisation, user] = *lines;
    [
        system.takes(body),
        organisation.takes(body),
        user.takes(body),
    ]
}

/// The same, of what has a mark.
const fn mark(lines: &[Endpoint; 3]) -> [Endpoint; 3] {
    let [system, organisation, user] = *lines;
    [system.marked(), organisation.marked(), user.marked()]
}

/// The same, of what shows a secret.
const fn hide(lines: &[Endpoint; 3]) -> [Endpoint; 3] {
    let [system, organisation, user] = *lines;
    [system.secret(), organisation.secret(), user.secret()]
}

const LIST: [Endpoint; 3] = each(
    three!("list", ""),
    Way::Get,
    whose!("List robots", ""),
    Action::RobotList,
    Gives::Page(shape::<Robot>()),
    |api, ask| Box::pin(list(api, ask)),
);
const CREATE: [Endpoint; 3] = hide(&take(
    &each(
        three!("create", ""),
        Way::Post,
        whose!(
            "Make a robot",
            " and its first secret, which is shown this once"
        ),
        Action::RobotManage,
        Gives::Made(shape::<NewSecret>()),
        |api, ask| Box::pin(create(api, ask)),
    ),
    shape::<RobotWanted>(),
));
const GET: [Endpoint; 3] = mark(&each(
    three!("get", "/{robot}"),
    Way::Get,
    whose!("Show a robot", ""),
    Action::RobotList,
    Gives::One(shape::<Robot>()),
    |api, ask| Box::pin(get(api, ask)),
));
const EDIT: [Endpoint; 3] = mark(&take(
    &each(
        three!("edit", "/{robot}"),
        Way::Patch,
        whose!(
            "Change what is said of a robot",
            ", when it ends, or switch it off or on"
        ),
        Action::RobotManage,
        Gives::One(shape::<Robot>()),
        |api, ask| Box::pin(edit(api, ask)),
    ),
    shape::<RobotEdit>(),
));
const DELETE: [Endpoint; 3] = mark(&each(
    three!("delete", "/{robot}"),
    Way::Delete,
    whose!("Delete a robot", ""),
    Action::RobotManage,
    Gives::Nothing,
    |api, ask| Box::pin(delete(api, ask)),
));
const ROTATE: [Endpoint; 3] = hide(&take(
    &each(
        three!("rotate", "/{robot}/rotate"),
        Way::Post,
        whose!(
            "Give a robot",
            " another secret, which is shown this once; the one before goes on for a while"
        ),
        Action::RobotManage,
        Gives::One(shape::<NewSecret>()),
        |api, ask| Box::pin(rotate(api, ask)),
    ),
    shape::<Rotation>(),
));
const REVOKE: [Endpoint; 3] = each(
    three!("secret-delete", "/{robot}/secrets/{id}"),
    Way::Delete,
    whose!("Take a secret of a robot", " back"),
    Action::RobotManage,
    Gives::Nothing,
    |api, ask| Box::pin(revoke(api, ask)),
);
const TAKE_OVER: [Endpoint; 3] = mark(&each(
    three!("take-over", "/{robot}/take-over"),
    Way::Post,
    whose!(
        "Stand behind a robot",
        " in the place of whoever made it; nobody does who has not what it was given"
    ),
    Action::RobotManage,
    Gives::One(shape::<Robot>()),
    |api, ask| Box::pin(take_over(api, ask)),
));

pub(super) const ENDPOINTS: &[Endpoint] = &[
    LIST[0],
    CREATE[0],
    GET[0],
    EDIT[0],
    DELETE[0],
    ROTATE[0],
    REVOKE[0],
    TAKE_OVER[0],
    LIST[1],
    CREATE[1],
    GET[1],
    EDIT[1],
    DELETE[1],
    ROTATE[1],
    REVOKE[1],
    TAKE_OVER[1],
    LIST[2],
    CREATE[2],
    GET[2],
    EDIT[2],
    DELETE[2],
    ROTATE[2],
    REVOKE[2],
    TAKE_OVER[2],
];

/// Whose robots are asked about: the word before the `+`, and what it must be the name of.
fn owner(ask: &Ask) -> Result<RobotName<'_>, Problem> {
    let (of, word) = match (ask.value("organisation"), ask.value("user")) {
        ("", "") => return Ok(RobotName::from(SYSTEM)),
        ("", _) => (Kind::User, "user"),
        _ => (Kind::Organisation, "organisation"),
    };
    Ok(RobotName {
        name: ask.name(word)?,
        of: Some(of),
    })
}

/// The robot in the path.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The name it logs in with.
    pub(super) name: String,
    /// What its owner must be.
    pub(super) of: Option<Kind>,
}

impl Asked {
    /// The robot in the path.
    pub(super) fn of(ask: &Ask) -> Result<Self, Problem> {
        let owner = owner(ask)?;
        Ok(Self {
            name: format!("{}+{}", owner.name, ask.value("robot")),
            of: owner.of,
        })
    }

    /// The same, as it is asked for.
    pub(super) fn robot(&self) -> RobotName<'_> {
        RobotName {
            name: &self.name,
            of: self.of,
        }
    }

    fn thing(&self) -> Thing {
        Thing::Robot(self.name.clone())
    }
}

/// The path of a robot, or of something of it.
pub(super) fn path(ask: &Ask, rest: &str) -> String {
    match (ask.value("organisation"), ask.value("user")) {
        ("", "") => ask.path(&format!("/robots/{rest}")),
        ("", name) => ask.path(&format!("/users/{name}/robots/{rest}")),
        (name, _) => ask.path(&format!("/organisations/{name}/robots/{rest}")),
    }
}

fn shown(robot: views::Robot) -> Answer {
    let mark = given::robot(&robot);
    Ok(Reply::json(&Robot::from(robot))?.marked(&mark))
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
    let owner = owner(&ask)?;
    let wanted: RobotWanted = ask.read()?;
    within(Some(&wanted.description), TEXT, "description")?;
    let name = format!("{}+{}", owner.name, wanted.name);
    let grants = wanted.grants.into_iter();
    let new = NewRobot {
        name: name.clone(),
        of: owner.of,
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
    let asked = Asked::of(&ask)?;
    shown(api.hub().robot_get(&ask.caller, asked.robot()).await?)
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let asked = Asked::of(&ask)?;
    let edit = ask.read::<RobotEdit>()?.check()?;
    let hub = ask.hub_for(api.hub(), asked.thing());
    shown(hub.robot_edit(&ask.caller, asked.robot(), edit).await?)
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let asked = Asked::of(&ask)?;
    let hub = ask.hub_for(api.hub(), asked.thing());
    hub.robot_delete(&ask.caller, asked.robot()).await?;
    nothing()
}

async fn rotate(api: &Api, ask: Ask) -> Answer {
    let overlap = ask.read::<Rotation>()?.overlap_seconds.unwrap_or(OVERLAP);
    if overlap > LONGEST {
        return Err(Problem::invalid(
            "`overlap_seconds` is at most 2592000: thirty days",
        ));
    }
    let asked = Asked::of(&ask)?;
    let overlap = Duration::from_secs(overlap);
    let hub = ask.hub(api.hub());
    let made = hub
        .robot_rotate(&ask.caller, asked.robot(), overlap)
        .await?;
    Reply::json(&NewSecret::of(&asked.name, &made))
}

async fn revoke(api: &Api, ask: Ask) -> Answer {
    let (id, asked) = (ask.id()?, Asked::of(&ask)?);
    let hub = ask.hub(api.hub());
    hub.robot_revoke(&ask.caller, asked.robot(), id).await?;
    nothing()
}

async fn take_over(api: &Api, ask: Ask) -> Answer {
    let asked = Asked::of(&ask)?;
    let hub = ask.hub_for(api.hub(), asked.thing());
    shown(hub.robot_take_over(&ask.caller, asked.robot()).await?)
}
