//! What somebody may do of what is asked: the one way from credentials to the decision about rights.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_core::{Grant, On, Result, Rights, Verb, Verbs};
use longshore_meta::principals::PrincipalId;
use longshore_spec::name::RepoName;
use longshore_spec::scope::{Actions, Scope, Scopes};

use super::{Index, Known, unavailable};
use crate::identity::{Needs, Refusal};
use crate::rights::{Action, Via, Who, grant_of};

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
    ) -> Result<Vec<Grant>> {
        let who = known.map_or_else(|| Who::stranger(from), |known| known.who(from));
        self.granted(&who, scopes, now).await
    }

    /// Whether and what of it a stranger may pull. What was looked up for one is remembered for the next for a while.
    pub(crate) async fn stranger_pulls(
        &self,
        repo: &RepoName,
        from: IpAddr,
        now: SystemTime,
    ) -> Result<Vec<Grant>> {
        let who = Who::stranger(from);
        let decide = |facts: &_| grant_of(facts, &who, repo, Actions::PULL, now);
        let memory = &self.0.strangers;
        if let Some(grants) = memory.with(repo, now, decide) {
            return Ok(grants);
        }
        let epoch = memory.epoch();
        let facts = self.0.judge.facts(&who, repo, now).await?;
        let grants = decide(&facts);
        if !grants.is_empty() {
            memory.keep(repo, facts, epoch, now);
        }
        Ok(grants)
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
        let granted = self.granted(&who, &needs.scopes(), now).await;
        granted
            .map(|grants| Rights::Listed(grants.into()))
            .map_err(|error| unavailable(&error))
    }

    /// What is granted to `who`; where the list of repositories is asked for, also what it shows.
    async fn granted(&self, who: &Who, scopes: &Scopes, now: SystemTime) -> Result<Vec<Grant>> {
        let asked: Vec<Scope> = scopes
            .iter()
            .map(|(resource, actions)| Scope {
                resource: resource.clone(),
                actions,
            })
            .collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let mut grants = self.0.judge.grant(who, &asked, now).await?;
        if grants.iter().any(|grant| grant.on == On::Catalog) {
            let seen = self.0.judge.reach(who, Action::RepositoryList, now).await?;
            let pull = Verbs::NONE.with(Verb::Pull);
            grants.push(Grant::new(On::Within(Arc::new(seen)), pull));
        }
        Ok(grants)
    }
}
