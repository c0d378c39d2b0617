//! Why something is allowed or not, and finding repositories.

use longshore_auth::rights::{Action, Explanation, Object};
use longshore_core::{Actor, Cx, Grant, On as At, Origin, Rights, Seek, Verb, Verbs};
use longshore_hub::views::Whom;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::answer::{Answer, Reply};
use crate::api::Api;
use crate::ask::{About, Ask};
use crate::cursor;
use crate::endpoint::{CURSOR, Endpoint, Gives, Kind, LIMIT, Needs, Parameter, Way, line, shape};
use crate::page::{self, Page};
use crate::problem::Problem;

/// How many are found at the most for one question.
const FOUND: usize = 100;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    line(
        "explain",
        (Way::Post, "/explain"),
        "Say whether somebody may do something, and why",
        Needs::Question,
        Gives::One(shape::<Why>()),
        |api, ask| Box::pin(explain(api, ask)),
    )
    .takes(shape::<Asked>()),
    line(
        "search",
        (Way::Get, "/search"),
        "Find repositories that you may see, best first",
        Needs::Nothing,
        Gives::Page(shape::<Found>()),
        |api, ask| Box::pin(search(api, ask)),
    )
    .asks(&[
        LIMIT,
        CURSOR,
        Parameter {
            name: "q",
            about: "words and fields, as docs/search.md says; at most 100 are answered at a time",
            kind: Kind::Text,
        },
    ]),
];

/// What is asked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Question)]
struct Asked {
    /// Whom it is about: as they log in (`ann`, `acme+ci`, `robot+ci`), or as `user:NAME`, `organisation:NAME`,
    /// `team:ORGANISATION/NAME`, `robot:OWNER+NAME`; or `anonymous`. Yourself where it is left out.
    #[serde(default)]
    #[schema(max_length = 256)]
    subject: Option<String>,
    /// The name of an action.
    #[schema(max_length = 64, example = "repository:pull")]
    action: String,
    /// A repository, a repository and a tag (`acme/web:1`), a namespace with a slash after it, or `system`.
    #[schema(max_length = 400, example = "acme/web")]
    object: String,
}

/// Whether something is allowed, and why.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(super) struct Why {
    /// Whether it is, for some tag at least where none was asked about.
    allowed: bool,
    /// The action.
    action: String,
    /// The object.
    object: String,
    /// The name it has today, where another was asked about.
    moved_to: Option<String>,
    /// The tags it is allowed for, as patterns; those that begin with `!` it is not for. Empty: all.
    tags: Vec<String>,
    /// Why, in a sentence.
    reason: String,
    /// Whether there is no repository of that name, or none is known to this node. A push is answered as one that makes it.
    absent: bool,
    /// Each binding that was looked at. Of those that you may not see only what they do to the answer.
    bindings: Vec<Looked>,
}

/// A binding that was looked at; or all that do the same and that you may not see, as one.
#[derive(Serialize, ToSchema)]
struct Looked {
    /// Its id; 0 for one that was supposed. Left out where you may not see the binding, or whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    binding: Option<i64>,
    /// Whose it is. Left out where you may not see that: that somebody is in a team or an organisation, see those who see its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// The role. Left out where you may not see the binding.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// What it does to the answer: `allows`, `denies`, `allows-some-tags`, `denies-some-tags` or `says-nothing`.
    #[schema(value_type = String)]
    effect: longshore_auth::rights::explain::Effect,
    /// In a sentence.
    text: String,
}

impl From<Explanation> for Why {
    fn from(it: Explanation) -> Self {
        let looked = it.bindings.into_iter().map(|it| Looked {
            binding: it.binding,
            subject: it.subject,
            role: it.role,
            effect: it.effect,
            text: it.text,
        });
        Self {
            allowed: it.allowed,
            action: it.action,
            object: it.object,
            moved_to: it.moved_to,
            tags: it.tags,
            reason: it.reason,
            absent: it.absent,
            bindings: looked.collect(),
        }
    }
}

pub(super) fn whom(text: Option<&str>) -> Whom {
    match text {
        None => Whom::Myself,
        Some("anonymous") => Whom::Stranger,
        Some(text) => Whom::Somebody(text.to_owned()),
    }
}

pub(super) fn action(text: &str) -> Result<Action, Problem> {
    text.parse()
        .map_err(|_| Problem::invalid(format!("there is no action `{text}`; /actions lists them")))
}

pub(super) async fn object(api: &Api, ask: &Ask, text: &str) -> Result<Object, Problem> {
    Ok(match About::read(text)? {
        About::System => Object::System,
        About::Namespace(path) => api.hub().place(&ask.caller, &path).await?,
        About::Other(object) => object,
    })
}

async fn explain(api: &Api, ask: Ask) -> Answer {
    let asked: Asked = ask.read()?;
    let (action, object) = (
        action(&asked.action)?,
        object(api, &ask, &asked.object).await?,
    );
    let whom = whom(asked.subject.as_deref());
    let found = api
        .hub()
        .explain(&ask.caller, &whom, (action, &object))
        .await?;
    Reply::json(&Why::from(found))
}

/// A repository that was found.
#[derive(Serialize, ToSchema)]
struct Found {
    /// Its name.
    name: String,
    /// What it is, in a line.
    description: String,
    /// How many have starred it.
    stars: u64,
    /// How often it was pulled, where that is counted.
    pulls: u64,
}

async fn search(api: &Api, ask: Ask) -> Answer {
    let after: Option<String> = page::after(&ask, |key| Some(Some(key.to_owned())))?;
    let who = &ask.caller.who;
    let reach = api
        .hub()
        .judge()
        .reach(who, Action::RepositoryList, ask.caller.now)
        .await?;
    let pull = Verbs::NONE.with(Verb::Pull);
    let grant = Grant::new(At::Within(std::sync::Arc::new(reach)), pull);
    let cx = Cx {
        actor: match who.principal {
            Some(_) => Actor::Named(ask.caller.name.as_str().into()),
            None => Actor::Anonymous,
        },
        rights: Rights::Listed([grant].into()),
        origin: Origin::default(),
        request: ask.caller.request,
        now: ask.caller.now,
    };
    let seek = Seek {
        after,
        limit: ask.query.limit().min(FOUND),
    };
    let words = ask.query.get("q").unwrap_or_default();
    let found = api.finder().find(&cx, words, &seek).await?;
    let next = found
        .next
        .as_ref()
        .map(|next| cursor::seal(&ask, next))
        .transpose()?;
    let link = next.as_ref().map(|next| page::link(&ask, next));
    let items = found
        .items
        .into_iter()
        .map(|find| Found {
            name: find.name.to_string(),
            description: find.description,
            stars: find.stars,
            pulls: find.pulls,
        })
        .collect();
    let reply = Reply::json(&Page::<Found> { items, next })?;
    Ok(match link {
        Some(link) => reply.with(http::header::LINK, &link),
        None => reply,
    })
}
