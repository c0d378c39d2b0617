//! What of a robot is otherwise: what it is for, when it ends, whether it can do anything.
//!
//! Nobody prolongs themselves: that a robot ends is no limit where it says so itself, or another robot does for which it does the same. And what gives
//! it more than it has is nothing for a login that is narrowed, as in [`super::keeper`]; what takes from it is.

use std::time::SystemTime;

use longshore_auth::rights::Action;
use longshore_auth::rights::facts::Party;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::principals::{
    Principal, State, principal_describe, principal_expire, principal_state,
};
use longshore_meta::secrets::{Kind as SecretKind, secret_delete_of};
use longshore_meta::time::micros;
use serde_json::json;

use super::keeper::is_whole;
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
    /// `Denied`, also to itself and whom it stands behind, and to a login that is narrowed, where it would live longer or be switched on;
    /// `NameUnknown`, `QueryInvalid` when it would have ended already, or `Unavailable`.
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
        if is_longer(robot.expires, end) {
            may_give(tx, permit, &place, &robot, end).await?;
        }
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
            if enabled {
                may_give(tx, permit, &place, &robot, robot.expires).await?;
            }
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

/// Whether what ends then goes on for longer than it did.
fn is_longer(before: Option<i64>, after: Option<i64>) -> bool {
    before.is_some_and(|before| after.is_none_or(|after| after > before))
}

/// Checks that whoever asks may let a robot do more, or until `end`: see the module.
async fn may_give(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    place: &Place,
    robot: &Principal,
    end: Option<i64>,
) -> Result<()> {
    let caller = permit.caller();
    is_whole(caller)?;
    let Some(id) = caller.who.principal else {
        return Ok(());
    };
    let chain = Party::chain(tx, id).await?;
    if chain.iter().any(|(id, _)| *id == robot.id) {
        let full = format!("{}+{}", place.prefix, robot.name);
        let what = format!(
            "`{}` is `{full}`, or is there by it, and nobody prolongs themselves; ask somebody else",
            caller.name
        );
        return Err(Error::new(Code::Denied, what));
    }
    // Nor do two robots prolong each other.
    let ends = chain.iter().filter_map(|(_, party)| party.standing);
    let ends = ends.filter_map(|it| it.expires).min();
    if ends.is_some_and(|last| end.is_none_or(|end| end > last)) && end != robot.expires {
        let what = format!(
            "`{}` ends before that, and lets nobody go on for longer than itself; ask somebody else",
            caller.name
        );
        return Err(Error::new(Code::Denied, what));
    }
    Ok(())
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
