//! From a certificate whose chain was verified to whoever a rule says that it is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_meta::Durability;
use longshore_meta::certificates::{CertificateRule, certificate_find, certificate_used};
use longshore_meta::logins::{Login, login_by_id, login_seen};
use longshore_meta::time::{micros, span};

use super::known::{Known, Proof};
use super::login::{login_name, may_act};
use super::{Index, unavailable};
use crate::certificate::Presented;
use crate::identity::Refusal;
use crate::rights::Narrow;
use crate::rights::decide::first;

/// How old the note of a rule's last use may be.
const USED_EVERY: Duration = Duration::from_hours(1);

impl Index {
    /// Whoever shows this certificate; nobody where no rule names it. Two rules that do must agree in everything.
    ///
    /// # Errors
    /// Rules disagree about it, its account may not act, or nobody can be known just now.
    pub async fn by_certificate(
        &self,
        presented: &Presented,
        _peer: IpAddr,
        now: SystemTime,
    ) -> Result<Option<Known>, Refusal> {
        if !presented.holds(now) {
            return Ok(None);
        }
        let args = (presented, micros(now));
        let found = self
            .0
            .db
            .read(&args, |tx, (presented, now)| {
                Box::pin(async move {
                    let mut rules = Vec::new();
                    for subject in presented.subjects() {
                        let rule = certificate_find(tx, subject.as_str()).await?;
                        rules.extend(rule.filter(|rule| counts(rule, *now)));
                    }
                    let Some(first) = rules.first() else {
                        return Ok((rules, None));
                    };
                    let login = login_by_id(tx, first.principal.0).await?;
                    Ok((rules, login))
                })
            })
            .await
            .map_err(|error| unavailable(&error))?;
        let (rules, login) = found;
        let Some((rule, others)) = rules.split_first() else {
            return Ok(None);
        };
        let agrees = |other: &CertificateRule| {
            other.principal == rule.principal && other.scope == rule.scope
        };
        if !others.iter().all(agrees) {
            return Err(Refusal::no_account(
                "this certificate fits several rules that do not agree who it is; ask an administrator to take one of them back",
                "a certificate fits several rules",
            ));
        }
        let Some(login) = login.filter(|login| may_act(login, now)) else {
            return Err(Refusal::no_account(
                "the account of this certificate is disabled or deleted",
                "a certificate of an account that may not act",
            ));
        };
        let narrowed = match rule.scope.as_deref().map(Narrow::parse) {
            None => None,
            Some(Ok(narrow)) => Some(Arc::new(narrow)),
            Some(Err(error)) => {
                tracing::error!(rule = rule.id, %error, "what narrows this rule cannot be read, so it lets nobody in");
                return Ok(None);
            }
        };
        self.note_certificate(rule, &login, now).await;
        Ok(Some(Known {
            principal: login.id,
            name: login_name(&login).into(),
            version: login.version,
            proof: Proof::Certificate(rule.id),
            narrowed,
            until: first(rule.expires, Some(micros(presented.until()))),
        }))
    }

    async fn note_certificate(&self, rule: &CertificateRule, login: &Login, now: SystemTime) {
        let now = micros(now);
        let is_recent = rule
            .used
            .is_some_and(|used| (now - used).abs() < span(USED_EVERY));
        if is_recent {
            return;
        }
        let noted = self
            .0
            .db
            .write(
                Durability::Process,
                (rule.id, login.id, now),
                |tx, (rule, login, now)| {
                    Box::pin(async move {
                        certificate_used(tx, *rule, *now).await?;
                        login_seen(tx, *login, *now).await
                    })
                },
            )
            .await;
        if noted.is_err() {
            tracing::warn!("the last use of a certificate could not be noted");
        }
    }
}

fn counts(rule: &CertificateRule, now: i64) -> bool {
    rule.expires.is_none_or(|end| now < end)
}
