//! What somebody may do with a repository before it gets another name, and after.

use longshore_auth::rights::action::{ActionSet, Place};
use longshore_auth::rights::decide::{Question, Refused, decide};
use longshore_auth::rights::{Action, Facts};
use longshore_core::{Code, Error, Result};

use super::Renamed;
use crate::caller::Caller;

/// What content comes to a place by.
const FILLS: ActionSet = ActionSet::of(&[
    Action::NamespaceCreateRepository,
    Action::RepositoryPush,
    Action::TagCreate,
]);

/// What somebody may do with a repository.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// What they may, with some tag at least.
    has: ActionSet,
    /// What is denied them, or not for every tag.
    kept: ActionSet,
}

impl Standing {
    pub(super) fn of(facts: &Facts, caller: &Caller) -> Self {
        let mut standing = Self::default();
        for action in about().iter().chain([Action::NamespaceCreateRepository]) {
            let name = facts.ground.repo.as_ref().map(|it| &it.name);
            let question = Question::on(&caller.who, action, name, caller.now);
            let decision = decide(facts, &question);
            if decision.is_allowed() {
                standing.has = standing.has.with(action);
            }
            if decision.limit.is_some() || matches!(decision.verdict, Err(Refused::Rule(_))) {
                standing.kept = standing.kept.with(action);
            }
        }
        standing
    }
}

/// What is done with repositories.
fn about() -> ActionSet {
    let of_repositories = |action: &Action| action.about().place == Place::Repository;
    ActionSet::ALL.iter().filter(of_repositories).collect()
}

/// Checks of one repository that nothing of it is kept from whoever asks, here or where it goes, and that they gain nothing.
pub(super) fn judge(
    caller: &Caller,
    repo: &Renamed,
    [before, before_ever]: [Standing; 2],
    [after, after_ever]: [Standing; 2],
) -> Result<()> {
    let (who, from, to) = (&caller.name, &repo.from, &repo.to);
    let denied = |text: String| Err(Error::new(Code::Denied, text));
    if let Some(action) = before.kept.and(about()).iter().next() {
        return denied(format!(
            "`{who}` may not rename or move `{from}`: a rule there denies them `{action}`, or limits it to some tags, and would be got \
             around by it; ask whoever says who may do what there"
        ));
    }
    if let Some(action) = after.kept.and(FILLS).iter().next() {
        return denied(format!(
            "`{who}` may not rename `{from}` to `{to}`: a rule denies them `{action}` there, or limits it to some tags, and would be got \
             around by it; ask whoever says who may do what there"
        ));
    }
    let gains = after.has.without(before.has);
    let gains = gains.or(after_ever.has.without(before_ever.has));
    if let Some(action) = gains.and(about()).iter().next() {
        return denied(format!(
            "`{who}` may not rename `{from}` to `{to}`: they have not the right `{action}` on it, and would have it there"
        ));
    }
    Ok(())
}
