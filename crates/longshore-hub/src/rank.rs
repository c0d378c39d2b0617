//! Nobody gives what they have not, and nobody gets hold of more than they have.

use std::time::SystemTime;

use longshore_auth::rights::decide::{Question, decide};
use longshore_auth::rights::facts::Facts;
use longshore_auth::rights::rule::Rule;
use longshore_auth::rights::{Action, ActionSet, Object, Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::principals::{PrincipalId, State};

use crate::caller::Caller;

/// What `who` may do, by these facts about `object`, whatever the tag.
fn whole(facts: &Facts, who: &Who, object: &Object, now: SystemTime) -> ActionSet {
    let may = |action: &Action| {
        let question = Question::on(who, *action, object.repo(), now);
        let decision = decide(facts, &question);
        decision.is_allowed() && decision.limit.is_none()
    };
    ActionSet::ALL.iter().filter(may).collect()
}

/// Checks that whoever asks may do all of `actions` themselves on `object`, whatever the tag.
///
/// # Errors
/// `Denied`, or `Unavailable`.
pub(crate) async fn has_all(
    tx: &mut Tx<'_>,
    caller: &Caller,
    object: &Object,
    actions: ActionSet,
) -> Result<()> {
    if caller.who.is_operator() {
        return Ok(());
    }
    let facts = Facts::load(tx, &caller.who, object, caller.now).await?;
    let own = whole(&facts, &caller.who, object, caller.now);
    match actions.without(own).iter().next() {
        None => Ok(()),
        Some(action) => Err(Error::new(
            Code::Denied,
            format!(
                "nobody gives what they have not: `{}` lacks `{action}` there",
                caller.name
            ),
        )),
    }
}

/// Whether whoever asks may do everything in the system.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn is_administrator(tx: &mut Tx<'_>, caller: &Caller) -> Result<bool> {
    match has_all(tx, caller, &Object::System, ActionSet::ALL).await {
        Ok(()) => Ok(true),
        Err(error) if error.code() == Code::Denied => Ok(false),
        Err(error) => Err(error),
    }
}

/// Checks that whoever asks may do everywhere what `account` may: whoever sets somebody's password could be them.
///
/// # Errors
/// `Denied`, or `Unavailable`.
pub(crate) async fn outranks(tx: &mut Tx<'_>, caller: &Caller, account: PrincipalId) -> Result<()> {
    if caller.who.is_operator() {
        return Ok(());
    }
    let them = Who::principal(account, Via::Password, caller.who.from);
    let mut facts = Facts::load(tx, &them, &Object::System, caller.now).await?;
    // What they may when they are let in again: whoever sets a password first and enables the account then is no better.
    for standing in facts
        .parties
        .iter_mut()
        .filter_map(|it| it.standing.as_mut())
    {
        standing.state = State::Active;
        standing.expires = None;
        standing.owner_state = State::Active;
        standing.owner_expires = None;
    }
    // And what they may from elsewhere, at other hours and when nothing is read-only: they log in later.
    facts.ground.read_only = false;
    for party in &mut facts.parties {
        let sleeps = |rule: &Rule| rule.networks.is_some() || rule.hours.is_some();
        party.rules.retain(|rule| !(rule.deny && sleeps(rule)));
        for rule in &mut party.rules {
            (rule.networks, rule.hours) = (None, None);
        }
    }
    let theirs = whole(&facts, &them, &Object::System, caller.now);
    has_all(tx, caller, &Object::System, theirs).await
}
