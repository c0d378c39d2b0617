//! Sessions of browsers: which there are, and ended from elsewhere.

use longshore_auth::rights::Action;
use longshore_meta::secrets::Secret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::words::time;

/// A token that leaked must not show or end what its owner has.
const OWN: Needs = Needs::RightOrPassword(Action::UserManage);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "user-session-list",
        (Way::Get, "/users/{user}/sessions"),
        "List the browsers that a user is logged in with",
        OWN,
        Gives::Page(shape::<BrowserSession>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "user-session-end-all",
        (Way::Delete, "/users/{user}/sessions"),
        "Log all browsers of a user out",
        OWN,
        Gives::Nothing,
        |api, ask| Box::pin(end_all(api, ask)),
    ),
    line(
        "user-session-end",
        (Way::Delete, "/users/{user}/sessions/{id}"),
        "Log a browser of a user out",
        OWN,
        Gives::Nothing,
        |api, ask| Box::pin(end(api, ask)),
    ),
];

/// A browser that somebody is logged in with.
#[derive(Serialize, ToSchema)]
struct BrowserSession {
    /// The id.
    id: i64,
    /// What the browser calls itself.
    agent: String,
    /// When it began.
    created: String,
    /// When it ends at the latest; sooner where nobody uses it.
    expires: Option<String>,
    /// When it was last used, to the hour or so.
    used: Option<String>,
}

impl From<Secret> for BrowserSession {
    fn from(row: Secret) -> Self {
        Self {
            id: row.id,
            agent: row.label,
            created: time(row.created),
            expires: row.expires.map(time),
            used: row.used.map(time),
        }
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let user = ask.name("user")?;
    let from: i64 = after(&ask, |key| key.parse().ok())?;
    let limit = ask.query.limit();
    let found = api.hub().session_list(&ask.caller, user, from, limit);
    page(
        &ask,
        found.await?,
        BrowserSession::from,
        ToString::to_string,
    )
}

async fn end_all(api: &Api, ask: Ask) -> Answer {
    let user = ask.name("user")?;
    api.hub().session_delete(&ask.caller, user, None).await?;
    nothing()
}

async fn end(api: &Api, ask: Ask) -> Answer {
    let (user, id) = (ask.name("user")?, ask.id()?);
    let hub = api.hub();
    hub.session_delete(&ask.caller, user, Some(id)).await?;
    nothing()
}
