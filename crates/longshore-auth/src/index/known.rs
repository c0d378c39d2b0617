//! Somebody who has proven who they are, and by what.

use std::net::{IpAddr, Ipv4Addr};
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
        Who {
            principal: Some(PrincipalId(self.principal)),
            via: match self.proof {
                Proof::Password | Proof::Refresh(_) | Proof::Source => Via::Password,
                Proof::Keyless(_) => Via::Keyless,
                Proof::Session(_) => Via::Session,
                Proof::Certificate(_) => Via::Certificate,
                Proof::Personal(_) => Via::PersonalToken,
                Proof::Robot(_) => Via::RobotSecret,
            },
            credential: match self.proof {
                Proof::Password | Proof::Refresh(_) | Proof::Source => 0,
                Proof::Personal(id)
                | Proof::Robot(id)
                | Proof::Keyless(id)
                | Proof::Session(id)
                | Proof::Certificate(id) => id,
            },
            narrowed: self.narrowed.clone(),
            from,
        }
    }

    /// How they have shown who they are, for what is written down.
    pub fn way(&self) -> Way {
        self.who(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).way()
    }

    /// As contexts have it.
    pub fn actor(&self) -> Actor {
        Actor::Named(self.name.clone())
    }
}
