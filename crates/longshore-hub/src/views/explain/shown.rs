//! How much of an explanation about somebody else whoever asks may read.
//!
//! The answer itself is whoever's who sees the rights on what is asked about. What it rests on may be bindings elsewhere, teams, and how
//! it stands with an account: of that they are told what they could look up as well, and the rest without a name.

use longshore_auth::rights::facts::{Facts, Party};
use longshore_auth::rights::ground::Ground;
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object, Shown, Who};
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_get};
use longshore_meta::namespaces::namespace_at;
use longshore_meta::principals::{Kind, PrincipalId, principal_get};

use crate::bindings::place;
use crate::caller::Caller;
use crate::gives::sees_inside;
use crate::views::NOWHERE;

/// What may be read of an explanation of `facts` about `who`; `None`: all, since whoever asks is who is asked about, or runs the server.
///
/// # Errors
/// `Unavailable`.
pub(in crate::views) async fn shown(
    tx: &mut Tx<'_>,
    caller: &Caller,
    who: &Who,
    facts: &Facts,
) -> Result<Option<Shown>> {
    let is_same = who.principal == caller.who.principal && who.principal.is_some();
    if caller.who.is_operator() || is_same {
        return Ok(None);
    }
    let list = Action::UserList;
    let mut shown = Shown {
        own: own(tx, caller).await?,
        all_states: allows(tx, &caller.who, list, &Object::System, caller.now).await?,
        ..Shown::default()
    };
    let mut looked = Vec::new();
    for rule in facts.parties.iter().flat_map(|party| &party.rules) {
        if !looked.contains(&rule.namespace) {
            looked.push(rule.namespace);
            if readable(tx, caller, &place(rule.namespace)).await? {
                shown.places.push(rule.namespace);
            }
        }
    }
    // Who is asked about was named by whoever asks.
    shown.named.extend(who.principal.map(Subject::from));
    for party in &facts.parties {
        let is_robot = party.standing.is_some_and(|it| it.kind == Kind::Robot);
        if is_robot && sees_robot(tx, caller, party).await? {
            // Whoever sees a robot sees who made it.
            let maker = party.maker().flatten();
            shown.states.extend(party.id.into_iter().chain(maker));
            shown.named.extend(maker.map(Subject::from));
        }
    }
    for subject in facts.parties.iter().flat_map(|party| &party.subjects) {
        if !shown.named.contains(subject) && names(tx, caller, *subject).await? {
            shown.named.push(*subject);
        }
    }
    Ok(Some(shown))
}

/// Whether somebody may know of a binding that counts for somebody else, where it lies in what they may read or is for them too.
///
/// # Errors
/// `Unavailable`.
pub(in crate::views) async fn sees_binding(
    tx: &mut Tx<'_>,
    caller: &Caller,
    about: &Object,
    id: i64,
) -> Result<bool> {
    let found = binding_get(tx, id).await?;
    let at = found.as_ref().map_or(NOWHERE, |it| it.namespace);
    let may = readable(tx, caller, &place(at)).await?;
    let Some(found) = found else { return Ok(false) };
    let ground = Ground::load(tx, about, caller.now).await?;
    let repo = ground.repo.as_ref().and_then(|repo| repo.id);
    let here = found.repo.is_some() && found.repo == repo && ground.lies_in(found.namespace);
    Ok(may || here || own(tx, caller).await?.contains(&found.subject))
}

/// Whether somebody may read the bindings of a place.
async fn readable(tx: &mut Tx<'_>, caller: &Caller, at: &Object) -> Result<bool> {
    allows(tx, &caller.who, Action::RightsRead, at, caller.now).await
}

/// Whom somebody is: what counts for one of these they are told when they ask about themselves.
async fn own(tx: &mut Tx<'_>, caller: &Caller) -> Result<Vec<Subject>> {
    let party = Party::load(tx, caller.who.principal).await?;
    Ok(party.subjects)
}

/// Whether somebody may see a robot, and with it who made it.
async fn sees_robot(tx: &mut Tx<'_>, caller: &Caller, robot: &Party) -> Result<bool> {
    let owner = robot.standing.map_or(PrincipalId(-1), |it| it.owner);
    let at = match owner {
        PrincipalId(0) => Object::System,
        owner => {
            let owner = principal_get(tx, owner).await?;
            let name = owner.map_or_else(String::new, |owner| owner.name);
            let home = namespace_at(tx, &name).await?;
            Object::Namespace(home.map_or(NOWHERE, |home| home.id))
        }
    };
    allows(tx, &caller.who, Action::RobotList, &at, caller.now).await
}

/// Whether somebody may know who is in an organisation or a team.
async fn names(tx: &mut Tx<'_>, caller: &Caller, subject: Subject) -> Result<bool> {
    let Some(found) = principal_get(tx, PrincipalId(subject.0)).await? else {
        return Ok(false);
    };
    let organisation = match found.kind {
        Kind::Organisation => Some(found),
        Kind::Team => principal_get(tx, found.owner).await?,
        _ => None,
    };
    match organisation {
        Some(organisation) => sees_inside(tx, caller, &organisation, Some(Kind::Team)).await,
        None => Ok(false),
    }
}
