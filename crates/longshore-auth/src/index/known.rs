//! Somebody who has proven who they are, and by what.

use std::net::IpAddr;
use std::sync::Arc;

use longshore_core::{Actor, Way};
use longshore_meta::principals::PrincipalId;

use crate::rights::{Narrow, Via, Who};

/// What somebody was known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The password of the account.
    Password,
    /// A personal access token, by its id.
    Personal(i64),
    /// A robot's secret, by its id.
    Robot(i64),
    /// A refresh token, by its id.
    Refresh(i64),
    /// The word of a directory or a provider.
    Source,
    /// A token of a CI or a cluster, by the rule that trusts it.
    Keyless(i64),
    /// A session of a browser, by its id.
    Session(i64),
    /// A certificate, by the rule that names it.
    Certificate(i64),
}

impl Proof {
    /// The kind of it, and its id where there are several of a kind; otherwise 0.
    const fn via(self) -> (Via, i64) {
        match self {
            Proof::Password | Proof::Refresh(_) | Proof::Source => (Via::Password, 0),
            Proof::Personal(id) => (Via::PersonalToken, id),
            Proof::Robot(id) => (Via::RobotSecret, id),
            Proof::Keyless(id) => (Via::Keyless, id),
            Proof::Session(id) => (Via::Session, id),
            Proof::Certificate(id) => (Via::Certificate, id),
        }
    }
}

/// Somebody who has proven who they are.
#[derive(Debug, Clone)]
pub struct Known {
    /// The principal.
    pub principal: i64,
    /// Its name, as it logs in.
    pub name: Arc<str>,
    /// Its version: what is issued to it says so.
    pub version: i64,
    /// What it was known by.
    pub proof: Proof,
    /// What that leaves of its rights; all where it does not narrow.
    pub narrowed: Option<Arc<Narrow>>,
    /// When what it was known by ends, in microseconds; none where that has no end, or none that is known.
    pub until: Option<i64>,
}

impl Known {
    /// As rights are asked for.
    pub fn who(&self, from: IpAddr) -> Who {
        let (via, credential) = self.proof.via();
        Who {
            principal: Some(PrincipalId(self.principal)),
            via,
            credential,
            narrowed: self.narrowed.clone(),
            from,
        }
    }

    /// How they have shown who they are, for what is written down.
    pub fn way(&self) -> Way {
        let (via, credential) = self.proof.via();
        via.way(credential)
    }

    /// As contexts have it.
    pub fn actor(&self) -> Actor {
        Actor::Named(self.name.clone())
    }
}
