//! Why something is allowed or not, in words and as data.

use std::time::SystemTime;

use futures_util::future::BoxFuture;
use longshore_core::Result;
use longshore_meta::Tx;
use longshore_meta::bindings::Subject;
use longshore_meta::principals::{Kind, PrincipalId, State, principal_get};
use serde::Serialize;

use super::action::Action;
use super::decide::{Because, Decision, Question, Refused, decide, inactive};
use super::facts::{Facts, Party};
use super::ground::{Object, Sight};
use super::looks::{Looks, elsewhere};
use super::rule::Rule;
use super::shown::{Shown, Told};
use super::who::Who;
use crate::index::SYSTEM;

/// What a push to a repository that is not there needs besides.
const MAKE: Action = Action::NamespaceCreateRepository;

/// What a rule does to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It allows it.
    Allows,
    /// It denies it.
    Denies,
    /// It allows it for some tags.
    AllowsSomeTags,
    /// It denies it for some tags.
    DeniesSomeTags,
    /// It says nothing about it.
    SaysNothing,
}

/// A binding that was looked at; or all that do the same and that whoever asks may not see, as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// The binding's id, where it may be seen; 0 for one that was only assumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<i64>,
    /// Whose it is, where that may be seen: the name of a principal, `everybody` or `everybody who has logged in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The role, where it may be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What it does to the answer.
    pub effect: Effect,
    /// In a sentence.
    pub text: String,
}

/// Why something is allowed or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether it is allowed, for some tag at least where none was asked about.
    pub allowed: bool,
    /// The action.
    pub action: String,
    /// The object, as far as it has a name.
    pub object: String,
    /// The name the object has today, where another was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// The tags it is allowed for, as patterns; those that begin with `!` it is not for. Empty: all.
    pub tags: Vec<String>,
    /// In a sentence.
    pub reason: String,
    /// Whether there is no repository of that name, or none is known here. A push is decided as one that makes it.
    pub absent: bool,
    /// Whether whoever asks may know that the object is there.
    pub may_know: bool,
    /// Each binding that was looked at. Of those that may not be seen only what they do to the answer.
    pub bindings: Vec<Looked>,
}

impl Explanation {
    /// [`super::Judge::explain`], as part of a transaction.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn load(
        tx: &mut Tx<'_>,
        who: &Who,
        action: Action,
        object: &Object,
        sight: Sight,
        now: SystemTime,
    ) -> Result<Self> {
        let facts = Facts::load(tx, who, object, now).await?.seen(sight);
        Self::of(tx, &facts, None, who, (action, object), now).await
    }

    /// The same from facts that may be other than those that are stored: what would be. `shown`: how much whoever asks may read of it;
    /// `None`: all.
    ///
    /// # Errors
    /// `Unavailable`.
    pub fn of<'a>(
        tx: &'a mut Tx<'_>,
        facts: &'a Facts,
        shown: Option<&'a Shown>,
        who: &'a Who,
        (action, object): (Action, &'a Object),
        now: SystemTime,
    ) -> BoxFuture<'a, Result<Self>> {
        Box::pin(async move {
            let question = |action| Question::about(who, action, object, now);
            let may = |action| decide(facts, &question(action)).is_allowed();
            let could = |action| decide(facts, &question(action)).could_be();
            let absent = facts.ground.repo.as_ref().is_some_and(|it| it.id.is_none());
            let known = match object {
                Object::System => true,
                Object::Namespace(_) => may(Action::NamespaceRead),
                // What is not there may be known by whoever could make it, if nothing were read-only: to others it is as what is denied.
                _ if absent && facts.ground.sight == Sight::Here => {
                    could(Action::RepositoryPush) && could(MAKE)
                }
                _ => may(Action::RepositoryList),
            };
            // A push to what is not there makes it, and is refused to whoever may not.
            let asked = if absent && action == Action::RepositoryPush && may(action) && !may(MAKE) {
                MAKE
            } else {
                action
            };
            let decision = decide(facts, &question(asked));
            let mut looks = Looks::default();
            for rule in facts.parties.iter().flat_map(|party| &party.rules) {
                let told = shown.map_or(Told::Whole, |it| it.of(rule, &facts.ground));
                let is_maker = |party: &Party| party.id.map(Subject::from) == Some(rule.subject);
                let whose = match told {
                    Told::Whole => subject(tx, rule.subject).await?,
                    Told::Unnamed if facts.parties.iter().any(is_maker) => {
                        "whoever stands behind the robot".to_owned()
                    }
                    Told::Unnamed | Told::Elsewhere => {
                        "a team or an organisation whose members you may not see".to_owned()
                    }
                };
                looks.add(rule, (told, whose), &facts.ground, &question(asked));
            }
            let of = match decision.of.filter(|of| Some(*of) != who.principal) {
                Some(id) if shown.is_none_or(|it| it.names(id)) => Some(name(tx, id).await?),
                Some(_) => Some("that one".to_owned()),
                None => None,
            };
            let namespace = facts.ground.chain.last().map(|it| it.path.as_str());
            let (named, moved_to) = match (object, &facts.ground.repo) {
                (Object::Tag(repo, tag), Some(found)) => (
                    format!("{repo}:{tag}"),
                    moved(repo.as_str(), found.name.as_str()),
                ),
                (Object::Repository(repo), Some(found)) => {
                    (repo.to_string(), moved(repo.as_str(), found.name.as_str()))
                }
                (Object::Namespace(_), _) => (namespace.unwrap_or("a namespace").to_owned(), None),
                _ => ("the system".to_owned(), None),
            };
            let seen = inactive_of(facts, now).is_none();
            let told = match &decision.verdict {
                Err(why) => shown.is_none_or(|it| it.tells(why, decision.of)),
                Ok(_) => true,
            };
            let mut reason = reason(&decision, told, of.as_deref(), &looks.whole);
            if absent {
                reason = unmade(
                    &reason,
                    facts.ground.sight,
                    (action, asked),
                    decision.is_allowed(),
                );
            }
            Ok(Self {
                allowed: decision.is_allowed(),
                action: action.name().to_owned(),
                object: named,
                moved_to,
                tags: decision
                    .limit
                    .as_ref()
                    .map(longshore_core::TagLimit::words)
                    .unwrap_or_default(),
                reason,
                absent,
                may_know: known && seen,
                bindings: looks.told(),
            })
        })
    }
}

fn inactive_of(facts: &Facts, now: SystemTime) -> Option<Refused<'static>> {
    facts.parties.first().and_then(|party| inactive(party, now))
}

fn moved(asked: &str, today: &str) -> Option<String> {
    (asked != today).then(|| today.to_owned())
}

/// What somebody is and is called, by all of their name: there are many teams `web`.
async fn name(tx: &mut Tx<'_>, id: PrincipalId) -> Result<String> {
    let Some(found) = principal_get(tx, id).await? else {
        return Ok(format!("principal {id}"));
    };
    let owner = match found.owner {
        PrincipalId(0) => None,
        owner => principal_get(tx, owner).await?,
    };
    let owner = owner.map_or_else(|| SYSTEM.to_owned(), |owner| owner.name);
    let (kind, own) = (found.kind, &found.name);
    Ok(match kind {
        Kind::Robot => format!("robot `{owner}+{own}`"),
        Kind::Team => format!("team `{owner}/{own}`"),
        _ => format!("{} `{own}`", kind.word()),
    })
}

async fn subject(tx: &mut Tx<'_>, subject: Subject) -> Result<String> {
    Ok(match subject {
        Subject::EVERYBODY => "everybody".to_owned(),
        Subject::LOGGED_IN => "everybody who has logged in".to_owned(),
        Subject(id) => name(tx, PrincipalId(id)).await?,
    })
}

/// The same about a repository that is not there.
fn unmade(reason: &str, sight: Sight, (action, asked): (Action, Action), allowed: bool) -> String {
    let there = match sight {
        Sight::Here => "there is no such repository",
        Sight::Elsewhere => "no such repository is known here",
    };
    if asked != action {
        return format!(
            "{there}, and a push that makes it needs the right `{asked}` as well: {reason}"
        );
    }
    if allowed && action == Action::RepositoryPush {
        return format!("{reason}; {there}, and a push makes it");
    }
    format!("{reason}; {there}")
}

fn reason(
    decision: &Decision<'_>,
    told: bool,
    of: Option<&str>,
    looks: &[(&Rule, Looked)],
) -> String {
    let text = |rule: &Rule| {
        // By where it lies: what is only supposed has no id.
        let found = looks.iter().find(|(known, _)| std::ptr::eq(*known, rule));
        found.map(|(_, looked)| looked.text.clone())
    };
    let sentence = match &decision.verdict {
        Err(_) if !told => "it is refused for a reason that you may not see".to_owned(),
        Ok(Because::Operator) => "whoever runs the server may do everything".to_owned(),
        Ok(Because::Rule(rule)) => text(rule).unwrap_or_else(|| elsewhere(Effect::Allows)),
        Ok(Because::Visible(visibility)) => {
            format!(
                "it is {}, and everybody whom that means may read it",
                visibility.word()
            )
        }
        Err(Refused::Unknown) => "there is no such account".to_owned(),
        Err(Refused::Inactive(State::Disabled)) => "the account is disabled".to_owned(),
        Err(Refused::Inactive(State::Waiting)) => {
            "the account waits for its mail address to be confirmed".to_owned()
        }
        Err(Refused::Inactive(_)) => "the account was deleted".to_owned(),
        Err(Refused::Ended) => "the account has ended".to_owned(),
        Err(Refused::Owner) => {
            "whom this robot belongs to is disabled, has ended or was deleted".to_owned()
        }
        Err(Refused::Credential) => {
            "the token or secret that was used is not for this, whatever its owner may do"
                .to_owned()
        }
        Err(Refused::Rule(rule)) => {
            let text = text(rule).unwrap_or_else(|| elsewhere(Effect::Denies));
            format!("{text}, and what is denied anywhere is denied")
        }
        Err(Refused::Nothing) => "nothing allows it".to_owned(),
        Err(Refused::ReadOnly(what)) => what.to_string(),
        Err(Refused::TooDeep) => "robots have made one another too often".to_owned(),
        Err(Refused::Nowhere) => "there is no such namespace".to_owned(),
    };
    match of {
        Some(of) => format!("a robot may do only what its maker may, and for {of}: {sentence}"),
        None => sentence,
    }
}
