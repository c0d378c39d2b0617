//! What would be allowed after changes that nobody has made.

use std::net::IpAddr;

use anyhow::{Context as _, bail};
use longshore_auth::rights::{ActionSet, Object};
use longshore_hub::gives::{Give, explicit, principal_find};
use longshore_hub::views::{RoleSaid, Suppositions};
use longshore_meta::bindings::binding_get;
use longshore_meta::names::name_resolve;
use longshore_meta::namespaces::Visibility;
use serde::{Deserialize, Serialize};

use super::explain::{Explained, action, object, whom};
use super::operation::{Operation, State, Steps};

/// Says whether somebody might do something, and why.
#[derive(Debug)]
pub struct WhatIf;

/// A binding that is supposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Whom it is for.
    pub subject: String,
    /// The role.
    pub role: String,
    /// The namespace; `**`: everywhere.
    pub place: String,
    /// Whether it denies.
    pub deny: bool,
}

/// A role that is supposed to allow something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleThen {
    /// Its name.
    pub name: String,
    /// Of this namespace's owner; `**`: of all.
    pub of: String,
    /// What it allows.
    pub actions: Vec<String>,
}

/// What is asked. A place is a repository, a namespace where it ends with a slash, or `system`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Bindings more.
    pub given: Vec<Given>,
    /// Bindings less, by their ids.
    pub without: Vec<i64>,
    /// What roles say.
    pub roles: Vec<RoleThen>,
    /// The teams and organisations that somebody gets into.
    pub joins: Vec<String>,
    /// Those that they get out of.
    pub leaves: Vec<String>,
    /// Places, and who sees them: `private`, `internal`, `public` or `inherit`.
    pub visibility: Vec<(String, String)>,
    /// Places, and whether they are read-only.
    pub read_only: Vec<(String, bool)>,
}

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WhatIfArgs {
    /// Who: as they log in, or with a word for what they are; `anonymous` for strangers.
    pub subject: String,
    /// The action, as for `explain`.
    pub action: String,
    /// The object, as for `explain`.
    pub object: String,
    /// The address they would ask from.
    pub from: IpAddr,
    /// What is supposed.
    pub changes: Changes,
}

impl Operation for WhatIf {
    const NAME: &'static str = "what-if";
    type Args = WhatIfArgs;
    type Step = ();
    type Done = Explained;

    async fn run(state: &State, args: WhatIfArgs, _: Steps<()>) -> anyhow::Result<Explained> {
        let hub = state.hub()?;
        let mut caller = state.operator();
        caller.who.from = args.from;
        let (action, object) = (action(&args.action)?, object(state, &args.object).await?);
        let changes = suppositions(state, args.changes).await?;
        let whom = whom(&args.subject);
        let found = hub.supposing(&caller, &whom, (action, &object), &changes);
        Explained::of(&found.await?)
    }
}

async fn suppositions(state: &State, changes: Changes) -> anyhow::Result<Suppositions> {
    let mut found = Suppositions {
        without: changes.without,
        ..Suppositions::default()
    };
    for given in changes.given {
        let give = Give {
            subject: explicit(&given.subject),
            role: given.role,
            deny: given.deny,
            ..Give::default()
        };
        let at = longshore_hub::bindings::place(state.place(&given.place).await?);
        found.with.push((at, give));
    }
    for id in &found.without {
        let there = state.db.read(id, |tx, id| Box::pin(binding_get(tx, *id)));
        if there.await?.is_none() {
            bail!("there is no binding {id}; `longshore admin binding list` says which there are");
        }
    }
    for role in changes.roles {
        let mut actions = ActionSet::NONE;
        for word in &role.actions {
            actions = actions.with(action(word)?);
        }
        found.roles.push(RoleSaid {
            at: longshore_hub::bindings::place(state.place(&role.of).await?),
            name: role.name,
            actions,
        });
    }
    for text in changes.joins {
        found.joins.push(party(state, &text).await?);
    }
    for text in changes.leaves {
        found.leaves.push(party(state, &text).await?);
    }
    for (at, word) in changes.visibility {
        let word = match word.as_str() {
            "inherit" => None,
            word => Some(word.parse::<Visibility>().map_err(|()| {
                anyhow::anyhow!("`{word}` is no visibility: there are private, internal and public")
            })?),
        };
        found.visibility.push((place(state, &at).await?, word));
    }
    for (at, read_only) in changes.read_only {
        found.read_only.push((place(state, &at).await?, read_only));
    }
    Ok(found)
}

/// A team or an organisation that is there.
async fn party(state: &State, text: &str) -> anyhow::Result<String> {
    let text = match text {
        text if text.contains([':', '/']) => explicit(text),
        text => format!("organisation:{text}"),
    };
    let args = (state.operator(), text.as_str());
    let found = state.db.read(&args, |tx, (caller, text)| {
        Box::pin(async move { principal_find(tx, caller, text).await.map(drop) })
    });
    found.await.with_context(|| {
        format!("nobody can be in `{text}`; `longshore admin org list` says which organisations there are, `longshore admin team list` which teams")
    })?;
    Ok(text)
}

/// Something that is seen and can be read-only, and is there.
async fn place(state: &State, text: &str) -> anyhow::Result<Object> {
    let found = object(state, text).await?;
    let Object::Repository(name) = &found else {
        return Ok(found);
    };
    let args = (name, state.operator().micros());
    let there = state.db.read(&args, |tx, (name, now)| {
        Box::pin(async move { Ok(name_resolve(tx, name, *now).await?.repo.is_some()) })
    });
    if !there.await? {
        bail!(
            "there is no repository `{text}`; a namespace is written with a slash at its end: `{text}/`"
        );
    }
    Ok(found)
}
