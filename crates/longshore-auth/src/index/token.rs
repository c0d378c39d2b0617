//! The token service: from who asks and what is asked to a signed answer.
//!
//! What is given is what was asked and is allowed, never an error for what is not: clients ask for more than they need.
//! A token says names and actions, not rules; so what it may do ends with it, or sooner where a registry looks at the
//! version of its owner, and at the rules for what is changed. It ends no later than the credential it is given for and the first
//! binding that what it says rests on.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use longshore_core::{Error, Grant, On, Verb, Verbs};
use longshore_meta::Durability;
use longshore_meta::secrets::{Kind, NewSecret, secret_count, secret_delete_oldest, secret_put};
use longshore_meta::time::{micros, span};
use longshore_spec::name::RepoName;
use longshore_spec::scope::Scopes;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::Index;
use super::known::{Known, Proof};
use super::secret::{NoRandom, ShownSecret, hash};
use crate::header::{Credentials, check_basic};
use crate::identity::Refusal;
use crate::issuer::IssuerError;
use crate::rights::Sight;
use crate::rights::decide::first;
use crate::token::SEEN;

/// The least life that is announced: clients take a missing or shorter one for a minute.
const LEAST: Duration = Duration::from_mins(1);
/// The most refresh tokens of one user; the oldest goes when there is one more.
const REFRESH_TOKENS: u64 = 100;

/// What is asked of the token service.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// For which registry; none: for the one beside this index.
    pub service: Option<String>,
    /// What to do there.
    pub scopes: Scopes,
    /// Whether a refresh token is wanted.
    pub offline: bool,
    /// What the client calls itself.
    pub client: String,
}

/// What the token service gives.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token.
    pub token: String,
    /// How long it is good.
    pub expires_in: Duration,
    /// Since when.
    pub issued_at: SystemTime,
    /// What of the asked it allows.
    pub granted: String,
    /// What gets the next one without a password.
    pub refresh: Option<ShownSecret>,
    /// Where it allows to push at a registry elsewhere, which does not tell of what is pushed there.
    pub pushes: Vec<RepoName>,
}

/// Why no token is given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is asked for a registry that is not served.
    #[error(
        "this index gives no tokens for the service `{0}`; ask for the one that the registry names in its challenge"
    )]
    Service(String),
    /// Rights could not be looked up, or the refresh token not be kept.
    #[error("what is allowed cannot be looked up just now")]
    Database(#[from] Error),
    /// It could not be signed.
    #[error("the token cannot be signed")]
    Issuer(#[from] IssuerError),
    /// There are no random numbers.
    #[error("the token cannot be made")]
    Random(#[from] NoRandom),
}

impl Index {
    /// Who asks for a token, by the values of all `Authorization` headers: nobody, or by Basic credentials.
    ///
    /// # Errors
    /// The credentials are malformed or wrong, or nobody may try just now.
    pub async fn by_header<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Option<Known>, Refusal> {
        match Credentials::parse(authorization, &self.0.options.limits)? {
            Credentials::None => Ok(None),
            Credentials::Basic { user, password } => {
                let known = Box::pin(self.login(&user, password, peer, now)).await?;
                Ok(Some(known))
            }
            Credentials::Bearer(_) => Err(Refusal::wrong_scheme("a token where one is asked for")),
        }
    }

    /// Who asks for a token with this name and password, neither of which was looked at before.
    ///
    /// # Errors
    /// They are malformed or wrong, or nobody may try just now.
    pub async fn login_checked(
        &self,
        user: &str,
        password: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Known, Refusal> {
        let (user, password) = check_basic(user, password, &self.0.options.limits)?;
        self.login(&user, password, peer, now).await
    }

    /// A token for `known`, or for nobody in particular.
    ///
    /// # Errors
    /// The service is none of ours, or something of ours failed.
    pub async fn issue(
        &self,
        known: Option<&Known>,
        ask: &Ask,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Issued, TokenError> {
        let options = &self.0.options;
        let service = ask.service.as_deref().unwrap_or(&options.service);
        let is_own = service == options.service;
        if !is_own && !options.services.iter().any(|other| other == service) {
            return Err(TokenError::Service(service.to_owned()));
        }
        // What lies at a registry elsewhere is not seen from here, also where there is one beside.
        let sight = if is_own {
            self.0.judge.sight()
        } else {
            Sight::Elsewhere
        };
        let granted = self.grants_at(known, &ask.scopes, sight, peer, now).await?;
        let mut grants = granted.grants;
        if known.is_some_and(|known| known.narrowed.is_some()) {
            // A token does not say what its credential was narrowed to, so it cannot narrow a list.
            grants.retain(|grant| matches!(grant.on, On::Repo(_)));
        }
        let access = access(&grants, is_own);
        let ends = first(granted.until, known.and_then(|known| known.until));
        let mut random = [0; 16];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| NoRandom)?;
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let until = since + options.keys.token_ttl.max(LEAST).as_secs();
        // What it rests on may end before; then it does, too, and in whole seconds never later.
        let until = match ends {
            Some(end) => until
                .min(u64::try_from(end / 1_000_000).unwrap_or(0))
                .max(since),
            None => until,
        };
        let mut claims = json!({
            "iss": options.issuer,
            "sub": known.map_or("", |known| &known.name),
            "aud": service,
            "iat": since,
            "nbf": since,
            "exp": until,
            "jti": format!("{:032x}", u128::from_be_bytes(random)),
            "access": access.entries,
        });
        if let (Some(known), Some(members)) = (known, claims.as_object_mut()) {
            members.insert("pid".to_owned(), json!(known.principal));
            members.insert("ver".to_owned(), json!(known.version));
            members.insert("via".to_owned(), json!(known.way().to_string()));
            if known.narrowed.is_some() {
                members.insert("nar".to_owned(), json!(1));
            }
        }
        let token = self.0.issuer.sign(claims.to_string().as_bytes(), now)?;
        let refresh = match known {
            Some(known) if ask.offline && known.proof == Proof::Password => {
                Some(self.refresh(known, &ask.client, now).await?)
            }
            _ => None,
        };
        Ok(Issued {
            token,
            expires_in: Duration::from_secs(until - since),
            issued_at: SystemTime::UNIX_EPOCH + Duration::from_secs(since),
            granted: access.granted,
            refresh,
            pushes: match sight {
                Sight::Elsewhere => access.pushes,
                Sight::Here => Vec::new(),
            },
        })
    }

    /// Makes a refresh token. Users have a bounded number of them.
    async fn refresh(
        &self,
        known: &Known,
        client: &str,
        now: SystemTime,
    ) -> Result<ShownSecret, TokenError> {
        let secret = ShownSecret::make(Kind::Refresh)?;
        let new = NewSecret {
            kind: Kind::Refresh,
            principal: known.principal,
            hash: hash(&self.0.secrets, secret.as_str().as_bytes()),
            label: client
                .chars()
                .filter(|c| !c.is_control())
                .take(100)
                .collect(),
            scope: None,
            expires: Some(micros(now).saturating_add(span(self.0.options.refresh_ttl))),
            version: known.version,
        };
        self.0
            .db
            .write(Durability::Power, (new, micros(now)), |tx, (new, now)| {
                Box::pin(async move {
                    let count = secret_count(tx, new.principal, Kind::Refresh).await?;
                    if let Some(surplus) = (count + 1).checked_sub(REFRESH_TOKENS)
                        && surplus > 0
                    {
                        secret_delete_oldest(tx, new.principal, Kind::Refresh, surplus).await?;
                    }
                    secret_put(tx, new, *now).await
                })
            })
            .await?;
        Ok(secret)
    }
}

/// The access list of a token, and the same as a `scope` parameter.
struct Access {
    entries: Vec<Value>,
    granted: String,
    pushes: Vec<RepoName>,
}

/// What of `grants` goes into a token. For a registry that is not ours nothing with limits that it would not see: rights
/// on some tags only, and its list of repositories.
fn access(grants: &[Grant], is_own: bool) -> Access {
    let mut entries = Vec::new();
    let mut granted = Vec::new();
    let mut pushes = Vec::new();
    let mut plain: BTreeMap<&str, Verbs> = BTreeMap::new();
    let mut list = |name: &str, verbs: Verbs, tags: Option<Vec<String>>| {
        let actions: Vec<&str> = [Verb::Pull, Verb::Push, Verb::Delete]
            .into_iter()
            .filter(|verb| verbs.has(*verb))
            .map(Verb::action)
            .collect();
        if actions.is_empty() {
            return;
        }
        granted.push(format!("repository:{name}:{}", actions.join(",")));
        let mut entry = Map::new();
        entry.insert("type".to_owned(), json!("repository"));
        entry.insert("name".to_owned(), json!(name));
        entry.insert("actions".to_owned(), json!(actions));
        if let Some(tags) = tags {
            entry.insert("tags".to_owned(), json!(tags));
        }
        entries.push(Value::Object(entry));
    };
    for grant in grants {
        let On::Repo(name) = &grant.on else {
            continue;
        };
        if grant.verbs.has(Verb::Push) && (is_own || grant.tags.is_none()) {
            pushes.push(name.clone());
        }
        match &grant.tags {
            None => {
                let verbs = plain.entry(name.as_str()).or_default();
                *verbs = verbs.and(grant.verbs);
            }
            Some(limit) if is_own => list(name.as_str(), grant.verbs, Some(limit.words())),
            Some(_) => {}
        }
    }
    for (name, verbs) in plain {
        list(name, verbs, None);
    }
    let lists = grants
        .iter()
        .any(|grant| grant.on == On::Catalog && grant.verbs.has(Verb::Catalog));
    let sees_all = grants.iter().any(|grant| {
        grant.verbs.has(Verb::Pull)
            && match &grant.on {
                On::EveryRepo => true,
                On::Within(reach) => reach.is_all(),
                _ => false,
            }
    });
    if lists && (is_own || sees_all) {
        let mut entry = json!({"type": "registry", "name": "catalog", "actions": ["*"]});
        if let (false, Some(members)) = (sees_all, entry.as_object_mut()) {
            // The registry beside the index looks up what that is.
            members.insert(SEEN.to_owned(), json!("theirs"));
        }
        entries.push(entry);
        granted.push("registry:catalog:*".to_owned());
    }
    Access {
        entries,
        granted: granted.join(" "),
        pushes,
    }
}
