//! Robots: made with what they may do, given new secrets, listed.

use std::time::Duration;

use anyhow::Context as _;
use longshore_auth::index::keep::{self, Wanted};
use longshore_auth::index::{ROBOT, SYSTEM};
use longshore_meta::bindings::{Binding, binding_put};
use longshore_meta::logins::{Login, login_by_name};
use longshore_meta::namespaces::{NamespaceId, namespace_at};
use longshore_meta::principals::{
    Kind as Principal, NewPrincipal, PrincipalId, State as Standing, principal_list, principal_put,
};
use longshore_meta::roles::role_named;
use longshore_meta::secrets::{Kind, NewSecret};
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx};
use serde::{Deserialize, Serialize};

use super::operation::{Operation, State, Steps};
use super::tokens::{self, Made};
use crate::assemble;

/// How many robots of one owner are listed at most.
const MOST: usize = 10_000;

/// Makes a robot and its first secret.
#[derive(Debug)]
pub struct Create;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateArgs {
    /// Its name: `robot+ci` of the system, `acme+ci` of an organisation.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do where: a role and a namespace, or `**` for everywhere.
    pub grants: Vec<(String, String)>,
    /// How many seconds it lives; none: until it is deleted.
    pub lives: Option<u64>,
}

/// What the transaction is told.
struct Making {
    owner: String,
    name: String,
    description: String,
    grants: Vec<(String, String)>,
    expires: Option<i64>,
    secret: NewSecret,
    now: i64,
}

/// Splits `acme+ci`, and checks that the robot's own name can be typed anywhere without quotes.
fn parts(name: &str) -> anyhow::Result<(&str, &str)> {
    let (owner, own) = name.split_once('+').with_context(|| {
        format!("`{name}` is no robot's name: write {SYSTEM}+NAME, or ORGANISATION+NAME")
    })?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = own.len() <= 64
        && own
            .bytes()
            .all(|byte| plain(byte) || b"-_.".contains(&byte))
        && own.bytes().next().is_some_and(plain);
    anyhow::ensure!(
        fits,
        "a robot's own name has up to 64 lower-case letters, digits, '-', '_' and '.', and begins with a letter or digit"
    );
    Ok((owner, own))
}

async fn owner(tx: &mut Tx<'_>, name: &str) -> longshore_core::Result<Option<i64>> {
    if name == SYSTEM {
        return Ok(Some(0));
    }
    let found = login_by_name(tx, 0, name).await?;
    let is_organisation = |login: &Login| login.kind == Principal::Organisation as i64;
    Ok(found.filter(is_organisation).map(|login| login.id))
}

fn refused(what: impl Into<String>) -> longshore_core::Error {
    longshore_core::Error::new(longshore_core::Code::Denied, what)
}

async fn make(tx: &mut Tx<'_>, making: &Making) -> longshore_core::Result<i64> {
    let Some(owner) = owner(tx, &making.owner).await? else {
        return Err(refused(format!(
            "there is no organisation `{}`",
            making.owner
        )));
    };
    if login_by_name(tx, owner, &making.name).await?.is_some() {
        return Err(refused(format!(
            "there is a robot `{}+{}` already; give it another secret with `longshore admin robot rotate`",
            making.owner, making.name
        )));
    }
    let new = NewPrincipal {
        kind: Principal::Robot,
        owner: PrincipalId(owner),
        name: &making.name,
        full_name: "",
        mail: "",
        description: &making.description,
        state: Standing::Active,
        expires: making.expires,
        by: PrincipalId(0),
        now: making.now,
    };
    let id = principal_put(tx, &new).await?;
    for (role, path) in &making.grants {
        grant(tx, id, (role, path), making.now).await?;
    }
    let secret = NewSecret {
        principal: id.0,
        ..making.secret.clone()
    };
    keep::robot_put(tx, &secret, Duration::ZERO, making.now).await
}

/// Gives a robot a role on a namespace.
async fn grant(
    tx: &mut Tx<'_>,
    robot: PrincipalId,
    (role, path): (&str, &str),
    now: i64,
) -> longshore_core::Result<()> {
    let Some(role) = role_named(tx, PrincipalId(0), role).await? else {
        return Err(refused(format!(
            "there is no role `{role}`; there are guest, reader, developer, maintainer, owner, and those that were made here"
        )));
    };
    let namespace = if path == "**" {
        NamespaceId::EVERYWHERE
    } else {
        match namespace_at(tx, path).await? {
            Some(namespace) => namespace.id,
            None => return Err(refused(format!("there is no namespace `{path}`"))),
        }
    };
    let binding = Binding::plain(robot, role.id, namespace, (PrincipalId(0), now));
    binding_put(tx, &binding).await.map(drop)
}

impl Operation for Create {
    const NAME: &'static str = "robot-create";
    type Args = CreateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: CreateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let (owner, own) = parts(&args.name)?;
        let now = assemble::now();
        let expires = args.lives.map(|lives| now + Duration::from_secs(lives));
        let (shown, secret) = state.index()?.new_secret(Wanted {
            kind: Kind::Robot,
            principal: 0,
            label: String::new(),
            narrow: None,
            expires: None,
        })?;
        let making = Making {
            owner: owner.to_owned(),
            name: own.to_owned(),
            description: args.description,
            grants: args.grants,
            expires: expires.map(micros),
            secret,
            now: micros(now),
        };
        let id = state
            .db
            .write(Durability::Power, making, |tx, making| {
                Box::pin(make(tx, making))
            })
            .await?;
        Ok(Made {
            id,
            user: args.name,
            secret: shown.as_str().to_owned(),
            expires: expires.map(micros),
        })
    }
}

/// Gives a robot another secret.
#[derive(Debug)]
pub struct Rotate;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotateArgs {
    /// Its name.
    pub name: String,
    /// How many seconds the secret before goes on.
    pub overlap: u64,
}

impl Operation for Rotate {
    const NAME: &'static str = "robot-rotate";
    type Args = RotateArgs;
    type Step = ();
    type Done = Made;

    async fn run(state: &State, args: RotateArgs, _steps: Steps<()>) -> anyhow::Result<Made> {
        let index = state.index()?;
        let login = tokens::named(&state.db, &args.name).await?;
        anyhow::ensure!(login.kind == ROBOT, "`{}` is no robot", args.name);
        let now = assemble::now();
        let (shown, row) = index.new_secret(Wanted {
            kind: Kind::Robot,
            principal: login.id,
            label: String::new(),
            narrow: None,
            expires: None,
        })?;
        let overlap = Duration::from_secs(args.overlap);
        let id = state
            .db
            .write(
                Durability::Power,
                (row, overlap, micros(now)),
                |tx, (row, overlap, now)| Box::pin(keep::robot_put(tx, row, *overlap, *now)),
            )
            .await?;
        index.forget(login.id);
        Ok(Made {
            id,
            user: args.name,
            secret: shown.as_str().to_owned(),
            expires: login.expires,
        })
    }
}

/// Lists robots.
#[derive(Debug)]
pub struct List;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListArgs {
    /// Of this organisation; none: of the system.
    pub organisation: Option<String>,
}

/// A robot. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Robot {
    /// Its name, as it logs in.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// `active` or `disabled`.
    pub state: String,
    /// When it ends, if it does.
    pub expires: Option<i64>,
    /// Its secrets.
    pub secrets: Vec<tokens::Entry>,
}

impl Operation for List {
    const NAME: &'static str = "robot-list";
    type Args = ListArgs;
    type Step = ();
    type Done = Vec<Robot>;

    async fn run(state: &State, args: ListArgs, _steps: Steps<()>) -> anyhow::Result<Vec<Robot>> {
        state.index()?;
        let of = args.organisation.unwrap_or_else(|| SYSTEM.to_owned());
        let found = state
            .db
            .read(&of, |tx, of| {
                Box::pin(async move {
                    let Some(owner) = owner(tx, of).await? else {
                        return Ok(None);
                    };
                    principal_list(tx, PrincipalId(owner), "", MOST)
                        .await
                        .map(Some)
                })
            })
            .await?;
        let found = found.with_context(|| format!("there is no organisation `{of}`"))?;
        let mut robots = Vec::new();
        for robot in found.into_iter().filter(|it| it.kind == Principal::Robot) {
            robots.push(Robot {
                name: format!("{of}+{}", robot.name),
                description: robot.description,
                state: robot.state.word().to_owned(),
                expires: robot.expires,
                secrets: tokens::all(&state.db, robot.id.0, Kind::Robot).await?,
            });
        }
        Ok(robots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robots_name_can_be_typed_anywhere_without_quotes() {
        assert_eq!(parts("robot+ci").unwrap(), ("robot", "ci"));
        assert_eq!(parts("acme+build-1.x").unwrap(), ("acme", "build-1.x"));
        for bad in [
            "ci",
            "robot$ci",
            "robot+",
            "robot+-x",
            "robot+a b",
            "robot+A",
            "robot+a+b",
            &format!("robot+{}", "a".repeat(65)),
        ] {
            assert!(parts(bad).is_err(), "{bad}");
        }
    }
}
