//! Why somebody may not change a repository, in words: all of it for whoever may know the repository, and for others what is the same
//! whether there is one or not.

use std::time::SystemTime;

use longshore_core::Verb;
use longshore_meta::bindings::Subject;
use longshore_spec::name::RepoName;

use super::action::Action;
use super::decide::{Decision, Question, Refused, decide};
use super::facts::Facts;
use super::who::Who;

/// The right that a verb needs, in words that say nothing of what is there.
pub const fn missing(verb: Verb) -> &'static str {
    match verb {
        Verb::Pull => {
            "this needs the right `repository:pull`, or where there is no such repository those to make it, `repository:push` and `namespace:create-repository`; ask whoever gives rights there"
        }
        Verb::Push => {
            "this needs the right `repository:push`, and `namespace:create-repository` where there is no such repository; ask whoever gives rights there"
        }
        Verb::Delete => "this needs the right `repository:delete`; ask whoever gives rights there",
        Verb::Catalog => "this needs the right `repository:list`; ask whoever gives rights there",
    }
}

/// What keeps `who` from changing `repo` by `verb`, if anything does and they may know of it: they see the repository, or there is none
/// and they could make it but for read-only mode.
pub fn lack_of(
    facts: &Facts,
    who: &Who,
    repo: &RepoName,
    verb: Verb,
    now: SystemTime,
) -> Option<String> {
    let is_new = facts.ground.repo.as_ref().is_none_or(|at| at.id.is_none());
    let ask = |action| decide(facts, &Question::on(who, action, Some(repo), now));
    let make: &[Action] = &[Action::RepositoryPush, Action::NamespaceCreateRepository];
    let wanted = match verb {
        Verb::Push if is_new => make,
        Verb::Push => &[Action::RepositoryPush],
        Verb::Delete => &[Action::RepositoryDelete],
        Verb::Pull | Verb::Catalog => return None,
    };
    let may_know = if is_new {
        make.iter().all(|action| ask(*action).could_be())
    } else {
        [Action::RepositoryPull, Action::RepositoryList]
            .into_iter()
            .any(|action| ask(action).is_allowed())
    };
    if !may_know {
        return None;
    }
    wanted
        .iter()
        .find_map(|action| words(*action, &ask(*action), who))
}

/// Why an action is refused; none where it is not.
fn words(action: Action, decision: &Decision<'_>, who: &Who) -> Option<String> {
    let Err(why) = decision.verdict else {
        return None;
    };
    let text = match why {
        Refused::ReadOnly(what) => format!("{what}"),
        Refused::Credential => format!(
            "the token or secret that was used leaves no right `{action}`, whatever its owner may do"
        ),
        Refused::Rule(rule) => {
            let whom = match rule.subject {
                Subject::EVERYBODY => "everybody",
                Subject::LOGGED_IN => "everybody who has logged in",
                _ => "this account, or a team or organisation of it",
            };
            format!(
                "the right `{action}` is denied to {whom} there, by the role `{}`",
                rule.role
            )
        }
        _ => {
            format!("nothing gives the right `{action}` there now; ask whoever gives rights there")
        }
    };
    // What is read-only is so for everybody.
    if decision.of == who.principal || matches!(why, Refused::ReadOnly(_)) {
        return Some(text);
    }
    Some(format!(
        "a robot may do only what its maker may, and for that one {text}"
    ))
}
