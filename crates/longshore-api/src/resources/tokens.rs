//! Personal access tokens.

use longshore_auth::rights::{Action, Narrow};
use longshore_hub::tokens::{Made, NewToken};
use longshore_hub::views::Listed;
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
    /// The repositories it leaves: those it is for by themselves, by the names they have now, and patterns; nothing: all.
    repositories: Option<Vec<String>>,
    /// Names among `repositories` that nothing had when it was made: it is for whatever is called so.
    by_name: Vec<String>,
    /// When it was made.
    created: String,
    /// When it ends; nothing: when it is taken back.
    expires: Option<String>,
    /// When it was last used, to the hour or so.
    used: Option<String>,
}

impl Token {
    pub(super) fn of(row: Secret, left: Left) -> Self {
        Self {
            id: row.id,
            label: row.label,
            actions: left.actions,
            repositories: left.repositories,
            by_name: left.by_name,
            created: time(row.created),
            expires: row.expires.map(time),
            used: row.used.map(time),
        }
    }
}

/// What a scope leaves, as it is shown: all where nothing is said.
#[derive(Default)]
pub(super) struct Left {
    pub(super) actions: Option<Vec<&'static str>>,
    pub(super) repositories: Option<Vec<String>>,
    pub(super) by_name: Vec<String>,
}

impl Left {
    pub(super) async fn by(api: &Api, ask: &Ask, scope: Option<&str>) -> Result<Self, Problem> {
        let found = api.hub().limits(&ask.caller, scope).await?;
        Ok(found.map_or_else(Self::default, |it| Self {
            actions: Some(it.actions.iter().map(Action::name).collect()),
            repositories: it.repositories,
            by_name: it.by_name,
        }))
    }
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
    /// The repositories it leaves: names of some that are there, which it is for whatever they are called from now on, and patterns of
    /// whole names such as `acme/**`; left out: all.
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
    /// Names in `repositories` that nothing has that you may see: it is for whatever is called so.
    by_name: Vec<String>,
}

impl NewSecret {
    pub(super) fn of(user: &str, made: &Made) -> Self {
        Self {
            id: made.id,
            user: user.to_owned(),
            secret: made.secret.as_str().to_owned(),
            expires: made.expires.map(time),
            by_name: made.by_name.clone(),
        }
    }
}

async fn list(api: &Api, ask: Ask) -> Answer {
    let user = ask.name("user")?;
    let from: i64 = after(&ask, |key| key.parse().ok())?;
    let limit = ask.query.limit();
    let found = api.hub().token_list(&ask.caller, user, from, limit).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for row in found.items {
        let left = Left::by(api, &ask, row.scope.as_deref()).await?;
        items.push(Token::of(row, left));
    }
    let next = found.next;
    page(&ask, Listed { items, next }, |it| it, ToString::to_string)
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
