//! Teams of organisations.

use longshore_auth::rights::Object;
use longshore_hub::accounts::NewAccount;
use longshore_meta::principals::Principal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::{TEXT, made};
use super::organisations::{MANAGE, SEE, home};
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::words::{time, within};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "team-list",
        (Way::Get, "/organisations/{organisation}/teams"),
        "List teams of an organisation",
        SEE,
        Gives::Page(shape::<Team>()),
        |api, ask| Box::pin(teams(api, ask)),
    ),
    line(
        "team-create",
        (Way::Post, "/organisations/{organisation}/teams"),
        "Make a team",
        MANAGE,
        Gives::Made(shape::<Team>()),
        |api, ask| Box::pin(team_create(api, ask)),
    )
    .takes(shape::<NewTeam>()),
    line(
        "team-get",
        (Way::Get, "/organisations/{organisation}/teams/{team}"),
        "Show a team",
        SEE,
        Gives::One(shape::<Team>()),
        |api, ask| Box::pin(team_get(api, ask)),
    ),
    line(
        "team-delete",
        (Way::Delete, "/organisations/{organisation}/teams/{team}"),
        "Delete a team with all that it was given",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(team_delete(api, ask)),
    ),
];

/// Some people of an organisation.
#[derive(Serialize, ToSchema)]
struct Team {
    /// The id: it outlives the name.
    id: i64,
    /// The name.
    name: String,
    /// What it is for.
    description: String,
    /// When it was made.
    created: String,
}

impl From<Principal> for Team {
    fn from(row: Principal) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            description: row.description,
            created: time(row.created),
        }
    }
}

/// A team that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTeam {
    /// The name: lower-case letters and digits, joined by single `.`, `_` or `-`.
    #[schema(min_length = 1, max_length = 64, example = "web")]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
}

async fn teams(api: &Api, ask: Ask) -> Answer {
    let home = home(api, &ask).await?;
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let found = api
        .hub()
        .team_list(&ask.caller, &home, &from, ask.query.limit())
        .await?;
    page(&ask, found, Team::from, Clone::clone)
}

async fn team_create(api: &Api, ask: Ask) -> Answer {
    let home = home(api, &ask).await?;
    let new: NewTeam = ask.read()?;
    within(Some(&new.description), TEXT, "description")?;
    let path = format!(
        "/organisations/{}/teams/{}",
        ask.value("organisation"),
        new.name
    );
    let path = ask.path(&path);
    let Object::Namespace(home) = home else {
        return nothing();
    };
    let account = NewAccount {
        name: new.name,
        description: new.description,
        ..NewAccount::default()
    };
    let hub = ask.hub(api.hub());
    let id = hub.team_create(&ask.caller, home, account).await?;
    made(api, &ask, id.0, |row| Reply::made(&Team::from(row), &path)).await
}

async fn team_get(api: &Api, ask: Ask) -> Answer {
    let home = home(api, &ask).await?;
    let team = ask.name("team")?;
    let found = api.hub().team_get(&ask.caller, &home, team).await?;
    Reply::json(&Team::from(found))
}

async fn team_delete(api: &Api, ask: Ask) -> Answer {
    let home = home(api, &ask).await?;
    let team = ask.name("team")?;
    let hub = ask.hub(api.hub());
    hub.team_delete(&ask.caller, &home, team).await?;
    nothing()
}
