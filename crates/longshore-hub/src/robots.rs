//! Robots: accounts of machines, of an organisation, of a user or of the system.
//!
//! A robot never may more than whoever made it may now, or took it over; the operator's robots have nobody behind them who could leave. At
//! its making it is given no more than its maker has, and the robot of an organisation or a user nothing outside of their namespace: others
//! give it their own. It can do nothing while whom it belongs to cannot.

mod edit;
mod keeper;
mod place;

use std::time::{Duration, SystemTime};

use longshore_auth::index::keep::{self, Wanted};
use longshore_auth::rights::Action;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_forget};
use longshore_meta::principals::{
    Kind, NewPrincipal, State, principal_named, principal_put, principal_state,
};
use longshore_meta::secrets::{Kind as SecretKind, NewSecret, secret_delete_of};
use longshore_meta::time::micros;
use serde_json::json;

use crate::caller::Caller;
use crate::grants::grant;
use crate::hub::{Done, Hub};
use crate::names::{conflict, missing};
use crate::permit::Permit;
use crate::tokens::{Made, no_random};

use self::edit::is_ahead;
pub use self::edit::{RobotEdit, robot_edit};
use self::keeper::has_room;
pub use self::keeper::robot_take_over;
pub(crate) use self::keeper::{is_its_keeper, is_whole};
pub use self::place::RobotName;
pub(crate) use self::place::{Place, of, parts, robot, told};

const MANAGE: u8 = Action::RobotManage as u8;

/// A robot that is to be.
#[derive(Debug, Clone, Default)]
pub struct NewRobot {
    /// Its name as it logs in: `robot+ci` of the system, `acme+ci` of the organisation or user `acme`.
    pub name: String,
    /// What its owner must be; `None`: whatever has the name.
    pub of: Option<Kind>,
    /// What it is for.
    pub description: String,
    /// What it may do where: a role, and the path of a namespace or `**` for everywhere.
    pub grants: Vec<(String, String)>,
    /// When it ends; `None`: when it is deleted.
    pub expires: Option<SystemTime>,
}

impl Hub {
    /// Makes a robot with its first secret.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `NameInvalid`, `ConditionFailed` when there is one of that name, or robots have made one another too often;
    /// or `Unavailable`.
    pub async fn robot_create(&self, caller: &Caller, new: NewRobot) -> Result<Made> {
        let (owner, _) = parts(&new.name)?;
        let object = self.robots_of(caller, owner, new.of).await?;
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
    pub async fn robot_rotate<'a>(
        &self,
        caller: &Caller,
        robot: impl Into<RobotName<'a>>,
        overlap: Duration,
    ) -> Result<Made> {
        let robot = robot.into();
        let (owner, own) = parts(robot.name)?;
        let object = self.robots_of(caller, owner, robot.of).await?;
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
    pub async fn robot_revoke<'a>(
        &self,
        caller: &Caller,
        robot: impl Into<RobotName<'a>>,
        secret: i64,
    ) -> Result<()> {
        let robot = robot.into();
        let (owner, own) = parts(robot.name)?;
        let object = self.robots_of(caller, owner, robot.of).await?;
        let args = (own.to_owned(), secret);
        self.act(caller, object, args, |tx, permit, (own, secret)| {
            Box::pin(robot_revoke(tx, permit, own, *secret))
        })
        .await
    }

    /// Deletes a robot. What was issued to it is void.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, or `Unavailable`.
    pub async fn robot_delete<'a>(
        &self,
        caller: &Caller,
        robot: impl Into<RobotName<'a>>,
    ) -> Result<()> {
        let robot = robot.into();
        let (owner, own) = parts(robot.name)?;
        let object = self.robots_of(caller, owner, robot.of).await?;
        self.act(caller, object, own.to_owned(), |tx, permit, own| {
            Box::pin(robot_delete(tx, permit, own))
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
    is_whole(permit.caller())?;
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
    has_room(tx, permit.caller()).await?;
    let now = permit.micros();
    is_ahead(new.expires.map(micros), now)?;
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
    is_whole(permit.caller())?;
    if !is_its_keeper(tx, permit, &place, &robot).await? {
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

/// Deletes a robot.
///
/// # Errors
/// See [`Hub::robot_delete`].
pub async fn robot_delete(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    name: &str,
) -> Result<Done<()>> {
    let place = of(tx, permit.object()).await?;
    let robot = robot(tx, &place, name).await?;
    binding_forget(tx, Subject::from(robot.id)).await?;
    for kind in [SecretKind::Robot, SecretKind::Refresh] {
        secret_delete_of(tx, robot.id.0, kind).await?;
    }
    principal_state(tx, robot.id, State::Deleted, permit.micros()).await?;
    let detail = json!({ "state": State::Deleted.word(), "id": robot.id.0 });
    Ok(told((), &place, name, detail))
}
