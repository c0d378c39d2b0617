//! Robots: accounts of machines, of an organisation or of the system.
//!
//! A robot never may more than whoever made it may now; the operator's robots have nobody behind them who could leave. At its making it is
//! given no more than its maker has, and an organisation's robot nothing outside of the organisation: others give it their own.

use std::time::{Duration, SystemTime};

use longshore_auth::index::SYSTEM;
use longshore_auth::index::keep::{self, Wanted};
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_forget};
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::{
    Kind, NewPrincipal, Principal, PrincipalId, State, principal_named, principal_put,
    principal_state,
};
use longshore_meta::secrets::{Kind as SecretKind, NewSecret, secret_delete_of};
use longshore_meta::time::micros;
use serde_json::json;

use crate::caller::Caller;
use crate::grants::grant;
use crate::hub::{Done, Hub};
use crate::members::organisation;
use crate::names::{check_robot, conflict, missing};
use crate::permit::Permit;
use crate::tokens::{Made, no_random};

const MANAGE: u8 = Action::RobotManage as u8;

/// A robot that is to be.
#[derive(Debug, Clone, Default)]
pub struct NewRobot {
    /// Its name as it logs in: `robot+ci` of the system, `acme+ci` of the organisation `acme`.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it may do where: a role, and the path of a namespace or `**` for everywhere.
    pub grants: Vec<(String, String)>,
    /// When it ends; `None`: when it is deleted.
    pub expires: Option<SystemTime>,
}

/// What is before the `+` of a robot's name, and what is after it.
pub(crate) fn parts(name: &str) -> Result<(&str, &str)> {
    let (owner, own) = name.split_once('+').ok_or_else(|| {
        let what =
            format!("`{name}` is no robot's name: write {SYSTEM}+NAME, or ORGANISATION+NAME");
        Error::new(Code::NameInvalid, what)
    })?;
    check_robot(own)?;
    Ok((owner, own))
}

impl Hub {
    /// What a right over the robots of `owner` is asked for: the system, or the home of an organisation.
    pub(crate) async fn robots_of(&self, caller: &Caller, owner: &str) -> Result<Object> {
        if owner == SYSTEM {
            return Ok(Object::System);
        }
        match self.namespace_id(owner).await {
            Err(error) if error.code().is_absence() && caller.who.is_operator() => {
                Err(missing(&format!("organisation `{owner}`")))
            }
            home => home.map(Object::Namespace),
        }
    }

    /// Makes a robot with its first secret.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `ConditionFailed` when there is one of that name, or `Unavailable`.
    pub async fn robot_create(&self, caller: &Caller, new: NewRobot) -> Result<Made> {
        let (owner, _) = parts(&new.name)?;
        let object = self.robots_of(caller, owner).await?;
        let (secret, row) = self.index.new_secret(wanted()).map_err(no_random)?;
        let expires = new.expires.map(micros);
        let id = self
            .act(caller, object, (new, row), |tx, permit, (new, row)| {
                Box::pin(robot_create(tx, permit, new, row))
            })
            .await?;
        Ok(Made {
            id,
            secret,
            expires,
            by_name: Vec::new(),
        })
    }

    /// Gives a robot another secret. The one before it goes on for `overlap`. Whoever made the robot may, and whoever gives rights
    /// there.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn robot_rotate(
        &self,
        caller: &Caller,
        name: &str,
        overlap: Duration,
    ) -> Result<Made> {
        let (owner, own) = parts(name)?;
        let object = self.robots_of(caller, owner).await?;
        let (secret, row) = self.index.new_secret(wanted()).map_err(no_random)?;
        let args = (own.to_owned(), row, overlap);
        let (id, expires) = self
            .act(caller, object, args, |tx, permit, (own, row, overlap)| {
                Box::pin(robot_rotate(tx, permit, own, row, *overlap))
            })
            .await?;
        Ok(Made {
            id,
            secret,
            expires,
            by_name: Vec::new(),
        })
    }

    /// Takes one of a robot's secrets back, and what was issued for it.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn robot_revoke(&self, caller: &Caller, name: &str, secret: i64) -> Result<()> {
        let (owner, own) = parts(name)?;
        let object = self.robots_of(caller, owner).await?;
        let args = (own.to_owned(), secret);
        self.act(caller, object, args, |tx, permit, (own, secret)| {
            Box::pin(robot_revoke(tx, permit, own, *secret))
        })
        .await
    }

    /// Keeps a robot out, lets it in again, or deletes it. What was issued to it is void.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn robot_state(&self, caller: &Caller, name: &str, to: State) -> Result<()> {
        let (owner, own) = parts(name)?;
        let object = self.robots_of(caller, owner).await?;
        let args = (own.to_owned(), to);
        self.act(caller, object, args, |tx, permit, (own, to)| {
            Box::pin(robot_state(tx, permit, own, *to))
        })
        .await
    }
}

fn wanted() -> Wanted {
    Wanted {
        kind: SecretKind::Robot,
        // Known in the transaction.
        principal: 0,
        label: String::new(),
        narrow: None,
        expires: None,
    }
}

/// Whose robots a permit is for.
pub(crate) struct Place {
    pub(crate) owner: PrincipalId,
    pub(crate) prefix: String,
    namespace: NamespaceId,
}

pub(crate) async fn of(tx: &mut Tx<'_>, object: &Object) -> Result<Place> {
    if *object == Object::System {
        return Ok(Place {
            owner: PrincipalId(0),
            prefix: SYSTEM.to_owned(),
            namespace: NamespaceId(0),
        });
    }
    let (home, owner) = organisation(tx, object).await?;
    Ok(Place {
        owner: owner.id,
        prefix: owner.name,
        namespace: home.id,
    })
}

pub(crate) async fn robot(tx: &mut Tx<'_>, place: &Place, name: &str) -> Result<Principal> {
    let found = principal_named(tx, place.owner, name).await?;
    let found = found.filter(|it| it.kind == Kind::Robot);
    found.ok_or_else(|| missing(&format!("robot `{}+{name}`", place.prefix)))
}

/// Whether whoever asks may say who else can be the robot: they made it, or give rights there.
pub(crate) async fn is_its_keeper(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    robot: &Principal,
) -> Result<bool> {
    let caller = permit.caller();
    if caller.who.principal == Some(robot.created_by) {
        return Ok(true);
    }
    let gives = Action::RightsManage;
    allows(tx, &caller.who, gives, permit.object(), caller.now).await
}

pub(crate) fn told<T>(value: T, place: &Place, name: &str, detail: serde_json::Value) -> Done<T> {
    Done {
        value,
        object: format!("{}+{name}", place.prefix),
        namespace: place.namespace,
        detail,
    }
}

/// Makes a robot.
///
/// # Errors
/// See [`Hub::robot_create`].
pub async fn robot_create(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    new: &NewRobot,
    secret: &NewSecret,
) -> Result<Done<i64>> {
    let (place, (_, own)) = (of(tx, permit.object()).await?, parts(&new.name)?);
    // Beside users, organisations or teams: what has a name is told by it.
    match principal_named(tx, place.owner, own).await? {
        None => {}
        Some(other) if other.kind == Kind::Robot => {
            return Err(conflict(format!(
                "there is `{}` already; rotate it to get another secret, or choose another name",
                new.name
            )));
        }
        Some(_) => {
            return Err(conflict(format!(
                "the name `{own}` is somebody else's; choose another"
            )));
        }
    }
    let now = permit.micros();
    let row = NewPrincipal {
        kind: Kind::Robot,
        owner: place.owner,
        name: own,
        full_name: "",
        mail: "",
        description: &new.description,
        state: State::Active,
        expires: new.expires.map(micros),
        by: permit.caller().who.id(),
        now,
    };
    let id = principal_put(tx, &row).await?;
    for (role, path) in &new.grants {
        grant(tx, permit, &place, id, (role, path)).await?;
    }
    let secret = NewSecret {
        principal: id.0,
        ..secret.clone()
    };
    let first = keep::robot_put(tx, &secret, Duration::ZERO, now).await?;
    let detail = json!({ "created": "robot", "id": id.0, "grants": new.grants, "secret": first });
    Ok(told(first, &place, own, detail))
}

/// Gives a robot another secret. Whoever holds it is the robot, so whoever may not give its rights must have made it.
///
/// # Errors
/// See [`Hub::robot_rotate`].
pub async fn robot_rotate(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    name: &str,
    secret: &NewSecret,
    overlap: Duration,
) -> Result<Done<(i64, Option<i64>)>> {
    let place = of(tx, permit.object()).await?;
    let robot = robot(tx, &place, name).await?;
    if !is_its_keeper(tx, permit, &robot).await? {
        return Err(Error::new(
            Code::Denied,
            format!(
                "only whoever made `{}+{name}`, or may give rights there, gives it another secret",
                place.prefix
            ),
        ));
    }
    let secret = NewSecret {
        principal: robot.id.0,
        ..secret.clone()
    };
    let id = keep::robot_put(tx, &secret, overlap, permit.micros()).await?;
    let detail = json!({ "rotated": robot.id.0, "secret": id, "overlap_secs": overlap.as_secs() });
    Ok(told((id, robot.expires), &place, name, detail))
}

/// Takes a robot's secret back.
///
/// # Errors
/// See [`Hub::robot_revoke`].
pub async fn robot_revoke(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    name: &str,
    secret: i64,
) -> Result<Done<()>> {
    let place = of(tx, permit.object()).await?;
    let robot = robot(tx, &place, name).await?;
    if !keep::secret_revoke(tx, robot.id.0, secret).await? {
        return Err(missing(&format!("secret {secret} of that robot")));
    }
    Ok(told((), &place, name, json!({ "revoked": secret })))
}

/// Switches a robot off or on, or deletes it.
///
/// # Errors
/// See [`Hub::robot_state`].
pub async fn robot_state(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    name: &str,
    to: State,
) -> Result<Done<()>> {
    let place = of(tx, permit.object()).await?;
    let robot = robot(tx, &place, name).await?;
    if to == State::Deleted {
        binding_forget(tx, Subject::from(robot.id)).await?;
        secret_delete_of(tx, robot.id.0, SecretKind::Robot).await?;
    }
    secret_delete_of(tx, robot.id.0, SecretKind::Refresh).await?;
    principal_state(tx, robot.id, to, permit.micros()).await?;
    let detail = json!({ "state": to.word(), "id": robot.id.0 });
    Ok(told((), &place, name, detail))
}
