//! What is told of the rules that were looked at.

use super::decide::Question;
use super::explain::{Effect, Looked};
use super::ground::Ground;
use super::rule::{Idle, Rule};
use super::shown::Told;

/// The rules that were looked at.
#[derive(Debug, Default)]
pub(super) struct Looks<'f> {
    /// Those that are told, each with what is.
    pub(super) whole: Vec<(&'f Rule, Looked)>,
    /// What those do to the answer that are not; no two the same, or else they could be counted.
    elsewhere: Vec<Effect>,
}

impl<'f> Looks<'f> {
    /// Adds a rule, and whose it is, or who stands there instead.
    pub(super) fn add(
        &mut self,
        rule: &'f Rule,
        (told, whose): (Told, String),
        ground: &Ground,
        question: &Question<'_>,
    ) {
        let (effect, idle) = effect(rule, ground, question);
        if told == Told::Elsewhere {
            if effect != Effect::SaysNothing && !self.elsewhere.contains(&effect) {
                self.elsewhere.push(effect);
            }
            return;
        }
        let text = sentence(rule, &whose, ground, idle);
        let subject = (told == Told::Whole).then_some(whose);
        let looked = Looked {
            binding: subject.is_some().then_some(rule.id),
            role: Some(rule.role.clone()),
            effect,
            text,
            subject,
        };
        self.whole.push((rule, looked));
    }

    /// All of them.
    pub(super) fn told(self) -> Vec<Looked> {
        let hidden = self.elsewhere.into_iter().map(|effect| Looked {
            binding: None,
            subject: None,
            role: None,
            effect,
            text: elsewhere(effect),
        });
        let whole = self.whole.into_iter().map(|(_, looked)| looked);
        whole.chain(hidden).collect()
    }
}

/// What a rule does of which nothing else is told.
pub(super) fn elsewhere(effect: Effect) -> String {
    let does = match effect {
        Effect::Allows => "allows it",
        Effect::Denies => "denies it",
        Effect::AllowsSomeTags => "allows it for some tags",
        Effect::DeniesSomeTags => "denies it for some tags",
        Effect::SaysNothing => "says nothing about it",
    };
    format!("a rule elsewhere, which you may not see, {does}")
}

/// What a rule does to an answer.
fn effect(rule: &Rule, ground: &Ground, question: &Question<'_>) -> (Effect, Option<Idle>) {
    let idle = if !rule.means(question.action) {
        Some(Idle::Action)
    } else if !rule.is_at(ground) {
        Some(Idle::Place)
    } else if let (Some(tags), Some(tag)) = (&rule.tags, question.tag)
        && !tags.matches(tag)
    {
        Some(Idle::Tag)
    } else {
        rule.sleeps(question.who.from, question.now)
    };
    let some = rule.tags.is_some() && question.tag.is_none();
    let effect = match (idle, rule.deny, some) {
        (Some(_), _, _) => Effect::SaysNothing,
        (None, true, false) => Effect::Denies,
        (None, true, true) => Effect::DeniesSomeTags,
        (None, false, false) => Effect::Allows,
        (None, false, true) => Effect::AllowsSomeTags,
    };
    (effect, idle)
}

/// A rule in a sentence.
fn sentence(rule: &Rule, subject: &str, ground: &Ground, idle: Option<Idle>) -> String {
    let place = ground
        .chain
        .iter()
        .find(|namespace| namespace.id == rule.namespace);
    let place = match (rule.repo, place) {
        (Some(_), _) => "this repository".to_owned(),
        (None, Some(namespace)) => format!("`{}`", namespace.path),
        (None, None) => "everything".to_owned(),
    };
    let has = if rule.deny { "is denied" } else { "has" };
    let mut text = format!("{subject} {has} the role `{}` on {place}", rule.role);
    if let Some(repos) = &rule.repos {
        text.push_str(", in repositories `");
        text.push_str(&repos.to_string());
        text.push('`');
    }
    if let Some(tags) = &rule.tags {
        text.push_str(", with tags `");
        text.push_str(&tags.to_string());
        text.push('`');
    }
    if let Some(idle) = idle {
        text.push_str(match idle {
            Idle::Action => "; that role says nothing about this action",
            Idle::Place => "; this is not there",
            Idle::Tag => "; this is another tag",
            Idle::Expired => "; that has ended",
            Idle::Network => "; that counts from other networks",
            Idle::Hour => "; that counts at other hours",
        });
    }
    text
}
