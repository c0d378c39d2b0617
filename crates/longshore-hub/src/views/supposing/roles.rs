//! Bindings that are supposed, and what roles are supposed to say.

use longshore_auth::rights::{Object, Supposed};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::Binding;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::PrincipalId;
use longshore_meta::roles::{Role, role_named};

use super::{Suppositions, sees, twice};
use crate::bindings::{owner, possible, role_owner};
use crate::caller::Caller;
use crate::gives::{rest, role_find};
use crate::names::{check, conflict, missing};

fn home(at: &Object) -> Result<NamespaceId> {
    match at {
        Object::System => Ok(NamespaceId::EVERYWHERE),
        Object::Namespace(id) => Ok(*id),
        Object::Repository(_) | Object::Tag(..) => Err(Error::new(
            Code::QueryInvalid,
            "roles and bindings are at a namespace, with a slash after it, or `system`",
        )),
    }
}

/// Bindings more and what roles say.
pub(super) async fn with(
    tx: &mut Tx<'_>,
    caller: &Caller,
    changes: &Suppositions,
) -> Result<Supposed> {
    let mut supposed = Supposed::default();
    // What there is none of yet, and in which namespaces it may be given.
    let mut made: Vec<Role> = Vec::new();
    for said in &changes.roles {
        let at = home(&said.at)?;
        sees(tx, caller, &said.at).await?;
        let owner = role_owner(tx, at).await?;
        let found = role_named(tx, owner, &said.name).await?;
        let actions = said.actions.to_string();
        match found {
            Some(role) if role.builtin => {
                return Err(conflict(format!(
                    "the role `{}` is built in, and stays as it is; suppose another",
                    role.name
                )));
            }
            Some(role) if supposed.roles.iter().any(|(id, _)| *id == role.id) => {
                return Err(twice(&format!("the role `{}`", role.name)));
            }
            Some(role) => supposed.roles.push((role.id, actions)),
            None if made
                .iter()
                .any(|it| (it.owner, &it.name) == (owner, &said.name)) =>
            {
                return Err(twice(&format!("the role `{}`", said.name)));
            }
            None => {
                // A name that nothing gives is more likely wrong than new.
                let is_given = changes.with.iter().any(|(_, give)| give.role == said.name);
                if !is_given {
                    return Err(missing(&format!("role `{}`", said.name)));
                }
                check(&said.name)?;
                made.push(Role {
                    id: -1 - i64::try_from(made.len()).unwrap_or_default(),
                    owner,
                    name: said.name.clone(),
                    actions,
                    builtin: false,
                    description: String::new(),
                    changed: 0,
                });
            }
        }
    }
    for (at, give) in &changes.with {
        let home = home(at)?;
        sees(tx, caller, at).await?;
        let owner = owner(tx, home).await?;
        let role = role_then(tx, &made, (home, owner), &give.role).await?;
        let mut row: Binding = rest(tx, caller, (home, role.id), give).await?;
        possible(tx, &row).await?;
        (row.role_name, row.actions) = (role.name, role.actions);
        supposed.with.push(row);
    }
    Ok(supposed)
}

/// The role of that name there then: whoever owns the place comes before the system.
async fn role_then(
    tx: &mut Tx<'_>,
    made: &[Role],
    (home, owner): (NamespaceId, PrincipalId),
    name: &str,
) -> Result<Role> {
    let of = |owner| made.iter().find(|it| it.owner == owner && it.name == name);
    if let Some(role) = of(owner) {
        return Ok(role.clone());
    }
    match role_find(tx, home, name).await {
        Err(error) if error.code() == Code::NameUnknown => of(PrincipalId(0)).cloned().ok_or(error),
        found => found,
    }
}
