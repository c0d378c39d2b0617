//! Names that change, repositories that come and go by hand, and namespaces that are emptied.

use longshore_auth::rights::{Action, Object};
use longshore_hub::{Moved, Thing};
use longshore_meta::principals::Kind;
use longshore_spec::name::RepoName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bindings::Binding;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::problem::Problem;

const USERS: Needs = Needs::Right(Action::UserManage, On::System);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "user-rename",
        (Way::Post, "/users/{user}/rename"),
        "Give a user another name, and their namespace with all that lies in it; the old names of repositories lead there for a while",
        USERS,
        Gives::One(shape::<AccountRenamed>()),
        |api, ask| Box::pin(account(api, ask, Kind::User)),
    )
    .takes(shape::<NewAccountName>())
    .marked(),
    line(
        "organisation-rename",
        (Way::Post, "/organisations/{organisation}/rename"),
        "Give an organisation another name, and its namespace with all that lies in it; the old names of repositories lead there for a while",
        USERS,
        Gives::One(shape::<AccountRenamed>()),
        |api, ask| Box::pin(account(api, ask, Kind::Organisation)),
    )
    .takes(shape::<NewAccountName>())
    .marked(),
    line(
        "repository-create",
        (Way::Post, "/repositories"),
        "Make a repository without content; a first push makes one, too",
        Needs::Depends,
        Gives::Made(shape::<RepositoryMade>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<RepositoryWanted>()),
    line(
        "repository-delete",
        (Way::Delete, "/repositories/{repository}"),
        "Delete a repository: nobody sees it from now on, its name is free, and what is in it goes to the trash",
        Needs::Right(Action::RepositoryRemove, On::Repository),
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    )
    .marked(),
    line(
        "namespace-purge",
        (Way::Post, "/namespaces/{namespace}/-/purge"),
        "Delete all repositories in a namespace and the groups below it; the namespace itself stays",
        Needs::Right(Action::NamespaceRemove, On::Namespace),
        Gives::One(shape::<Purged>()),
        |api, ask| Box::pin(purge(api, ask)),
    )
    .marked(),
];

/// A name that somebody is to have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccountName {
    /// The name: lower-case letters and digits, joined by single `.`, `_` or `-`.
    #[schema(min_length = 1, max_length = 64, example = "alicia")]
    name: String,
}

/// What names that changed did to patterns.
#[derive(Serialize, ToSchema)]
pub(super) struct Turned {
    /// Bindings with patterns that meant a repository by its old name and do not any more, as far as you see rights there.
    bindings_lost: Vec<Binding>,
    /// Bindings with patterns that mean a repository by its new name and did not before, as far as you see rights there.
    bindings_found: Vec<Binding>,
}

impl From<Moved> for Turned {
    fn from(it: Moved) -> Self {
        Self {
            bindings_lost: it.lost.into_iter().map(Binding::from).collect(),
            bindings_found: it.found.into_iter().map(Binding::from).collect(),
        }
    }
}

/// An account that has another name.
#[derive(Serialize, ToSchema)]
struct AccountRenamed {
    /// Its name.
    name: String,
    #[serde(flatten)]
    turned: Turned,
}

/// A repository that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepositoryWanted {
    /// The whole name.
    #[schema(min_length = 1, max_length = 255, example = "acme/app")]
    name: String,
}

/// A repository that was made.
#[derive(Serialize, ToSchema)]
struct RepositoryMade {
    /// The whole name.
    name: String,
}

/// What was emptied.
#[derive(Serialize, ToSchema)]
struct Purged {
    /// How many repositories were deleted.
    repositories: usize,
}

async fn account(api: &Api, ask: Ask, kind: Kind) -> Answer {
    let name = ask.name(kind.word())?;
    let to: NewAccountName = ask.read()?;
    let hub = ask.hub_for(api.hub(), Thing::Account(name.to_owned()));
    let moved = hub
        .account_rename(&ask.caller, Some(kind), name, &to.name)
        .await?;
    Reply::json(&AccountRenamed {
        name: to.name,
        turned: Turned::from(moved),
    })
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let wanted: RepositoryWanted = ask.read()?;
    let name: RepoName = wanted
        .name
        .parse()
        .map_err(|error: longshore_spec::name::NameError| Problem::invalid(error.to_string()))?;
    let hub = ask.hub(api.hub());
    hub.repository_create(&ask.caller, &name).await?;
    let path = ask.path(&format!("/repositories/{name}"));
    Reply::made(&RepositoryMade { name: wanted.name }, &path)
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let hub = ask.hub_for(api.hub(), Thing::Repository(name.clone()));
    hub.repository_remove(&ask.caller, &name).await?;
    nothing()
}

async fn purge(api: &Api, ask: Ask) -> Answer {
    let found = api.hub().place(&ask.caller, ask.namespace()?).await?;
    let Object::Namespace(id) = found else {
        return nothing();
    };
    let hub = ask.hub_for(api.hub(), Thing::Namespace(id));
    let repositories = hub.namespace_purge(&ask.caller, id).await?;
    Reply::json(&Purged { repositories })
}
