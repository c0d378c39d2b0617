//! Tokens of a CI or a cluster in the place of a password.
//!
//! Rules are rows; a token is looked at only where a rule names its issuer, so a stranger costs a look into an index and sends
//! us nowhere. The same token is good until it ends: a build logs in more than once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use longshore_meta::Durability;
use longshore_meta::logins::{Login, login_by_id, login_seen};
use longshore_meta::time::{micros, span};
use longshore_meta::trusts::{Trust, trust_by_issuer, trust_used};

use super::known::{Known, Proof};
use super::login::{ROBOT, login_name, may_act};
use super::{Index, unavailable};
use crate::checked::throttled;
use crate::identity::Refusal;
use crate::provider::keyless::{Keyless, TrustRule};
use crate::rights::Narrow;

/// The user's name that leaves it to the token which robot it is.
pub const KEYLESS: &str = "keyless";
/// The most rules of one issuer.
pub const RULES_OF_ISSUER: usize = 1000;
/// How old the note of a rule's last use may be.
const USED_EVERY: Duration = Duration::from_hours(1);

/// A robot that the bearer of a token may be, and by which rule.
struct Candidate {
    rule: Trust,
    robot: Login,
    name: String,
}

impl Index {
    /// The issuer that a password names, and the rules about it; none where it is no such token, or nobody here has heard of
    /// its issuer and it may be a password.
    pub(super) async fn rules_for(
        &self,
        secret: &[u8],
        now: SystemTime,
    ) -> Result<Option<Vec<Trust>>, Refusal> {
        let Some(issuer) = Keyless::issuer_of(secret) else {
            return Ok(None);
        };
        let args = (issuer, micros(now));
        let rules = self
            .0
            .db
            .read(&args, |tx, (issuer, now)| {
                Box::pin(trust_by_issuer(tx, issuer, *now, RULES_OF_ISSUER))
            })
            .await
            .map_err(|error| unavailable(&error))?;
        Ok((!rules.is_empty()).then_some(rules))
    }

    /// Who logs in with a token of an issuer: the robot called `user`, or the only one where that is [`KEYLESS`].
    pub(super) fn by_assertion<'a>(
        &'a self,
        user: &'a str,
        token: &'a [u8],
        rules: Vec<Trust>,
        (peer, now): (IpAddr, SystemTime),
    ) -> BoxFuture<'a, Result<Known, Refusal>> {
        Box::pin(async move {
            let throttle = &self.0.checks.throttle;
            let attempt = throttle.begin(user, peer, now).map_err(throttled)?;
            let known = self.trusted(user, token, rules, now).await;
            // What is ours is no failure of theirs.
            if !known.as_ref().is_err_and(Refusal::is_throttled) {
                attempt.end(known.is_ok(), now);
            }
            let (known, rule) = known?;
            self.note_trust(&rule, known.principal, now).await;
            Ok(known)
        })
    }

    async fn trusted(
        &self,
        user: &str,
        token: &[u8],
        rows: Vec<Trust>,
        now: SystemTime,
    ) -> Result<(Known, Trust), Refusal> {
        let rules: Vec<TrustRule> = rows
            .iter()
            .filter_map(|row| {
                TrustRule::read(row)
                    .inspect_err(|error| {
                        tracing::error!(rule = row.id, %error, "a trust rule cannot be read, so it trusts nobody");
                    })
                    .ok()
            })
            .collect();
        let fitting = self.0.keyless.check(token, &rules, now).await?;
        let fitting: Vec<i64> = fitting.iter().map(|rule| rule.id).collect();
        let mut found: Vec<Candidate> = Vec::new();
        for rule in rows.into_iter().filter(|row| fitting.contains(&row.id)) {
            if let Some((robot, name)) = self.robot(rule.principal.0, now).await? {
                found.push(Candidate { rule, robot, name });
            }
        }
        if user == KEYLESS {
            let mut robots: Vec<i64> = found.iter().map(|it| it.robot.id).collect();
            robots.dedup();
            if robots.len() > 1 {
                return Err(Refusal::no_account(
                    "several robots trust this token; say which one as the user name",
                    "several robots trust this token",
                ));
            }
        } else {
            let mut meant = Vec::with_capacity(found.len());
            for it in found {
                if it.name == user || self.had_name(it.robot.id, user, now).await? {
                    meant.push(it);
                }
            }
            found = meant;
        }
        // Of several rules that trust it for one robot the one that leaves most.
        let at = found.iter().position(|it| it.rule.scope.is_none());
        let found = match at {
            Some(at) => found.into_iter().nth(at),
            None => found.into_iter().next(),
        };
        let Candidate { rule, robot, name } =
            found.ok_or_else(|| Refusal::password("no robot of this name trusts this token"))?;
        let narrowed = match rule.scope.as_deref().map(Narrow::parse) {
            None => None,
            Some(Ok(narrow)) => Some(Arc::new(narrow)),
            Some(Err(error)) => {
                tracing::error!(rule = rule.id, %error, "what narrows this rule cannot be read, so it trusts nobody");
                return Err(Refusal::password("the rule cannot be read"));
            }
        };
        let known = Known {
            principal: robot.id,
            name: name.into(),
            version: robot.version,
            proof: Proof::Keyless(rule.id),
            narrowed,
            until: rule.expires,
        };
        Ok((known, rule))
    }

    /// A robot that may act, and the name by which it logs in.
    async fn robot(&self, id: i64, now: SystemTime) -> Result<Option<(Login, String)>, Refusal> {
        let found = self
            .0
            .db
            .read(&id, |tx, id| Box::pin(login_by_id(tx, *id)))
            .await
            .map_err(|error| unavailable(&error))?;
        let found = found.filter(|login| login.kind == ROBOT && may_act(login, now));
        Ok(found.map(|login| {
            let name = login_name(&login);
            (login, name)
        }))
    }

    async fn note_trust(&self, rule: &Trust, robot: i64, now: SystemTime) {
        let now = micros(now);
        if rule
            .used
            .is_some_and(|used| (now - used).abs() < span(USED_EVERY))
        {
            return;
        }
        let args = (rule.id, robot, now);
        let noted = self
            .0
            .db
            .write(Durability::Process, args, |tx, (rule, robot, now)| {
                Box::pin(async move {
                    trust_used(tx, *rule, *now).await?;
                    login_seen(tx, *robot, *now).await
                })
            })
            .await;
        if noted.is_err() {
            tracing::warn!("the last use of a trust rule could not be noted");
        }
    }
}
