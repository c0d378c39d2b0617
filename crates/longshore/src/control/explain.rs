//! May somebody do something, and why?

use std::net::IpAddr;

use anyhow::{Context as _, bail};
use longshore_auth::rights::{Action, Explanation, Judge, Object, Sight, Who};
use longshore_core::Code;
use longshore_hub::gives::principal_find;
use longshore_hub::views::Whom;
use longshore_meta::namespaces::namespace_at;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use crate::assemble::now;

/// Says whether somebody may do something, and why.
#[derive(Debug)]
pub struct Explain;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainArgs {
    /// Who: as they log in, or with a word for what they are; `anonymous` for strangers.
    pub user: String,
    /// The user or organisation that a robot of that name belongs to, or the organisation that a team does.
    pub of: Option<String>,
    /// The action, by its name or by the word after its colon where that is `pull`, `push` or `delete`.
    pub action: String,
    /// A repository, or a repository and a tag; a namespace where it ends with a slash; `system`.
    pub object: String,
    /// The address they would ask from.
    pub from: IpAddr,
}

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explained {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why, in a sentence.
    pub reason: String,
    /// All of it, as the API gives it.
    pub explanation: serde_json::Value,
}

impl Operation for Explain {
    const NAME: &'static str = "explain";
    type Args = ExplainArgs;
    type Step = ();
    type Done = Explained;

    async fn run(state: &State, args: ExplainArgs, _: Steps<()>) -> anyhow::Result<Explained> {
        let action = action(&args.action)?;
        let object = object(state, &args.object).await?;
        let whom = match &args.of {
            None => whom(&args.user),
            Some(of) => owned(state, of, &args.user).await?,
        };
        let found = match (&state.hub, &whom) {
            (Some(hub), whom) => {
                let mut caller = state.operator();
                caller.who.from = args.from;
                hub.explain(&caller, whom, (action, &object)).await?
            }
            (None, Whom::Stranger) => {
                let judge = Judge::new(state.db.clone(), Sight::Here);
                let who = Who::stranger(args.from);
                judge.explain(&who, action, &object, now()).await?
            }
            (None, _) => bail!(
                "there is no account `{}`: this server keeps none; `anonymous` is for whoever has not logged in",
                args.user
            ),
        };
        Explained::of(&found)
    }
}

impl Explained {
    pub(super) fn of(found: &Explanation) -> anyhow::Result<Self> {
        Ok(Self {
            allowed: found.allowed,
            reason: found.reason.clone(),
            explanation: serde_json::to_value(found)?,
        })
    }
}

/// Whom a text means that somebody typed.
pub(super) fn whom(text: &str) -> Whom {
    match text {
        "anonymous" => Whom::Stranger,
        text => Whom::Somebody(text.to_owned()),
    }
}

/// The robot of that name of a user or an organisation, or its team.
async fn owned(state: &State, of: &str, name: &str) -> anyhow::Result<Whom> {
    let robot = format!("robot:{of}+{name}");
    let args = (state.operator(), robot.as_str());
    let is_robot = state.db.read(&args, |tx, (caller, text)| {
        Box::pin(async move {
            match principal_find(tx, caller, text).await {
                Err(error) if error.code() == Code::NameUnknown => Ok(false),
                found => found.map(|_| true),
            }
        })
    });
    Ok(Whom::Somebody(if is_robot.await? {
        robot
    } else {
        format!("team:{of}/{name}")
    }))
}

pub(super) fn action(text: &str) -> anyhow::Result<Action> {
    let name = match text {
        "pull" | "push" | "delete" => format!("repository:{text}"),
        _ => text.to_owned(),
    };
    if let Ok(action) = name.parse() {
        return Ok(action);
    }
    let names: Vec<_> = Action::ALL.iter().map(|action| action.name()).collect();
    bail!(
        "there is no action `{text}`; there are pull, push, delete and {}",
        names.join(", ")
    )
}

pub(super) async fn object(state: &State, text: &str) -> anyhow::Result<Object> {
    if text == "system" {
        return Ok(Object::System);
    }
    if let Some(path) = text.strip_suffix('/') {
        let found = state
            .db
            .read(&path, |tx, path| Box::pin(namespace_at(tx, path)))
            .await?;
        let found = found.with_context(|| format!("there is no namespace `{path}`"))?;
        return Ok(Object::Namespace(found.id));
    }
    Ok(match text.split_once(':') {
        Some((repo, tag)) => Object::Tag(repo.parse()?, tag.parse()?),
        None => Object::Repository(text.parse()?),
    })
}
