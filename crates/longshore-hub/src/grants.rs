//! What a robot is given at its making.

use longshore_auth::rights::{Action, ActionSet};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, binding_put};
use longshore_meta::namespaces::{NamespaceId, namespace_at};
use longshore_meta::principals::PrincipalId;
use longshore_meta::roles::role_named;

use crate::bindings::place;
use crate::names::missing;
use crate::permit::Permit;
use crate::rank::has_all;
use crate::robots::Place;

const MANAGE: u8 = Action::RobotManage as u8;

/// Gives a new robot a role on a namespace, or everywhere (`**`).
///
/// # Errors
/// `NameUnknown` when there is no such role or namespace of theirs; `Denied` when it is not, or whoever asks has not that much there;
/// `Unavailable`.
pub(crate) async fn grant(
    tx: &mut Tx<'_>,
    permit: &Permit<MANAGE>,
    of: &Place,
    robot: PrincipalId,
    (role, path): (&str, &str),
) -> Result<()> {
    let mut found = role_named(tx, of.owner, role).await?;
    if found.is_none() {
        found = role_named(tx, PrincipalId(0), role).await?;
    }
    let role = found.ok_or_else(|| missing(&format!("role `{role}`")))?;
    let namespace = if path == "**" {
        NamespaceId::EVERYWHERE
    } else {
        let found = namespace_at(tx, path).await?;
        let is_others = found.as_ref().is_some_and(|it| it.owner != of.owner);
        // What is not theirs is answered alike whether it is there.
        let is_outside = path.split('/').next() != Some(&of.prefix);
        if of.owner != PrincipalId(0) && (is_others || (found.is_none() && is_outside)) {
            return Err(elsewhere(of));
        }
        found
            .ok_or_else(|| missing(&format!("namespace `{path}`")))?
            .id
    };
    if of.owner != PrincipalId(0) && namespace == NamespaceId::EVERYWHERE {
        return Err(elsewhere(of));
    }
    let actions = ActionSet::known(&role.actions);
    has_all(tx, permit.caller(), &place(namespace), actions).await?;
    let by = (permit.caller().who.id(), permit.micros());
    binding_put(tx, &Binding::plain(robot, role.id, namespace, by))
        .await
        .map(drop)
}

fn elsewhere(of: &Place) -> Error {
    Error::new(
        Code::Denied,
        format!(
            "a robot of `{0}` is made with rights in `{0}`; whoever gives rights elsewhere can give it theirs",
            of.prefix
        ),
    )
}
