//! Who is supposed to be in which organisation and team.

use longshore_auth::rights::suppose::Moves;
use longshore_auth::rights::{Action, Object};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::members::member_of;
use longshore_meta::namespaces::namespace_at;
use longshore_meta::principals::{
    Kind, Principal, PrincipalId, State, principal_get, principal_named,
};

use super::Suppositions;
use crate::caller::Caller;
use crate::members::organisation;
use crate::names::{conflict, missing};
use crate::permit::Permit;
use crate::views::NOWHERE;

const MEMBERS: u8 = Action::MemberList as u8;

/// What somebody gets into and out of.
pub(super) async fn moves(
    tx: &mut Tx<'_>,
    caller: &Caller,
    who: Option<PrincipalId>,
    changes: &Suppositions,
) -> Result<Option<Moves>> {
    if changes.joins.is_empty() && changes.leaves.is_empty() {
        return Ok(None);
    }
    let subject = principal_get(tx, who.unwrap_or(PrincipalId(-1))).await?;
    let mut moves = Moves {
        of: match subject {
            Some(subject) if subject.kind == Kind::User => subject.id,
            _ => return Err(conflict("only people are members")),
        },
        leaves: Vec::new(),
        joins: Vec::new(),
    };
    for text in &changes.leaves {
        moves.leaves.push(party(tx, caller, text).await?.0.id);
    }
    for text in &changes.joins {
        let (party, organisation) = party(tx, caller, text).await?;
        let active = |it: &Principal| it.state == State::Active;
        if active(&party) {
            moves.joins.push((party.id, party.owner));
        }
        if let Some(organisation) = organisation.filter(active) {
            moves.joins.push((organisation.id, PrincipalId(0)));
        }
    }
    Ok(Some(moves))
}

/// The organisation or team that a text means, and of a team its organisation; for whoever is in it, or sees who is.
async fn party(
    tx: &mut Tx<'_>,
    caller: &Caller,
    text: &str,
) -> Result<(Principal, Option<Principal>)> {
    let wrong = || {
        Error::new(
            Code::QueryInvalid,
            "what somebody is in is written organisation:NAME or team:ORGANISATION/NAME",
        )
    };
    let (name, team) = match text.split_once(':').ok_or_else(wrong)? {
        ("organisation", name) => (name, None),
        ("team", rest) => {
            let (name, team) = rest.split_once('/').ok_or_else(wrong)?;
            (name, Some(team))
        }
        _ => return Err(wrong()),
    };
    let path = namespace_at(tx, name).await?;
    let at = Object::Namespace(path.map_or(NOWHERE, |it| it.id));
    let owner = principal_named(tx, PrincipalId(0), name).await?;
    let owner = owner.filter(|it| it.kind == Kind::Organisation);
    let of = owner.as_ref().map_or(PrincipalId(-1), |it| it.id);
    let found = match team {
        None => owner.clone(),
        Some(team) => {
            let found = principal_named(tx, of, team).await?;
            found.filter(|it| it.kind == Kind::Team)
        }
    };
    let within = member_of(tx, caller.who.id()).await?;
    let permit = Permit::<MEMBERS>::ask(tx, caller, &at).await?;
    let is_in = |it: &Principal| {
        within
            .iter()
            .any(|(party, owner)| *party == it.id || *owner == it.id)
    };
    if !found.as_ref().is_some_and(is_in) {
        organisation(tx, permit?.object()).await?;
    }
    let found = found.ok_or_else(|| missing(text.split(':').next().unwrap_or(text)))?;
    Ok((found, owner.filter(|_| team.is_some())))
}
