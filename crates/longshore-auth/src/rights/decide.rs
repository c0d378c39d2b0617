//! The decision, as a function of facts: nothing is read here, and nothing else in the program compares rules with actions.
//!
//! What is denied anywhere is denied. What is allowed by nothing is denied. A credential, the maker of a robot and read-only
//! mode only take away.

use std::net::IpAddr;
use std::time::SystemTime;

use longshore_core::TagLimit;
#[cfg(feature = "broken")]
use longshore_core::broken;
use longshore_meta::namespaces::Visibility;
use longshore_meta::principals::{Kind, PrincipalId, State};
use longshore_meta::time::micros;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::pattern::{TagPattern, TagPatterns};

use super::action::{Action, Place};
use super::facts::{Facts, Party};
use super::ground::{Ground, Object, ReadOnly};
use super::role::VISIBLE;
use super::rule::Rule;
use super::who::Who;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// Who asks.
    pub who: &'q Who,
    /// What they want to do.
    pub action: Action,
    /// The repository by the name that was used, for credentials that are for some names.
    pub repo: Option<&'q RepoName>,
    /// The tag; `None`: with some tag at least, and the answer says which.
    pub tag: Option<&'q Tag>,
    /// When.
    pub now: SystemTime,
}

impl<'q> Question<'q> {
    /// About all that an object says: a repository, and a tag.
    pub fn about(who: &'q Who, action: Action, object: &'q Object, now: SystemTime) -> Self {
        Question {
            who,
            action,
            repo: object.repo(),
            tag: object.tag(),
            now,
        }
    }

    /// About no tag: with some at least, where a repository is meant.
    pub const fn on(
        who: &'q Who,
        action: Action,
        repo: Option<&'q RepoName>,
        now: SystemTime,
    ) -> Self {
        Question {
            who,
            action,
            repo,
            tag: None,
            now,
        }
    }
}

/// Why something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because<'f> {
    /// Whoever runs the server asks.
    Operator,
    /// A binding allows it.
    Rule(&'f Rule),
    /// It is public, or internal and the caller has logged in.
    Visible(Visibility),
}

/// Why something is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused<'f> {
    /// Nobody has such an id.
    Unknown,
    /// The account is switched off, waits for a confirmation or is gone.
    Inactive(State),
    /// The account has ended.
    Ended,
    /// It is a robot of somebody who is switched off, or gone.
    Owner,
    /// The credential leaves less than its principal may.
    Credential,
    /// A binding denies it.
    Rule(&'f Rule),
    /// Nothing allows it.
    Nothing,
    /// Nothing can be changed there now.
    ReadOnly(ReadOnly<'f>),
    /// Robots made one another longer than is looked at.
    TooDeep,
    /// The namespace is not there.
    Nowhere,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<'f> {
    /// Whether it is allowed and why.
    pub verdict: Result<Because<'f>, Refused<'f>>,
    /// Of whom that is true: a robot may be refused something for its maker.
    pub of: Option<PrincipalId>,
    /// The tags it is allowed for; `None`: all.
    pub limit: Option<TagLimit>,
    /// Until when it is allowed if no row changes, in microseconds: what it rests on ends then, a binding or an account. Networks and
    /// hours are not looked at.
    pub until: Option<i64>,
}

impl Decision<'_> {
    /// Whether it is allowed, for some tag at least.
    pub fn is_allowed(&self) -> bool {
        self.verdict.is_ok()
    }

    /// Whether it would be, if nothing were read-only.
    pub fn could_be(&self) -> bool {
        matches!(self.verdict, Ok(_) | Err(Refused::ReadOnly(_)))
    }
}

/// Decides.
pub fn decide<'f>(facts: &'f Facts, question: &Question<'_>) -> Decision<'f> {
    let refused = |of, why| Decision {
        verdict: Err(why),
        of,
        limit: None,
        until: None,
    };
    let own = question.who.principal;
    if facts.ground.is_nowhere {
        return refused(own, Refused::Nowhere);
    }
    let mut answer = Decision {
        verdict: Ok(Because::Operator),
        of: own,
        limit: None,
        until: None,
    };
    if !question.who.is_operator() {
        let narrowed = question.who.narrowed.as_ref();
        let id = facts.ground.repo.as_ref().and_then(|repo| repo.id);
        let repo = question.repo.map(|name| (name, id));
        #[cfg(feature = "broken")]
        let narrowed = narrowed.filter(|_| !broken::is("narrow-is-nothing"));
        if narrowed.is_some_and(|narrow| !narrow.leaves(question.action, repo)) {
            return refused(own, Refused::Credential);
        }
        if facts.too_deep || facts.parties.is_empty() {
            return refused(own, Refused::TooDeep);
        }
        for (at, party) in facts.parties.iter().enumerate() {
            match of_party(party, &facts.ground, question) {
                Err(why) => return refused(party.id, why),
                Ok(ground) => {
                    if at == 0 {
                        answer.verdict = Ok(ground.because);
                    }
                    answer.limit = both(answer.limit, ground.limit);
                    let ends = party
                        .standing
                        .and_then(|it| first(it.expires, it.owner_expires));
                    answer.until = first(first(answer.until, ground.until), ends);
                }
            }
        }
        // What each of two may with some tags, both together may with none.
        if answer.limit.as_ref().is_some_and(is_empty) {
            return refused(own, Refused::Nothing);
        }
    }
    let what = facts.ground.is_read_only();
    #[cfg(feature = "broken")]
    let what = what.filter(|_| !broken::is("read-only-is-nothing"));
    if question.action.about().writes
        && let Some(what) = what
    {
        return refused(own, Refused::ReadOnly(what));
    }
    answer
}

/// Whether somebody could do anything at all.
pub fn inactive(party: &Party, now: SystemTime) -> Option<Refused<'static>> {
    party.id?;
    match party.standing {
        None => Some(Refused::Unknown),
        Some(standing) if standing.state != State::Active => {
            Some(Refused::Inactive(standing.state))
        }
        Some(standing) if standing.expires.is_some_and(|end| end <= micros(now)) => {
            Some(Refused::Ended)
        }
        // A robot of somebody's namespace is as alive as whom it belongs to, whoever made it.
        Some(standing)
            if standing.kind == Kind::Robot
                && (standing.owner_state != State::Active
                    || standing.owner_expires.is_some_and(|end| end <= micros(now))) =>
        {
            Some(Refused::Owner)
        }
        Some(_) => None,
    }
}

/// Why somebody may do something, with which tags and until when.
struct Footing<'f> {
    because: Because<'f>,
    limit: Option<TagLimit>,
    until: Option<i64>,
}

/// What allows something, and when that ends.
type Rest<'f> = (Because<'f>, Option<i64>);

/// The earlier of two ends; none is no end.
pub(crate) fn first(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (None, end) | (end, None) => end,
        (Some(one), Some(other)) => Some(one.min(other)),
    }
}

fn of_party<'f>(
    party: &'f Party,
    ground: &'f Ground,
    question: &Question<'_>,
) -> Result<Footing<'f>, Refused<'f>> {
    if let Some(why) = inactive(party, question.now) {
        return Err(why);
    }
    let (mut whole, mut part): (Option<Rest<'f>>, Option<Rest<'f>>) = (None, None);
    let (mut allow, mut deny) = (Vec::new(), Vec::new());
    for rule in counting(
        &party.rules,
        ground,
        question.action,
        question.who.from,
        question.now,
    ) {
        let tags = match (&rule.tags, question.tag) {
            (Some(tags), Some(tag)) if !tags.matches(tag) => continue,
            (Some(tags), None) => Some(tags),
            _ => None,
        };
        #[cfg(feature = "broken")]
        if rule.deny && broken::is("deny-is-nothing") {
            continue;
        }
        match (rule.deny, tags) {
            (true, None) => return Err(Refused::Rule(rule)),
            (true, Some(tags)) => deny.extend(tags.iter().cloned()),
            // Of several that allow it wholly the one that ends last is enough.
            (false, None) => {
                whole = Some(match whole {
                    None => (Because::Rule(rule), rule.expires),
                    Some((because, end)) => {
                        let last = end.zip(rule.expires).map(|(one, other)| one.max(other));
                        (because, last)
                    }
                });
            }
            // Of those that allow it for some tags each is needed for its own.
            (false, Some(tags)) => {
                part = Some(match part {
                    None => (Because::Rule(rule), rule.expires),
                    Some((because, end)) => (because, first(end, rule.expires)),
                });
                allow.extend(tags.iter().cloned());
            }
        }
    }
    if whole.as_ref().is_none_or(|(_, end)| end.is_some())
        && let Some(seen) = visible(party, ground, question.action)
    {
        whole = Some((whole.map_or(seen, |(because, _)| because), None));
    }
    let deny = patterns(deny);
    match (whole, part) {
        (Some((because, until)), _) => {
            let limit = deny.map(|deny| TagLimit {
                allow: None,
                deny: Some(deny),
            });
            Ok(Footing {
                because,
                limit,
                until,
            })
        }
        (None, Some((because, until))) => {
            let limit = TagLimit {
                allow: Some(TagPatterns::from_iter(allow)),
                deny,
            };
            Ok(Footing {
                because,
                limit: Some(limit),
                until,
            })
        }
        (None, None) => Err(Refused::Nothing),
    }
}

/// The rules that say something about an action there, then and from there.
fn counting<'f>(
    rules: &'f [Rule],
    ground: &Ground,
    action: Action,
    from: IpAddr,
    now: SystemTime,
) -> impl Iterator<Item = &'f Rule> {
    rules.iter().filter(move |rule| {
        rule.means(action)
            && rule.is_at(ground)
            && (action.about().place != Place::System || rule.namespace.0 == 0)
            && rule.sleeps(from, now).is_none()
    })
}

/// What everybody may who sees it.
fn visible<'f>(party: &Party, ground: &Ground, action: Action) -> Option<Because<'f>> {
    let visibility = ground.visibility();
    let seen = match visibility {
        Visibility::Public => true,
        Visibility::Internal => party.id.is_some(),
        Visibility::Private => false,
    };
    (seen && VISIBLE.has(action) && !ground.chain.is_empty())
        .then_some(Because::Visible(visibility))
}

fn patterns(list: Vec<TagPattern>) -> Option<TagPatterns> {
    (!list.is_empty()).then(|| TagPatterns::from_iter(list))
}

/// Whether a limit leaves no tag at all.
pub(crate) fn is_empty(limit: &TagLimit) -> bool {
    limit.allow.as_ref().is_some_and(TagPatterns::is_empty)
}

/// The tags that both limits leave, or fewer: a pattern of one stays where a pattern of the other is known to mean all of it.
pub(crate) fn both(one: Option<TagLimit>, other: Option<TagLimit>) -> Option<TagLimit> {
    let (one, other) = match (one, other) {
        (None, limit) | (limit, None) => return limit,
        (Some(one), Some(other)) => (one, other),
    };
    let deny = one
        .deny
        .iter()
        .chain(&other.deny)
        .flat_map(TagPatterns::iter);
    let deny = patterns(deny.cloned().collect());
    let allow = match (one.allow, other.allow) {
        (None, allow) | (allow, None) => allow,
        (Some(one), Some(other)) => {
            let inside = |list: &TagPatterns, pattern: &TagPattern| {
                list.iter().any(|wider| wider.covers(pattern))
            };
            let left = one.iter().filter(|pattern| inside(&other, pattern));
            let right = other.iter().filter(|pattern| inside(&one, pattern));
            Some(left.chain(right).cloned().collect())
        }
    };
    Some(TagLimit { allow, deny })
}
