//! How much of an explanation about somebody else whoever asks may read.
//!
//! The answer itself is whoever's who sees the rights on what is asked about. What it rests on may be bindings elsewhere, teams, and how
//! it stands with an account: of that they are told what they could look up as well, and the rest without a name.

use longshore_auth::rights::facts::{Facts, Party};
use longshore_auth::rights::ground::Ground;
use longshore_auth::rights::judge::allows;
use longshore_auth::rights::{Action, Object, Shown, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Subject, binding_get};
use longshore_meta::namespaces::namespace_at;
use longshore_meta::principals::{Kind, Principal, PrincipalId, principal_get};

use crate::bindings::place;
use crate::caller::Caller;
use crate::gives::{sees_inside, subject_text};
use crate::names::missing;
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
    let mut looked = Vec::new();
    for rule in facts.parties.iter().flat_map(|party| &party.rules) {
        // Of the rest nothing is told, whoever it is for.
        let may_be_told = shown.places.contains(&rule.namespace) || rule.repo.is_some();
        if may_be_told && !looked.contains(&rule.subject) {
            looked.push(rule.subject);
            if names(tx, caller, rule.subject).await? {
                shown.named.push(rule.subject);
            }
        }
    }
    Ok(Some(shown))
}

/// Checks that whoever asks about somebody else may suppose that a binding does not count: where they may read it, or it is for them
/// too. By what changes without it they learn whom it is for.
///
/// # Errors
/// `NameUnknown` for what is not there as for what they may not read; `Denied` where they do not see who has it; `Unavailable`.
pub(in crate::views) async fn may_leave_out(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (who, about): (&Who, &Object),
    id: i64,
) -> Result<()> {
    let found = binding_get(tx, id).await?;
    let at = found.as_ref().map_or(NOWHERE, |it| it.namespace);
    let may = readable(tx, caller, &place(at)).await?;
    let found = found.ok_or_else(|| missing("binding"))?;
    if caller.who.is_operator() || own(tx, caller).await?.contains(&found.subject) {
        return Ok(());
    }
    let ground = Ground::load(tx, about, caller.now).await?;
    let repo = ground.repo.as_ref().and_then(|repo| repo.id);
    let here = found.repo.is_some() && found.repo == repo && ground.lies_in(found.namespace);
    if !may && !here {
        return Err(missing("binding"));
    }
    let is_asked_about = who.principal.map(Subject::from) == Some(found.subject);
    if !is_asked_about
        && party(tx, found.subject).await?.is_some()
        && !names(tx, caller, found.subject).await?
    {
        // Where the list of bindings is not theirs to read the team is none to name either.
        if !may {
            return Err(missing("binding"));
        }
        return Err(Error::new(
            Code::Denied,
            format!(
                "binding {id} is for those in {}, and who that is only those see who see its members",
                subject_text(tx, found.subject).await?
            ),
        ));
    }
    Ok(())
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

/// The organisation of a subject that people are in: itself, or that of a team.
async fn party(tx: &mut Tx<'_>, subject: Subject) -> Result<Option<Principal>> {
    let Some(found) = principal_get(tx, PrincipalId(subject.0)).await? else {
        return Ok(None);
    };
    match found.kind {
        Kind::Organisation => Ok(Some(found)),
        Kind::Team => principal_get(tx, found.owner).await,
        _ => Ok(None),
    }
}

/// Whether somebody may know who is in an organisation or a team.
async fn names(tx: &mut Tx<'_>, caller: &Caller, subject: Subject) -> Result<bool> {
    match party(tx, subject).await? {
        Some(organisation) => sees_inside(tx, caller, &organisation, Some(Kind::Team)).await,
        None => Ok(false),
    }
}
