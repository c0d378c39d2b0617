//! Trust rules: whose tokens make their bearer a robot.

use longshore_hub::trust::NewTrust;
use longshore_meta::trusts::Trust;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::ends::ends;
use super::narrow;
use super::operation::{Operation, State, Steps};

/// Makes a rule.
#[derive(Debug)]
pub struct Create;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// The robot, as it logs in.
    pub robot: String,
    /// The issuer's URL.
    pub issuer: String,
    /// What `aud` must have; none: the name of the registry beside the index.
    pub audience: Option<String>,
    /// What claims must say: patterns by name.
    pub claims: BTreeMap<String, String>,
    /// The repositories it leaves, as patterns; none: all of the robot's.
    pub repositories: Vec<String>,
    /// What it leaves of `pull`, `push` and `delete`; none: all.
    pub actions: Vec<String>,
    /// What it is for.
    pub description: String,
    /// How many seconds it lives; none: until it is taken back.
    pub lives: Option<u64>,
}

/// A rule that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// Its id.
    pub id: i64,
    /// Names of repositories it is for that nothing has: it is for whatever gets them.
    pub by_name: Vec<String>,
}

impl Operation for Create {
    const NAME: &'static str = "trust-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let (hub, caller) = (state.hub()?, state.operator());
        let new = NewTrust {
            narrow: narrow::read(&args.repositories, &args.actions)?,
            expires: ends(caller.now, args.lives)?,
            robot: args.robot,
            of: None,
            issuer: args.issuer,
            audience: args
                .audience
                .unwrap_or_else(|| hub.index().options().service.clone()),
            claims: args.claims,
            description: args.description,
        };
        let kept = hub.trust_create(&caller, new).await?;
        Ok(Made {
            id: kept.id,
            by_name: kept.by_name,
        })
    }
}

/// Lists the rules of a robot.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListArgs {
    /// The robot, as it logs in.
    pub robot: String,
}

/// A rule. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// The issuer's URL.
    pub issuer: String,
    /// What `aud` must have.
    pub audience: String,
    /// What claims must say.
    pub claims: serde_json::Value,
    /// What narrows the robot's rights.
    pub scope: Option<serde_json::Value>,
    /// What it is for.
    pub description: String,
    /// When it ends.
    pub expires: Option<i64>,
    /// When somebody last came by it, to the hour.
    pub used: Option<i64>,
}

impl From<Trust> for Entry {
    fn from(rule: Trust) -> Self {
        let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
        Entry {
            id: rule.id,
            issuer: rule.issuer,
            audience: rule.audience,
            claims: json(&rule.claims),
            scope: rule.scope.as_deref().map(json),
            description: rule.description,
            expires: rule.expires,
            used: rule.used,
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "trust-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Entry>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Entry>> {
        let rules = state
            .hub()?
            .trust_list(&state.operator(), &args.robot)
            .await?;
        let mut entries = Vec::with_capacity(rules.len());
        for rule in rules {
            let scope = narrow::shown(state, rule.scope.as_deref()).await?;
            entries.push(Entry {
                scope,
                ..Entry::from(rule)
            });
        }
        Ok(entries)
    }
}

/// Takes a rule back.
#[derive(Debug)]
pub struct Delete;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeleteArgs {
    /// The robot, as it logs in.
    pub robot: String,
    /// The rule.
    pub id: i64,
}

impl Operation for Delete {
    const NAME: &'static str = "trust-delete";
    type Args = DeleteArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: DeleteArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let hub = state.hub()?;
        let caller = state.operator();
        Ok(hub.trust_delete(&caller, &args.robot, args.id).await?)
    }
}
