//! May somebody do something, and why?

use std::net::IpAddr;

use anyhow::{Context as _, bail};
use longshore_auth::index::keep::named;
use longshore_auth::rights::{Action, Explanation, Judge, Object, Sight, Via, Who};
use longshore_meta::namespaces::namespace_at;
use longshore_meta::principals::{PrincipalId, principal_named};
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use crate::assemble::now;

/// Says whether somebody may do something, and why.
#[derive(Debug)]
pub struct Explain;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainArgs {
    /// The name of an account, of a robot as it logs in; `anonymous` for strangers.
    pub user: String,
    /// The organisation that a robot or team of that name belongs to.
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
        let who = who(state, &args).await?;
        let action = action(&args.action)?;
        let object = object(state, &args.object).await?;
        let judge = match &state.hub {
            Some(hub) => hub.judge().clone(),
            None => Judge::new(state.db.clone(), Sight::Here),
        };
        let found: Explanation = judge.explain(&who, action, &object, now()).await?;
        Ok(Explained {
            allowed: found.allowed,
            reason: found.reason.clone(),
            explanation: serde_json::to_value(&found)?,
        })
    }
}

async fn who(state: &State, args: &ExplainArgs) -> anyhow::Result<Who> {
    if args.user == "anonymous" {
        return Ok(Who::stranger(args.from));
    }
    let names = (args.of.as_deref(), args.user.as_str());
    let found = state
        .db
        .read(&names, |tx, (of, user)| {
            Box::pin(async move {
                let owner = match of {
                    None if user.contains('+') => {
                        let found = named(tx, user).await?;
                        return Ok(found.map(|login| PrincipalId(login.id)));
                    }
                    None => PrincipalId(0),
                    Some(of) => match principal_named(tx, PrincipalId(0), of).await? {
                        Some(owner) => owner.id,
                        None => return Ok(None),
                    },
                };
                let found = principal_named(tx, owner, user).await?;
                Ok(found.map(|it| it.id))
            })
        })
        .await?;
    let found = found.with_context(|| {
        format!(
            "there is no account `{}`; `anonymous` is for whoever has not logged in",
            args.user
        )
    })?;
    Ok(Who::principal(found, Via::Password, args.from))
}

fn action(text: &str) -> anyhow::Result<Action> {
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

async fn object(state: &State, text: &str) -> anyhow::Result<Object> {
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
