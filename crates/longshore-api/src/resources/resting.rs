//! Names that were given up and rest.

use longshore_auth::rights::Action;
use longshore_hub::resting::AtRest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::api::Api;
use crate::ask::{Ask, path_of};
use crate::endpoint::{Endpoint, Gives, Needs, On, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::words::time;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "name-list",
        (Way::Get, "/names-at-rest"),
        "List names that were given up, and until when nobody gets them",
        Needs::Right(Action::UserManage, On::System),
        Gives::Page(shape::<NameAtRest>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "name-free",
        (Way::Delete, "/names-at-rest/{path}"),
        "Free a name that was given up, before its time: it leads nowhere from now on; for whoever may do everything in the system",
        Needs::Right(Action::UserManage, On::System),
        Gives::Nothing,
        |api, ask| Box::pin(free(api, ask)),
    ),
];

/// A name that was given up, and that nobody gets for a while.
#[derive(Serialize, ToSchema)]
struct NameAtRest {
    /// The name: of an account, or the path of a namespace or repository.
    name: String,
    /// Until when it rests.
    until: String,
}

impl From<AtRest> for NameAtRest {
    fn from(row: AtRest) -> Self {
        Self {
            name: row.name,
            until: time(row.until),
        }
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let from: String = after(&ask, |key| Some(key.to_owned()))?;
    let limit = ask.query.limit();
    let found = api.hub().names_at_rest(&ask.caller, &from, limit).await?;
    page(&ask, found, NameAtRest::from, Clone::clone)
}

async fn free(api: &Api, ask: Ask) -> Answer {
    let name = ask.value("path");
    path_of("a name at rest", name)?;
    let hub = ask.hub(api.hub());
    hub.name_free(&ask.caller, name).await?;
    nothing()
}
