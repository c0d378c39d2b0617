//! From what a provider gave to a person. Every way to log in there ends here, so that none has rules of its own.

use std::time::SystemTime;

use super::{Described, Inner, OidcError, TokenAnswer, is_same};
use crate::directory::Person;
use crate::provider::issuer::name;
use crate::provider::pattern::{claim_fits, find};
use crate::token::json::{Json, Object};

/// The longest subject, in bytes (OpenID Connect Core 1.0, 2).
const MAX_SUBJECT_BYTES: usize = 255;
/// The most groups of one person.
const MAX_GROUPS: usize = 1000;

impl Inner {
    /// Who a provider says it is. `nonce` is what this login was begun with, where it could be.
    pub(super) async fn person(
        &self,
        described: &Described,
        tokens: &TokenAnswer,
        nonce: Option<&str>,
        now: SystemTime,
    ) -> Result<Person, OidcError> {
        let options = &self.options;
        let mut claims = self
            .issuer
            .claims(tokens.id_token.as_bytes(), &options.client_id, now)
            .await
            .map_err(OidcError::Refused)?;
        check(&claims, &options.client_id, nonce).map_err(OidcError::Refused)?;
        let subject = name(&claims, "sub")
            .filter(|subject| subject.len() <= MAX_SUBJECT_BYTES)
            .ok_or(OidcError::Refused("`sub` is missing, too long or no text"))?
            .to_owned();
        if let Some(url) = described.userinfo.as_deref().filter(|_| options.userinfo) {
            let bytes = self
                .issuer
                .web
                .get(url, Some(&tokens.access_token))
                .await
                .map_err(OidcError::Unavailable)?;
            let more = Json::object(&bytes)
                .map_err(|_| OidcError::Refused("what it says of the user is no strict JSON"))?;
            // Without this the page about somebody else would do.
            if more.get("sub").and_then(Json::text) != Some(subject.as_str()) {
                return Err(OidcError::Refused(
                    "what it says of the user is about another",
                ));
            }
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        let groups = self.groups(&claims)?;
        if !options.allowed_groups.is_empty() {
            let mut has = groups.iter().flatten();
            if !has.any(|group| options.allowed_groups.contains(group)) {
                return Err(OidcError::Denied(
                    "they are in none of the groups that may come in",
                ));
            }
        }
        let admin = options
            .admin_claim
            .as_ref()
            .map(|(claim, pattern)| claim_fits(&claims, claim, pattern));
        let mail = name(&claims, "email").map(str::to_owned);
        Ok(Person {
            // The issuer and not our name for it: who somebody is must not change with a word in a configuration.
            source: options.issuer.clone(),
            name: name(&claims, &options.name_claim)
                .unwrap_or(&subject)
                .to_owned(),
            mail_verified: mail.is_some()
                && claims.get("email_verified") == Some(&Json::Bool(true)),
            mail,
            full_name: name(&claims, "name").map(str::to_owned),
            subject,
            groups,
            admin,
        })
    }

    fn groups(&self, claims: &Object) -> Result<Option<Vec<String>>, OidcError> {
        let Some(claim) = &self.options.groups_claim else {
            return Ok(None);
        };
        let refused = Err(OidcError::Refused(
            "its groups are not a list of texts, or too many",
        ));
        let mut groups = match find(claims, claim) {
            // A claim that is not there is no group: what somebody had by one before is taken.
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Text(one)) => vec![one.clone()],
            Some(Json::List(list)) if list.len() <= MAX_GROUPS => {
                match list
                    .iter()
                    .map(|one| one.text().map(str::to_owned))
                    .collect()
                {
                    Some(groups) => groups,
                    None => return refused,
                }
            }
            Some(_) => return refused,
        };
        groups.retain(|group| !group.trim().is_empty() && !group.chars().any(char::is_control));
        groups.sort_unstable();
        groups.dedup();
        Ok(Some(groups))
    }
}

/// Whether an ID token is for us and for this login (OpenID Connect Core 1.0, 3.1.3.7). Signature, issuer, audience and
/// times were checked before.
fn check(claims: &Object, client: &str, nonce: Option<&str>) -> Result<(), &'static str> {
    let azp = match claims.get("azp") {
        None => None,
        Some(Json::Text(azp)) => Some(azp.as_str()),
        Some(_) => return Err("`azp` is not text"),
    };
    let is_shared = matches!(claims.get("aud"), Some(Json::List(list)) if list.len() > 1);
    if azp.map_or(is_shared, |azp| azp != client) {
        return Err("the token was made for another client");
    }
    if !claims.contains_key("iat") {
        return Err("`iat` is missing");
    }
    match (nonce, claims.get("nonce")) {
        (None, _) => Ok(()),
        (Some(ours), Some(Json::Text(theirs))) if is_same(ours, theirs) => Ok(()),
        (Some(_), _) => Err("`nonce` is missing or that of another login"),
    }
}
