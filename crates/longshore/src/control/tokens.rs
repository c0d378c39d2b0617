//! Personal access tokens: made, listed and revoked for their users.

use longshore_hub::tokens::{self as hub, NewToken};
use longshore_meta::secrets::Secret;
use serde::{Deserialize, Serialize};

use super::ends::ends;
use super::narrow;
use super::operation::{Operation, State, Steps};

/// How many are listed at most.
const MOST: usize = 1000;

/// Makes a token.
#[derive(Debug)]
pub struct Create;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// Whose it is to be.
    pub user: String,
    /// What it is for.
    pub label: String,
    /// The patterns of repositories it is for; none: all that its user may use.
    pub repositories: Vec<String>,
    /// `pull`, `push`, `delete`; none: all that its user may do.
    pub actions: Vec<String>,
    /// How many seconds it lives; none: until it is revoked.
    pub lives: Option<u64>,
}

/// A secret that is shown once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Made {
    /// Its id.
    pub id: i64,
    /// The name to log in with.
    pub user: String,
    /// The secret itself: the password to log in with.
    pub secret: String,
    /// When it ends, in microseconds since the Unix epoch.
    pub expires: Option<i64>,
    /// Names of repositories it is for that nothing has: it is for whatever gets them.
    #[serde(default)]
    pub by_name: Vec<String>,
}

impl Made {
    /// What was made for whoever logs in with this name.
    pub(super) fn of(user: &str, made: &hub::Made) -> Self {
        Self {
            id: made.id,
            user: user.to_owned(),
            secret: made.secret.as_str().to_owned(),
            expires: made.expires,
            by_name: made.by_name.clone(),
        }
    }
}

impl Operation for Create {
    const NAME: &'static str = "token-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let caller = state.operator();
        let new = NewToken {
            label: args.label,
            narrow: narrow::read(&args.repositories, &args.actions)?,
            expires: ends(caller.now, args.lives)?,
        };
        let made = state.hub()?.token_create(&caller, &args.user, new).await?;
        Ok(Made::of(&args.user, &made))
    }
}

/// Lists a user's tokens.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListArgs {
    /// Whose.
    pub user: String,
}

/// A token or a robot's secret, without the secret. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// What it is for.
    pub label: String,
    /// What it is narrowed to, as JSON.
    pub scope: Option<String>,
    /// When it was made.
    pub created: i64,
    /// When it ends, if it does.
    pub expires: Option<i64>,
    /// When it was last used, to the hour.
    pub used: Option<i64>,
}

impl From<Secret> for Entry {
    fn from(secret: Secret) -> Self {
        Entry {
            id: secret.id,
            label: secret.label,
            scope: secret.scope,
            created: secret.created,
            expires: secret.expires,
            used: secret.used,
        }
    }
}

impl Operation for List {
    const NAME: &'static str = "token-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Entry>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Entry>> {
        let (hub, caller) = (state.hub()?, state.operator());
        let found = hub.token_list(&caller, &args.user, 0, MOST).await?.items;
        let mut entries = Vec::with_capacity(found.len());
        for row in found {
            let scope = narrow::shown(state, row.scope.as_deref()).await?;
            let mut entry = Entry::from(row);
            entry.scope = scope.map(|scope| scope.to_string());
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// Takes a token, or a robot's secret, back.
#[derive(Debug)]
pub struct Revoke;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeArgs {
    /// Whose it is: a user or a robot.
    pub user: String,
    /// Its id.
    pub id: i64,
}

impl Operation for Revoke {
    const NAME: &'static str = "token-revoke";
    type Args = RevokeArgs;
    type Step = ();
    type Done = ();

    async fn run(state: &State, args: RevokeArgs, _steps: Steps<()>) -> anyhow::Result<()> {
        let (hub, caller) = (state.hub()?, state.operator());
        if args.user.contains('+') {
            hub.robot_revoke(&caller, &args.user, args.id).await?;
        } else {
            hub.token_revoke(&caller, &args.user, args.id).await?;
        }
        Ok(())
    }
}
