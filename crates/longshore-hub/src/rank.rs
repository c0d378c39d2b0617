//! Nobody gives what they have not, and nobody gets hold of more than they have: not of what is denied them further in, and for no longer
//! and from nowhere else than they have it themselves.

use std::time::SystemTime;

use longshore_auth::rights::condition::{Hours, Network};
use longshore_auth::rights::decide::{Question, decide};
use longshore_auth::rights::facts::Facts;
use longshore_auth::rights::rule::Rule;
use longshore_auth::rights::{Action, ActionSet, Object, Via, Who};
use longshore_core::{Code, Error, Result};
use longshore_meta::Tx;
use longshore_meta::bindings::{Binding, Subject};
use longshore_meta::principals::{PrincipalId, State};

use crate::caller::Caller;
use crate::own::not_proven;

mod inner;

/// When and from where something is given; always and from everywhere by default.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    expires: Option<i64>,
    networks: Option<Vec<Network>>,
    hours: Option<Hours>,
}

impl Terms {
    /// Those of a binding.
    pub(crate) fn of(binding: &Binding) -> Self {
        Rule::read(binding).map_or_else(Self::default, |rule| Self {
            expires: rule.expires,
            networks: rule.networks,
            hours: rule.hours,
        })
    }

    /// Whether a rule counts whenever these do, and from wherever.
    fn lie_in(&self, rule: &Rule) -> bool {
        let ends = rule
            .expires
            .is_none_or(|last| self.expires.is_some_and(|end| end <= last));
        let from = rule.networks.is_none() || rule.networks == self.networks;
        let at = rule.hours.is_none() || rule.hours == self.hours;
        ends && from && at
    }
}

/// What `who` may do, by these facts about `object`, whatever the tag.
fn whole(facts: &Facts, who: &Who, object: &Object, now: SystemTime) -> ActionSet {
    let may = |action: &Action| {
        let question = Question::on(who, *action, object.repo(), now);
        let decision = decide(facts, &question);
        decision.is_allowed() && decision.limit.is_none()
    };
    ActionSet::ALL.iter().filter(may).collect()
}

/// Whether a rule is for everybody, and so for whoever is given something as well.
fn is_general(rule: &Rule) -> bool {
    matches!(rule.subject, Subject::EVERYBODY | Subject::LOGGED_IN)
}

/// Checks that whoever asks may do all of `actions` themselves on `object` and all that lies in it, whatever the tag, always and from
/// everywhere.
///
/// # Errors
/// `Denied`, or `Unavailable`.
pub(crate) async fn has_all(
    tx: &mut Tx<'_>,
    caller: &Caller,
    object: &Object,
    actions: ActionSet,
) -> Result<()> {
    has_all_on(tx, caller, object, actions, &Terms::default()).await
}

/// The same whenever and from wherever `terms` say.
///
/// # Errors
/// As [`has_all`].
pub(crate) async fn has_all_on(
    tx: &mut Tx<'_>,
    caller: &Caller,
    object: &Object,
    actions: ActionSet,
    terms: &Terms,
) -> Result<()> {
    if caller.who.is_operator() {
        return Ok(());
    }
    let mut facts = Facts::load(tx, &caller.who, object, caller.now).await?;
    let now = whole(&facts, &caller.who, object, caller.now);
    for party in &mut facts.parties {
        party.rules.retain(|rule| rule.deny || terms.lie_in(rule));
        for rule in party
            .rules
            .iter_mut()
            .filter(|it| it.deny && !is_general(it))
        {
            (rule.networks, rule.hours) = (None, None);
        }
    }
    let always = whole(&facts, &caller.who, object, caller.now);
    let kept = inner::denied(tx, &facts, object, caller).await?;
    let lacking = actions.without(always.without(kept));
    match lacking.iter().next() {
        None => Ok(()),
        Some(action) => Err(lacks(caller, action, now.has(action))),
    }
}

fn lacks(caller: &Caller, action: Action, for_now: bool) -> Error {
    let who = &caller.name;
    let why = if for_now {
        format!(
            "`{who}` has `{action}` there for a time, at some hours or from some networks only, or not on all that lies in it"
        )
    } else {
        format!("`{who}` lacks `{action}` there")
    };
    Error::new(
        Code::Denied,
        format!("nobody gives what they have not: {why}"),
    )
}

/// Checks that whoever asks may do everything in the system just now.
///
/// # Errors
/// `Denied`, or `Unavailable`.
pub(crate) async fn may_all(tx: &mut Tx<'_>, caller: &Caller) -> Result<()> {
    if caller.who.is_operator() {
        return Ok(());
    }
    let object = Object::System;
    let facts = Facts::load(tx, &caller.who, &object, caller.now).await?;
    let may = whole(&facts, &caller.who, &object, caller.now);
    match ActionSet::ALL.without(may).iter().next() {
        None => Ok(()),
        Some(action) => Err(Error::new(
            Code::Denied,
            format!(
                "this is for who may do everything: `{}` lacks `{action}`",
                caller.name
            ),
        )),
    }
}

/// Whether whoever asks may do everything in the system, always and from everywhere.
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

/// Checks that whoever asks may do everywhere what `account` may: whoever sets somebody's password could be them. Where it is their own,
/// they must have shown that they are themselves: the right to manage users is no way around what is asked of people about their own.
///
/// # Errors
/// `Denied`, or `Unavailable`.
pub(crate) async fn outranks(tx: &mut Tx<'_>, caller: &Caller, account: PrincipalId) -> Result<()> {
    if caller.who.is_operator() {
        return Ok(());
    }
    if caller.who.principal == Some(account) && !caller.is_proven() {
        return Err(not_proven());
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
