//! Who am I, what can be allowed, and what this API is.

use bytes::Bytes;
use http::HeaderValue;
use longshore_auth::rights::{Action, Narrow, Place};
use longshore_meta::principals::Kind;
use serde::Serialize;
use utoipa::ToSchema;

use super::tokens::Left;
use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, shape};
use crate::openapi;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "session-get",
        (Way::Get, "/session"),
        "Say who is logged in",
        Needs::Nothing,
        Gives::One(shape::<Session>()),
        |api, ask| Box::pin(session(api, ask)),
    ),
    line(
        "action-list",
        (Way::Get, "/actions"),
        "List what can be allowed",
        Needs::Nothing,
        Gives::One(shape::<Actions>()),
        |_, _| Box::pin(std::future::ready(actions())),
    ),
    line(
        "document-get",
        (Way::Get, "/openapi.json"),
        "Describe this API",
        Needs::Nothing,
        Gives::Document,
        |_, _| Box::pin(std::future::ready(Ok(document()))),
    ),
];

/// Who is logged in.
#[derive(Serialize, ToSchema)]
struct Session {
    /// The name; nothing of a stranger.
    user: Option<String>,
    /// The id of the account.
    id: Option<i64>,
    /// What it is: `user` or `robot`.
    kind: Option<&'static str>,
    /// How it was shown: `password`, `token` or `robot`; `nothing` by a stranger.
    via: &'static str,
    /// The actions that the credential is narrowed to; nothing where it is not.
    actions: Option<Vec<&'static str>>,
    /// The repositories that the credential is narrowed to, by the names they have now, and patterns; nothing where it is not.
    repositories: Option<Vec<String>>,
    /// The organisations that the account is in, by name.
    organisations: Vec<String>,
}

async fn session(api: &Api, ask: Ask) -> Answer {
    let me = api.hub().myself(&ask.caller).await?;
    let who = &ask.caller.who;
    let narrowed = who.narrowed.as_deref();
    let scope = narrowed.map(Narrow::to_json);
    let left = Left::by(api, &ask, scope.as_deref()).await?;
    let mut session = Session {
        user: None,
        id: None,
        kind: None,
        via: who.via.word(),
        actions: narrowed.map(|it| it.actions.iter().map(Action::name).collect()),
        repositories: left.repositories,
        organisations: Vec::new(),
    };
    if let Some(me) = me {
        session.user = Some(ask.caller.name.clone());
        session.id = Some(me.account.id.0);
        session.kind = Some(me.account.kind.word());
        let parties = me.parties.into_iter();
        session.organisations = parties
            .filter(|party| party.kind == Kind::Organisation)
            .map(|party| party.name)
            .collect();
    }
    Reply::json(&session)
}

/// What can be allowed.
#[derive(Serialize, ToSchema)]
struct Actions {
    /// Each of them.
    items: Vec<OneAction>,
}

/// One thing that can be allowed.
#[derive(Serialize, ToSchema)]
#[schema(as = Action)]
struct OneAction {
    /// Its name.
    name: &'static str,
    /// What it is asked about: `system`, `namespace` or `repository`.
    on: &'static str,
    /// Whether read-only mode takes it away.
    writes: bool,
    /// What it allows, as the rest of a sentence that begins with "may".
    text: &'static str,
}

fn actions() -> Answer {
    let items = Action::ALL.iter().map(|action| {
        let about = action.about();
        OneAction {
            name: about.name,
            on: match about.place {
                Place::System => "system",
                Place::Namespace => "namespace",
                Place::Repository => "repository",
            },
            writes: about.writes,
            text: about.text,
        }
    });
    Reply::json(&Actions {
        items: items.collect(),
    })
}

fn document() -> Reply {
    let kind = HeaderValue::from_static("application/json");
    Reply::bytes(kind, Bytes::from_static(openapi::text()))
}
