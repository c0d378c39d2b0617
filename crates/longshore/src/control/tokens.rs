//! Personal access tokens: made, listed and revoked for their users.

use std::time::Duration;

use anyhow::Context as _;
use longshore_auth::index::keep::{self, Wanted};
use longshore_auth::index::{Index, USER};
use longshore_meta::logins::Login;
use longshore_meta::secrets::{Kind, Secret, secret_list};
use longshore_meta::time::micros;
use longshore_meta::{Db, Durability};
use serde::{Deserialize, Serialize};

use super::narrow;
use super::operation::{Operation, State, Steps};
use crate::assemble;

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
}

/// Whoever is called so, who must be there.
pub(super) async fn named(db: &Db, name: &str) -> anyhow::Result<Login> {
    let found = db
        .read(&name, |tx, name| Box::pin(keep::named(tx, name)))
        .await?;
    found.with_context(|| format!("there is nobody called `{name}` here"))
}

/// The same, who must be a person.
pub(super) async fn user(db: &Db, name: &str) -> anyhow::Result<Login> {
    let login = named(db, name).await?;
    anyhow::ensure!(
        login.kind == USER && login.owner == 0,
        "`{name}` is no user's name"
    );
    Ok(login)
}

impl Operation for Create {
    const NAME: &'static str = "token-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let index: &Index = state.index()?;
        let login = user(&state.db, &args.user).await?;
        let now = assemble::now();
        let wanted = Wanted {
            kind: Kind::Personal,
            principal: login.id,
            label: args.label,
            narrow: narrow::read(&args.repositories, &args.actions)?,
            expires: args.lives.map(|lives| now + Duration::from_secs(lives)),
        };
        let (secret, row) = index.new_secret(wanted)?;
        let expires = row.expires;
        let id = state
            .db
            .write(Durability::Power, (row, micros(now)), |tx, (row, now)| {
                Box::pin(keep::personal_put(tx, row, *now))
            })
            .await?;
        Ok(Made {
            id,
            user: login.name,
            secret: secret.as_str().to_owned(),
            expires,
        })
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

/// All of somebody's secrets of one kind.
pub(super) async fn all(db: &Db, principal: i64, kind: Kind) -> anyhow::Result<Vec<Entry>> {
    let found = db
        .read(&(principal, kind), |tx, (principal, kind)| {
            Box::pin(secret_list(tx, *principal, *kind, 0, MOST))
        })
        .await?;
    Ok(found.into_iter().map(Entry::from).collect())
}

impl Operation for List {
    const NAME: &'static str = "token-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Entry>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Entry>> {
        state.index()?;
        let login = user(&state.db, &args.user).await?;
        all(&state.db, login.id, Kind::Personal).await
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
        let index = state.index()?;
        let login = named(&state.db, &args.user).await?;
        let revoked = state
            .db
            .write(
                Durability::Power,
                (login.id, args.id),
                |tx, (principal, id)| Box::pin(keep::secret_revoke(tx, *principal, *id)),
            )
            .await?;
        anyhow::ensure!(revoked, "`{}` has no token {}", args.user, args.id);
        index.forget(login.id);
        Ok(())
    }
}
