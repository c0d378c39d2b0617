//! What of a robot is otherwise: what it is for, when it ends, whether it can do anything.

use std::time::SystemTime;

use longshore_auth::rights::Action;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::principals::{State, principal_describe, principal_expire, principal_state};
use longshore_meta::secrets::{Kind as SecretKind, secret_delete_of};
use longshore_meta::time::micros;
use serde_json::json;

use super::place::{Place, RobotName, of, parts, robot, told};
use crate::caller::Caller;
use crate::hub::{Done, Hub};
use crate::permit::Permit;
use crate::views::{Makers, Robot, robot_seen};

const MANAGE: u8 = Action::RobotManage as u8;

/// What of a robot is to be otherwise; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct RobotEdit {
    /// What it is for.
    pub description: Option<String>,
    /// When it ends; `Some(None)`: when it is deleted.
    pub expires: Option<Option<SystemTime>>,
    /// Whether it can do anything.
    pub enabled: Option<bool>,
}

impl Hub {
    /// Changes parts of a robot, and gives it as it is then. What was issued to it is void where it is switched off or on, or ends at another time.
    ///
    /// # Errors
    /// `Denied`, `NameUnknown`, `QueryInvalid` when it would have ended already, or `Unavailable`.
    pub async fn robot_edit<'a>(
        &self,
        caller: &Caller,
        robot: impl Into<RobotName<'a>>,
        edit: RobotEdit,
    ) -> Result<Robot> {
        let robot = robot.into();
        let (owner, own) = parts(robot.name)?;
        let object = self.robots_of(caller, owner, robot.of).await?;
        let args = (own.to_owned(), edit);
        self.act(caller, object, args, |tx, permit, (own, edit)| {
            Box::pin(robot_edit(tx, permit, own, edit))
        })
        .await
    }
}

/// Changes parts of a robot.
///
/// # Errors
/// See [`Hub::robot_edit`].
pub async fn robot_edit(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    name: &str,
    edit: &RobotEdit,
) -> Result<Done<Robot>> {
    let place = of(tx, permit.object()).await?;
    let robot = robot(tx, &place, name).await?;
    let now = permit.micros();
    let mut changed = Vec::new();
    if let Some(text) = &edit.description {
        principal_describe(tx, robot.id, "", "", text, now).await?;
        changed.push("description");
    }
    if let Some(end) = edit.expires {
        let end = end.map(micros);
        is_ahead(end, now)?;
        if end != robot.expires {
            principal_expire(tx, robot.id, end, now).await?;
        }
        changed.push("expires");
    }
    if let Some(enabled) = edit.enabled {
        let state = if enabled {
            State::Active
        } else {
            State::Disabled
        };
        if state != robot.state {
            secret_delete_of(tx, robot.id.0, SecretKind::Refresh).await?;
            principal_state(tx, robot.id, state, now).await?;
        }
        changed.push(state.word());
    }
    let expires = edit.expires.map(|end| end.map(micros));
    let detail = json!({ "changed": changed, "id": robot.id.0, "expires": expires });
    let robot = after(tx, &place, name, permit.caller()).await?;
    Ok(told(robot, &place, name, detail))
}

/// A robot as it is after a change.
pub(super) async fn after(
    tx: &mut Tx<'_>,
    place: &Place,
    name: &str,
    caller: &Caller,
) -> Result<Robot> {
    let row = robot(tx, place, name).await?;
    robot_seen(tx, &place.prefix, row, &mut Makers::at(caller.now)).await
}

/// Checks that an end is still to come.
pub(super) fn is_ahead(end: Option<i64>, now: i64) -> Result<()> {
    if end.is_some_and(|end| end <= now) {
        let what =
            "a robot that has ended already is of no use; give a later time, or switch it off";
        return Err(Error::new(Code::QueryInvalid, what));
    }
    Ok(())
}
