//! Personal access tokens.

use longshore_auth::rights::{Action, Narrow};
use longshore_hub::tokens::{Made, NewToken};
use longshore_meta::secrets::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::Ask;
use crate::endpoint::{Endpoint, Gives, Needs, Way, line, nothing, shape};
use crate::page::{after, page};
use crate::problem::Problem;
use crate::words::{moment, time};

/// A token that leaked must not make others that outlive it.
const OWN: Needs = Needs::RightOrPassword(Action::UserManage);

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "token-list",
        (Way::Get, "/users/{user}/tokens"),
        "List the personal access tokens of a user; never the tokens themselves",
        OWN,
        Gives::Page(shape::<Token>()),
        |api, ask| Box::pin(list(api, ask)),
    ),
    line(
        "token-create",
        (Way::Post, "/users/{user}/tokens"),
        "Make a personal access token, which is shown this once",
        OWN,
        Gives::Made(shape::<NewSecret>()),
        |api, ask| Box::pin(create(api, ask)),
    )
    .takes(shape::<TokenWanted>())
    .secret(),
    line(
        "token-delete",
        (Way::Delete, "/users/{user}/tokens/{id}"),
        "Take a personal access token back, and what was issued for it",
        OWN,
        Gives::Nothing,
        |api, ask| Box::pin(delete(api, ask)),
    ),
];

/// A personal access token, or a robot's secret; without itself.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    /// The id.
    id: i64,
    /// What its owner calls it.
    label: String,
    /// The actions it leaves of its owner's rights; nothing: all.
    actions: Option<Vec<&'static str>>,
    /// The repositories it leaves, as patterns; nothing: all.
    repositories: Option<Vec<String>>,
    /// When it was made.
    created: String,
    /// When it ends; nothing: when it is taken back.
    expires: Option<String>,
    /// When it was last used, to the hour or so.
    used: Option<String>,
}

impl From<Secret> for Token {
    fn from(row: Secret) -> Self {
        let (actions, repositories) = narrowed(row.scope.as_deref());
        Self {
            id: row.id,
            label: row.label,
            actions,
            repositories,
            created: time(row.created),
            expires: row.expires.map(time),
            used: row.used.map(time),
        }
    }
}

/// What a scope leaves, as it is shown: actions, and repositories.
pub(super) fn narrowed(scope: Option<&str>) -> (Option<Vec<&'static str>>, Option<Vec<String>>) {
    // One that cannot be read leaves nothing, here as where it counts.
    let narrow = scope.map(|json| Narrow::parse(json).ok());
    let actions = narrow.as_ref().map(|it| {
        let actions = it.as_ref().map(|it| it.actions.iter());
        actions.into_iter().flatten().map(Action::name).collect()
    });
    let repos = narrow.flatten().and_then(|it| it.repos);
    let repos = repos.map(|list| list.iter().map(ToString::to_string).collect());
    (actions, repos)
}

/// What something is to be narrowed to.
pub(super) fn narrow(
    repositories: Option<&[String]>,
    actions: Option<&[String]>,
) -> Result<Option<Narrow>, Problem> {
    let repositories: Vec<_> = repositories.unwrap_or_default().iter().collect();
    let repositories: Vec<_> = repositories.into_iter().map(String::as_str).collect();
    let words = actions.unwrap_or_default().iter().map(String::as_str);
    Narrow::of_words(&repositories, words).map_err(|error| Problem::invalid(error.to_string()))
}

/// A token that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenWanted {
    /// What it is for.
    #[schema(max_length = 200, example = "laptop")]
    label: String,
    /// What it leaves of its owner's rights on repositories: `pull`, `push`, `delete`; left out: everything.
    #[serde(default)]
    #[schema(max_items = 3)]
    actions: Option<Vec<String>>,
    /// The repositories it leaves, as patterns of whole names such as `acme/**`; left out: all.
    #[serde(default)]
    #[schema(max_items = 20)]
    repositories: Option<Vec<String>>,
    /// When it ends, as RFC 3339 has it; left out: when it is taken back.
    #[serde(default)]
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// A secret that is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct NewSecret {
    /// The id.
    id: i64,
    /// The name to log in with.
    user: String,
    /// The secret itself: the password to log in with.
    secret: String,
    /// When it ends; nothing: when it is taken back.
    expires: Option<String>,
}

impl NewSecret {
    pub(super) fn of(user: &str, made: &Made) -> Self {
        Self {
            id: made.id,
            user: user.to_owned(),
            secret: made.secret.as_str().to_owned(),
            expires: made.expires.map(time),
        }
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let user = ask.name("user")?;
    let from: i64 = after(&ask, |key| key.parse().ok())?;
    let limit = ask.query.limit();
    let found = api.hub().token_list(&ask.caller, user, from, limit);
    page(&ask, found.await?, Token::from, ToString::to_string)
}

async fn create(api: &Api, ask: Ask) -> Answer {
    let user = ask.name("user")?;
    let wanted: TokenWanted = ask.read()?;
    let new = NewToken {
        label: wanted.label,
        narrow: narrow(wanted.repositories.as_deref(), wanted.actions.as_deref())?,
        expires: moment(wanted.expires.as_deref(), "expires")?,
    };
    let hub = ask.hub(api.hub());
    let made = hub.token_create(&ask.caller, user, new).await?;
    let path = ask.path(&format!("/users/{user}/tokens/{}", made.id));
    Reply::made(&NewSecret::of(user, &made), &path)
}

async fn delete(api: &Api, ask: Ask) -> Answer {
    let (user, id) = (ask.name("user")?, ask.id()?);
    let hub = ask.hub(api.hub());
    hub.token_revoke(&ask.caller, user, id).await?;
    nothing()
}
