//! Repositories: what is said of them, who may see them, what they are called.

use longshore_auth::rights::Action;
use longshore_hub::repositories::Said;
use longshore_hub::views::RepositorySeen;
use longshore_hub::{Thing, given};
use longshore_spec::name::RepoName;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::moves::Turned;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::body::MOST_README;
use crate::endpoint::{
    CURSOR, Endpoint, Gives, Kind, LIMIT, Needs, On, Parameter, Way, line, nothing, shape,
};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{Field, Seen, time, within};

const fn needs(action: Action) -> Needs {
    Needs::Right(action, On::Repository)
}

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "repository-list",
        (Way::Get, "/repositories"),
        "List the repositories that you may see and that hold anything",
        Needs::Nothing,
        Gives::Page(shape::<InList>()),
        |api, ask| Box::pin(list(api, ask)),
    )
    .asks(&[
        LIMIT,
        CURSOR,
        Parameter {
            name: "within",
            about: "only what lies below this path",
            kind: Kind::Path,
        },
    ]),
    line(
        "repository-get",
        (Way::Get, "/repositories/{repository}"),
        "Show a repository",
        needs(Action::RepositoryList),
        Gives::One(shape::<Repository>()),
        |api, ask| Box::pin(get(api, ask)),
    )
    .marked(),
    line(
        "repository-edit",
        (Way::Patch, "/repositories/{repository}"),
        "Change what is said of a repository, or who may see it and whether it is read-only",
        Needs::Depends,
        Gives::Nothing,
        |api, ask| Box::pin(edit(api, ask)),
    )
    .takes(shape::<RepositoryEdit>())
    .up_to(MOST_README)
    .marked(),
    line(
        "repository-rename",
        (Way::Post, "/repositories/{repository}/-/rename"),
        "Give a repository another name, in another namespace perhaps; the old one leads there for a while",
        needs(Action::RepositoryRename),
        Gives::One(shape::<RepositoryMoved>()),
        |api, ask| Box::pin(rename(api, ask)),
    )
    .takes(shape::<NewRepositoryName>())
    .marked(),
    line(
        "repository-star",
        (Way::Put, "/repositories/{repository}/-/star"),
        "Star a repository",
        needs(Action::RepositoryList),
        Gives::Nothing,
        |api, ask| Box::pin(star(api, ask, true)),
    ),
    line(
        "repository-unstar",
        (Way::Delete, "/repositories/{repository}/-/star"),
        "Take a star back",
        needs(Action::RepositoryList),
        Gives::Nothing,
        |api, ask| Box::pin(star(api, ask, false)),
    ),
];

/// A repository in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = RepositoryInList)]
struct InList {
    /// The id: it outlives the name.
    id: i64,
    /// The name.
    name: String,
    /// What it is, in a line.
    description: String,
    /// Who may see it, where that is less than in its namespace.
    visibility: Option<Seen>,
    /// Whether nothing in it can be changed.
    read_only: bool,
    /// How many have starred it.
    stars: u64,
    /// Whether you have.
    starred: bool,
    /// How often it was pulled, where that is counted.
    pulls: u64,
    /// How many tags it has; nothing where you may see some of them only.
    tags: Option<u64>,
    /// How many manifests it has; nothing where you may see some of them only.
    manifests: Option<u64>,
    /// When it was made.
    created: String,
}

/// A repository.
#[derive(Serialize, ToSchema)]
struct Repository {
    #[serde(flatten)]
    of: InList,
    /// What it is, in Markdown.
    readme: String,
    /// Addresses.
    links: Vec<String>,
    /// Words and their values.
    #[schema(additional_properties, value_type = Object)]
    labels: Map<String, Value>,
}

impl From<&RepositorySeen> for InList {
    fn from(seen: &RepositorySeen) -> Self {
        let profile = &seen.profile;
        Self {
            id: seen.id,
            name: seen.name.to_string(),
            description: profile.description.clone(),
            visibility: profile.visibility.map(Into::into),
            read_only: profile.read_only,
            stars: profile.stars,
            starred: seen.starred,
            pulls: profile.pulls,
            tags: (!seen.limited).then_some(seen.tags),
            manifests: (!seen.limited).then_some(seen.manifests),
            created: time(seen.created),
        }
    }
}

/// What of a repository is to be otherwise; what is left out stays. What is said of it and who may see it are changed by a request
/// of their own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepositoryEdit {
    /// What it is, in a line.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// What it is, in Markdown: a mebibyte at the most.
    #[serde(default)]
    #[schema(max_length = 100_000)]
    readme: Option<String>,
    /// Addresses: `https`, `http` or `mailto`.
    #[serde(default)]
    #[schema(max_items = 20)]
    links: Option<Vec<Link>>,
    /// Words and their values.
    #[serde(default)]
    #[schema(value_type = Option<std::collections::BTreeMap<String, Label>>)]
    labels: Option<std::collections::BTreeMap<String, Label>>,
    /// Who may see it; nothing: as its namespace says. It cannot be more than that.
    #[serde(default)]
    #[schema(value_type = Option<Seen>)]
    visibility: Field<Seen>,
    /// Whether nothing in it can be changed.
    #[serde(default)]
    read_only: Option<bool>,
}

/// An address.
#[derive(Deserialize, ToSchema)]
#[schema(value_type = String, pattern = "^(https?://|mailto:)[!-~]{1,500}$", example = "https://example.org/")]
struct Link(String);

/// The value of a label.
#[derive(Deserialize, ToSchema)]
#[schema(value_type = String, max_length = 256)]
struct Label(String);

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRepositoryName {
    /// The whole name.
    #[schema(min_length = 1, max_length = 255, example = "acme/web")]
    name: String,
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let found = api
        .hub()
        .repository_list(
            &ask.caller,
            ask.query.get("within"),
            &from,
            ask.query.limit(),
        )
        .await?;
    page(&ask, found, |row| InList::from(&row), Clone::clone)
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let seen = api.hub().repository_get(&ask.caller, &name).await?;
    let mark = given::repository(&seen.name, Some(&seen.profile));
    let repository = Repository {
        of: InList::from(&seen),
        readme: seen.profile.readme.clone(),
        links: serde_json::from_str(&seen.profile.links).unwrap_or_default(),
        labels: serde_json::from_str(&seen.profile.labels).unwrap_or_default(),
    };
    Ok(Reply::json(&repository)?.marked(&mark))
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let edit: RepositoryEdit = ask.read()?;
    let says = edit.description.is_some()
        || edit.readme.is_some()
        || edit.links.is_some()
        || edit.labels.is_some();
    let visibility = match edit.visibility {
        Field::Left => None,
        Field::Nothing => Some(None),
        Field::To(word) => Some(Some(word.into())),
    };
    let sets = visibility.is_some() || edit.read_only.is_some();
    if says && sets {
        return Err(Problem::invalid(
            "change what is said of a repository by one request, and visibility and read_only by another",
        ));
    }
    let hub = ask.hub_for(api.hub(), Thing::Repository(name.clone()));
    if sets {
        hub.repository_set(&ask.caller, &name, visibility, edit.read_only)
            .await?;
        return nothing();
    }
    within(edit.description.as_deref(), 4096, "description")?;
    within(edit.readme.as_deref(), 1 << 20, "readme")?;
    let said = Said {
        description: edit.description,
        readme: edit.readme,
        links: edit
            .links
            .map(|links| links.into_iter().map(|Link(text)| text).collect()),
        labels: edit.labels.map(labels).transpose()?,
    };
    hub.repository_describe(&ask.caller, &name, said).await?;
    nothing()
}

fn labels(
    labels: std::collections::BTreeMap<String, Label>,
) -> Result<Map<String, Value>, Problem> {
    for (name, Label(value)) in &labels {
        within(Some(name), 1024, "labels")?;
        within(Some(value), 1024, "labels")?;
    }
    let labels = labels.into_iter();
    Ok(labels
        .map(|(name, Label(value))| (name, Value::String(value)))
        .collect())
}

/// A repository that has another name.
#[derive(Serialize, ToSchema)]
struct RepositoryMoved {
    /// The whole name.
    name: String,
    /// Who may see it now, where more would have seen it in its new place: it stays as hidden as it was.
    visibility: Option<Seen>,
    #[serde(flatten)]
    turned: Turned,
}

async fn rename(api: &Api, ask: Ask) -> Answer {
    let name = ask.repository()?;
    let new: NewRepositoryName = ask.read()?;
    let to: RepoName = new
        .name
        .parse()
        .map_err(|error: longshore_spec::name::NameError| Problem::invalid(error.to_string()))?;
    let hub = ask.hub_for(api.hub(), Thing::Repository(name.clone()));
    let moved = hub.repository_rename(&ask.caller, &name, &to).await?;
    Reply::json(&RepositoryMoved {
        name: new.name,
        visibility: moved.hidden.map(Seen::from),
        turned: Turned::from(moved),
    })
}

async fn star(api: &Api, ask: Ask, starred: bool) -> Answer {
    let name = ask.repository()?;
    let hub = ask.hub(api.hub());
    hub.star(&ask.caller, &name, starred).await?;
    nothing()
}
