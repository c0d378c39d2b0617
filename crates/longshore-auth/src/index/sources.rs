//! People whom a directory knows: from its answer to an account here.
//!
//! A local password comes first, and where an account has one nobody else is asked: a directory never hears a password that is
//! ours, and cannot let anybody into an account that it did not bring. Who a person is here is decided by the source and what
//! that never gives to another; the account is made and kept true by a use case above this crate ([`Reception`]).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_meta::logins::login_by_id;
use longshore_meta::principals::PrincipalId;
use zeroize::Zeroizing;

use super::known::{Known, Proof};
use super::login::may_act;
use super::{Index, unavailable};
use crate::directory::{Directories, Person};
use crate::identity::Refusal;
use crate::outbound::Web;
use crate::provider::oidc::Oidc;

/// Where people and machines are known besides here.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Directories that check names and passwords, in the order in which they are asked.
    pub directories: Option<Directories>,
    /// Providers where people log in with a browser.
    pub providers: Vec<Oidc>,
    /// Who makes accounts of the people they know. Without it nobody is let in by them.
    pub reception: Option<Arc<dyn Reception>>,
    /// The way to issuers of tokens; none: those out in the world.
    pub web: Option<Web>,
}

/// Takes in people whom a source has vouched for: makes their accounts, and keeps groups and administrators true.
#[async_trait]
pub trait Reception: fmt::Debug + Send + Sync {
    /// Who `person` is here.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn receive(&self, person: &Person, now: SystemTime) -> Result<Received>;
}

/// Who somebody is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// This principal.
    Account(PrincipalId),
    /// Nobody: somebody else has the name, and nobody said that they are one.
    NameTaken,
    /// Nobody: the name can be nobody's.
    NameInvalid,
    /// Nobody: accounts are made by hand.
    Unknown,
}

impl Index {
    /// Whether any directory is asked.
    pub(super) fn has_directories(&self) -> bool {
        self.0
            .sources
            .directories
            .as_ref()
            .is_some_and(|all| !all.is_empty())
    }

    /// Who a directory says that this is. Failures are counted as for local passwords, and one that a client repeats counts
    /// once a minute.
    pub(super) async fn by_directory(
        &self,
        user: &str,
        secret: Zeroizing<Vec<u8>>,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Known, Refusal> {
        let wrong = || Refusal::password("no such user, or another password");
        let Some(directories) = &self.0.sources.directories else {
            return Err(wrong());
        };
        let ask = async || {
            directories
                .check(user, &secret, now)
                .await
                .map_err(|_| Refusal::unavailable("a directory that may know them cannot be asked"))
        };
        let known = async { ask().await.map(|person| person.is_some()) };
        let question = (user, secret.as_slice(), b"directories".as_slice());
        if !self.0.checks.ask(question, peer, now, known).await? {
            return Err(wrong());
        }
        // Remembered there as well.
        let person = ask().await?.ok_or_else(wrong)?;
        self.received(&person, now).await
    }

    /// The account of somebody whom a source has vouched for.
    ///
    /// # Errors
    /// They have none, or may not act.
    pub async fn received(&self, person: &Person, now: SystemTime) -> Result<Known, Refusal> {
        let Some(reception) = &self.0.sources.reception else {
            return Err(Refusal::password("nobody takes in people of other sources"));
        };
        let received = reception.receive(person, now).await;
        let received = received.map_err(|error| unavailable(&error))?;
        let id = match received {
            Received::Account(id) => id,
            Received::NameTaken => {
                return Err(Refusal::no_account(
                    "an account of this name is here already and is not linked to your login; ask an administrator to link it",
                    "the name of a person of a directory is taken",
                ));
            }
            Received::NameInvalid => {
                return Err(Refusal::no_account(
                    "your name cannot be that of an account here; ask an administrator to make one and link it to your login",
                    "the name of a person of a directory cannot be an account's",
                ));
            }
            Received::Unknown => {
                return Err(Refusal::no_account(
                    "you have no account here yet; ask an administrator to make one and link it to your login",
                    "a person of a directory has no account, and none is made",
                ));
            }
        };
        let login = self
            .0
            .db
            .read(&id.0, |tx, id| Box::pin(login_by_id(tx, *id)))
            .await
            .map_err(|error| {
                tracing::error!(error = %Chain(&error), "an account cannot be read");
                unavailable(&error)
            })?;
        let login = login.filter(|login| may_act(login, now)).ok_or_else(|| {
            Refusal::password("the account of this person is disabled or deleted")
        })?;
        let known = Known {
            principal: login.id,
            name: login.name.into(),
            version: login.version,
            proof: Proof::Source,
            narrowed: None,
            until: None,
        };
        self.saw(&known, now);
        Ok(known)
    }
}
