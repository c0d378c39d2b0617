//! Trust rules: whose tokens of other issuers make their bearer a robot.

use std::collections::BTreeMap;

use longshore_auth::rights::Action;
use longshore_hub::narrowing::Kept;
use longshore_hub::trust::NewTrust;
use longshore_meta::trusts::Trust;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::TEXT;
use super::robots::{Asked, each, path, take, three, whose};
use super::tokens::{Left, narrow};
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Way, nothing, shape};
use crate::words::{moment, time, within};

const SEE: Action = Action::RobotList;
const MANAGE: Action = Action::RobotManage;

const LIST: [Endpoint; 3] = each(
    three!("trust-list", "/{robot}/trust-rules"),
    Way::Get,
    whose!("List whose tokens make their bearer a robot", ""),
    SEE,
    Gives::One(shape::<TrustRules>()),
    |api, ask| Box::pin(list(api, ask)),
);
const CREATE: [Endpoint; 3] = take(
    &each(
        three!("trust-create", "/{robot}/trust-rules"),
        Way::Post,
        whose!("Say whose tokens make their bearer a robot", ""),
        MANAGE,
        Gives::Made(shape::<TrustMade>()),
        |api, ask| Box::pin(create(api, ask)),
    ),
    shape::<TrustWanted>(),
);
const DELETE: [Endpoint; 3] = each(
    three!("trust-delete", "/{robot}/trust-rules/{id}"),
    Way::Delete,
    ["Take such a rule back"; 3],
    MANAGE,
    Gives::Nothing,
    |api, ask| Box::pin(delete(api, ask)),
);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    LIST[0], CREATE[0], DELETE[0], LIST[1], CREATE[1], DELETE[1], LIST[2], CREATE[2], DELETE[2],
];

/// The trust rules of a robot, of which there are a hundred at the most.
#[derive(Serialize, ToSchema)]
struct TrustRules {
    /// Each of them.
    items: Vec<TrustRule>,
}

/// Whose tokens make their bearer a robot.
#[derive(Serialize, ToSchema)]
struct TrustRule {
    /// The id.
    id: i64,
    /// The issuer's URL, to the letter as its tokens have it.
    issuer: String,
    /// What `aud` must have.
    audience: String,
    /// What claims must say: patterns, by the claims' names or paths.
    claims: BTreeMap<String, String>,
    /// The actions it leaves of the robot's rights; nothing: all.
    actions: Option<Vec<&'static str>>,
    /// The repositories it leaves: those it is for by themselves, by the names they have now, and patterns; nothing: all.
    repositories: Option<Vec<String>>,
    /// Names among `repositories` that nothing had when it was made: it is for whatever is called so.
    by_name: Vec<String>,
    /// What it is for.
    description: String,
    /// When it was made.
    created: String,
    /// When it ends; nothing: when it is taken back.
    expires: Option<String>,
    /// When somebody last came by it, to the hour or so.
    used: Option<String>,
}

impl TrustRule {
    fn of(row: Trust, left: Left) -> Self {
        Self {
            id: row.id,
            issuer: row.issuer,
            audience: row.audience,
            claims: serde_json::from_str(&row.claims).unwrap_or_default(),
            actions: left.actions,
            repositories: left.repositories,
            by_name: left.by_name,
            description: row.description,
            created: time(row.created),
            expires: row.expires.map(time),
            used: row.used.map(time),
        }
    }
}

/// A trust rule that was made.
#[derive(Serialize, ToSchema)]
struct TrustMade {
    /// The id.
    id: i64,
    /// Names in `repositories` that nothing has that you may see: it is for whatever is called so.
    by_name: Vec<String>,
}

/// A trust rule that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrustWanted {
    /// The issuer's URL, to the letter as its tokens have it.
    #[schema(
        max_length = 1024,
        example = "https://token.actions.githubusercontent.com"
    )]
    issuer: String,
    /// What `aud` must have; left out: the name of the registry beside this index.
    #[serde(default)]
    #[schema(max_length = 1024)]
    audience: Option<String>,
    /// What claims must say: patterns, by the claims' names or paths.
    #[schema(example = json!({ "repository": "acme/app", "ref": "refs/heads/main" }))]
    claims: BTreeMap<String, String>,
    /// What it leaves of the robot's rights on repositories: `pull`, `push`, `delete`; left out: everything.
    #[serde(default)]
    #[schema(max_items = 3)]
    actions: Option<Vec<String>>,
    /// The repositories it leaves: names of some that are there, which it is for whatever they are called from now on, and patterns of
    /// whole names; left out: all.
    #[serde(default)]
    #[schema(max_items = 20)]
    repositories: Option<Vec<String>>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    /// When it ends, as RFC 3339 has it; left out: when it is taken back.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires: Option<String>,
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let asked = Asked::of(&ask)?;
    let found = api.hub().trust_list(&ask.caller, asked.robot()).await?;
    let mut items = Vec::with_capacity(found.len());
    for row in found {
        let left = Left::by(api, &ask, row.scope.as_deref()).await?;
        items.push(TrustRule::of(row, left));
    }
    Reply::json(&TrustRules { items })
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let wanted: TrustWanted = ask.read()?;
    within(Some(&wanted.description), TEXT, "description")?;
    let audience = wanted.audience;
    let asked = Asked::of(&ask)?;
    let new = NewTrust {
        robot: asked.name,
        of: asked.of,
        issuer: wanted.issuer,
        audience: audience.unwrap_or_else(|| api.index().options().service.clone()),
        claims: wanted.claims,
        narrow: narrow(wanted.repositories.as_deref(), wanted.actions.as_deref())?,
        description: wanted.description,
        expires: moment(wanted.expires.as_deref(), "expires")?,
    };
    let hub = ask.hub(api.hub());
    let Kept { id, by_name } = hub.trust_create(&ask.caller, new).await?;
    let rest = format!("{}/trust-rules/{id}", ask.value("robot"));
    Reply::made(&TrustMade { id, by_name }, &path(&ask, &rest))
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let (id, asked) = (ask.id()?, Asked::of(&ask)?);
    let hub = ask.hub(api.hub());
    hub.trust_delete(&ask.caller, asked.robot(), id).await?;
    nothing()
}
