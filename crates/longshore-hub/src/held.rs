//! What somebody was given: whoever would have it by them, or lets others have it, must have it too.

use std::collections::BTreeMap;

use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, ActionSet, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, Subject, binding_denied, binding_of};
use longshore_meta::members::member_from;
use longshore_meta::namespaces::namespace_get;
use longshore_meta::principals::{Principal, PrincipalId, principal_get};
use longshore_meta::repos::repo_name;

use crate::bindings::{owner, place};
use crate::caller::Caller;
use crate::names::conflict;
use crate::rank::{Terms, has_all_on};

/// The most rights of one that are looked at.
const RIGHTS: usize = 1000;

/// Checks that whoever asks has what `whose` was given, as if they gave it now; with `of`, only what is of that owner's and of the system.
///
/// # Errors
/// `Denied` with what they lack; `ConditionFailed` where it is too much to be looked at, or `Unavailable`.
pub(crate) async fn has_what(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (name, whose): (&str, PrincipalId),
    of: Option<PrincipalId>,
) -> Result<()> {
    if caller.who.is_operator() {
        return Ok(());
    }
    let rights = binding_of(tx, Subject::from(whose), RIGHTS + 1).await?;
    if rights.len() > RIGHTS {
        return Err(conflict(format!(
            "`{name}` has more than {RIGHTS} rights; take some back first"
        )));
    }
    // What is on one thing, and counts alike, is looked at together.
    let mut places: BTreeMap<_, Vec<&Binding>> = BTreeMap::new();
    for right in &rights {
        let has_ended = right.expires.is_some_and(|end| end <= caller.micros());
        if !right.deny && !has_ended {
            let when = (&right.networks, &right.hours, right.expires);
            let at = (right.namespace, right.repo, when);
            places.entry(at).or_default().push(right);
        }
    }
    for ((namespace, ..), rights) in places {
        let owner = owner(tx, namespace).await?;
        let is_others = of.is_some_and(|of| owner != PrincipalId(0) && owner != of);
        if !is_others {
            holds(tx, caller, name, &rights).await?;
        }
    }
    Ok(())
}

/// Checks that whoever takes somebody into an organisation, and into a team of it perhaps, gives them nothing by it that they have not
/// themselves: of what is the organisation's, and of the system. What others have given to it is theirs to give.
///
/// # Errors
/// As [`has_what`].
pub(crate) async fn gives_membership(
    tx: &mut Tx<'_>,
    caller: &Caller,
    organisation: &Principal,
    team: Option<(PrincipalId, &str)>,
    whom: Option<PrincipalId>,
) -> Result<()> {
    // What a directory says of them ends when it does not say so any more.
    let known = match whom {
        Some(whom) => member_from(tx, whom, "").await?,
        None => Vec::new(),
    };
    let team = team.map(|(id, name)| (id, format!("{}/{name}", organisation.name)));
    for (id, name) in [(organisation.id, organisation.name.clone())]
        .into_iter()
        .chain(team)
    {
        if known.contains(&id) {
            continue;
        }
        has_what(tx, caller, (&name, id), Some(organisation.id)).await?;
    }
    Ok(())
}

/// Checks that whoever ends an organisation's parties, or takes somebody out of them, frees nobody by it of a denial that they could not
/// take back: of what is the organisation's, and of the system. What others deny to its members is by its word who they are.
///
/// # Errors
/// `Denied`; `ConditionFailed` where it is too much to be looked at, or `Unavailable`.
pub(crate) async fn frees(
    tx: &mut Tx<'_>,
    caller: &Caller,
    parties: &[PrincipalId],
    organisation: PrincipalId,
) -> Result<()> {
    if caller.who.is_operator() {
        return Ok(());
    }
    let mut may = Vec::new();
    for party in parties {
        let rows = binding_denied(tx, Subject::from(*party), RIGHTS + 1).await?;
        let name = principal_get(tx, *party)
            .await?
            .map_or_else(String::new, |it| it.name);
        if rows.len() > RIGHTS {
            return Err(conflict(format!(
                "`{name}` is denied more than {RIGHTS} things; take some back first"
            )));
        }
        for row in rows {
            let has_ended = row.expires.is_some_and(|end| end <= caller.micros());
            let owner = owner(tx, row.namespace).await?;
            let is_others = owner != PrincipalId(0) && owner != organisation;
            if has_ended || is_others || may.contains(&row.namespace) {
                continue;
            }
            let (manage, at) = (Action::RightsManage, place(row.namespace));
            if !allows(tx, &caller.who, manage, &at, caller.now).await? {
                let at = shown(tx, caller, &at).await?;
                return Err(Error::new(
                    Code::Denied,
                    format!(
                        "whoever is in `{name}` is denied something {at}, and would be freed of that: `{}` lacks the right `{manage}` \
                         there",
                        caller.name
                    ),
                ));
            }
            may.push(row.namespace);
        }
    }
    Ok(())
}

/// Checks that whoever asks has the rights that somebody was given on one thing.
async fn holds(tx: &mut Tx<'_>, caller: &Caller, whose: &str, rights: &[&Binding]) -> Result<()> {
    let Some(right) = rights.first() else {
        return Ok(());
    };
    let object = match right.repo {
        None => place(right.namespace),
        Some(id) => match repo_name(tx, id).await? {
            Some(name) => Object::Repository(name),
            // What it was for is gone.
            None => return Ok(()),
        },
    };
    let said = rights.iter().map(|right| ActionSet::known(&right.actions));
    let actions = said.fold(ActionSet::NONE, ActionSet::or);
    match has_all_on(tx, caller, &object, actions, &Terms::of(right)).await {
        Err(error) if error.code() == Code::Denied => {
            let at = shown(tx, caller, &object).await?;
            let mut roles: Vec<_> = rights.iter().map(|it| it.role_name.as_str()).collect();
            roles.dedup();
            let (role, why) = (roles.join("`, `"), error.public());
            Err(Error::new(
                Code::Denied,
                format!("`{whose}` has the role `{role}` {at}: {why}"),
            ))
        }
        other => other,
    }
}

/// Where a right counts, by a name that whoever asks may know.
async fn shown(tx: &mut Tx<'_>, caller: &Caller, object: &Object) -> Result<String> {
    let (action, name) = match object {
        Object::System => return Ok("everywhere".to_owned()),
        Object::Namespace(id) => {
            let path = namespace_get(tx, *id).await?.map(|it| it.path);
            (Action::NamespaceRead, path.unwrap_or_default())
        }
        Object::Repository(name) | Object::Tag(name, _) => {
            (Action::RepositoryList, name.to_string())
        }
    };
    if allows(tx, &caller.who, action, object, caller.now).await? {
        Ok(format!("on `{name}`"))
    } else {
        Ok("on something that you may not see".to_owned())
    }
}
