//! Machines that log in with a token of their CI or cluster, and keep no secret here.
//!
//! A trust rule says whose tokens: an issuer, an audience, and what the claims must say. A token that fits makes its bearer
//! the robot of the rule. Nobody is asked about an issuer that no rule names, so a stranger cannot send us anywhere; and the
//! audience is ours, since a token that was made for another service must not work here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use longshore_meta::trusts::Trust;
use quick_cache::sync::Cache;

use super::issuer::{Issuer, MAX_TOKEN_BYTES};
use super::pattern::{Pattern, claim_fits};
use crate::identity::Refusal;
use crate::outbound::Web;
use crate::token::json::Json;

/// The most issuers whose keys are kept.
const MAX_ISSUERS: usize = 1000;
/// The most claims a rule looks at.
const MAX_CLAIMS: usize = 20;

/// Whose tokens make their bearer a robot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRule {
    /// Its number.
    pub id: i64,
    /// The principal of the robot.
    pub robot: i64,
    /// The issuer's URL, to the letter as `iss` has it.
    pub issuer: String,
    /// What `aud` must have.
    pub audience: String,
    /// What claims must say, by name or path.
    pub claims: BTreeMap<String, Pattern>,
}

impl TrustRule {
    /// A rule as its row has it.
    ///
    /// # Errors
    /// What of it cannot be read.
    pub fn read(row: &Trust) -> Result<Self, String> {
        let claims: BTreeMap<String, String> =
            serde_json::from_str(&row.claims).map_err(|error| error.to_string())?;
        Ok(TrustRule {
            id: row.id,
            robot: row.principal.0,
            issuer: row.issuer.clone(),
            audience: row.audience.clone(),
            claims: patterns(claims)?,
        })
    }

    /// Whether the rule can be used.
    ///
    /// # Errors
    /// Why not, in words for whoever wrote it.
    pub fn check(&self, web: &Web) -> Result<(), String> {
        Issuer::new(&self.issuer, web.clone())
            .map_err(|problem| format!("the issuer `{}`: {problem}", self.issuer))?;
        if self.audience.is_empty() || self.audience.len() > 255 {
            return Err("the audience has 1 to 255 bytes".to_owned());
        }
        if self.claims.len() > MAX_CLAIMS {
            return Err(format!("a rule looks at {MAX_CLAIMS} claims at most"));
        }
        // Whoever has an account at a public issuer gets tokens for any audience.
        let looks_at_who = self.claims.iter().any(|(claim, pattern)| {
            !matches!(claim.as_str(), "iss" | "aud") && !pattern.fits_all()
        });
        if looks_at_who {
            Ok(())
        } else {
            Err(
                "the rule trusts everybody at this issuer; say which subject or claims it means"
                    .to_owned(),
            )
        }
    }
}

/// What claims must say, by name or path, as patterns.
///
/// # Errors
/// One cannot be used, and why.
pub fn patterns(claims: BTreeMap<String, String>) -> Result<BTreeMap<String, Pattern>, String> {
    claims
        .into_iter()
        .map(|(claim, pattern)| match Pattern::new(pattern) {
            Ok(pattern) => Ok((claim, pattern)),
            Err(problem) => Err(format!("the claim `{claim}`: {problem}")),
        })
        .collect()
}

/// Checks tokens against trust rules. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct Keyless {
    web: Web,
    issuers: Arc<Cache<String, Arc<Issuer>>>,
}

impl Keyless {
    /// With `web` as the way to issuers.
    pub fn new(web: Web) -> Self {
        Keyless {
            web,
            issuers: Arc::new(Cache::new(MAX_ISSUERS)),
        }
    }

    /// The way to issuers.
    pub fn web(&self) -> &Web {
        &self.web
    }

    /// The issuer that a password names if it may be such a token; nothing of it is true yet. It is what the rules to
    /// check it against are found by.
    pub fn issuer_of(password: &[u8]) -> Option<String> {
        // `{"` in base64: the beginning of a header.
        if password.len() > MAX_TOKEN_BYTES || !password.starts_with(b"eyJ") {
            return None;
        }
        let mut parts = password.split(|byte| *byte == b'.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let claims = Json::object(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        claims.get("iss").and_then(Json::text).map(str::to_owned)
    }

    /// Those of `rules` that trust `token`: each says a robot that its bearer may be.
    ///
    /// # Errors
    /// It is not a token that any of the rules trusts. What is said is the same for all reasons.
    pub async fn check<'a>(
        &self,
        token: &[u8],
        rules: &'a [TrustRule],
        now: SystemTime,
    ) -> Result<Vec<&'a TrustRule>, Refusal> {
        let refused = |why: &'static str| Refusal::password(why);
        let issuer =
            Self::issuer_of(token).ok_or_else(|| refused("it is no token of an issuer"))?;
        let rules: Vec<&'a TrustRule> = rules
            .iter()
            .filter(|rule| rule.issuer == issuer && rule.check(&self.web).is_ok())
            .collect();
        if rules.is_empty() {
            return Err(refused("no rule trusts its issuer"));
        }
        let issuer = self.issuer(&issuer).map_err(refused)?;
        let mut found = Vec::new();
        let mut problem = "no rule trusts what its claims say";
        for rule in rules {
            match issuer.claims(token, &rule.audience, now).await {
                Ok(claims) => {
                    let fits = rule
                        .claims
                        .iter()
                        .all(|(claim, pattern)| claim_fits(&claims, claim, pattern));
                    if fits {
                        found.push(rule);
                    }
                }
                Err(other) => problem = other,
            }
        }
        if found.is_empty() {
            Err(refused(problem))
        } else {
            Ok(found)
        }
    }

    fn issuer(&self, url: &str) -> Result<Arc<Issuer>, &'static str> {
        if let Some(known) = self.issuers.get(url) {
            return Ok(known);
        }
        // Of two that come at once one is made, so that keys are fetched once.
        self.issuers
            .get_or_insert_with(url, || Issuer::new(url, self.web.clone()).map(Arc::new))
    }
}
