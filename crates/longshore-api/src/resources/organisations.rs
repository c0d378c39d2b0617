//! Organisations, and who is in them and in their teams.

use longshore_auth::rights::{Action, Object};
use longshore_hub::accounts::NewAccount;
use longshore_hub::{Thing, given};
use longshore_meta::members::Member;
use longshore_meta::principals::{Kind, Principal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::{TEXT, UserEdit, made};
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{Standing, time, within};

pub(super) const SEE: Needs = Needs::Right(Action::MemberList, On::Organisation);
pub(super) const MANAGE: Needs = Needs::Right(Action::MemberManage, On::Organisation);
const USERS: Needs = Needs::Right(Action::UserManage, On::System);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "organisation-list",
        (Way::Get, "/organisations"),
        "List organisations",
        Needs::Right(Action::UserList, On::System),
        Gives::Page(shape::<Organisation>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "organisation-create",
        (Way::Post, "/organisations"),
        "Make an organisation, with a namespace of its name that you own",
        Needs::Right(Action::OrganisationCreate, On::System),
        Gives::Made(shape::<Organisation>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<NewOrganisation>()),
    line(
        "organisation-get",
        (Way::Get, "/organisations/{organisation}"),
        "Show an organisation",
        Needs::Right(Action::NamespaceRead, On::Organisation),
        Gives::One(shape::<Organisation>()),
        |api, ask| Box::pin(get(api, ask)),
    )
    .marked(),
    line(
        "organisation-edit",
        (Way::Patch, "/organisations/{organisation}"),
        "Change what is said of an organisation, or switch it off or on",
        USERS,
        Gives::One(shape::<Organisation>()),
        |api, ask| Box::pin(edit(api, ask)),
    )
    .takes(shape::<UserEdit>())
    .marked(),
    line(
        "organisation-delete",
        (Way::Delete, "/organisations/{organisation}"),
        "Delete an organisation whose namespaces are empty",
        USERS,
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    )
    .marked(),
    line(
        "organisation-members",
        (Way::Get, "/organisations/{organisation}/members"),
        "List members of an organisation",
        SEE,
        Gives::Page(shape::<OneMember>()),
        |api, ask| Box::pin(members(api, ask)),
    ),
    line(
        "organisation-member-put",
        (Way::Put, "/organisations/{organisation}/members/{user}"),
        "Take somebody into an organisation",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(member(api, ask, true)),
    ),
    line(
        "organisation-member-delete",
        (Way::Delete, "/organisations/{organisation}/members/{user}"),
        "Take somebody out of an organisation and its teams",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(member(api, ask, false)),
    ),
    line(
        "team-members",
        (
            Way::Get,
            "/organisations/{organisation}/teams/{team}/members",
        ),
        "List members of a team",
        SEE,
        Gives::Page(shape::<OneMember>()),
        |api, ask| Box::pin(members(api, ask)),
    ),
    line(
        "team-member-put",
        (
            Way::Put,
            "/organisations/{organisation}/teams/{team}/members/{user}",
        ),
        "Take somebody into a team, and into its organisation",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(member(api, ask, true)),
    ),
    line(
        "team-member-delete",
        (
            Way::Delete,
            "/organisations/{organisation}/teams/{team}/members/{user}",
        ),
        "Take somebody out of a team",
        MANAGE,
        Gives::Nothing,
        |api, ask| Box::pin(member(api, ask, false)),
    ),
];

/// An organisation.
#[derive(Serialize, ToSchema)]
struct Organisation {
    /// The id: it outlives the name.
    id: i64,
    /// The name.
    name: String,
    /// What it is for.
    description: String,
    /// Whether it can do anything.
    state: Standing,
    /// When it was made.
    created: String,
}

impl From<Principal> for Organisation {
    fn from(row: Principal) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            description: row.description,
            state: row.state.into(),
            created: time(row.created),
        }
    }
}

/// An organisation that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisation {
    /// The name: lower-case letters and digits, joined by single `.`, `_` or `-`.
    #[schema(min_length = 1, max_length = 64, example = "acme")]
    name: String,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
}

/// Somebody in an organisation or team.
#[derive(Serialize, ToSchema)]
#[schema(as = Member)]
struct OneMember {
    /// The id of the account.
    id: i64,
    /// Its name.
    name: String,
    /// The directory that says so; empty where a person did.
    source: String,
    /// Since when.
    created: String,
}

impl From<Member> for OneMember {
    fn from(row: Member) -> Self {
        Self {
            id: row.principal.0,
            name: row.name,
            source: row.source,
            created: time(row.created),
        }
    }
}

/// The home of the organisation in the path.
pub(super) async fn home(api: &Api, ask: &Ask) -> Result<Object, Problem> {
    let name = ask.name("organisation")?;
    Ok(api.hub().place(&ask.caller, name).await?)
}

/// The team in the path, where there is one.
fn team(ask: &Ask) -> Result<Option<&str>, Problem> {
    if ask.value("team").is_empty() {
        return Ok(None);
    }
    ask.name("team").map(Some)
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let kind = Kind::Organisation;
    let found = api
        .hub()
        .accounts_of(&ask.caller, kind, &from, ask.query.limit())
        .await?;
    page(&ask, found, Organisation::from, Clone::clone)
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let new: NewOrganisation = ask.read()?;
    within(Some(&new.description), TEXT, "description")?;
    let path = ask.path(&format!("/organisations/{}", new.name));
    let account = NewAccount {
        name: new.name,
        description: new.description,
        ..NewAccount::default()
    };
    let hub = ask.hub(api.hub());
    let id = hub.organisation_create(&ask.caller, account).await?;
    made(api, &ask, id.0, |row| {
        Reply::made(&Organisation::from(row), &path)
    })
    .await
}

fn shown(row: Principal) -> Answer {
    let mark = given::account(&row);
    Ok(Reply::json(&Organisation::from(row))?.marked(&mark))
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let home = home(api, &ask).await?;
    shown(api.hub().organisation_get(&ask.caller, &home).await?)
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("organisation")?;
    let edit = ask.read::<UserEdit>()?.check()?;
    let hub = ask.hub_for(api.hub(), Thing::Account(name.to_owned()));
    let kind = Kind::Organisation;
    let id = hub.account_edit(&ask.caller, kind, name, edit).await?;
    made(api, &ask, id, shown).await
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let name = ask.name("organisation")?;
    let hub = ask.hub_for(api.hub(), Thing::Account(name.to_owned()));
    hub.account_delete(&ask.caller, Some(Kind::Organisation), name)
        .await?;
    nothing()
}

async fn members(api: &Api, ask: Ask) -> Answer {
    let (home, team) = (home(api, &ask).await?, team(&ask)?);
    let from: Option<i64> = after(&ask, |key| key.parse().ok().map(Some))?;
    let from = from.unwrap_or(i64::MIN);
    let found = api
        .hub()
        .member_list(&ask.caller, &home, team, from, ask.query.limit())
        .await?;
    page(&ask, found, OneMember::from, ToString::to_string)
}

async fn member(api: &Api, ask: Ask, is_member: bool) -> Answer {
    let (home, team) = (home(api, &ask).await?, team(&ask)?);
    let user = ask.name("user")?;
    let Object::Namespace(home) = home else {
        return nothing();
    };
    let hub = ask.hub(api.hub());
    hub.member_set(&ask.caller, home, team, user, is_member)
        .await?;
    nothing()
}
