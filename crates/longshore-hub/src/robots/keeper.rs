//! Who stands behind a robot: whoever made it, until somebody takes it over. It never may more than they may.
//!
//! Whoever has a secret of a robot is the robot, and whoever says whose tokens or certificates make their bearer one chooses who is. So a
//! login that is narrowed does none of this, not even for a robot that has no more than is left to it now: the secret outlives the login,
//! and the robot may be given more tomorrow, by people who look at its name and not at the token it was made with.

use longshore_auth::rights::Action;
use longshore_auth::rights::facts::{MAKERS, Party};
use longshore_auth::rights::judge::allows;
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::Subject;
use longshore_meta::principals::{Principal, PrincipalId, principal_keep};
use serde_json::json;

use super::edit::after;
use super::place::{Place, RobotName, of, parts, robot, told};
use crate::caller::Caller;
use crate::gives::subject_text;
use crate::held::has_what;
use crate::hub::{Done, Hub};
use crate::names::conflict;
use crate::permit::Permit;
use crate::views::Robot;

const MANAGE: u8 = Action::RobotManage as u8;

impl Hub {
    /// Makes whoever asks the one behind a robot, and gives it as it is then: from then on it may at most what they may, whatever becomes of who made it. Its
    /// secrets and rules go on.
    ///
    /// # Errors
    /// `Denied`, also where it has a right that they have not; `NameUnknown`, `ConditionFailed` when it stands behind them, or
    /// `Unavailable`.
    pub async fn robot_take_over<'a>(
        &self,
        caller: &Caller,
        robot: impl Into<RobotName<'a>>,
    ) -> Result<Robot> {
        let robot = robot.into();
        let (owner, own) = parts(robot.name)?;
        let object = self.robots_of(caller, owner, robot.of).await?;
        self.act(caller, object, own.to_owned(), |tx, permit, own| {
            Box::pin(robot_take_over(tx, permit, own))
        })
        .await
    }
}

/// Checks that whoever asks has logged in by something that leaves them all their rights: see the module.
///
/// # Errors
/// `Denied`.
pub(crate) fn is_whole(caller: &Caller) -> Result<()> {
    if caller.who.narrowed.is_none() {
        return Ok(());
    }
    Err(Error::new(
        Code::Denied,
        format!(
            "the login of `{}` is narrowed, and a robot could do more than it: log in by the password, or by a token that is not narrowed",
            caller.name
        ),
    ))
}

/// Checks that whoever asks may stand behind one more robot: one that robots have made from too far away could never do anything.
///
/// # Errors
/// `ConditionFailed`, or `Unavailable`.
pub(super) async fn has_room(tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
    let Some(id) = caller.who.principal else {
        return Ok(());
    };
    if Party::chain(tx, id).await?.len() < MAKERS {
        return Ok(());
    }
    Err(conflict(format!(
        "behind `{}` stand robots that have made one another, as many as may, so a robot of its own could do nothing; have a person do this",
        caller.name
    )))
}

/// Whether whoever asks may say who else can be the robot: they made it, or give rights there and have what it was given there.
///
/// # Errors
/// `Denied` where they have not, with what they lack; or `Unavailable`.
pub(crate) async fn is_its_keeper(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    place: &Place,
    robot: &Principal,
) -> Result<bool> {
    let caller = permit.caller();
    if caller.who.principal == Some(robot.created_by) {
        return Ok(true);
    }
    let gives = Action::RightsManage;
    if !allows(tx, &caller.who, gives, permit.object(), caller.now).await? {
        return Ok(false);
    }
    // What others gave to a robot of an organisation is theirs to give; a robot of the system has nobody beside it.
    let of = (place.owner != PrincipalId(0)).then_some(place.owner);
    let full = format!("{}+{}", place.prefix, robot.name);
    has_what(tx, caller, (&full, robot.id), of).await?;
    Ok(true)
}

/// Takes a robot over.
///
/// # Errors
/// See [`Hub::robot_take_over`].
pub async fn robot_take_over(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    name: &str,
) -> Result<Done<Robot>> {
    let place = of(tx, permit.object()).await?;
    let robot = robot(tx, &place, name).await?;
    let caller = permit.caller();
    is_whole(caller)?;
    let full = format!("{}+{name}", place.prefix);
    if let Some(id) = caller.who.principal {
        let chain = Party::chain(tx, id).await?;
        if chain.iter().any(|(id, _)| *id == robot.id) {
            return Err(conflict(format!(
                "`{full}` stands behind `{}`, so it cannot be kept by it",
                caller.name
            )));
        }
    }
    has_room(tx, caller).await?;
    has_what(tx, caller, (&full, robot.id), None).await?;
    principal_keep(tx, robot.id, caller.who.id(), permit.micros()).await?;
    let before = match robot.created_by {
        PrincipalId(0) => None,
        id => Some(subject_text(tx, Subject::from(id)).await?),
    };
    let detail = json!({
        "taken_over": robot.id.0, "from": robot.created_by.0, "from_name": before,
    });
    let robot = after(tx, &place, name, caller).await?;
    Ok(told(robot, &place, name, detail))
}
