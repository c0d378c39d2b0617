//! Namespaces, and groups in them.

use longshore_auth::rights::{Action, Object};
use longshore_hub::{Thing, given};
use longshore_meta::namespaces::{Namespace, NamespaceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::TEXT;
use super::moves::Turned;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::{Ask, path_of};
use crate::endpoint::{
    CURSOR, Endpoint, Gives, Kind, LIMIT, Needs, On, Parameter, Way, line, nothing, shape,
};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{Seen, time, within};

const fn needs(action: Action) -> Needs {
    Needs::Right(action, On::Namespace)
}

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "namespace-list",
        (Way::Get, "/namespaces"),
        "List the namespaces that you may see",
        Needs::Nothing,
        Gives::Page(shape::<OneNamespace>()),
        |api, ask| Box::pin(list(api, ask)),
    )
    .asks(&[
        LIMIT,
        CURSOR,
        Parameter {
            name: "within",
            about: "only groups directly in this namespace",
            kind: Kind::Path,
        },
    ]),
    line(
        "namespace-create",
        (Way::Post, "/namespaces"),
        "Make a namespace that belongs to the system, or a group in one",
        Needs::Depends,
        Gives::Made(shape::<OneNamespace>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<NewNamespace>()),
    line(
        "namespace-get",
        (Way::Get, "/namespaces/{namespace}"),
        "Show a namespace",
        needs(Action::NamespaceRead),
        Gives::One(shape::<OneNamespace>()),
        |api, ask| Box::pin(get(api, ask)),
    )
    .marked(),
    line(
        "namespace-edit",
        (Way::Patch, "/namespaces/{namespace}"),
        "Change what a namespace says of itself, who may see it, and whether it is read-only",
        Needs::Depends,
        Gives::One(shape::<OneNamespace>()),
        |api, ask| Box::pin(edit(api, ask)),
    )
    .takes(shape::<NamespaceEdit>())
    .marked(),
    line(
        "namespace-delete",
        (Way::Delete, "/namespaces/{namespace}"),
        "Delete a namespace that nothing lies in and that is nobody's home",
        needs(Action::NamespaceRemove),
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    )
    .marked(),
    line(
        "namespace-rename",
        (Way::Post, "/namespaces/{namespace}/-/rename"),
        "Give a group another name where it is; the old one leads there for a while",
        needs(Action::NamespaceRename),
        Gives::One(shape::<NamespaceRenamed>()),
        |api, ask| Box::pin(rename(api, ask)),
    )
    .takes(shape::<NewName>())
    .marked(),
];

/// A place for repositories.
#[derive(Serialize, ToSchema)]
#[schema(as = Namespace)]
struct OneNamespace {
    /// The id: it outlives the path.
    id: i64,
    /// The whole path.
    path: String,
    /// Who may see what is in it.
    visibility: Seen,
    /// Whether nothing in it can be changed.
    read_only: bool,
    /// What it is for.
    description: String,
    /// When it was made.
    created: String,
}

impl From<Namespace> for OneNamespace {
    fn from(row: Namespace) -> Self {
        Self {
            id: row.id.0,
            path: row.path,
            visibility: row.visibility.into(),
            read_only: row.read_only,
            description: row.description,
            created: time(row.created),
        }
    }
}

/// A namespace that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNamespace {
    /// The path: a name for a namespace of the system, or one below a namespace that is there for a group.
    #[schema(min_length = 1, max_length = 253, example = "acme/web")]
    path: String,
}

/// What of a namespace is to be otherwise; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NamespaceEdit {
    /// Who may see what is in it.
    #[serde(default)]
    visibility: Option<Seen>,
    /// Whether nothing in it can be changed.
    #[serde(default)]
    read_only: Option<bool>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewName {
    /// The last component of the path.
    #[schema(min_length = 1, max_length = 64, example = "web")]
    name: String,
}

async fn place(api: &Api, ask: &Ask) -> Result<(Object, NamespaceId), Problem> {
    let object = api.hub().place(&ask.caller, ask.namespace()?).await?;
    let id = match &object {
        Object::Namespace(id) => *id,
        _ => NamespaceId(0),
    };
    Ok((object, id))
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let within = match ask.query.get("within") {
        Some(path) => Some(api.hub().place(&ask.caller, path).await?),
        None => None,
    };
    let found = api
        .hub()
        .namespace_list(&ask.caller, within.as_ref(), &from, ask.query.limit())
        .await?;
    page(&ask, found, OneNamespace::from, Clone::clone)
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let new: NewNamespace = ask.read()?;
    path_of("a namespace", &new.path)?;
    let hub = ask.hub(api.hub());
    let id = match new.path.rsplit_once('/') {
        None => hub.namespace_create(&ask.caller, &new.path).await?,
        Some((parent, name)) => {
            let Object::Namespace(parent) = hub.place(&ask.caller, parent).await? else {
                return nothing();
            };
            hub.group_create(&ask.caller, parent, name).await?
        }
    };
    let row = api.hub().namespace_row(id).await?;
    let path = ask.path(&format!("/namespaces/{}", row.path));
    Reply::made(&OneNamespace::from(row), &path)
}

fn shown(row: Namespace) -> Answer {
    let mark = given::namespace(&row);
    Ok(Reply::json(&OneNamespace::from(row))?.marked(&mark))
}

async fn get(api: &Api, ask: Ask) -> Answer {
    let (object, _) = place(api, &ask).await?;
    shown(api.hub().namespace_get(&ask.caller, &object).await?)
}

async fn edit(api: &Api, ask: Ask) -> Answer {
    let (object, id) = place(api, &ask).await?;
    let edit: NamespaceEdit = ask.read()?;
    within(edit.description.as_deref(), TEXT, "description")?;
    let has_settings = edit.visibility.is_some() || edit.read_only.is_some();
    if edit.description.is_some() && has_settings {
        // Each is a right of its own, and a change is whole or not at all.
        return Err(Problem::invalid(
            "change the description by one request, and visibility and read_only by another",
        ));
    }
    let hub = ask.hub_for(api.hub(), Thing::Namespace(id));
    match &edit.description {
        Some(text) => hub.namespace_describe(&ask.caller, id, text).await?,
        None if has_settings => {
            let visibility = edit.visibility.map(Into::into);
            hub.namespace_settings(&ask.caller, id, visibility, edit.read_only)
                .await?;
        }
        None => return shown(api.hub().namespace_get(&ask.caller, &object).await?),
    }
    shown(api.hub().namespace_row(id).await?)
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let (_, id) = place(api, &ask).await?;
    let hub = ask.hub_for(api.hub(), Thing::Namespace(id));
    hub.namespace_remove(&ask.caller, id).await?;
    nothing()
}

/// A namespace that has another name.
#[derive(Serialize, ToSchema)]
struct NamespaceRenamed {
    #[serde(flatten)]
    namespace: OneNamespace,
    #[serde(flatten)]
    turned: Turned,
}

async fn rename(api: &Api, ask: Ask) -> Answer {
    let (_, id) = place(api, &ask).await?;
    let new: NewName = ask.read()?;
    let hub = ask.hub_for(api.hub(), Thing::Namespace(id));
    let moved = hub.namespace_rename(&ask.caller, id, &new.name).await?;
    let row = api.hub().namespace_row(id).await?;
    let mark = given::namespace(&row);
    let renamed = NamespaceRenamed {
        namespace: OneNamespace::from(row),
        turned: Turned::from(moved),
    };
    Ok(Reply::json(&renamed)?.marked(&mark))
}
