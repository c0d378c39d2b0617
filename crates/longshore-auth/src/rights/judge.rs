//! The one who decides: reads facts and asks [`decide`].

use std::sync::Arc;
use std::time::SystemTime;

use longshore_core::{Grant, On, Reach, Result, TagLimit, Verb, Verbs};
use longshore_meta::{Db, Tx};
use longshore_spec::name::RepoName;
use longshore_spec::pattern::TagPatterns;
use longshore_spec::scope::{Actions, Resource, Scope};

use super::action::Action;
use super::decide::{Question, decide, first};
use super::explain::Explanation;
use super::facts::Facts;
use super::ground::{Object, Sight};
use super::reach;
use super::who::Who;

/// What is granted, and until when if no row changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// The grants.
    pub grants: Vec<Grant>,
    /// When the first thing ends that one of them rests on, in microseconds.
    pub until: Option<i64>,
}

/// Decides who may do what, from the rows of a database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Judge {
    db: Db,
    sight: Sight,
}

impl Judge {
    /// One that decides from `db`, for a registry whose content lies where `sight` says.
    pub fn new(db: Db, sight: Sight) -> Self {
        Self { db, sight }
    }

    /// Where the content lies of the registry that it decides for.
    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// Of what is asked for, what is allowed: the names that were asked for, each with the verbs that are, once for each limit of
    /// tags. Nothing is said about what is not. A list of repositories may be had by everybody; it shows what its reader may see.
    /// `sight`: where the content lies of the registry that it is asked for.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn grant(
        &self,
        who: &Who,
        asked: &[Scope],
        sight: Sight,
        now: SystemTime,
    ) -> Result<Granted> {
        let args = (who, asked, sight, now);
        self.db
            .read(&args, |tx, (who, asked, sight, now)| {
                Box::pin(grant(tx, who, asked, *sight, *now))
            })
            .await
    }

    /// What a decision about a repository is made from, for whoever remembers it: see [`grant_of`].
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn facts(&self, who: &Who, repo: &RepoName, now: SystemTime) -> Result<Facts> {
        let args = (who, Object::Repository(repo.clone()), now);
        self.db
            .read(&args, |tx, (who, object, now)| {
                Box::pin(Facts::load(tx, who, object, *now))
            })
            .await
    }

    /// Whether `who` may do `action` to `object`, for some tag at least where none is asked about.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn allows(
        &self,
        who: &Who,
        action: Action,
        object: &Object,
        now: SystemTime,
    ) -> Result<bool> {
        let args = (who, action, object, now);
        self.db
            .read(&args, |tx, (who, action, object, now)| {
                Box::pin(allows(tx, who, *action, object, *now))
            })
            .await
    }

    /// Whether `who` may do `action` to `object`, and all that speaks for and against it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn explain(
        &self,
        who: &Who,
        action: Action,
        object: &Object,
        now: SystemTime,
    ) -> Result<Explanation> {
        let args = (who, action, object, self.sight, now);
        self.db
            .read(&args, |tx, (who, action, object, sight, now)| {
                Box::pin(Explanation::load(tx, who, *action, object, *sight, *now))
            })
            .await
    }

    /// The repositories on which `who` may do `action`, by name ranges. For what only looks: read-only mode is not looked at.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn reach(&self, who: &Who, action: Action, now: SystemTime) -> Result<Reach> {
        let args = (who, action, now);
        self.db
            .read(&args, |tx, (who, action, now)| {
                Box::pin(reach::load(tx, who, *action, *now))
            })
            .await
    }
}

/// [`Judge::allows`], as part of a transaction.
///
/// # Errors
/// `Unavailable`.
pub async fn allows(
    tx: &mut Tx<'_>,
    who: &Who,
    action: Action,
    object: &Object,
    now: SystemTime,
) -> Result<bool> {
    let facts = Facts::load(tx, who, object, now).await?;
    let question = Question::about(who, action, object, now);
    Ok(decide(&facts, &question).is_allowed())
}

/// [`Judge::grant`], as part of a transaction.
///
/// # Errors
/// `Unavailable`.
pub async fn grant(
    tx: &mut Tx<'_>,
    who: &Who,
    asked: &[Scope],
    sight: Sight,
    now: SystemTime,
) -> Result<Granted> {
    let mut granted = Granted::default();
    for scope in asked {
        match &scope.resource {
            Resource::Repository { repo, .. } => {
                let object = Object::Repository(repo.clone());
                let facts = Facts::load(tx, who, &object, now).await?.seen(sight);
                let more = grant_of(&facts, who, repo, scope.actions, now);
                granted.until = first(granted.until, more.until);
                granted.grants.extend(more.grants);
            }
            Resource::Registry(name)
                if &**name == "catalog" && scope.actions.contains(Actions::ALL) =>
            {
                let list = Grant::new(On::Catalog, Verbs::NONE.with(Verb::Catalog));
                granted.grants.push(list);
            }
            Resource::Registry(_) | Resource::Other { .. } => {}
        }
    }
    Ok(granted)
}

/// Of `actions` on `repo`, what `facts` about it allow: with the verbs that are, once for each limit of tags.
///
/// What is not known and lies elsewhere is as if it were there: the registry there answers for what is not. To push to it takes the
/// right to make it, as that could be what the push does.
pub fn grant_of(
    facts: &Facts,
    who: &Who,
    repo: &RepoName,
    actions: Actions,
    now: SystemTime,
) -> Granted {
    let is_new = facts.ground.repo.as_ref().is_none_or(|at| at.id.is_none());
    let ask = |action| {
        let decision = decide(facts, &Question::on(who, action, Some(repo), now));
        decision
            .is_allowed()
            .then_some((decision.limit, decision.until))
    };
    // What is not there is as if it were not theirs, or else a denial would say that something is: only whoever could make it is
    // answered as by a place that has nothing of that name.
    let may_make = || {
        ask(Action::RepositoryPush).is_some() && ask(Action::NamespaceCreateRepository).is_some()
    };
    let could_be = facts.ground.sight == Sight::Elsewhere;
    #[cfg(feature = "broken")]
    let could_be = could_be || longshore_core::broken::is("tokens-for-what-is-not-there");
    if is_new && !could_be && !may_make() {
        return Granted::default();
    }
    let mut until = None;
    let mut allowed: Vec<(Verbs, Option<TagLimit>)> = Vec::new();
    for (asked, verb, action) in [
        (Actions::PULL, Verb::Pull, Action::RepositoryPull),
        (Actions::PUSH, Verb::Push, Action::RepositoryPush),
        (Actions::DELETE, Verb::Delete, Action::RepositoryDelete),
    ] {
        if !actions.contains(asked) || (is_new && asked == Actions::PUSH && !may_make()) {
            continue;
        }
        let Some((limit, end)) = ask(action) else {
            continue;
        };
        let Some(limit) = limit.map_or(Some(None), |limit| writable(limit).map(Some)) else {
            continue;
        };
        until = first(until, end);
        match allowed.iter_mut().find(|(_, known)| *known == limit) {
            Some((verbs, _)) => *verbs = verbs.with(verb),
            None => allowed.push((Verbs::NONE.with(verb), limit)),
        }
    }
    let allowed = allowed.into_iter().map(|(verbs, limit)| Grant {
        on: On::Repo(repo.clone()),
        verbs,
        tags: limit.map(Arc::new),
    });
    Granted {
        grants: allowed.collect(),
        until,
    }
}

/// A limit that is short enough to be written into a token: with fewer allowed patterns where there are too many, and none at all
/// where there are too many denied.
fn writable(limit: TagLimit) -> Option<TagLimit> {
    let most = TagPatterns::MAX;
    if limit
        .deny
        .as_ref()
        .is_some_and(|deny| deny.iter().count() > most)
    {
        return None;
    }
    let allow = limit
        .allow
        .map(|allow| allow.iter().take(most).cloned().collect());
    Some(TagLimit { allow, ..limit })
}
