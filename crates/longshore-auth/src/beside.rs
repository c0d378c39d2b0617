//! A registry beside its index: tokens are checked from memory, passwords and secrets are taken as well.
//!
//! A token is enough for what it names. What it cannot say, a registry beside its index knows: whether its owner is still
//! the same (a disabled account, a changed password, a right that was taken away), which is looked up from memory that is a
//! few seconds old at most, and which repositories its owner may see, which is looked up when they are listed.

use std::net::IpAddr;
use std::time::SystemTime;

use longshore_core::{Actor, Rights, Verb};

use crate::certificate::Presented;
use crate::header::Credentials;
use crate::identity::{Identity, IdentityKind, Needs, Refusal};
use crate::index::{Index, Known};
use crate::rights::Via;
use crate::token::Tokens;

pub(crate) struct Beside {
    index: Index,
    tokens: Tokens,
}

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
                let rights = self.rights(None, needs, peer, now).await?;
                Ok(Identity {
                    actor: Actor::Anonymous,
                    rights,
                    way: Via::Nothing.way(0),
                    kind: IdentityKind::Anonymous,
                })
            }
            Credentials::Basic { user, password } => {
                // Boxed: the way of a password is long, and every request would carry room for it.
                let known = Box::pin(self.index.login(&user, password, peer, now)).await?;
                let rights = self.rights(Some(&known), needs, peer, now).await?;
                Ok(Identity {
                    actor: known.actor(),
                    rights,
                    way: known.way(),
                    kind: IdentityKind::Password,
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
        let rights = self.rights(Some(&known), needs, peer, now).await?;
        Ok(Some(Identity {
            actor: known.actor(),
            rights,
            way: known.way(),
            kind: IdentityKind::Certificate,
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
        let mut rights = claims.rights.clone();
        // What a token says of a list is only that it may be asked for; what a search finds it does not say at all.
        let lists = needs.searches
            || needs.verb == Some(Verb::Catalog) && rights.allow(None, Verb::Catalog);
        match claims.principal {
            Some(principal) => {
                let holds = self.index.holds(principal, needs.changes(), now).await?;
                if !holds {
                    return Err(Refusal::token(
                        "its owner is disabled or deleted, or lost a right since it was issued",
                    ));
                }
                // Whom a credential was narrowed for sees no more than the names in the token.
                if lists && !claims.narrowed {
                    let found = self.index.rights_of(principal.0, needs, peer, now);
                    rights = found.await?;
                }
            }
            None if lists => rights = self.rights(None, needs, peer, now).await?,
            None => {}
        }
        Ok(Identity {
            actor: claims.actor.clone(),
            way: claims.way,
            rights,
            kind: IdentityKind::Token,
        })
    }

    async fn rights(
        &self,
        known: Option<&Known>,
        needs: Needs<'_>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Rights, Refusal> {
        if needs.verb.is_none() && !needs.searches {
            return Ok(Rights::Nothing);
        }
        let granted = match (known, needs.repo, needs.verb) {
            (None, Some(repo), Some(Verb::Pull)) if !needs.searches => {
                self.index.stranger_pulls(repo, peer, now).await
            }
            _ => self.index.grants(known, &needs.scopes(), peer, now).await,
        };
        granted
            .map(|grants| Rights::Listed(grants.into()))
            .map_err(|error| crate::index::unavailable(&error))
    }
}
