//! What somebody may do of what is asked: the one way from credentials to the decision about rights.

use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_core::{Grant, On, Result, Rights, Verb, Verbs};
use longshore_meta::principals::PrincipalId;
use longshore_spec::name::RepoName;
use longshore_spec::scope::{Actions, Scope, Scopes};

use super::memory::Memory;
use super::{Index, Known, unavailable};
use crate::identity::{Needs, Refusal};
use crate::rights::decide::{both, is_empty};
use crate::rights::{Action, Facts, Granted, Sight, Via, Who, grant_of, lack_of};

/// What of a change is allowed.
#[derive(Debug)]
pub(crate) struct Changes {
    /// What is.
    pub(crate) grants: Vec<Grant>,
    /// Why what was asked for is not, where whoever asked may know that.
    pub(crate) lack: Option<String>,
}

/// What a decision is made from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Rows,
    /// Rows as they were a few seconds ago at most.
    Memory,
}

impl Index {
    /// What of `scopes` is allowed to `known`, or to everybody.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn grants(
        &self,
        known: Option<&Known>,
        scopes: &Scopes,
        from: IpAddr,
        now: SystemTime,
    ) -> Result<Granted> {
        let sight = self.0.judge.sight();
        self.grants_at(known, scopes, sight, from, now).await
    }

    /// The same for a registry whose content lies where `sight` says.
    pub(super) async fn grants_at(
        &self,
        known: Option<&Known>,
        scopes: &Scopes,
        sight: Sight,
        from: IpAddr,
        now: SystemTime,
    ) -> Result<Granted> {
        let who = known.map_or_else(|| Who::stranger(from), |known| known.who(from));
        self.granted(&who, scopes, sight, now).await
    }

    /// Whether and what of it a stranger may pull. What was looked up for one is remembered for the next for a while.
    pub(crate) async fn stranger_pulls(
        &self,
        repo: &RepoName,
        from: IpAddr,
        now: SystemTime,
    ) -> Result<Vec<Grant>> {
        let who = Who::stranger(from);
        let decide = |facts: &_| pulls(facts, &who, repo, now);
        let memory = (&self.0.strangers, repo.clone());
        self.recalled(memory, (&who, repo), decide, now)
            .await
            .map(|found| found.grants)
    }

    /// What `who` may do of a change of `repo` by `verb`, for which a blob may come from elsewhere. Decided from the rows.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) async fn changes(
        &self,
        who: &Who,
        change: (&RepoName, Verb),
        from: Option<&RepoName>,
        now: SystemTime,
    ) -> Result<Changes> {
        self.changes_by(who, change, from, Source::Rows, now).await
    }

    /// The same for a token that was issued to `who`: from memory that is a few seconds old at most, unless the operator wants the rows.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) async fn changes_now(
        &self,
        who: &Who,
        change: (&RepoName, Verb),
        from: Option<&RepoName>,
        now: SystemTime,
    ) -> Result<Changes> {
        let source = if self.0.options.strict_revocation {
            Source::Rows
        } else {
            Source::Memory
        };
        self.changes_by(who, change, from, source, now).await
    }

    async fn changes_by(
        &self,
        who: &Who,
        (repo, verb): (&RepoName, Verb),
        from: Option<&RepoName>,
        source: Source,
        now: SystemTime,
    ) -> Result<Changes> {
        let decide = |facts: &_| change(facts, who, (repo, verb), now);
        let mut found = self.decided(who, repo, source, decide, now).await?;
        if let Some(from) = from.filter(|from| *from != repo) {
            let decide = |facts: &_| pulls(facts, who, from, now);
            let pull = self.decided(who, from, source, decide, now).await?;
            found.grants.extend(pull.grants);
        }
        Ok(found)
    }

    async fn decided(
        &self,
        who: &Who,
        repo: &RepoName,
        source: Source,
        decide: impl Fn(&Facts) -> Changes,
        now: SystemTime,
    ) -> Result<Changes> {
        match source {
            Source::Rows => {
                let facts = self.0.judge.facts(who, repo, now).await?;
                Ok(decide(&facts))
            }
            Source::Memory => {
                let memory = (&self.0.bearers, (who.id().0, repo.clone()));
                self.recalled(memory, (who, repo), decide, now).await
            }
        }
    }

    /// What is decided from remembered facts about a repository, or from such that are read and remembered if they allow anything.
    async fn recalled<K: Hash + Eq + Clone>(
        &self,
        (memory, key): (&Memory<K>, K),
        (who, repo): (&Who, &RepoName),
        decide: impl Fn(&Facts) -> Changes,
        now: SystemTime,
    ) -> Result<Changes> {
        if let Some(found) = memory.with(&key, now, &decide) {
            return Ok(found);
        }
        let epoch = memory.epoch();
        // Boxed: whoever is remembered would carry room for it.
        let facts = Box::pin(self.0.judge.facts(who, repo, now)).await?;
        let found = decide(&facts);
        if !found.grants.is_empty() {
            memory.keep(key, repo, facts, (epoch, now));
        }
        Ok(found)
    }

    /// What the bearer of a token may do of what a request needs, where the token does not say it.
    pub(crate) async fn rights_of(
        &self,
        principal: i64,
        needs: Needs<'_>,
        from: IpAddr,
        now: SystemTime,
    ) -> std::result::Result<Rights, Refusal> {
        let who = Who::principal(PrincipalId(principal), Via::Bearer, from);
        let sight = self.0.judge.sight();
        let granted = self.granted(&who, &needs.scopes(), sight, now).await;
        granted
            .map(|granted| Rights::Listed(granted.grants.into()))
            .map_err(|error| unavailable(&error))
    }

    /// What is granted to `who`; where the list of repositories is asked for, also what it shows.
    async fn granted(
        &self,
        who: &Who,
        scopes: &Scopes,
        sight: Sight,
        now: SystemTime,
    ) -> Result<Granted> {
        let asked: Vec<Scope> = scopes
            .iter()
            .map(|(resource, actions)| Scope {
                resource: resource.clone(),
                actions,
            })
            .collect();
        if asked.is_empty() {
            return Ok(Granted::default());
        }
        let mut granted = self.0.judge.grant(who, &asked, sight, now).await?;
        if granted.grants.iter().any(|grant| grant.on == On::Catalog) {
            let seen = self.0.judge.reach(who, Action::RepositoryList, now).await?;
            let pull = Verbs::NONE.with(Verb::Pull);
            let list = Grant::new(On::Within(Arc::new(seen)), pull);
            granted.grants.push(list);
        }
        Ok(granted)
    }
}

/// What facts about `repo` allow of pulling.
fn pulls(facts: &Facts, who: &Who, repo: &RepoName, now: SystemTime) -> Changes {
    Changes {
        grants: grant_of(facts, who, repo, Actions::PULL, now).grants,
        lack: None,
    }
}

/// What facts about `repo` allow of a change. Who changes also pulls: clients look before they send.
fn change(facts: &Facts, who: &Who, (repo, verb): (&RepoName, Verb), now: SystemTime) -> Changes {
    let asked = match verb {
        Verb::Delete => Actions::DELETE,
        _ => Actions::PUSH,
    };
    let grants = grant_of(facts, who, repo, Actions::PULL.union(asked), now).grants;
    let lacks = !grants.iter().any(|grant| grant.verbs.has(verb));
    let lack = lacks.then(|| lack_of(facts, who, repo, verb, now));
    Changes {
        grants,
        lack: lack.flatten(),
    }
}

/// What both a token and the rights of now allow. Both name repositories; of other things nothing is left.
pub(crate) fn common(token: &Rights, granted: Vec<Grant>) -> Rights {
    let listed = match token {
        Rights::Nothing => return Rights::Nothing,
        Rights::Everything => return Rights::Listed(granted.into()),
        Rights::Listed(listed) => listed,
    };
    let mut left = Vec::new();
    for now in &granted {
        for then in listed.iter().filter(|then| then.on == now.on) {
            let limit = |grant: &Grant| grant.tags.as_deref().cloned();
            let tags = both(limit(now), limit(then));
            let verbs = now.verbs.common(then.verbs);
            if verbs != Verbs::NONE && !tags.as_ref().is_some_and(is_empty) {
                left.push(Grant {
                    on: now.on.clone(),
                    verbs,
                    tags: tags.map(Arc::new),
                });
            }
        }
    }
    Rights::Listed(left.into())
}

#[cfg(test)]
mod tests {
    use longshore_core::{Named, TagLimit};
    use longshore_spec::name::Tag;
    use proptest::prelude::*;

    use super::*;

    fn grants() -> impl Strategy<Value = Vec<Grant>> {
        let limit = prop::option::of(prop::sample::subsequence(
            vec!["a*", "ab", "b*", "!ab", "!b*", "*"],
            1..3,
        ));
        let verbs = prop::sample::subsequence(vec![Verb::Pull, Verb::Push, Verb::Delete], 0..3);
        let name = prop::sample::select(vec!["x", "y"]);
        let one = (name, verbs, limit).prop_map(|(name, verbs, limit)| Grant {
            on: On::Repo(name.parse().unwrap()),
            verbs: verbs.into_iter().collect(),
            tags: limit.map(|words| Arc::new(TagLimit::read(words).unwrap())),
        });
        prop::collection::vec(one, 0..4)
    }

    proptest! {
        #[test]
        fn what_is_common_is_allowed_by_both_and_all_of_it_where_both_say_the_same(
            token in grants(),
            now in grants(),
        ) {
            let then = Rights::Listed(token.clone().into());
            let both = common(&then, now.clone());
            let again = common(&then, token);
            let now = Rights::Listed(now.into());
            for name in ["x", "y"] {
                let repo: RepoName = name.parse().unwrap();
                for verb in [Verb::Pull, Verb::Push, Verb::Delete] {
                    for tag in ["a", "ab", "b", "c"] {
                        let tag: [Tag; 1] = [tag.parse().unwrap()];
                        let may = |rights: &Rights| {
                            rights.allow_named(Some(&repo), verb, Named::Tags(&tag))
                        };
                        prop_assert!(!may(&both) || (may(&then) && may(&now)));
                        prop_assert_eq!(may(&again), may(&then));
                    }
                    let whole = |rights: &Rights| {
                        rights.allow_named(Some(&repo), verb, Named::Whatever)
                    };
                    prop_assert!(!whole(&both) || (whole(&then) && whole(&now)));
                    let may = |rights: &Rights| rights.allow(Some(&repo), verb);
                    prop_assert!(!may(&both) || (may(&then) && may(&now)));
                }
            }
        }
    }
}
