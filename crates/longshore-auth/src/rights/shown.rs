//! How much of an explanation whoever asks may read: the answer is for all who may ask, what it rests on for those who could look it up.
//!
//! Absent on purpose: how that is found out. Whoever puts this together asks for the rights.

use longshore_meta::bindings::Subject;
use longshore_meta::namespaces::NamespaceId;
use longshore_meta::principals::PrincipalId;

use super::decide::Refused;
use super::ground::Ground;
use super::rule::Rule;

/// What somebody may read who asks about somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Where they may read bindings; 0: those on everything.
    pub places: Vec<NamespaceId>,
    /// Whom they are themselves: what counts for these they are shown wherever it is, as it counts for them too.
    pub own: Vec<Subject>,
    /// Those who may be named, where they are not who is asked about.
    pub named: Vec<Subject>,
    /// Those of whom they may know whether they are switched off, or have ended.
    pub states: Vec<PrincipalId>,
    /// Whether they may know that of everybody.
    pub all_states: bool,
}

/// How much of a rule is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// All of it.
    Whole,
    /// All but whose it is, and which one.
    Unnamed,
    /// That there is one.
    Elsewhere,
}

impl Shown {
    /// How much of a rule is told to those who may read the rights on `ground`.
    pub(super) fn of(&self, rule: &Rule, ground: &Ground) -> Told {
        if self.own.contains(&rule.subject) {
            return Told::Whole;
        }
        let repo = ground.repo.as_ref().and_then(|repo| repo.id);
        // What is for this repository alone is among the rights on it.
        let here = rule.repo.is_some() && rule.repo == repo && ground.lies_in(rule.namespace);
        if !here && !self.places.contains(&rule.namespace) {
            Told::Elsewhere
        } else if self.named.contains(&rule.subject) {
            Told::Whole
        } else {
            Told::Unnamed
        }
    }

    /// Whether somebody may be named.
    pub(super) fn names(&self, who: PrincipalId) -> bool {
        let who = Subject::from(who);
        self.own.contains(&who) || self.named.contains(&who)
    }

    /// Whether it may be told why somebody is refused who is switched off, has ended or is gone.
    pub(super) fn tells(&self, why: &Refused<'_>, of: Option<PrincipalId>) -> bool {
        match why {
            Refused::Unknown | Refused::Inactive(_) | Refused::Ended => {
                self.all_states || of.is_some_and(|of| self.states.contains(&of))
            }
            Refused::Owner => self.all_states,
            _ => true,
        }
    }
}
