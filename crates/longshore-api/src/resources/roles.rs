//! Roles: sets of actions under a name.

use longshore_auth::rights::{Action, ActionSet, Object};
use longshore_hub::{Thing, given};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::roles::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::TEXT;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::within;

const fn manage(on: On) -> Needs {
    Needs::Right(Action::RightsManage, on)
}

const READ: Needs = Needs::Right(Action::RightsRead, On::Namespace);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "role-list",
        (Way::Get, "/roles"),
        "List the roles that all may use",
        Needs::Nothing,
        Gives::Page(shape::<OneRole>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "role-get",
        (Way::Get, "/roles/{role}"),
        "Show a role that all may use",
        Needs::Nothing,
        Gives::One(shape::<OneRole>()),
        |api, ask| Box::pin(get(api, ask)),
    )
    .marked(),
    line(
        "role-put",
        (Way::Put, "/roles/{role}"),
        "Make a role that all may use, or say anew what it allows",
        manage(On::System),
        Gives::Nothing,
        |api, ask| Box::pin(put(api, ask)),
    )
    .takes(shape::<RoleSaid>())
    .marked(),
    line(
        "role-delete",
        (Way::Delete, "/roles/{role}"),
        "Delete a role that nobody has",
        manage(On::System),
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    )
    .marked(),
    line(
        "namespace-role-list",
        (Way::Get, "/namespaces/{namespace}/-/roles"),
        "List the roles of whoever owns a namespace",
        READ,
        Gives::Page(shape::<OneRole>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "namespace-role-get",
        (Way::Get, "/namespaces/{namespace}/-/roles/{role}"),
        "Show a role of whoever owns a namespace",
        READ,
        Gives::One(shape::<OneRole>()),
        |api, ask| Box::pin(get(api, ask)),
    )
    .marked(),
    line(
        "namespace-role-put",
        (Way::Put, "/namespaces/{namespace}/-/roles/{role}"),
        "Make a role of the user or the organisation whose whole namespace this is, or say anew what it allows",
        manage(On::Namespace),
        Gives::Nothing,
        |api, ask| Box::pin(put(api, ask)),
    )
    .takes(shape::<RoleSaid>())
    .marked(),
    line(
        "namespace-role-delete",
        (Way::Delete, "/namespaces/{namespace}/-/roles/{role}"),
        "Delete a role that nobody has",
        manage(On::Namespace),
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    )
    .marked(),
];

/// Actions under a name.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
struct OneRole {
    /// The id: it outlives the name.
    id: i64,
    /// The name.
    name: String,
    /// What it is for.
    description: String,
    /// What it allows.
    actions: Vec<String>,
    /// Whether it comes with the program and stays as it is.
    builtin: bool,
}

impl From<Role> for OneRole {
    fn from(row: Role) -> Self {
        Self {
            id: row.id,
            name: row.name,
            description: row.description,
            actions: ActionSet::known(&row.actions)
                .iter()
                .map(|action| action.name().to_owned())
                .collect(),
            builtin: row.builtin,
        }
    }
}

/// What a role is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RoleSaid {
    /// What it allows, by names of actions. Nobody can put into a role what they may not do themselves.
    #[schema(min_items = 1, max_items = 64, example = json!(["repository:list", "repository:pull"]))]
    actions: Vec<String>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
}

/// The namespace in the path, where there is one.
async fn place(api: &Api, ask: &Ask) -> Result<Option<Object>, Problem> {
    if ask.value("namespace").is_empty() {
        return Ok(None);
    }
    let object = api.hub().place(&ask.caller, ask.namespace()?).await?;
    Ok(Some(object))
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let limit = ask.query.limit();
    let found = match place(api, &ask).await? {
        None => api.hub().roles_of_all(&from, limit).await?,
        Some(object) => {
            api.hub()
                .roles_in(&ask.caller, &object, &from, limit)
                .await?
        }
    };
    page(&ask, found, OneRole::from, Clone::clone)
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("role")?;
    let row = match place(api, &ask).await? {
        None => api.hub().role_of_all(name).await?,
        Some(object) => api.hub().role_in(&ask.caller, &object, name).await?,
    };
    let mark = given::role(&row);
    Ok(Reply::json(&OneRole::from(row))?.marked(&mark))
}

fn home(place: Option<&Object>) -> NamespaceId {
    match place {
        Some(Object::Namespace(id)) => *id,
        _ => NamespaceId::EVERYWHERE,
    }
}

/// What a role is to allow.
pub(super) fn actions(words: &[String]) -> Result<ActionSet, Problem> {
    let mut actions = ActionSet::NONE;
    for word in words {
        let action: Action = word.parse().map_err(|_| {
            Problem::invalid(format!("there is no action `{word}`; /actions lists them"))
        })?;
        actions = actions.with(action);
    }
    if actions.is_empty() {
        return Err(Problem::invalid("a role allows one action at least"));
    }
    Ok(actions)
}

async fn put(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("role")?;
    let home = home(place(api, &ask).await?.as_ref());
    let said: RoleSaid = ask.read()?;
    within(Some(&said.description), TEXT, "description")?;
    let actions = actions(&said.actions)?;
    let hub = ask.hub_for(api.hub(), Thing::Role(home, name.to_owned()));
    hub.role_set(&ask.caller, home, name, actions, &said.description)
        .await?;
    nothing()
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("role")?;
    let home = home(place(api, &ask).await?.as_ref());
    let hub = ask.hub_for(api.hub(), Thing::Role(home, name.to_owned()));
    hub.role_remove(&ask.caller, home, name).await?;
    nothing()
}
