//! A registry beside its index: tokens are checked from memory, passwords and secrets are taken as well.
//!
//! A token is enough for the pulls it names. What it cannot say, a registry beside its index knows: whether its owner is still
//! the same (a disabled account, a changed password, a right that was taken away), which is looked up from memory that is a
//! few seconds old at most; which repositories its owner may see, which is looked up when they are listed; and whether what it
//! changes is allowed now, from there, by rules that may be other ones than when it was issued.

use std::net::IpAddr;
use std::time::SystemTime;

use longshore_core::{Actor, Rights, Verb};
use longshore_meta::principals::PrincipalId;
use longshore_spec::name::RepoName;

use crate::certificate::Presented;
use crate::header::Credentials;
use crate::identity::{Identity, IdentityKind, Needs, Refusal};
use crate::index::{Index, Known, common, unavailable};
use crate::rights::{Via, Who};
use crate::token::Tokens;
use crate::token::claims::Claims;

pub(crate) struct Beside {
    index: Index,
    tokens: Tokens,
}

/// What somebody may do of what a request needs, and why not.
type Found = (Rights, Option<Box<str>>);

impl Beside {
    pub(crate) fn new(index: Index) -> Self {
        Beside {
            tokens: Tokens::beside(&index),
            index,
        }
    }

    pub(crate) fn service(&self) -> &str {
        &self.tokens.service
    }

    pub(crate) async fn identify(
        &self,
        credentials: Credentials<'_>,
        needs: Needs<'_>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        match credentials {
            Credentials::Bearer(token) => self.bearer(token, needs, peer, now).await,
            Credentials::None => {
                let (rights, _) = self.rights(None, needs, peer, now).await?;
                Ok(Identity {
                    actor: Actor::Anonymous,
                    rights,
                    way: Via::Nothing.way(0),
                    kind: IdentityKind::Anonymous,
                    lack: None,
                })
            }
            Credentials::Basic { user, password } => {
                // Boxed: the way of a password is long, and every request would carry room for it.
                let known = Box::pin(self.index.login(&user, password, peer, now)).await?;
                let rights = Box::pin(self.rights(Some(&known), needs, peer, now));
                let (rights, lack) = rights.await?;
                Ok(Identity {
                    actor: known.actor(),
                    rights,
                    way: known.way(),
                    kind: IdentityKind::Password,
                    lack,
                })
            }
        }
    }

    /// Whoever has shown this certificate; nobody where no rule is about it.
    pub(crate) async fn by_certificate(
        &self,
        shown: &Presented,
        needs: Needs<'_>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Option<Identity>, Refusal> {
        let Some(known) = self.index.by_certificate(shown, peer, now).await? else {
            return Ok(None);
        };
        let (rights, lack) = self.rights(Some(&known), needs, peer, now).await?;
        Ok(Some(Identity {
            actor: known.actor(),
            rights,
            way: known.way(),
            kind: IdentityKind::Certificate,
            lack,
        }))
    }

    async fn bearer(
        &self,
        token: &[u8],
        needs: Needs<'_>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        let known = self.tokens.known(token, now).await?;
        let claims = &known.claims;
        // What a token says of a list is only that it may be asked for; what a search finds it does not say at all.
        let lists = needs.searches
            || needs.verb == Some(Verb::Catalog) && claims.rights.allow(None, Verb::Catalog);
        if let Some(principal) = claims.principal {
            let holds = self.index.holds(principal, needs.changes(), now).await?;
            if !holds {
                return Err(Refusal::token(
                    "its owner is disabled or deleted, or lost a right since it was issued",
                ));
            }
        }
        let (rights, lack) = match (claims.principal, needs.changed()) {
            // Boxed, as the next two: a pull would carry room for it.
            (_, Some(change)) => {
                Box::pin(self.changes_now(claims, change, needs.from, (peer, now))).await?
            }
            (None, None) if lists => Box::pin(self.rights(None, needs, peer, now)).await?,
            // Whom a credential was narrowed for sees no more than the names in the token.
            (Some(principal), None) if lists && !claims.narrowed => {
                let found = self.index.rights_of(principal.0, needs, peer, now);
                (Box::pin(found).await?, None)
            }
            _ => (claims.rights.clone(), None),
        };
        Ok(Identity {
            actor: claims.actor.clone(),
            way: claims.way,
            rights,
            kind: IdentityKind::Token,
            lack,
        })
    }

    /// What a token allows of a change, as far as its owner is allowed it now and from there.
    async fn changes_now(
        &self,
        claims: &Claims,
        (repo, verb): (&RepoName, Verb),
        from: Option<&RepoName>,
        (peer, now): (IpAddr, SystemTime),
    ) -> Result<Found, Refusal> {
        let who = match claims.principal {
            Some((id, _)) => Who::principal(PrincipalId(id), Via::Bearer, peer),
            None => Who::stranger(peer),
        };
        let found = self.index.changes_now(&who, (repo, verb), from, now);
        let found = found.await.map_err(|error| unavailable(&error))?;
        let may_now = found.grants.iter().any(|grant| grant.verbs.has(verb));
        let rights = common(&claims.rights, found.grants);
        if rights.allow(Some(repo), verb) {
            return Ok((rights, None));
        }
        // A token for less than all that its owner may tells no more than it may see itself.
        let may_know = !claims.narrowed || claims.rights.allow(Some(repo), Verb::Pull);
        let lack = match found.lack {
            lack if may_know && !may_now => lack,
            _ if may_know => {
                let verb = verb.action();
                Some(format!(
                    "it was issued without `{verb}`, which was not asked for or is more than the credential that got it leaves"
                ))
            }
            _ => None,
        };
        Ok((rights, lack.map(String::into_boxed_str)))
    }

    async fn rights(
        &self,
        known: Option<&Known>,
        needs: Needs<'_>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Found, Refusal> {
        let Some(verb) = needs.verb.or(needs.searches.then_some(Verb::Catalog)) else {
            return Ok((Rights::Nothing, None));
        };
        let (grants, lack) = match (known, needs.repo, needs.changed()) {
            (Some(known), _, Some(change)) => {
                let who = known.who(peer);
                let found = Box::pin(self.index.changes(&who, change, needs.from, now));
                let found = found.await.map_err(|error| unavailable(&error))?;
                (Ok(found.grants), found.lack)
            }
            (None, Some(repo), None) if verb == Verb::Pull && !needs.searches => {
                (self.index.stranger_pulls(repo, peer, now).await, None)
            }
            _ => {
                let scopes = needs.scopes();
                let granted = Box::pin(self.index.grants(known, &scopes, peer, now));
                (granted.await.map(|granted| granted.grants), None)
            }
        };
        let grants = grants.map_err(|error| unavailable(&error))?;
        Ok((
            Rights::Listed(grants.into()),
            lack.map(String::into_boxed_str),
        ))
    }
}
