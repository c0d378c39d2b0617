//! Who has which role where.

use longshore_auth::rights::{Action, Object};
use longshore_hub::gives::{BindingSeen, Give};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::time::micros;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{moment, time};

const fn read(on: On) -> Needs {
    Needs::Right(Action::RightsRead, on)
}

const fn manage(on: On) -> Needs {
    Needs::Right(Action::RightsManage, on)
}

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "binding-list",
        (Way::Get, "/bindings"),
        "List who has which role everywhere",
        read(On::System),
        Gives::Page(shape::<Binding>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "binding-create",
        (Way::Post, "/bindings"),
        "Give or deny a role everywhere",
        manage(On::System),
        Gives::Made(shape::<Binding>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<NewBinding>()),
    line(
        "binding-get",
        (Way::Get, "/bindings/{id}"),
        "Show a binding on everything",
        read(On::System),
        Gives::One(shape::<Binding>()),
        |api, ask| Box::pin(get(api, ask)),
    ),
    line(
        "binding-delete",
        (Way::Delete, "/bindings/{id}"),
        "Take a binding on everything back",
        manage(On::System),
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    ),
    line(
        "namespace-binding-list",
        (Way::Get, "/namespaces/{namespace}/-/bindings"),
        "List who has which role in a namespace",
        read(On::Namespace),
        Gives::Page(shape::<Binding>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "namespace-binding-create",
        (Way::Post, "/namespaces/{namespace}/-/bindings"),
        "Give or deny a role in a namespace, or in some of its repositories",
        manage(On::Namespace),
        Gives::Made(shape::<Binding>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<NewBinding>()),
    line(
        "namespace-binding-get",
        (Way::Get, "/namespaces/{namespace}/-/bindings/{id}"),
        "Show a binding on a namespace",
        read(On::Namespace),
        Gives::One(shape::<Binding>()),
        |api, ask| Box::pin(get(api, ask)),
    ),
    line(
        "namespace-binding-delete",
        (Way::Delete, "/namespaces/{namespace}/-/bindings/{id}"),
        "Take a binding on a namespace back",
        manage(On::Namespace),
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    ),
];

/// A role that somebody has, or is denied, somewhere.
#[derive(Serialize, ToSchema)]
pub(super) struct Binding {
    /// The id.
    id: i64,
    /// Whom it is for: `user:NAME`, `organisation:NAME`, `team:ORGANISATION/NAME`, `robot:OWNER+NAME`, `everybody` or `logged-in`.
    subject: String,
    /// The name of the role.
    role: String,
    /// Whether it denies what the role says. What is denied anywhere is denied.
    deny: bool,
    /// The only repository it is for, by the name it has now: it goes with it when that is renamed or moved, and ends with it.
    repository: Option<String>,
    /// Patterns of the repositories it is for, below the namespace, by what they are called; nothing: all. A name without `*` is for
    /// whatever is called so.
    repositories: Option<Vec<String>>,
    /// Patterns of the tags it is for; nothing: all.
    tags: Option<Vec<String>>,
    /// Networks from which it counts; nothing: all.
    networks: Option<Vec<String>>,
    /// Hours at which it counts; nothing: always.
    #[schema(value_type = Option<Vec<Hours>>)]
    hours: Option<Value>,
    /// Until when it counts.
    expires: Option<String>,
    /// The directory that says so; empty where a person did.
    source: String,
    /// When it was made.
    created: String,
}

impl From<BindingSeen> for Binding {
    fn from(seen: BindingSeen) -> Self {
        let words = |text: Option<String>| {
            text.map(|text| text.split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        let row = seen.row;
        Self {
            id: row.id,
            subject: seen.subject,
            role: row.role_name,
            deny: row.deny,
            repository: seen.repository.map(|name| name.to_string()),
            repositories: words(row.repos),
            tags: words(row.tags),
            networks: words(row.networks),
            hours: row.hours.and_then(|json| serde_json::from_str(&json).ok()),
            expires: row.expires.map(time),
            source: row.source,
            created: time(row.created),
        }
    }
}

/// A binding that is to be.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBinding {
    /// Whom it is for: `user:NAME`, `organisation:NAME`, `team:ORGANISATION/NAME`, `robot:OWNER+NAME`, `everybody` or `logged-in`.
    #[schema(
        max_length = 256,
        pattern = "^(everybody|logged-in|(user|organisation):[a-z0-9._-]+|team:[a-z0-9._-]+/[a-z0-9._-]+|robot:[a-z0-9._-]+\\+[a-z0-9._-]+)$",
        example = "user:alice"
    )]
    subject: String,
    /// The name of the role.
    #[schema(max_length = 64, example = "developer")]
    role: String,
    /// Whether it denies what the role says.
    #[serde(default)]
    deny: bool,
    /// The only repository it is for, by its whole name. It goes with it when that is renamed or moved.
    #[serde(default)]
    #[schema(max_length = 255)]
    repository: Option<String>,
    /// Patterns of the repositories it is for, below the namespace: `*` stands for a part of a component, `**` for components. One name
    /// alone that a repository has there means that repository, as `repository` does; one that nothing has, whatever gets it.
    #[serde(default)]
    #[schema(max_items = 20)]
    repositories: Option<Vec<String>>,
    /// Patterns of the tags it is for.
    #[serde(default)]
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// Networks from which it counts, such as `10.0.0.0/8`.
    #[serde(default)]
    #[schema(max_items = 20)]
    networks: Option<Vec<String>>,
    /// Hours at which it counts.
    #[serde(default)]
    #[schema(max_items = 20)]
    hours: Option<Vec<Hours>>,
    /// Until when it counts, as RFC 3339 has it.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// Hours of some days.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Hours {
    /// `mon` to `sun`.
    days: Vec<String>,
    /// From when on, such as `08:00`.
    from: String,
    /// Until when. Where that is earlier, it is the next day.
    to: String,
    /// How far the clocks there are from UTC all year, such as `+01:00`; left out: they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<String>,
    /// Which place's clocks they are, such as `Europe/Berlin`, as the IANA calls it; in the place of `offset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    zone: Option<String>,
}

impl NewBinding {
    pub(super) fn read(self) -> Result<Give, Problem> {
        let words = |list: Option<Vec<String>>, what: &str| match list {
            None => Ok(None),
            Some(list) if list.is_empty() => Err(Problem::invalid(format!(
                "`{what}` is left out where it is for all, and is no empty list"
            ))),
            Some(list)
                if list
                    .iter()
                    .any(|word| word.is_empty() || word.contains(' ')) =>
            {
                Err(Problem::invalid(format!(
                    "an entry of `{what}` is empty or has a blank"
                )))
            }
            Some(list) => Ok(Some(list.join(" "))),
        };
        let expires = moment(self.expires.as_deref(), "expires")?.map(micros);
        let repository = self.repository.as_deref().map(str::parse).transpose();
        let repository = repository.map_err(|error: longshore_spec::name::NameError| {
            Problem::invalid(format!("`repository`: {error}"))
        })?;
        Ok(Give {
            subject: self.subject,
            role: self.role,
            deny: self.deny,
            repository,
            repositories: words(self.repositories, "repositories")?,
            tags: words(self.tags, "tags")?,
            networks: words(self.networks, "networks")?,
            hours: match self.hours {
                None => None,
                Some(hours) => {
                    Some(serde_json::to_string(&hours).map_err(longshore_core::Error::internal)?)
                }
            },
            expires,
        })
    }
}

/// What bindings of this endpoint are on.
async fn place(api: &Api, ask: &Ask) -> Result<Object, Problem> {
    if ask.value("namespace").is_empty() {
        return Ok(Object::System);
    }
    Ok(api.hub().place(&ask.caller, ask.namespace()?).await?)
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let object = place(api, &ask).await?;
    let from: i64 = after(&ask, |key| key.parse().ok())?;
    let found = api
        .hub()
        .bindings_on(&ask.caller, &object, from, ask.query.limit())
        .await?;
    page(&ask, found, Binding::from, ToString::to_string)
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let object = place(api, &ask).await?;
    let give = ask.read::<NewBinding>()?.read()?;
    let hub = ask.hub(api.hub());
    let id = hub.binding_give(&ask.caller, &object, give).await?;
    let made = Binding::from(api.hub().binding_row(id).await?);
    let path = match ask.value("namespace") {
        "" => format!("/bindings/{id}"),
        path => format!("/namespaces/{path}/-/bindings/{id}"),
    };
    Reply::made(&made, &ask.path(&path))
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let (object, id) = (place(api, &ask).await?, ask.id()?);
    let found = api.hub().binding_on(&ask.caller, &object, id).await?;
    Reply::json(&Binding::from(found))
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let (object, id) = (place(api, &ask).await?, ask.id()?);
    let at = match object {
        Object::Namespace(id) => id,
        _ => NamespaceId::EVERYWHERE,
    };
    let hub = ask.hub(api.hub());
    hub.binding_remove(&ask.caller, at, id).await?;
    nothing()
}
